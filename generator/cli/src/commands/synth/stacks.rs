//! The stacks of a run: one per project file.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use clap::ValueEnum;

use super::rendered::TemplateFormat;
use crate::error::CliError;
use crate::output_dir::OutputDir;
use crate::project::{Project, ProjectArgs};
use crate::ui::Ui;

/// The stacks of a run.
pub(super) struct Stacks(Vec<Stack>);

/// A stack, and the folder of its rendered templates.
pub(super) struct Stack {
    pub(super) project: Project,
    /// The project file, as it was named.
    file: PathBuf,
    pub(super) out: PathBuf,
}

/// An environment that is rendered.
#[derive(Clone, Copy)]
pub(super) struct SelectedEnvironment<'a> {
    pub(super) stack: &'a Stack,
    pub(super) environment: &'a str,
}

impl Stacks {
    /// Reads and checks the project files.
    pub(super) fn load(
        files: &[PathBuf],
        unbuilt: bool,
        out: Option<&Path>,
        ui: &Ui,
    ) -> Result<Self, CliError> {
        let load = |file: &PathBuf| {
            let args = ProjectArgs {
                file: file.clone(),
                unbuilt,
            };
            let project = Project::load(&args, ui)?;
            let out = match out {
                None => project.default_out(),
                Some(out) if files.len() == 1 => out.to_owned(),
                Some(out) => out.join(project.name()),
            };
            Ok(Stack {
                project,
                file: args.file,
                out,
            })
        };
        files.iter().map(load).collect::<Result<_, _>>().map(Self)
    }

    /// Returns the environments with the selected names, or all of them. A name has to belong to at least one stack.
    pub(super) fn select(
        &self,
        names: &[String],
    ) -> Result<Vec<SelectedEnvironment<'_>>, CliError> {
        let mut selected = Vec::new();
        for stack in &self.0 {
            let known = |name: &&String| self.declares(name, stack);
            let own: Vec<String> = names.iter().filter(known).cloned().collect();
            if !names.is_empty() && own.is_empty() {
                continue;
            }
            let environments = stack.project.environments(&own)?.into_iter();
            selected
                .extend(environments.map(|environment| SelectedEnvironment { stack, environment }));
        }
        Ok(selected)
    }

    /// Returns false if the environment belongs to other stacks only. A name of no stack is left to the error of the first.
    fn declares(&self, name: &str, stack: &Stack) -> bool {
        let declares = |stack: &Stack| stack.project.declared().contains(&name);
        declares(stack) || !self.0.iter().any(declares)
    }

    /// Fails if two stacks would be written to the same folder.
    pub(super) fn check_folders(&self) -> Result<(), CliError> {
        let mut owners: HashMap<PathBuf, &Stack> = HashMap::new();
        for stack in &self.0 {
            let out = std::path::absolute(&stack.out).unwrap_or_else(|_| stack.out.clone());
            let Some(other) = owners.insert(out, stack) else {
                continue;
            };
            let message = format!(
                "{} and {} would be rendered into the same folder, {}",
                other.file.display(),
                stack.file.display(),
                stack.out.display()
            );
            let hint = match (
                other.file == stack.file,
                other.project.name() == stack.project.name(),
            ) {
                (true, _) => "name the file once",
                (_, true) => "give the stacks different names",
                _ => "name a folder with `--out`: each stack gets a folder of its own in it",
            };
            return Err(CliError::input(message).hint(hint));
        }
        Ok(())
    }

    /// Returns folders of environments that the stacks do not declare.
    pub(super) fn undeclared(&self) -> Result<Vec<PathBuf>, CliError> {
        let files: Vec<_> = TemplateFormat::value_variants()
            .iter()
            .map(|format| format.file_name())
            .collect();
        let mut undeclared = Vec::new();
        for Stack { project, out, .. } in &self.0 {
            let rendered = OutputDir {
                out,
                revision: None,
            };
            let folders = rendered.undeclared(project.name(), &project.declared(), &files)?;
            undeclared.extend(folders.iter().map(|folder| out.join(folder)));
        }
        Ok(undeclared)
    }
}
