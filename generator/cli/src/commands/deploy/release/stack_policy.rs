//! Stack policies.

use std::path::Path;

use serde_json::Value as Json;

use crate::error::CliError;
use crate::file::{self, InputFile};

/// Reads a stack policy, and checks its form.
pub(super) fn read(path: &Path) -> Result<String, CliError> {
    let text = file::read(path, InputFile::StackPolicy)?;
    let invalid = |reason: String| {
        CliError::input(format!(
            "{} is not a stack policy: {reason}",
            path.display()
        ))
        .hint("write JSON with a list `Statement`, as CloudFormation's documentation shows")
        .file(path)
    };
    let policy: Json = serde_json::from_str(&text).map_err(|error| invalid(error.to_string()))?;
    match policy.get("Statement").is_some_and(Json::is_array) {
        true => Ok(policy.to_string()),
        false => Err(invalid("it has no list `Statement`".to_owned())),
    }
}
