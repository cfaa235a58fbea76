//! IAM roles: trusted principals and permissions.

use std::sync::Arc;

use serde::Serialize;

use crate::resource::Resource;
use crate::{Resolved, Text, Unknown};

/// A role, with the statements of its own policies and of those in the template that are attached to it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Role {
    /// The resource.
    pub resource: Arc<Resource>,
    /// The name, if the template sets one.
    pub name: Option<Text>,
    /// The principals that may assume it: `lambda.amazonaws.com`.
    pub trusted: Vec<Text>,
    /// Managed policies by ARN. Their statements are unknown.
    pub managed_policies: Vec<Text>,
    /// The statements of its policies.
    pub grants: Vec<Grant>,
    /// Unknown policies and statements.
    pub unknown: Vec<Unknown>,
}

/// A statement of a policy.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Grant {
    /// The resource that contains the statement: the role, or an `AWS::IAM::Policy`.
    pub resource: Arc<Resource>,
    /// `Allow` or `Deny`.
    pub effect: Option<Text>,
    /// The actions; empty for a statement with `NotAction`.
    pub actions: Vec<Text>,
    /// The actions of `NotAction`.
    pub not_actions: Vec<Text>,
    /// The resources; empty for a statement with `NotResource`.
    pub resources: Vec<Text>,
    /// The resources of `NotResource`.
    pub not_resources: Vec<Text>,
    /// The `Condition`.
    pub condition: Option<Resolved>,
}

impl Grant {
    /// True if it names an action of a service, such as `dynamodb` or `execute-api`, or all actions.
    pub fn touches(&self, service: &str) -> bool {
        let of_service = |text: &Text| match text.as_literal() {
            Some("*") => true,
            Some(action) => action
                .split_once(':')
                .is_some_and(|(name, _)| name.eq_ignore_ascii_case(service)),
            None => true,
        };
        !self.not_actions.is_empty() || self.actions.iter().any(of_service)
    }
}
