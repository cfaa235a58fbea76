//! Builds of functions before a deploy.

use super::args::DeployCommand;
use crate::build::{ArtifactStatus, LambdaProfile, build_artifacts};
use crate::error::CliError;
use crate::project::{Project, ProjectArgs};
use crate::ui::Ui;

/// Builds the functions of the command's environment. Dropping the future ends the compilers.
///
/// # Errors
///
/// If there is no such environment, or if a function cannot be built.
pub(super) async fn build_target(command: &DeployCommand, ui: &Ui) -> Result<(), CliError> {
    let target = &command.target;
    let input = ProjectArgs {
        file: target.file.clone(),
        unbuilt: true,
    };
    let project = Project::load(&input, ui)?;
    let environment = project.only_environment(target.environment.as_deref())?;
    build_functions(&project, environment, ui).await
}

/// Builds the functions of an environment, as `stackgen build` does. Dropping the future ends the compilers.
///
/// # Errors
///
/// If a function cannot be built.
pub(super) async fn build_functions(
    project: &Project,
    environment: &str,
    ui: &Ui,
) -> Result<(), CliError> {
    let built = build_artifacts(project, &[environment], LambdaProfile::Release, ui).await?;
    for artifact in built {
        if artifact.status == ArtifactStatus::Wrote {
            let (function, path) = (&artifact.function, artifact.path.display());
            ui.detail(|| format!("built {function}: {path} sha256:{}", artifact.sha256));
        }
    }
    Ok(())
}
