//! Command and environment variables of a function process.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use stackgen_gateway_common::FunctionSettings;
use tokio::process::Command;

use super::super::pool::EnvironmentPool;
use super::super::processes::MARK_VARIABLE;
use super::super::{Configuration, LogFormat};
use super::shared_options;

/// Lambda's `PATH`.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin:/opt/bin";

/// Command that starts a function process.
#[derive(Debug)]
pub(in super::super) struct LaunchCommand {
    pub(super) program: PathBuf,
    pub(super) arguments: Vec<OsString>,
    /// `LAMBDA_TASK_ROOT` and working directory.
    pub(super) root: PathBuf,
    /// Environment variables that the runtime needs.
    variables: Vec<(&'static str, OsString)>,
}

impl LaunchCommand {
    /// Determines the command for this code and configuration.
    ///
    /// # Errors
    ///
    /// If the code cannot run on this machine. The text says why and what to do.
    pub(in super::super) async fn new(
        root: &Path,
        configuration: &Configuration,
        settings: &FunctionSettings,
    ) -> Result<Self, String> {
        let runtime = configuration.runtime.as_str();
        if runtime.starts_with("provided") {
            return bootstrap(root);
        }
        if let Some(version) = runtime.strip_prefix("python") {
            return python(root, version, configuration, settings).await;
        }
        if runtime.starts_with("nodejs") {
            return node(root, configuration, settings);
        }
        Err(format!(
            "the local Lambda does not support the runtime {runtime:?}; use provided.*, python3.* or nodejs*.x"
        ))
    }

    /// Explains why the process did not start, with a hint.
    pub(super) fn explain(&self, error: &io::Error) -> String {
        const NOT_AN_EXECUTABLE: i32 = 8;
        let program = self.program.display();
        let hint = match error.raw_os_error() {
            Some(NOT_AN_EXECUTABLE) => {
                "; it is not an executable for this machine's architecture: build it for this machine, or start a \
                 script with `#!`"
            }
            _ if error.kind() == io::ErrorKind::NotFound => {
                "; the file, or the interpreter or loader that it needs, does not exist"
            }
            _ => "",
        };
        format!("{program}: {error}{hint}")
    }

    /// Returns all environment variables of the process. Nothing is inherited from the gateway.
    pub(super) fn environment(
        &self,
        pool: &EnvironmentPool,
        address: SocketAddr,
        stream: &str,
        mark: &str,
    ) -> BTreeMap<OsString, OsString> {
        let configuration = pool.configuration();
        let host = pool.host();
        let scope = &host.settings.scope;
        let credentials = pool.credentials();
        let path = host.settings.functions.path.as_deref().unwrap_or(PATH);
        let mut variables: BTreeMap<OsString, OsString> = BTreeMap::new();
        let mut set = |name: &str, value: &str| {
            variables.insert(name.into(), value.into());
        };
        set("PATH", path);
        set("LANG", "en_US.UTF-8");
        set("TZ", ":UTC");
        host.variables()
            .iter()
            .for_each(|(name, value)| set(name, value));
        let own = configuration.environment.iter();
        own.for_each(|(name, value)| set(name, value));
        set("AWS_LAMBDA_FUNCTION_NAME", &pool.function().name);
        set("AWS_LAMBDA_FUNCTION_VERSION", pool.version());
        set(
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
            &configuration.memory_size.to_string(),
        );
        set("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand");
        set("AWS_LAMBDA_LOG_GROUP_NAME", pool.log_group());
        set("AWS_LAMBDA_LOG_STREAM_NAME", stream);
        set("AWS_LAMBDA_RUNTIME_API", &address.to_string());
        set("AWS_REGION", &scope.region);
        set("AWS_DEFAULT_REGION", &scope.region);
        set("AWS_ACCESS_KEY_ID", &credentials.access_key);
        set("AWS_SECRET_ACCESS_KEY", &credentials.secret_key);
        set("AWS_SESSION_TOKEN", &credentials.session_token);
        set("AWS_XRAY_CONTEXT_MISSING", "LOG_ERROR");
        set("_HANDLER", &configuration.handler);
        set(MARK_VARIABLE, mark);
        if configuration.log_format == LogFormat::Json {
            set("AWS_LAMBDA_LOG_FORMAT", "JSON");
        }
        // Lambda does not set it for OS-only runtimes.
        if !configuration.runtime.starts_with("provided") {
            set(
                "AWS_EXECUTION_ENV",
                &format!("AWS_Lambda_{}", configuration.runtime),
            );
        }
        variables.insert("LAMBDA_TASK_ROOT".into(), self.root.clone().into());
        for (name, value) in &self.variables {
            variables.insert(name.into(), value.clone());
        }
        shared_options::prepend(&host.variables(), &mut variables);
        variables
    }
}

fn bootstrap(root: &Path) -> Result<LaunchCommand, String> {
    let program = root.join("bootstrap");
    let Ok(found) = program.metadata() else {
        return Err(
            "its code has no file named bootstrap, which provided runtimes start".to_owned(),
        );
    };
    if !found.is_file() || found.permissions().mode() & 0o111 == 0 {
        return Err(
            "its bootstrap is not executable; run chmod +x on it before packaging".to_owned(),
        );
    }
    Ok(LaunchCommand {
        program,
        arguments: Vec::new(),
        root: root.to_owned(),
        variables: Vec::new(),
    })
}

async fn python(
    root: &Path,
    version: &str,
    configuration: &Configuration,
    settings: &FunctionSettings,
) -> Result<LaunchCommand, String> {
    let names = [format!("python{version}"), "python3".to_owned()];
    let found = || names.iter().find_map(|name| on_path(name, settings));
    let Some(program) = settings.python.clone().or_else(found) else {
        return Err(format!(
            "there is no Python on the PATH: install {} and its package awslambdaric",
            names[0]
        ));
    };
    let path = settings.path.as_deref().unwrap_or(PATH);
    let check = Command::new(&program)
        .args(["-c", "import awslambdaric"])
        .current_dir(root)
        .env_clear()
        .env("PATH", path)
        .env("PYTHONPATH", root)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .status();
    match check.await {
        Ok(status) if status.success() => {}
        _ => {
            return Err(format!(
                "{0} has no runtime interface client: run {0} -m pip install awslambdaric",
                program.display()
            ));
        }
    }
    Ok(LaunchCommand {
        program,
        arguments: [
            "-m".into(),
            "awslambdaric".into(),
            configuration.handler.clone().into(),
        ]
        .into(),
        root: root.to_owned(),
        variables: vec![
            ("PYTHONPATH", root.into()),
            // Lines must appear when they are written, not when the process ends.
            ("PYTHONUNBUFFERED", "1".into()),
        ],
    })
}

fn node(
    root: &Path,
    configuration: &Configuration,
    settings: &FunctionSettings,
) -> Result<LaunchCommand, String> {
    let Some(program) = on_path("node", settings) else {
        return Err(
            "there is no node on the PATH: install Node.js and its package aws-lambda-ric"
                .to_owned(),
        );
    };
    let beside = root.join("node_modules");
    let global = program.parent().map(|bin| bin.join("../lib/node_modules"));
    let folders = [Some(beside), settings.node_modules.clone(), global];
    let mut clients = folders.into_iter().flatten().flat_map(|folder| {
        // Path in version 4, and in earlier versions.
        ["aws-lambda-ric/index.mjs", "aws-lambda-ric/bin/index.mjs"].map(|file| folder.join(file))
    });
    let Some(client) = clients.find(|client| client.is_file()) else {
        return Err(
            "Node has no runtime interface client: run npm install aws-lambda-ric beside the function's code, or npm \
             install --global aws-lambda-ric"
                .to_owned(),
        );
    };
    Ok(LaunchCommand {
        program,
        arguments: [
            client.into_os_string(),
            configuration.handler.clone().into(),
        ]
        .into(),
        root: root.to_owned(),
        variables: Vec::new(),
    })
}

/// Finds an executable on the `PATH`.
fn on_path(name: &str, settings: &FunctionSettings) -> Option<PathBuf> {
    let path = settings.path.as_deref().unwrap_or(PATH);
    let mut paths = path.split(':').map(|folder| Path::new(folder).join(name));
    paths.find(|path| {
        let found = path.metadata();
        found.is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
    })
}
