//! Files of a template's resources, for watchers.

use std::path::{Path, PathBuf};

use stackgen_model::Model;

use super::{StackTemplate, code, state_machine};

/// Returns the files and folders with the code and the layers of a template's functions and the definitions of its state
/// machines, as far as they are on this machine, and the folder of a build that they need, even if it does not exist. Code in
/// [`StackTemplate::code`] is left out. Blocks.
pub fn code_files(template: &StackTemplate, model: &Model) -> Vec<PathBuf> {
    let mut files = code::code_files(template, model);
    let file = Path::new(&template.file);
    files.extend(state_machine::definition_files(model, file));
    files
}
