//! `stackgen build`

use std::path::PathBuf;

use crate::build::{ArtifactStatus, BuiltArtifact, LambdaProfile, build_artifacts};
use crate::error::CliError;
use crate::outcome::CommandOutcome;
use crate::project::{Project, ProjectArgs};
use crate::runtime::block_on;
use crate::signals::stop_requested;
use crate::ui::Ui;

/// Build functions for Lambda, as the zip files that templates refer to
///
/// Compiles the binary of each function for the function's architecture, and writes it to target/lambda/{binary}/bootstrap.zip
/// beside the project file. The same program gives the same bytes, and a zip file that is up to date is not touched. If a
/// function cannot be built, no zip file is written.
///
/// cargo-lambda compiles, if it is installed. Otherwise cargo does, which needs Linux and the architecture of the functions. A
/// program that needs a newer GLIBC than Lambda has (2.34) is an error.
///
/// A function with a `zip` is not built, but the file must exist.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct BuildCommand {
    /// Project file
    #[arg(
        long,
        short,
        value_name = "FILE",
        default_value = "stackgen.yaml",
        help_heading = "Input"
    )]
    file: PathBuf,

    /// Environment whose functions to build; repeatable (default: all)
    #[arg(long = "env", short, value_name = "ENV", help_heading = "Input")]
    environments: Vec<String>,

    /// Build with the dev profile: faster to compile, but larger and slower
    #[arg(long, help_heading = "Build")]
    dev: bool,
}

const EXAMPLES: &str = "\
Examples:
  stackgen build
  stackgen build --env prod
  stackgen build --dev --json";

impl BuildCommand {
    pub(crate) fn run(&self, ui: &Ui) -> Result<CommandOutcome, CliError> {
        let args = ProjectArgs {
            file: self.file.clone(),
            unbuilt: true,
        };
        let project = Project::load(&args, ui)?;
        let environments = project.environments(&self.environments)?;
        let profile = match self.dev {
            true => LambdaProfile::Dev,
            false => LambdaProfile::Release,
        };
        let artifacts = block_on(async {
            tokio::select! {
                built = build_artifacts(&project, &environments, profile, ui) => built,
                // Dropping the other branch ends the compilers.
                _ = stop_requested() => Err(CliError::failed("interrupted").hint("run it again; no zip file was written")),
            }
        })?;
        match ui.wants_json() {
            true => ui.json_result(&artifacts)?,
            false => print(&artifacts, ui)?,
        }
        Ok(CommandOutcome::Done)
    }
}

fn print(artifacts: &[BuiltArtifact], ui: &Ui) -> Result<(), CliError> {
    if artifacts.is_empty() {
        return ui.done("the stack has no functions");
    }
    let width = |of: fn(&BuiltArtifact) -> &str| artifacts.iter().map(|one| of(one).len()).max();
    let names = width(|artifact| &artifact.function).unwrap_or_default();
    let architectures = width(|artifact| artifact.architecture).unwrap_or_default();
    for artifact in artifacts {
        let verb = match artifact.status {
            ArtifactStatus::Wrote => "wrote",
            ArtifactStatus::Unchanged => "unchanged",
            ArtifactStatus::Existing => "existing",
        };
        ui.done(&format!(
            "{verb:<9} {:<names$}  {:<architectures$}  {:>9}  sha256 {}  {}",
            artifact.function,
            artifact.architecture,
            size(artifact.bytes),
            artifact.sha256.get(..12).unwrap_or(&artifact.sha256),
            artifact.path.display()
        ))?;
    }
    Ok(())
}

/// Returns a length for people, such as `1.3 MiB`.
fn size(bytes: u64) -> String {
    const KIBIBYTE: u64 = 1024;
    const MEBIBYTE: u64 = 1024 * KIBIBYTE;
    let tenths = |unit: u64| {
        let tenths = bytes.saturating_mul(10).div_ceil(unit);
        format!("{}.{}", tenths / 10, tenths % 10)
    };
    match bytes {
        MEBIBYTE.. => format!("{} MiB", tenths(MEBIBYTE)),
        KIBIBYTE.. => format!("{} KiB", tenths(KIBIBYTE)),
        _ => format!("{bytes} B"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_the_unit_that_fits() {
        assert_eq!(size(0), "0 B");
        assert_eq!(size(1023), "1023 B");
        assert_eq!(size(1536), "1.5 KiB");
        assert_eq!(size(2 * 1024 * 1024 + 1), "2.1 MiB");
    }
}
