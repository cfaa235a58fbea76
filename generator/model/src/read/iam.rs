//! Roles and their policies.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::{Reader, texts};
use crate::resource::Resource;
use crate::role::{Grant, Role};
use crate::{LogicalId, Resolved, Unknown, UnknownReason};

const ROLE: &str = "AWS::IAM::Role";

/// Approximate limit in bytes for all attached policies. A policy can be attached to very many roles.
const MAX_ATTACHED: usize = 16 << 20;

/// Policies by their role, in the template's order.
type Attached<'a> = HashMap<&'a LogicalId, BTreeMap<usize, &'a Arc<Resource>>>;

impl<'a> Reader<'a> {
    pub(super) fn roles(&self) -> Vec<Role> {
        let attached = self.attached();
        let mut budget = MAX_ATTACHED;
        let mut roles: Vec<Role> = self.of_type(ROLE).map(role).collect();
        for role in &mut roles {
            let policies = attached.get(&role.resource.logical_id);
            for policy in policies.into_iter().flat_map(BTreeMap::values) {
                role.attach(policy, &mut budget);
            }
        }
        roles
    }

    /// Returns the policies of the template that name a role or are named by it.
    fn attached(&self) -> Attached<'a> {
        let mut attached = Attached::new();
        for (position, policy) in self.resources.values().enumerate() {
            if is_policy(policy) {
                for text in texts(policy.properties.get("Roles")) {
                    if let Some(role) = self.referenced(&text, ROLE, None) {
                        let policies = attached.entry(&role.logical_id).or_default();
                        policies.insert(position, policy);
                    }
                }
            }
        }
        for role in self.of_type(ROLE) {
            for text in texts(role.properties.get("ManagedPolicyArns")) {
                let id = text.as_reference().map(|reference| &reference.logical_id);
                if let Some((position, _, policy)) = id.and_then(|id| self.resources.get_full(id))
                    && is_policy(policy)
                {
                    let policies = attached.entry(&role.logical_id).or_default();
                    policies.insert(position, policy);
                }
            }
        }
        attached
    }
}

fn is_policy(resource: &Resource) -> bool {
    matches!(
        resource.kind.as_str(),
        "AWS::IAM::Policy" | "AWS::IAM::ManagedPolicy"
    )
}

/// Reads a role with its own policies.
fn role(resource: &Arc<Resource>) -> Role {
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
    role
}

impl Role {
    /// Adds a policy, within the budget.
    fn attach(&mut self, policy: &Arc<Resource>, budget: &mut usize) {
        let Some(document) = policy.properties.get("PolicyDocument") else {
            return;
        };
        if *budget > 0 {
            *budget = budget.saturating_sub(document.weight());
            self.add(policy, document);
        } else {
            let unknown = Unknown::new(UnknownReason::TooLarge, policy.span, "");
            self.unknown.push(unknown);
        }
    }

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
