//! Roles: who may take them, and what they may do.

use std::sync::Arc;

use serde::Serialize;

use crate::resource::Resource;
use crate::{Resolved, Text, Unknown};

/// A role, with the statements of its own policies and of policies of the template that are attached to it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Role {
    /// The resource.
    pub resource: Arc<Resource>,
    /// Its name, if the template gives one.
    pub name: Option<Text>,
    /// Who may take it: `lambda.amazonaws.com`.
    pub trusted: Vec<Text>,
    /// Managed policies, by ARN; what they grant is not known here.
    pub managed_policies: Vec<Text>,
    /// What it may and may not do.
    pub grants: Vec<Grant>,
    /// Policies and statements that are not known.
    pub unknown: Vec<Unknown>,
}

/// One statement of a policy.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Grant {
    /// The resource that the statement stands in: the role, or an `AWS::IAM::Policy`.
    pub resource: Arc<Resource>,
    /// `Allow` or `Deny`.
    pub effect: Option<Text>,
    /// The actions; empty when the statement says `NotAction`.
    pub actions: Vec<Text>,
    /// All but these actions.
    pub not_actions: Vec<Text>,
    /// The resources; empty when the statement says `NotResource`.
    pub resources: Vec<Text>,
    /// All but these resources.
    pub not_resources: Vec<Text>,
    /// Its `Condition`.
    pub condition: Option<Resolved>,
}

impl Grant {
    /// True when it names an action of a service, or all actions: `dynamodb`, `execute-api`.
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
