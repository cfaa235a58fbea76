//! Finds the roles of which the template shows every grant.

use std::collections::{HashMap, HashSet};

use stackgen_model::{Function, Grant, LogicalId, Model, Piece, Resolved, Role, Text};

use crate::facts::arn::{self, Match};

/// AWS managed policies that only allow a function to write logs, read its event source and the like.
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

/// Roles of which the template shows every grant.
pub(crate) struct FunctionRoles<'a> {
    complete: HashMap<&'a LogicalId, &'a Role>,
}

impl<'a> FunctionRoles<'a> {
    /// Finds the roles of which the template shows every grant.
    pub(crate) fn of(model: &'a Model) -> FunctionRoles<'a> {
        let external = ExternalGrants::of(model);
        let complete = model
            .roles
            .iter()
            .filter(|role| external.is_complete(model, role))
            .map(|role| (&role.resource.logical_id, role));
        FunctionRoles {
            complete: complete.collect(),
        }
    }

    /// Returns true if the template shows every grant of a role.
    pub(crate) fn is_complete(&self, role: &Role) -> bool {
        self.complete.contains_key(&role.resource.logical_id)
    }

    /// Returns the role of a function, if the template shows every grant of it.
    pub(crate) fn complete_role(&self, function: &Function) -> Option<&'a Role> {
        self.complete.get(function.role.to()?).copied()
    }
}

/// Roles that may have more grants, from resources that the model does not add to roles.
#[derive(Default)]
struct ExternalGrants<'a> {
    /// True if this may be any role.
    any_role: bool,
    /// Roles with these logical IDs.
    ids: HashSet<&'a LogicalId>,
    /// Roles with these names.
    names: HashSet<&'a str>,
}

impl<'a> ExternalGrants<'a> {
    fn of(model: &'a Model) -> ExternalGrants<'a> {
        let mut external = ExternalGrants::default();
        for resource in model.resources.values() {
            let property = match resource.kind.as_str() {
                "AWS::IAM::Policy" | "AWS::IAM::ManagedPolicy" => "Roles",
                "AWS::IAM::RolePolicy" => "RoleName",
                "AWS::Serverless::Connector" => {
                    external.any_role = true;
                    continue;
                }
                _ => {
                    external.any_role |= resource.attributes.contains_key("Connectors");
                    continue;
                }
            };
            let in_model = property == "Roles";
            let roles = resource.properties.get(property);
            for role in roles.map(Resolved::one_or_many).unwrap_or_default() {
                external.add(role, in_model);
            }
        }
        external
    }

    fn add(&mut self, role: &'a Resolved, in_model: bool) {
        let pieces = match role {
            Resolved::Text(text) => text.pieces(),
            _ => &[],
        };
        match pieces {
            [Piece::Literal(name)] => {
                self.names.insert(name);
            }
            [Piece::Reference(_)] if in_model => {}
            [Piece::Reference(reference)] => {
                self.ids.insert(&reference.logical_id);
            }
            _ => self.any_role = true,
        }
    }

    fn is_complete(&self, model: &Model, role: &Role) -> bool {
        let named = |name: &Text| match name.as_literal() {
            Some(name) => self.names.contains(name),
            None => !self.names.is_empty(),
        };
        !self.any_role
            && role.unknown.is_empty()
            && !self.ids.contains(&role.resource.logical_id)
            && !role.name.as_ref().is_some_and(named)
            && role.managed_policies.iter().all(|arn| is_known(model, arn))
            && !role.grants.iter().any(assumes_role)
    }
}

/// Returns true if the grants of a managed policy are known: it is in the template, or a harmless one of AWS.
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

/// Returns true if a grant allows the function to assume another role, whose grants count too.
fn assumes_role(grant: &Grant) -> bool {
    may_allow(grant, "sts:AssumeRole")
}

/// Returns true if a grant may allow an action on some resource.
pub(crate) fn may_allow(grant: &Grant, action: &str) -> bool {
    let effect = grant.effect.as_ref();
    let denies = effect.is_some_and(|effect| effect.as_literal() == Some("Deny"));
    let is_action = |pattern: &Text| matches_action(pattern, action) != Match::No;
    !denies && (!grant.not_actions.is_empty() || grant.actions.iter().any(is_action))
}

/// Compares an entry of `Action`, which may contain wildcards, with an action.
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
