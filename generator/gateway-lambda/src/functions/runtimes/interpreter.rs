//! Finds the interpreter of a runtime.

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use stackgen_gateway_common::FunctionSettings;
use tokio::process::Command;
use tokio::time::{sleep, timeout};

use super::{InterpretedRuntime, Language};

/// Time in which an interpreter must report its version.
const PROBE_TIMEOUT: Duration = Duration::from_secs(10);

/// Oldest versions that the bootstraps support: Python's minor version and Node's major version.
const OLDEST_PYTHON: [u32; 2] = [3, 9];
const OLDEST_NODE: [u32; 2] = [18, 0];

/// Lambda's `PATH`.
pub(in super::super) const LAMBDA_PATH: &str = "/usr/local/bin:/usr/bin:/bin:/opt/bin";

/// The places where interpreters are searched.
pub(in super::super) struct SearchContext<'a> {
    /// Folder that the function's code was copied from.
    pub(in super::super) source: Option<&'a Path>,
    pub(in super::super) settings: &'a FunctionSettings,
}

impl SearchContext<'_> {
    /// Returns the value of `PATH`.
    fn path(&self) -> &str {
        self.settings.path.as_deref().unwrap_or(LAMBDA_PATH)
    }
}

/// Interpreter that works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Interpreter {
    pub(in super::super) language: Language,
    /// The program itself. A shim, such as pyenv's, has been resolved.
    pub(in super::super) program: PathBuf,
    /// Version, such as `3.11.7`.
    pub(in super::super) version: String,
}

impl Interpreter {
    /// Finds the first interpreter that works: of the project's virtual environments, of `VIRTUAL_ENV`, and on `PATH`.
    ///
    /// # Errors
    ///
    /// If there is none. The text says which ones do not work, and what to install.
    pub(in super::super) async fn find(
        runtime: &InterpretedRuntime,
        context: &SearchContext<'_>,
    ) -> Result<Self, String> {
        let mut failures = Vec::new();
        for program in candidates(runtime, context) {
            match probe(runtime.language, &program, context).await {
                Ok(interpreter) => return Ok(interpreter),
                Err(reason) => failures.push(format!("{} {reason}", program.display())),
            }
        }
        let name = runtime.language.name();
        let install = match runtime.language {
            Language::Node => format!("install Node.js {}", runtime.version),
            Language::Python => format!("install python{}", runtime.version),
        };
        Err(match failures.as_slice() {
            [] => format!("there is no {name} on the PATH: {install}"),
            _ => format!(
                "no {name} on this machine works: {install} ({})",
                failures.join("; ")
            ),
        })
    }

    /// Returns true if it has the version of the runtime.
    pub(in super::super) fn matches(&self, runtime: &InterpretedRuntime) -> bool {
        let rest = self.version.strip_prefix(&runtime.version);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    }

    /// Returns the folder of the virtual environment that it belongs to.
    pub(in super::super) fn virtual_environment(&self) -> Option<&Path> {
        let folder = self.program.parent()?.parent()?;
        folder.join("pyvenv.cfg").is_file().then_some(folder)
    }
}

/// Returns the executables that may be the interpreter, in order of preference.
pub(in super::super) fn candidates(
    runtime: &InterpretedRuntime,
    context: &SearchContext<'_>,
) -> Vec<PathBuf> {
    let names = match runtime.language {
        Language::Node => vec!["node".to_owned()],
        Language::Python => vec![format!("python{}", runtime.version), "python3".to_owned()],
    };
    let mut found = Vec::new();
    if runtime.language == Language::Python {
        let folders = project_folders(context.source, context.settings.project.as_deref());
        let environments = folders
            .iter()
            .flat_map(|folder| [folder.join(".venv"), folder.join("venv")])
            .chain(context.settings.virtual_env.clone());
        found.extend(environments.map(|environment| environment.join("bin/python")));
    }
    for name in names {
        let folders = context
            .path()
            .split(':')
            .filter(|folder| !folder.is_empty());
        found.extend(folders.map(|folder| Path::new(folder).join(&name)));
    }
    found.retain(|program| is_executable(program));
    found
}

/// Returns the function's folder and those above it up to the project's, or the function's and the project's if one is not
/// in the other.
pub(in super::super) fn project_folders<'a>(
    source: Option<&'a Path>,
    project: Option<&'a Path>,
) -> Vec<&'a Path> {
    match (source, project) {
        (Some(source), Some(project)) if source.starts_with(project) => source
            .ancestors()
            .take_while(|folder| folder.starts_with(project))
            .collect(),
        _ => source.into_iter().chain(project).collect(),
    }
}

fn is_executable(path: &Path) -> bool {
    let found = path.metadata();
    found.is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

/// Runs an interpreter to learn its version and its real path. A shim may exist without an interpreter behind it.
async fn probe(
    language: Language,
    program: &Path,
    context: &SearchContext<'_>,
) -> Result<Interpreter, String> {
    let mut command = Command::new(program);
    match language {
        Language::Node => command.args(["-p", r"process.versions.node + '\n' + process.execPath"]),
        Language::Python => command.args([
            "-E",
            "-S",
            "-c",
            "import sys; print('%d.%d.%d' % sys.version_info[:3]); print(sys.executable)",
        ]),
    };
    // Shims need variables of the user, such as `HOME`, and choose a version by the working directory.
    command
        .env("PATH", context.path())
        .env_remove("NODE_OPTIONS");
    if let Some(folder) = context.source.or(context.settings.project.as_deref())
        && folder.is_dir()
    {
        command.current_dir(folder);
    }
    let output = run(&mut command).await?;
    let mut lines = output.lines();
    let (version, path) = (
        lines.next().unwrap_or_default(),
        lines.next().unwrap_or_default(),
    );
    let oldest = match language {
        Language::Node => OLDEST_NODE,
        Language::Python => OLDEST_PYTHON,
    };
    let numbers: Vec<u32> = version
        .split('.')
        .map_while(|part| part.parse().ok())
        .collect();
    match numbers.get(..2) {
        None => return Err("does not report a version".to_owned()),
        Some(numbers) if numbers < &oldest[..] => return Err(format!("is too old: {version}")),
        Some(_) => {}
    }
    let program = match is_executable(Path::new(path)) {
        true => path.into(),
        false => program.to_owned(),
    };
    Ok(Interpreter {
        language,
        program,
        version: version.to_owned(),
    })
}

/// Runs a command and returns its output.
pub(super) async fn run(command: &mut Command) -> Result<String, String> {
    command
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    let mut tries = 0;
    let output = loop {
        match timeout(PROBE_TIMEOUT, command.output()).await {
            Err(_) => return Err("does not answer".to_owned()),
            // Another thread that forks a process holds a program that was just written open until it calls exec.
            Ok(Err(error)) if error.kind() == io::ErrorKind::ExecutableFileBusy && tries < 50 => {
                tries += 1;
                sleep(Duration::from_millis(10)).await;
            }
            Ok(Err(error)) => return Err(format!("cannot start: {error}")),
            Ok(Ok(output)) => break output,
        }
    };
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => Err(format!("ends with {}", output.status)),
    }
}
