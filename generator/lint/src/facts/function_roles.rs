//! FunctionRoles of functions of which the template tells all.

use std::collections::{HashMap, HashSet};

use stackgen_model::{Function, Grant, LogicalId, Model, Piece, Resolved, Role, Text};

use crate::facts::arn::{self, Match};

/// Policies of AWS's own that let a function write logs, read its event source and the like, and no more.
const HARMLESS: &[&str] = &[
    "AWSLambdaBasicExecutionRole",
    "AWSLambdaDynamoDBExecutionRole",
    "AWSLambdaENIManagementAccess",
    "AWSLambdaKinesisExecutionRole",
    "AWSLambdaMSKExecutionRole",
    "AWSLambdaSQSQueueExecutionRole",
    "AWSLambdaVPCAccessExecutionRole",
    "AWSXRayDaemonWriteAccess",
    "AWSXrayWriteOnlyAccess",
    "CloudWatchLambdaInsightsExecutionRolePolicy",
];

/// The roles of a template.
pub(crate) struct FunctionRoles<'a> {
    whole: HashMap<&'a LogicalId, &'a Role>,
}

impl<'a> FunctionRoles<'a> {
    /// Finds the roles of which all grants are in the template.
    pub(crate) fn of(model: &'a Model) -> FunctionRoles<'a> {
        let elsewhere = ExternalGrants::of(model);
        let whole = model
            .roles
            .iter()
            .filter(|role| elsewhere.is_whole(model, role))
            .map(|role| (&role.resource.logical_id, role));
        FunctionRoles {
            whole: whole.collect(),
        }
    }

    /// The role of a function, if the template tells all that it grants.
    pub(crate) fn complete_role(&self, function: &Function) -> Option<&'a Role> {
        self.whole.get(function.role.to()?).copied()
    }
}

/// Who may get grants from resources that the model does not add to roles.
#[derive(Default)]
struct ExternalGrants<'a> {
    /// Anybody.
    anybody: bool,
    /// FunctionRoles of these ids.
    ids: HashSet<&'a LogicalId>,
    /// FunctionRoles of these names.
    names: HashSet<&'a str>,
}

impl<'a> ExternalGrants<'a> {
    fn of(model: &'a Model) -> ExternalGrants<'a> {
        let mut elsewhere = ExternalGrants::default();
        for resource in model.resources.values() {
            let property = match resource.kind.as_str() {
                "AWS::IAM::Policy" | "AWS::IAM::ManagedPolicy" => "Roles",
                "AWS::IAM::RolePolicy" => "RoleName",
                "AWS::Serverless::Connector" => {
                    elsewhere.anybody = true;
                    continue;
                }
                _ => {
                    elsewhere.anybody |= resource.attributes.contains_key("Connectors");
                    continue;
                }
            };
            let folded = property == "Roles";
            let roles = resource.properties.get(property);
            for role in roles.map(Resolved::one_or_many).unwrap_or_default() {
                elsewhere.add(role, folded);
            }
        }
        elsewhere
    }

    fn add(&mut self, role: &'a Resolved, folded: bool) {
        let pieces = match role {
            Resolved::Text(text) => text.pieces(),
            _ => &[],
        };
        match pieces {
            [Piece::Literal(name)] => {
                self.names.insert(name);
            }
            [Piece::Reference(_)] if folded => {}
            [Piece::Reference(reference)] => {
                self.ids.insert(&reference.logical_id);
            }
            _ => self.anybody = true,
        }
    }

    fn is_whole(&self, model: &Model, role: &Role) -> bool {
        let named = |name: &Text| match name.as_literal() {
            Some(name) => self.names.contains(name),
            None => !self.names.is_empty(),
        };
        !self.anybody
            && role.unknown.is_empty()
            && !self.ids.contains(&role.resource.logical_id)
            && !role.name.as_ref().is_some_and(named)
            && role.managed_policies.iter().all(|arn| is_known(model, arn))
            && !role.grants.iter().any(assumes_role)
    }
}

/// Whether what a managed policy grants is known: one of the template, or a harmless one of AWS's.
fn is_known(model: &Model, arn: &Text) -> bool {
    let own = arn
        .as_reference()
        .and_then(|reference| model.resource(&reference.logical_id));
    let is_own = own.is_some_and(|policy| policy.kind == "AWS::IAM::ManagedPolicy");
    is_own
        || match arn.pieces().last() {
            Some(Piece::Literal(end)) => {
                let name = end.rsplit('/').next().unwrap_or(end);
                HARMLESS.contains(&name)
            }
            _ => false,
        }
}

/// Whether it lets a function act as another role, whose grants count too.
fn assumes_role(grant: &Grant) -> bool {
    may_allow(grant, "sts:AssumeRole")
}

/// Whether a grant may allow an action, on whatever resource.
pub(crate) fn may_allow(grant: &Grant, action: &str) -> bool {
    let effect = grant.effect.as_ref();
    let denies = effect.is_some_and(|effect| effect.as_literal() == Some("Deny"));
    let is_action = |pattern: &Text| matches_action(pattern, action) != Match::No;
    !denies && (!grant.not_actions.is_empty() || grant.actions.iter().any(is_action))
}

/// Whether an entry of `Action` is an action, or has it among others: `execute-api:*`.
pub(crate) fn matches_action(pattern: &Text, action: &str) -> Match {
    let Some(pattern) = pattern.as_literal() else {
        return Match::Unknown;
    };
    if pattern.eq_ignore_ascii_case(action) || pattern == "*" {
        return Match::Yes;
    }
    if !pattern.contains(['*', '?']) {
        return Match::No;
    }
    let lower = |text: &str| Text::literal(text.to_ascii_lowercase());
    arn::matches(&Model::default(), &lower(pattern), &lower(action))
}
