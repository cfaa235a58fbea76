//! Folder of rendered templates: one folder per environment.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use stackgen_cfn::Node;

use crate::error::CliError;
use crate::git;
use crate::template::TemplateSource;

/// Folder that templates are rendered into, as it is now or in a git revision.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OutputDir<'a> {
    /// Path of the folder.
    pub(crate) out: &'a Path,
    /// Git revision; `None` for the file system.
    pub(crate) revision: Option<&'a str>,
}

impl OutputDir<'_> {
    /// Returns the source of an environment's template.
    pub(crate) fn source(&self, environment: &str, file: &str) -> TemplateSource {
        let path = self.out.join(environment).join(file);
        match self.revision {
            Some(revision) => TemplateSource::Revision(git::object(revision, &path)),
            None => TemplateSource::File(path),
        }
    }

    /// Returns true if the environment has the file.
    pub(crate) fn holds(&self, environment: &str, file: &str) -> Result<bool, CliError> {
        let path = self.out.join(environment).join(file);
        Ok(match self.revision {
            Some(revision) => git::holds(revision, &path)?,
            None => path.symlink_metadata().is_ok(),
        })
    }

    /// Returns the folders of environments that are not declared: those that contain a template of this stack under one
    /// of these file names.
    pub(crate) fn undeclared(
        &self,
        stack: &str,
        declared: &[&str],
        files: &[&str],
    ) -> Result<Vec<String>, CliError> {
        let declared: HashSet<&str> = declared.iter().copied().collect();
        let mut found = Vec::new();
        for folder in self.folders()? {
            if declared.contains(folder.as_str()) {
                continue;
            }
            for file in files {
                if self.holds(&folder, file)? && self.is_of(stack, &folder, file) {
                    found.push(folder);
                    break;
                }
            }
        }
        found.sort();
        Ok(found)
    }

    /// Returns true if a file is a template of the stack. A file that cannot be read is none.
    fn is_of(&self, stack: &str, folder: &str, file: &str) -> bool {
        let source = self.source(folder, file);
        if let TemplateSource::File(path) = &source
            && !path.is_file()
        {
            return false;
        }
        let template = source.read().ok();
        let name = template
            .as_ref()
            .and_then(|node| stackgen_metadata(node, "Stack"));
        name == Some(stack)
    }

    /// Returns the names of the folders in the folder, and perhaps of files; none if the folder does not exist.
    fn folders(&self) -> Result<Vec<String>, CliError> {
        let paths: Vec<PathBuf> = match self.revision {
            Some(revision) => git::folders(revision, self.out)?,
            None => match fs::read_dir(self.out) {
                Ok(entries) => entries.flatten().map(|entry| entry.path()).collect(),
                Err(_) => Vec::new(),
            },
        };
        let name = |path: &PathBuf| path.file_name()?.to_str().map(str::to_owned);
        Ok(paths.iter().filter_map(name).collect())
    }
}

/// Returns a value that `synth` writes to a template's metadata: `Stack`, `Environment`, `Release`.
pub(crate) fn stackgen_metadata<'a>(template: &'a Node, key: &str) -> Option<&'a str> {
    template.at_path(&["Metadata", "Stackgen", key])?.as_str()
}
