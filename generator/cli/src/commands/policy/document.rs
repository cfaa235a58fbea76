//! IAM policies.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};
use stackgen_aws::{AwsCall, CallTask};

use super::resources::{PassedRoles, ResourceRights, rights, rights_of_properties};
use super::scope::PolicyScope;

/// IAM policy that allows actions on resources.
#[derive(Debug, Default)]
pub(super) struct PolicyDocument {
    /// Actions by the resources that they are allowed on.
    allowed: BTreeMap<BTreeSet<String>, BTreeSet<String>>,
    /// Roles that may be passed, by the services that they may be passed to.
    passed: BTreeMap<&'static str, BTreeSet<String>>,
}

impl PolicyDocument {
    /// Returns the policy of a redeploy. A scope without a template has no functions, so it allows no changes of code.
    pub(super) fn redeploy(scope: &PolicyScope) -> Self {
        let mut policy = PolicyDocument::default();
        policy.allow_calls(scope, CallTask::Redeploy);
        if scope.template.is_some() {
            policy.allow_calls(scope, CallTask::Code);
        }
        policy
    }

    /// Returns the policy of a deploy, without the rights on the stack's resources.
    pub(super) fn deploy(scope: &PolicyScope) -> Self {
        let mut policy = PolicyDocument::redeploy(scope);
        policy.allow_calls(scope, CallTask::Deploy);
        policy
    }

    /// Returns the policy of a command that only reads.
    pub(super) fn reading(scope: &PolicyScope, calls: &[AwsCall]) -> Self {
        let mut policy = PolicyDocument::default();
        for call in calls {
            policy.allow([call.action()], scope.reading_arns(*call));
        }
        policy
    }

    fn allow_calls(&mut self, scope: &PolicyScope, task: CallTask) {
        let calls = AwsCall::ALL.iter().filter(|call| call.task() == task);
        // An API that is given by its ID is not searched for by its name.
        let is_known = scope.template.is_none();
        for call in calls.filter(|call| !is_known || **call != AwsCall::GetApis) {
            self.allow([call.action()], scope.arns(call.target()));
        }
    }

    /// Allows to let CloudFormation use a role.
    pub(super) fn allow_passing(&mut self, role: &str) {
        let roles = self.passed.entry("cloudformation.amazonaws.com");
        roles.or_default().insert(role.to_owned());
    }

    /// Allows what CloudFormation does to the resources of the stack as the caller. Returns the types of which that is unknown.
    pub(super) fn allow_resources(&mut self, scope: &PolicyScope) -> Vec<String> {
        let mut unknown = Vec::new();
        for kind in scope.types() {
            let Some(rights) = rights(kind) else {
                unknown.push(kind.to_owned());
                continue;
            };
            for ResourceRights { actions, target } in rights.on {
                self.allow(actions.iter().copied(), target.arns(scope));
            }
            for (property, rights) in rights_of_properties(kind) {
                if scope.has_property(kind, property) {
                    for ResourceRights { actions, target } in *rights {
                        self.allow(actions.iter().copied(), target.arns(scope));
                    }
                }
            }
            if let Some(PassedRoles { to, property }) = rights.passes
                && scope.has_property(kind, property)
            {
                let names = scope.names("AWS::IAM::Role", "RoleName");
                let roles = names
                    .iter()
                    .map(|name| scope.global("iam", &format!("role/{name}")));
                self.passed.entry(to).or_default().extend(roles);
            }
        }
        unknown
    }

    fn allow<'a>(&mut self, actions: impl IntoIterator<Item = &'a str>, on: BTreeSet<String>) {
        if !on.is_empty() {
            let allowed = self.allowed.entry(on).or_default();
            allowed.extend(actions.into_iter().map(str::to_owned));
        }
    }

    /// Returns the policy as JSON.
    pub(super) fn json(&self) -> String {
        // Resources with the same actions share a statement.
        let mut by_actions: BTreeMap<&BTreeSet<String>, BTreeSet<&String>> = BTreeMap::new();
        for (resources, actions) in &self.allowed {
            by_actions.entry(actions).or_default().extend(resources);
        }
        let mut statements: Vec<Json> = by_actions
            .iter()
            .map(|(actions, on)| json!({ "Effect": "Allow", "Action": actions, "Resource": on }))
            .collect();
        statements.extend(
            self.passed
                .iter()
                .filter(|(_, roles)| !roles.is_empty())
                .map(|(service, roles)| {
                    json!({
                        "Effect": "Allow",
                        "Action": ["iam:PassRole"],
                        "Resource": roles,
                        "Condition": { "StringEquals": { "iam:PassedToService": service } },
                    })
                }),
        );
        let policy = json!({ "Version": "2012-10-17", "Statement": statements });
        format!("{policy:#}\n")
    }
}
