//! Roles and what they may do.

use std::sync::Arc;

use super::{Reader, texts};
use crate::Resolved;
use crate::resource::Resource;
use crate::role::{Grant, Role};

impl Reader<'_> {
    pub(super) fn roles(&self) -> Vec<Role> {
        self.of_type("AWS::IAM::Role")
            .map(|resource| self.role(resource))
            .collect()
    }

    fn role(&self, resource: &Arc<Resource>) -> Role {
        let properties = &resource.properties;
        let mut role = Role {
            resource: resource.clone(),
            name: properties.text("RoleName"),
            trusted: trusted(properties.get("AssumeRolePolicyDocument")),
            managed_policies: texts(properties.get("ManagedPolicyArns")),
            grants: Vec::new(),
            unknown: Vec::new(),
        };
        if let Some(policies) = properties.get("Policies") {
            for policy in policies.one_or_many() {
                role.add(resource, policy.get("PolicyDocument").unwrap_or(policy));
            }
        }
        for policy in self.attached(resource) {
            if let Some(document) = policy.properties.get("PolicyDocument") {
                role.add(policy, document);
            }
        }
        role
    }

    /// Policies of the template that name the role.
    fn attached(&self, role: &Resource) -> impl Iterator<Item = &Arc<Resource>> {
        let kinds = ["AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"];
        let policies = self
            .resources
            .values()
            .filter(move |policy| kinds.contains(&policy.kind.as_str()));
        policies.filter(|policy| {
            let roles = texts(policy.properties.get("Roles"));
            let attached = roles.iter().any(|text| {
                self.referenced(text, "AWS::IAM::Role", None)
                    .is_some_and(|found| found.logical_id == role.logical_id)
            });
            let arns = texts(role.properties.get("ManagedPolicyArns"));
            let managed = arns.iter().filter_map(|text| text.as_reference());
            attached
                || managed
                    .into_iter()
                    .any(|reference| reference.logical_id == policy.logical_id)
        })
    }
}

impl Role {
    fn add(&mut self, resource: &Arc<Resource>, document: &Resolved) {
        let statements = document.get("Statement").unwrap_or(document);
        for statement in statements.one_or_many() {
            match statement {
                Resolved::Unknown(unknown) => self.unknown.push(unknown.clone()),
                statement => self.grants.push(Grant {
                    resource: resource.clone(),
                    effect: statement.text("Effect"),
                    actions: texts(statement.get("Action")),
                    not_actions: texts(statement.get("NotAction")),
                    resources: texts(statement.get("Resource")),
                    not_resources: texts(statement.get("NotResource")),
                    condition: statement.get("Condition").cloned(),
                }),
            }
        }
    }
}

fn trusted(document: Option<&Resolved>) -> Vec<crate::Text> {
    let statements = document.and_then(|document| document.get("Statement"));
    let statements = statements.map(Resolved::one_or_many).unwrap_or_default();
    let principals = statements
        .iter()
        .filter_map(|statement| statement.get("Principal"));
    let mut trusted = Vec::new();
    for principal in principals {
        match principal.as_map() {
            Some(kinds) => trusted.extend(kinds.values().flat_map(|value| texts(Some(value)))),
            None => trusted.extend(texts(Some(principal))),
        }
    }
    trusted
}
