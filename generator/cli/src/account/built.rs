//! Zip files that were built for functions of a template.

use std::fs;
use std::io;
use std::path::Path;

use stackgen_deploy::FunctionName;
use stackgen_deploy::code::{BuiltCode, LARGEST_ZIP};
use stackgen_model::{Model, Resolved, Text};

use crate::error::{CliError, reason};
use crate::file;
use crate::ui::Ui;

/// Returns the built code of functions, and notes the functions that have none.
pub(super) fn built_code(
    model: &Model,
    folder: &Path,
    ui: &Ui,
) -> Result<Vec<BuiltCode>, CliError> {
    let (mut built, mut missing) = (Vec::new(), Vec::new());
    for function in &model.functions {
        let name = function.name.as_ref().and_then(Text::as_literal);
        let path = match &function.code {
            Some(Resolved::Text(path)) => path.as_literal(),
            _ => None,
        };
        let (Some(name), Some(path)) = (name, path.filter(|path| !path.contains("://"))) else {
            continue;
        };
        let path = file::within(folder, path);
        match fs::read(&path) {
            Ok(zip) if zip.len() > LARGEST_ZIP => {
                let message = format!("{} is too large to send to Lambda directly", path.display());
                return Err(CliError::input(message)
                    .hint("Lambda accepts 50 MiB per call; deploy the template instead, or skip code with `--no-code`")
                    .file(&path));
            }
            Ok(zip) => built.push(BuiltCode::new(FunctionName::new(name), zip)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => missing.push(name.to_owned()),
            Err(error) => {
                let message = format!("cannot read {}: {}", path.display(), reason(&error));
                return Err(CliError::input(message).file(&path));
            }
        }
    }
    if !missing.is_empty() {
        let message = format!(
            "skipped the code of functions that are not built: {}",
            missing.join(", ")
        );
        ui.note(&message, Some("build them with `stackgen build`"));
    }
    Ok(built)
}
