//! Project files, and the templates that they render to.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use stackgen_cfn::Sources;
use stackgen_synth::spec::{AuthorizerSpec, VerifyCallerSpec};
use stackgen_synth::{
    Artifacts, Dialect, FunctionCode, LocatedError, ProjectFile, RenderOptions, Rendered,
};

use crate::bounded::{self, ReadError};
use crate::error::{CliError, reason};
use crate::file::{self, InputFile};
use crate::ui::Ui;

/// Flags that select a project file.
#[derive(clap::Args, Debug)]
#[command(next_help_heading = "Input")]
pub(crate) struct ProjectArgs {
    /// Project file
    #[arg(long, short, value_name = "FILE", default_value = "stackgen.yaml")]
    pub(crate) file: PathBuf,

    /// Ignore built artifacts, so that the result is the same on every machine
    #[arg(long)]
    pub(crate) unbuilt: bool,
}

/// A checked stackgen.yaml.
#[derive(Debug)]
pub(crate) struct Project {
    stack: ProjectFile,
    sources: Sources,
    folder: PathBuf,
    unbuilt: bool,
}

impl Project {
    /// Reads and checks a project file.
    pub(crate) fn load(args: &ProjectArgs, ui: &Ui) -> Result<Self, CliError> {
        let text = file::read(&args.file, InputFile::Project)?;
        ui.detail(|| format!("read {}, {} bytes", args.file.display(), text.len()));
        let mut sources = Sources::new();
        let source = sources.add(args.file.display().to_string(), text);
        let loaded = ProjectFile::load(source);
        let stack = loaded.map_err(|problems| CliError::located(&sources, problems))?;
        Ok(Project {
            stack,
            sources,
            folder: file::parent(&args.file).to_owned(),
            unbuilt: args.unbuilt,
        })
    }

    /// Returns the stack's name.
    pub(crate) fn name(&self) -> &str {
        self.stack.name()
    }

    /// Returns all environments, in the order of the file.
    pub(crate) fn declared(&self) -> Vec<&str> {
        self.stack.environments()
    }

    /// Returns the default folder of rendered templates: `out` beside the project file.
    pub(crate) fn default_out(&self) -> PathBuf {
        file::within(&self.folder, "out")
    }

    /// Returns the selected environments in the order of the file, or all of them.
    pub(crate) fn environments(&self, selected: &[String]) -> Result<Vec<&str>, CliError> {
        let declared = self.stack.environments();
        if let Some(unknown) = selected
            .iter()
            .find(|name| !declared.contains(&name.as_str()))
        {
            return Err(self.unknown_environment(unknown, declared));
        }
        let is_selected =
            |name: &&str| selected.is_empty() || selected.iter().any(|selected| selected == name);
        Ok(declared.into_iter().filter(is_selected).collect())
    }

    /// Returns the selected environment, or the only one.
    pub(crate) fn only_environment(&self, selected: Option<&str>) -> Result<&str, CliError> {
        let selected: Vec<String> = selected.map(str::to_owned).into_iter().collect();
        match self.environments(&selected)?.as_slice() {
            [only] => Ok(only),
            all => Err(CliError::input("the stack has several environments")
                .hint(format!("name one with `--env`: {}", all.join(", ")))),
        }
    }

    fn unknown_environment(&self, unknown: &str, mut declared: Vec<&str>) -> CliError {
        // Nearest first. The sort is stable: equally near names stay in the order of the file.
        declared.sort_by_key(|name| strsim::damerau_levenshtein(name, unknown));
        let declared = declared.join(", ");
        CliError::input(format!(
            "{} has no environment {unknown:?}",
            self.stack.name()
        ))
        .hint(format!("it has: {declared}"))
    }

    /// Returns the authorizer of the WebSocket API in an environment.
    pub(crate) fn authorizer(&self, environment: &str) -> Option<&AuthorizerSpec> {
        self.stack.authorizer(environment)
    }

    /// Returns the callers that a stage of an environment is verified with, sorted by name.
    pub(crate) fn verify_callers(&self, environment: &str) -> Vec<(String, VerifyCallerSpec)> {
        let callers = self.stack.verify_callers(environment).into_iter();
        callers
            .map(|(name, caller)| (name.to_owned(), caller.clone()))
            .collect()
    }

    /// Returns the folder of an environment's web page.
    pub(crate) fn page(&self, environment: &str) -> Option<PathBuf> {
        let page = self.stack.page(environment)?;
        Some(file::within(&self.folder, page))
    }

    /// Returns the ID of the account that an environment belongs to.
    pub(crate) fn account(&self, environment: &str) -> Option<&str> {
        self.stack.account(environment)
    }

    /// Returns the region that an environment belongs to.
    pub(crate) fn region(&self, environment: &str) -> Option<&str> {
        self.stack.region(environment)
    }

    /// Returns the location of the entry that a resource is made for, as `stackgen.yaml:LINE:COLUMN`.
    pub(crate) fn origin(&self, environment: &str, logical_id: &str) -> Option<String> {
        let span = self.stack.origin(environment, logical_id)?;
        let location = self.sources.location(span)?;
        Some(format!(
            "{}:{}:{}",
            location.file, location.line, location.column
        ))
    }

    /// Returns the code of an environment's functions, sorted by the names of the functions.
    pub(crate) fn function_code(&self, environment: &str) -> Vec<FunctionCode<'_>> {
        self.stack.function_code(environment)
    }

    /// Creates the error of problems in the project file.
    pub(crate) fn located(&self, problems: Vec<LocatedError>) -> CliError {
        CliError::located(&self.sources, problems)
    }

    /// Returns the folder of the project file.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Renders an environment for the folder that will hold the template.
    pub(crate) fn render(
        &self,
        environment: &str,
        dialect: Dialect,
        folder: &Path,
        ui: &Ui,
    ) -> Result<Rendered, CliError> {
        let artifacts = self.artifacts(environment, ui)?;
        self.render_with(environment, dialect, folder, &artifacts)
    }

    /// Renders an environment with code that was built elsewhere.
    pub(crate) fn render_with(
        &self,
        environment: &str,
        dialect: Dialect,
        folder: &Path,
        artifacts: &Artifacts,
    ) -> Result<Rendered, CliError> {
        let project_path = file::relative_path(folder, &self.folder).map_err(|error| {
            CliError::failed(format!(
                "cannot find the path to {}: {}",
                folder.display(),
                reason(&error)
            ))
        })?;
        let options = RenderOptions {
            environment,
            dialect,
            project_path: &project_path,
            artifacts,
        };
        let rendered = self.stack.render(&options);
        rendered.map_err(|problems| self.located(problems))
    }

    fn artifacts(&self, environment: &str, ui: &Ui) -> Result<Artifacts, CliError> {
        let mut artifacts = BTreeMap::new();
        if self.unbuilt {
            return Ok(artifacts);
        }
        for path in self.stack.artifact_paths(environment) {
            let file = file::within(&self.folder, &path);
            match digest(&file) {
                Ok(digest) => {
                    ui.detail(|| format!("built: {} sha256:{digest}", file.display()));
                    artifacts.insert(path, digest);
                }
                Err(error) if error.is_not_found() => {
                    ui.detail(|| format!("not built: {}", file.display()));
                }
                Err(error) => {
                    let message = format!("cannot read {}: {error}", file.display());
                    return Err(CliError::input(message)
                        .hint("ignore built code with `--unbuilt`")
                        .file(&file));
                }
            }
        }
        Ok(artifacts)
    }
}

/// Returns the SHA-256 of a function's code, in lower-case hex.
pub(crate) fn digest(path: &Path) -> Result<String, ReadError> {
    let (mut file, mut sha) = (bounded::open(path)?, Sha256::new());
    let mut chunk = vec![0; 64 * 1024];
    let mut read = 0;
    loop {
        match file.read(&mut chunk)? {
            0 => break,
            length => {
                sha.update(&chunk[..length]);
                read += length as u64;
            }
        }
        if read > bounded::MAX_CODE {
            return Err(ReadError::TooLong(bounded::MAX_CODE));
        }
    }
    Ok(hex::encode(sha.finalize()))
}
