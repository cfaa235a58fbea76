//! Local gateway of a project: `stackgen dev` describes it in `.stackgen/gateway.json` while it runs.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use stackgen_gateway::gateway::{ApiEndpoint, GatewayState, RemoteError, RemoteGateway};
use tokio::time::timeout;

use crate::bounded;
use crate::error::{CliError, reason};
use crate::file;
use crate::project::Project;
use crate::write::write_private;

/// Longest wait for the state of a gateway on this machine.
const STATE_TIMEOUT: Duration = Duration::from_secs(5);

/// A running local gateway, and how to reach it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LocalGateway {
    /// Process ID.
    pub(crate) pid: u32,
    /// Key of the private routes, so that no page in a browser and no other user of this machine can call them.
    pub(crate) key: String,
    /// APIs, stages and endpoints.
    #[serde(flatten)]
    pub(crate) state: GatewayState,
}

/// Returns the folder of a project: that of its stackgen.yaml or template, or the one above a folder that CDK, SAM or the
/// Serverless Framework writes anew.
pub(crate) fn folder(project: &Path) -> &Path {
    let parent = file::parent(project);
    let is_written = |folder: &&Path| {
        let written = ["cdk.out", ".serverless", ".aws-sam"];
        written.iter().any(|name| folder.ends_with(name))
    };
    match parent.ancestors().find(is_written) {
        Some(written) => file::parent(written),
        None => parent,
    }
}

impl LocalGateway {
    /// Returns the path of a project's file, beside its stackgen.yaml or template.
    pub(crate) fn path(project: &Path) -> PathBuf {
        file::within(folder(project), ".stackgen/gateway.json")
    }

    /// Returns the path of the page by which a browser opens the console of a project.
    pub(crate) fn console_page(project: &Path) -> PathBuf {
        file::within(folder(project), ".stackgen/console.html")
    }

    /// Returns the folder of a project's certificate authority, which stays when the gateway ends.
    pub(crate) fn authority(project: &Path) -> PathBuf {
        file::within(folder(project), ".stackgen/tls")
    }

    /// Finds the gateway that runs a stackgen.yaml or template, and reads its state. The gateway must know the key, because
    /// another gateway may use the port by now.
    ///
    /// # Errors
    ///
    /// If no gateway runs, or it ended without cleaning up.
    pub(crate) async fn find(project: &Path) -> Result<LocalGateway, CliError> {
        let local = LocalGateway::read(project)?;
        let pid = local.pid;
        match timeout(STATE_TIMEOUT, local.remote().state()).await {
            Ok(Ok(state)) => Ok(LocalGateway { state, ..local }),
            Ok(Err(_)) => Err(CliError::failed(format!(
                "the local gateway with process ID {pid} is no longer running"
            ))
            .hint("start it again with `stackgen dev`")),
            Err(_) => Err(CliError::failed(format!(
                "the local gateway with process ID {pid} does not answer"
            ))
            .hint("if it is stopped, resume it with `fg` in its terminal")),
        }
    }

    fn read(project: &Path) -> Result<LocalGateway, CliError> {
        let path = LocalGateway::path(project);
        let text = bounded::read(&path, bounded::MAX_JSON).map_err(|error| {
            if error.is_not_found() {
                let message = format!("no local gateway runs for {}", project.display());
                return CliError::failed(message)
                    .hint("start one with `stackgen dev`, or name another project with `--file`");
            }
            CliError::failed(format!("cannot read {}: {error}", path.display()))
                .hint("only the user who started the gateway can read it")
        })?;
        serde_json::from_slice(&text).map_err(|_| {
            CliError::failed(format!(
                "{} was not written by `stackgen dev` of this version",
                path.display()
            ))
            .hint("start `stackgen dev` again")
        })
    }

    /// Returns the environment that the gateway runs, if the project declares it.
    pub(crate) fn environment<'p>(&self, project: &'p Project) -> Option<&'p str> {
        let stack = self.state.stack.as_deref()?;
        let environment = stack.strip_prefix(project.name())?.strip_prefix('-')?;
        let mut declared = project.declared().into_iter();
        declared.find(|declared| *declared == environment)
    }

    /// Returns the API with this ID or name, or the only API.
    pub(crate) fn api(&self, selector: Option<&str>) -> Result<&ApiEndpoint, CliError> {
        let apis = &self.state.apis;
        let found = match selector {
            Some(selector) => apis
                .iter()
                .find(|api| api.api_id == *selector || api.name == selector),
            None if apis.len() == 1 => apis.first(),
            None => None,
        };
        let names: Vec<_> = apis.iter().map(|api| api.name.as_str()).collect();
        found.ok_or_else(|| {
            let message = match selector {
                Some(selector) => format!("the local gateway has no API {selector:?}"),
                None => format!("the local gateway has {} APIs", apis.len()),
            };
            CliError::input(message).hint(format!("it has: {}", names.join(", ")))
        })
    }

    /// Returns a client of the gateway.
    pub(crate) fn remote(&self) -> RemoteGateway {
        RemoteGateway::new(&self.state.endpoint, self.key.as_str())
    }

    /// Writes the file of a project. Only its owner can read it.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub(crate) fn write(&self, project: &Path) -> Result<(), CliError> {
        let path = LocalGateway::path(project);
        let failed = |error: io::Error| {
            let message = format!("cannot write {}: {}", path.display(), reason(&error));
            CliError::failed(message).hint("check that you may write to the folder")
        };
        let folder = path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder).map_err(failed)?;
        let text = serde_json::to_vec_pretty(self)
            .map_err(|error| CliError::failed(format!("cannot write JSON: {error}")))?;
        write_private(&path, &text).map_err(failed)
    }

    /// Removes the files of a project if this process wrote them, and their folder if it is empty then.
    pub(crate) fn remove(project: &Path, pid: u32) {
        if !LocalGateway::read(project).is_ok_and(|local| local.pid == pid) {
            return;
        }
        LocalGateway::forget(project);
    }

    /// Removes the files of a project, and their folder if it is empty then.
    pub(crate) fn forget(project: &Path) {
        let path = LocalGateway::path(project);
        let _ = fs::remove_file(&path);
        let _ = fs::remove_file(LocalGateway::console_page(project));
        if let Some(folder) = path.parent() {
            let _ = fs::remove_dir(folder);
        }
    }
}

impl From<RemoteError> for CliError {
    fn from(error: RemoteError) -> Self {
        let failure = CliError::failed(error.to_string());
        match error {
            RemoteError::NoAnswer(..) => failure.hint("check that `stackgen dev` still runs"),
            RemoteError::Refused(_) | RemoteError::Problems(_) => failure,
        }
    }
}
