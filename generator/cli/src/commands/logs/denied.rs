//! Calls that the caller may not make.

use std::collections::BTreeMap;

use serde::Serialize;
use stackgen_deploy::{AccountError, AccountErrorKind, DeployError};

use crate::error::CliError;

/// Calls that the caller may not make.
#[derive(Debug, Default)]
pub(super) struct DeniedCalls(Vec<AccountError>);

/// An IAM action that the caller needs.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DeniedAction {
    /// Operation by its AWS name.
    operation: &'static str,
    /// IAM action.
    action: String,
    /// Resources.
    resources: Vec<String>,
}

impl DeniedCalls {
    /// Adds a call.
    pub(super) fn add(&mut self, error: AccountError) {
        if self
            .0
            .iter()
            .all(|known| known.permission != error.permission)
        {
            self.0.push(error);
        }
    }

    /// Returns the result of a call; `None` if the caller may not make it.
    pub(super) fn allowed<T>(
        &mut self,
        read: Result<T, DeployError>,
    ) -> Result<Option<T>, CliError> {
        match read {
            Ok(found) => Ok(Some(found)),
            Err(DeployError::Account(error)) if error.kind == AccountErrorKind::AccessDenied => {
                self.add(error);
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// True if the caller may make every call.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the actions that the caller needs, each once, with their resources.
    pub(super) fn actions(&self) -> Vec<DeniedAction> {
        let mut actions: BTreeMap<(&str, &'static str), Vec<String>> = BTreeMap::new();
        for error in &self.0 {
            let (action, resource) = match error.permission.split_once(" on ") {
                Some((action, resource)) => (action, Some(resource)),
                None => (error.permission.as_str(), None),
            };
            let resources = actions.entry((action, error.operation)).or_default();
            resources.extend(resource.map(str::to_owned));
        }
        let actions = actions.into_iter();
        actions
            .map(|((action, operation), resources)| DeniedAction {
                operation,
                action: action.to_owned(),
                resources,
            })
            .collect()
    }

    /// Returns the error of a command that can read nothing.
    pub(super) fn error(&self) -> CliError {
        match self.0.last() {
            Some(error) => DeployError::from(error.clone()).into(),
            None => CliError::failed("nothing can be read"),
        }
    }
}

impl DeniedAction {
    /// Returns the action and its resources in one line.
    pub(super) fn text(&self) -> String {
        let DeniedAction {
            operation,
            action,
            resources,
        } = self;
        match resources.as_slice() {
            [] => format!("{operation} is denied: the caller needs {action}"),
            resources => format!(
                "{operation} is denied: the caller needs {action} on {}",
                resources.join(", ")
            ),
        }
    }
}
