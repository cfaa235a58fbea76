//! Files of `--plan-out` and `--plan`.

use std::path::Path;

use serde::{Deserialize, Serialize};
use stackgen_deploy::stack::{ChangeSet, ChangeSetId, StackName, StackRequest};

use crate::error::CliError;
use crate::file::{self, InputFile};
use crate::write;

/// Format of the file.
const VERSION: u32 = 1;

/// A plan that was reviewed, or that will be: the change set that runs is the one that was shown.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct PlanFile {
    version: u32,
    stack: StackName,
    environment: String,
    /// The change set in the account.
    pub(super) change_set: ChangeSetId,
    /// True if the stack is created.
    pub(super) creates: bool,
    /// Changes in words of the API model, as `stackgen diff` prints them.
    pub(super) api_changes: String,
    description: String,
}

impl PlanFile {
    pub(super) fn new(
        request: &StackRequest,
        changes: &ChangeSet,
        environment: &str,
        api_changes: String,
    ) -> Self {
        PlanFile {
            version: VERSION,
            stack: request.stack.clone(),
            environment: environment.to_owned(),
            change_set: changes.id.clone(),
            creates: request.creates,
            api_changes,
            description: request.description.clone(),
        }
    }

    /// Reads a file.
    pub(super) fn read(path: &Path) -> Result<PlanFile, CliError> {
        let text = file::read(path, InputFile::Plan)?;
        let plan: PlanFile = serde_json::from_str(&text).map_err(|error| {
            CliError::input(format!("{} is not a plan: {error}", path.display()))
                .hint("make one with `stackgen deploy --plan-out FILE`")
                .file(path)
        })?;
        match plan.version {
            VERSION => Ok(plan),
            other => Err(CliError::input(format!(
                "the plan has format {other}, and this is format {VERSION}"
            ))
            .hint("make it with the same version of stackgen")
            .file(path)),
        }
    }

    pub(super) fn write(&self, path: &Path) -> Result<(), CliError> {
        let mut text = serde_json::to_string_pretty(self)
            .map_err(|error| CliError::failed(format!("cannot write the plan: {error}")))?;
        text.push('\n');
        write::write_all(&[(path.to_owned(), text)]).map(drop)
    }

    /// Requires that the plan is for a stack and environment.
    pub(super) fn require(&self, stack: &StackName, environment: &str) -> Result<(), CliError> {
        if self.stack == *stack && self.environment == environment {
            return Ok(());
        }
        Err(CliError::input(format!(
            "the plan is for stack {} and environment {}, not for {stack} and {environment}",
            self.stack, self.environment
        ))
        .hint(format!("select them with `--env {}`", self.environment)))
    }
}
