//! The local gateway that runs for a project: what `stackgen dev` leaves in `.stackgen/gateway.json` while it runs.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use stackgen_gateway::gateway::{ApiEndpoint, GatewayState, RemoteError, RemoteGateway};
use tempfile::NamedTempFile;
use tokio::time::timeout;

use crate::bounded;
use crate::error::CliError;
use crate::project::Project;
use crate::report::reason;

/// How long a gateway on this machine may take to say where everything is.
const PATIENCE: Duration = Duration::from_secs(5);

/// A local gateway that runs, and how to reach it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Local {
    /// The process.
    pub(crate) pid: u32,
    /// What its private routes ask for, so that no page in a browser and nobody else on this machine uses them.
    pub(crate) key: String,
    /// Where everything is.
    #[serde(flatten)]
    pub(crate) state: GatewayState,
}

impl Local {
    /// The file of a project: beside its stackgen.yaml or template.
    pub(crate) fn path(project: &Path) -> PathBuf {
        let folder = match project.parent() {
            Some(parent) if parent != Path::new("") => parent,
            _ => Path::new("."),
        };
        crate::file::within(folder, ".stackgen/gateway.json")
    }

    /// The gateway that runs for the project whose stackgen.yaml or template this is, with where everything is at this
    /// moment. It is believed to be that one only if it knows the key: another one may have got the port since.
    ///
    /// # Errors
    ///
    /// If none runs, or it ended without tidying up.
    pub(crate) async fn find(project: &Path) -> Result<Local, CliError> {
        let local = Local::read(project)?;
        let pid = local.pid;
        match timeout(PATIENCE, local.remote().state()).await {
            Ok(Ok(state)) => Ok(Local { state, ..local }),
            Ok(Err(_)) => Err(CliError::failed(format!(
                "the local gateway with process id {pid} does not run any more"
            ))
            .hint("start it again with `stackgen dev`")),
            Err(_) => Err(CliError::failed(format!(
                "the local gateway with process id {pid} does not answer"
            ))
            .hint("is it stopped? `fg` in its terminal goes on with it")),
        }
    }

    fn read(project: &Path) -> Result<Local, CliError> {
        let path = Local::path(project);
        let text = bounded::read(&path, bounded::MAX_JSON).map_err(|error| {
            if error.is_not_found() {
                let message = format!("no local gateway runs for {}", project.display());
                return CliError::failed(message)
                    .hint("`stackgen dev` starts one; `--file` names another project");
            }
            CliError::failed(format!("cannot read {}: {error}", path.display()))
                .hint("only who started the gateway may read it")
        })?;
        serde_json::from_slice(&text).map_err(|_| {
            CliError::failed(format!(
                "{} is not what a `stackgen dev` of this version writes",
                path.display()
            ))
            .hint("start `stackgen dev` again")
        })
    }

    /// The environment of the project that it runs, if it is one of the project's.
    pub(crate) fn environment<'p>(&self, project: &'p Project) -> Option<&'p str> {
        let stack = self.state.stack.as_deref()?;
        let environment = stack.strip_prefix(project.name())?.strip_prefix('-')?;
        let mut declared = project.declared().into_iter();
        declared.find(|declared| *declared == environment)
    }

    /// The api of that id or name, or the only one that there is.
    pub(crate) fn api(&self, asked: Option<&str>) -> Result<&ApiEndpoint, CliError> {
        let apis = &self.state.apis;
        let found = match asked {
            Some(asked) => apis
                .iter()
                .find(|api| api.api_id == *asked || api.name == asked),
            None if apis.len() == 1 => apis.first(),
            None => None,
        };
        let names: Vec<_> = apis.iter().map(|api| api.name.as_str()).collect();
        found.ok_or_else(|| {
            let message = match asked {
                Some(asked) => format!("the local gateway has no api {asked:?}"),
                None => format!("the local gateway has {} apis", apis.len()),
            };
            CliError::input(message).hint(format!("it has: {}", names.join(", ")))
        })
    }

    /// A client of it.
    pub(crate) fn remote(&self) -> RemoteGateway {
        RemoteGateway::new(&self.state.endpoint, self.key.as_str())
    }

    /// Writes the file of a project, for its owner's eyes alone.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub(crate) fn write(&self, project: &Path) -> Result<(), CliError> {
        let path = Local::path(project);
        let failed = |error: io::Error| {
            let message = format!("cannot write {}: {}", path.display(), reason(&error));
            CliError::failed(message).hint("is the folder one that you may write to?")
        };
        let folder = path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder).map_err(failed)?;
        // A temporary file is its owner's alone; the rename keeps that.
        let mut file = NamedTempFile::new_in(folder).map_err(failed)?;
        let text = serde_json::to_vec_pretty(self)
            .map_err(|error| CliError::failed(format!("cannot write JSON: {error}")))?;
        file.write_all(&text).map_err(failed)?;
        file.persist(&path).map_err(|error| failed(error.error))?;
        Ok(())
    }

    /// Removes the file of a project if it is the one of this process, and its folder if that held nothing else.
    pub(crate) fn remove(project: &Path, pid: u32) {
        if !Local::read(project).is_ok_and(|local| local.pid == pid) {
            return;
        }
        Local::forget(project);
    }

    /// Removes the file of a project whosever it is, and its folder if that held nothing else.
    pub(crate) fn forget(project: &Path) {
        let path = Local::path(project);
        let _ = fs::remove_file(&path);
        if let Some(folder) = path.parent() {
            let _ = fs::remove_dir(folder);
        }
    }
}

impl From<RemoteError> for CliError {
    fn from(error: RemoteError) -> Self {
        let failure = CliError::failed(error.to_string());
        match error {
            RemoteError::NoAnswer(..) => failure.hint("does `stackgen dev` still run?"),
            RemoteError::Refused(_) | RemoteError::Problems(_) => failure,
        }
    }
}
