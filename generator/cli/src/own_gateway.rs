//! Local gateways that a command starts for itself, and the settings of all that run here.

use std::io;
use std::path::{Path, PathBuf};

use stackgen_gateway::gateway::{Gateway, GatewayOptions, GatewayState, RemoteGateway, StartError};
use stackgen_gateway::stack::template_scope;
use stackgen_gateway::{FunctionSettings, Settings};

use crate::error::{CliError, reason};
use crate::layer_mount;
use crate::local;
use crate::network;
use crate::source::{self, SourceArgs};
use crate::ui::Ui;
use crate::watcher;

/// A gateway that runs a project for one command. Its tables are in memory, and its ports are free ones.
pub(crate) struct OwnGateway {
    gateway: Gateway,
    pub(crate) state: GatewayState,
}

impl OwnGateway {
    /// Builds the functions of a project, and runs it.
    pub(crate) async fn start(source: &SourceArgs, ui: &Ui) -> Result<Self, CliError> {
        let prepared = source.prepare(ui).await?;
        let mut settings = Settings::default();
        let mut scope = settings.scope.clone();
        let configuration = prepared.configuration.as_ref();
        if let Some(region) = configuration.and_then(|it| it.region.clone()) {
            scope.region = region;
        }
        settings.scope = template_scope(&prepared.model, scope);
        set_machine(&mut settings.functions, source.path()).map_err(|error| {
            let reason = reason(&error);
            CliError::failed(format!("cannot find the path of this program: {reason}"))
        })?;
        let options = GatewayOptions {
            settings,
            ..GatewayOptions::default()
        };
        let gateway = Gateway::start(options).await;
        let gateway = gateway.map_err(|error| start_failed(&error))?;
        if let Err(problems) = gateway.apply(prepared.template.clone()).await {
            gateway.shutdown().await;
            return Err(source::problems(&prepared, problems));
        }
        let state = gateway.state().await;
        Ok(OwnGateway { gateway, state })
    }

    /// Returns a client of the gateway.
    pub(crate) fn remote(&self) -> RemoteGateway {
        RemoteGateway::new(&self.state.endpoint, self.gateway.key())
    }

    /// Ends the gateway and its functions.
    pub(crate) async fn shutdown(self) {
        self.gateway.shutdown().await;
    }
}

/// Sets what functions need to know about this machine.
///
/// # Errors
///
/// If the path of this program is unknown.
pub(crate) fn set_machine(functions: &mut FunctionSettings, project: &Path) -> io::Result<()> {
    functions.path = std::env::var("PATH").ok();
    functions.proxies = network::proxy_variables();
    // Functions run in their own folders, so the path must be absolute.
    functions.project = std::path::absolute(local::folder(project)).ok();
    functions.virtual_env = std::env::var_os("VIRTUAL_ENV")
        .filter(|path| !path.is_empty())
        .map(PathBuf::from);
    functions.watcher = Some(watcher::command(project)?);
    functions.layer_mount = Some(layer_mount::command()?);
    Ok(())
}

/// Returns the error of a gateway that did not start.
pub(crate) fn start_failed(error: &StartError) -> CliError {
    match error {
        StartError::Tables(tables) => match tables.hint() {
            Some(hint) => CliError::input(error.to_string()).hint(hint),
            None => CliError::failed(error.to_string()),
        },
        _ => CliError::failed(error.to_string()),
    }
}
