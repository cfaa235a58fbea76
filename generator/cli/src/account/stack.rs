//! The stack that a command works on.

use std::path::PathBuf;

use clap::Args;
use stackgen_deploy::account::AccountRegion;
use stackgen_deploy::stack::StackName;

use super::declared::DeclaredRegion;
use crate::error::CliError;
use crate::project::{Project, ProjectArgs};
use crate::ui::Ui;

/// Flags that select a stack.
#[derive(Args, Debug)]
#[command(next_help_heading = "Target")]
pub(crate) struct StackArgs {
    /// Project file
    #[arg(long, short, value_name = "FILE", default_value = "stackgen.yaml")]
    file: PathBuf,

    /// Environment (default: the only one)
    #[arg(long = "env", short, value_name = "ENV")]
    environment: Option<String>,

    /// Name of the stack (default: the name in the project file, `-` and the environment)
    #[arg(long, value_name = "NAME", conflicts_with_all = ["environment", "file"])]
    stack_name: Option<String>,
}

/// A stack that a command works on.
#[derive(Debug)]
pub(crate) struct StackTarget {
    pub(crate) name: StackName,
    /// Account and region that the environment belongs to.
    pub(crate) declared: DeclaredRegion,
}

impl StackArgs {
    /// Returns the stack. With `--stack-name`, no project file is needed.
    pub(crate) fn resolve(&self, ui: &Ui) -> Result<StackTarget, CliError> {
        if let Some(name) = &self.stack_name {
            return Ok(StackTarget {
                name: StackName::new(name.as_str()),
                declared: DeclaredRegion::default(),
            });
        }
        let input = ProjectArgs {
            file: self.file.clone(),
            unbuilt: true,
        };
        let project = Project::load(&input, ui)?;
        let environment = project.only_environment(self.environment.as_deref())?;
        Ok(StackTarget {
            name: stack_name(project.name(), environment),
            declared: DeclaredRegion::of(&project, environment),
        })
    }
}

/// Returns the default name of the stack of an environment.
pub(crate) fn stack_name(project: &str, environment: &str) -> StackName {
    StackName::new(format!("{project}-{environment}"))
}

/// Returns the name of the bucket that `stackgen bootstrap` creates.
pub(crate) fn artifact_bucket(region: &AccountRegion) -> String {
    format!("stackgen-artifacts-{}-{}", region.account, region.region)
}
