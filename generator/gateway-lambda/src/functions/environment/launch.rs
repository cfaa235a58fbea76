//! Command and environment variables of a function process.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use stackgen_gateway_common::{FunctionSettings, HelperCommand};
use tokio::process::Command;

use super::super::layer_paths::add_layers;
use super::super::pool::EnvironmentPool;
use super::super::processes::MARK_VARIABLE;
use super::super::runtimes::{
    Bootstraps, InterpretedRuntime, Interpreter, LAMBDA_PATH, Language, PackageAdvice,
    SearchContext, unsupported_runtime,
};
use super::super::{Configuration, LogFormat};
use super::{proxies, shared_options};

/// Command that starts a function process.
#[derive(Debug)]
pub(in super::super) struct LaunchCommand {
    pub(super) program: PathBuf,
    pub(super) arguments: Vec<OsString>,
    /// `LAMBDA_TASK_ROOT` and working directory.
    pub(super) root: PathBuf,
    /// Advice on missing packages, for runtimes that need an interpreter.
    packages: Option<PackageAdvice>,
}

/// Values that determine the command of a function.
pub(in super::super) struct LaunchContext<'a> {
    /// Folder of the code's copy.
    pub(in super::super) root: &'a Path,
    /// Folder that the code was copied from.
    pub(in super::super) source: Option<&'a Path>,
    pub(in super::super) configuration: &'a Configuration,
    pub(in super::super) settings: &'a FunctionSettings,
    pub(in super::super) bootstraps: &'a Bootstraps,
}

impl LaunchContext<'_> {
    fn search(&self) -> SearchContext<'_> {
        SearchContext {
            source: self.source,
            settings: self.settings,
        }
    }
}

impl LaunchCommand {
    /// Determines the command for this code and configuration.
    ///
    /// # Errors
    ///
    /// If the code cannot run on this machine. The text says why and what to do.
    pub(in super::super) async fn new(context: &LaunchContext<'_>) -> Result<Self, String> {
        let runtime = context.configuration.runtime.as_str();
        if runtime.starts_with("provided") {
            return bootstrap(context.root);
        }
        match InterpretedRuntime::parse(runtime) {
            Some(runtime) => interpreted(&runtime, context).await,
            None => Err(unsupported_runtime(runtime).unwrap_or_default()),
        }
    }

    /// Returns advice if an error of the function says that a package of Lambda is missing.
    pub(super) fn hint(&self, error: &[u8]) -> Option<String> {
        self.packages.as_ref()?.for_error(error)
    }

    /// Explains why the process did not start, with a hint.
    pub(super) fn explain(&self, error: &io::Error) -> String {
        start_error(&self.program, error)
    }

    /// Returns the command of the process. The helper mounts the layers in this folder, and then becomes the process.
    pub(super) fn command(&self, mount: Option<(&HelperCommand, &Path)>) -> Command {
        let mut command = match mount {
            Some((helper, layers)) => {
                let mut command = Command::new(&helper.program);
                command.args(&helper.arguments).arg(layers);
                command.arg(&self.program);
                command
            }
            None => Command::new(&self.program),
        };
        command.args(&self.arguments);
        command
    }

    /// Returns all environment variables of the process. Nothing is inherited from the gateway but what its settings name.
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
        let path = host.settings.functions.path.as_deref();
        let path = path.unwrap_or(LAMBDA_PATH);
        let mut variables: BTreeMap<OsString, OsString> = BTreeMap::new();
        let mut set = |name: &str, value: &str| {
            variables.insert(name.into(), value.into());
        };
        set("PATH", path);
        set("LANG", "en_US.UTF-8");
        set("TZ", ":UTC");
        proxies::variables(&host.settings.functions.proxies, &configuration.environment)
            .for_each(|(name, value)| set(name, &value));
        host.variables()
            .iter()
            .for_each(|(name, value)| set(name, value));
        let own = configuration.environment.iter();
        own.for_each(|(name, value)| set(name, value));
        if let Some(layers) = &configuration.layers {
            let runtime = InterpretedRuntime::parse(&configuration.runtime);
            add_layers(layers, runtime.as_ref(), &mut variables);
        }
        let mut set = |name: &str, value: &str| {
            variables.insert(name.into(), value.into());
        };
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
        shared_options::prepend(&host.variables(), &mut variables);
        variables
    }
}

/// Explains why a program did not start, with a hint.
pub fn start_error(program: &Path, error: &io::Error) -> String {
    const NOT_AN_EXECUTABLE: i32 = 8;
    let program = program.display();
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

/// Returns the command that starts the bootstrap in this folder.
pub(in super::super) fn bootstrap(root: &Path) -> Result<LaunchCommand, String> {
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
        packages: None,
    })
}

/// Returns the flags with which Lambda switches experimental features of Node.js off, as far as this version knows them. A
/// function may switch them on in `NODE_OPTIONS`.
fn node_flags<'f>(
    runtime: &str,
    version: &str,
    options: Option<&'f String>,
) -> impl Iterator<Item = &'static str> + use<'f> {
    let features: &[(&str, &str)] = &[
        (
            "--experimental-require-module",
            "--no-experimental-require-module",
        ),
        (
            "--experimental-detect-module",
            "--no-experimental-detect-module",
        ),
    ];
    let off = match runtime {
        "20" => &features[..1],
        "22" => features,
        _ => &[],
    };
    let mut numbers = version
        .split('.')
        .map_while(|part| part.parse::<u32>().ok());
    let version = [numbers.next(), numbers.next()].map(Option::unwrap_or_default);
    // 20.17 and 22.0 have both.
    let is_known = version >= [22, 0] || ([20, 17]..[21, 0]).contains(&version);
    let off = off.iter().filter(move |(on, _)| {
        let is_on =
            options.is_some_and(|options| options.split_whitespace().any(|word| word == *on));
        is_known && !is_on
    });
    off.map(|(_, flag)| *flag)
}

/// Returns the command of a runtime that needs an interpreter.
async fn interpreted(
    runtime: &InterpretedRuntime,
    context: &LaunchContext<'_>,
) -> Result<LaunchCommand, String> {
    let interpreter = Interpreter::find(runtime, &context.search()).await?;
    let mut arguments: Vec<OsString> = match runtime.language {
        // Lines must appear when they are written, not when the process ends.
        Language::Python => vec!["-u".into()],
        Language::Node => {
            let options = context.configuration.environment.get("NODE_OPTIONS");
            let flags = node_flags(&runtime.version, &interpreter.version, options);
            flags.map(OsString::from).collect()
        }
    };
    arguments.push(context.bootstraps.path(runtime.language).into());
    Ok(LaunchCommand {
        program: interpreter.program.clone(),
        arguments,
        root: context.root.to_owned(),
        packages: Some(
            PackageAdvice::new(
                interpreter,
                context.source,
                context.settings.project.as_deref(),
                context.root,
                &context.configuration.handler,
            )
            .for_runtime(&context.configuration.runtime),
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_that_lambda_switches_off_are_off_unless_the_function_switches_them_on() {
        let flags = |runtime, version, options: Option<&str>| {
            let options = options.map(str::to_owned);
            node_flags(runtime, version, options.as_ref()).collect::<Vec<_>>()
        };
        let (require, detect) = (
            "--no-experimental-require-module",
            "--no-experimental-detect-module",
        );
        assert_eq!(flags("22", "22.20.0", None), [require, detect]);
        assert_eq!(flags("22", "20.20.2", None), [require, detect]);
        assert_eq!(flags("20", "20.20.2", None), [require]);
        assert_eq!(flags("24", "24.1.0", None), [""; 0]);
        assert_eq!(flags("22", "20.1.0", None), [""; 0]);
        let on = Some("--inspect --experimental-detect-module");
        assert_eq!(flags("22", "22.20.0", on), [require]);
    }
}
