//! Stacks that a local gateway runs: a project file or any template, with functions built for this machine.

mod configuration;
mod input;
mod prepared;
mod problems;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use stackgen_cfn::{Node, Sources, emit, json};
use stackgen_gateway::stack::{ApplyMode, StackCode, StackTemplate};
use stackgen_model::{Function, Inputs, Model};
use stackgen_synth::{Artifacts, Dialect};

use crate::account::DeclaredRegion;
use crate::cargo::{self, Binary, BuildOptions};
use crate::error::CliError;
use crate::file::{self, InputFile};
use crate::other_tools::{self, TemplateUse};
use crate::output_dir::stackgen_metadata;
use crate::project::{self, Project, ProjectArgs};
use crate::terraform;
use crate::ui::Ui;
use crate::values::name_and_value;

pub(crate) use prepared::PreparedStack;
pub(crate) use problems::problems;

/// Flags that select what a local gateway runs.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct SourceArgs {
    /// Template, `cdk.out`, `.serverless` or Terraform configuration to run in place of a project file
    #[arg(value_name = "TEMPLATE", conflicts_with_all = ["file", "environment"])]
    pub(crate) template: Option<PathBuf>,

    /// Stack of a cdk.out (default: the only one)
    #[arg(
        long,
        value_name = "NAME",
        requires = "template",
        help_heading = "Stack"
    )]
    pub(crate) stack: Option<String>,

    /// Project file
    #[arg(
        long,
        short,
        value_name = "FILE",
        default_value = "stackgen.yaml",
        help_heading = "Stack"
    )]
    pub(crate) file: PathBuf,

    /// Environment (default: `dev`, or the only one)
    #[arg(long = "env", short, value_name = "ENV", help_heading = "Stack")]
    pub(crate) environment: Option<String>,

    /// Parameter of the template, or variable of a Terraform configuration; repeatable
    #[arg(long = "parameter", value_name = "NAME=VALUE", value_parser = name_and_value, help_heading = "Stack")]
    pub(crate) parameters: Vec<(String, String)>,

    /// Build functions with optimizations
    #[arg(long, help_heading = "Functions")]
    pub(crate) release: bool,

    /// Run functions as they were built before
    #[arg(long, help_heading = "Functions")]
    pub(crate) no_build: bool,
}

impl SourceArgs {
    /// Returns the file that users edit: the template or the project file.
    pub(crate) fn path(&self) -> &Path {
        self.template.as_deref().unwrap_or(&self.file)
    }

    /// Returns the flag with which other commands find the gateway of this stack.
    pub(crate) fn flag(&self) -> String {
        match self.path() == Path::new("stackgen.yaml") {
            true => String::new(),
            false => format!(" --file {}", self.path().display()),
        }
    }

    /// Reads and renders the template, and builds its functions.
    pub(crate) async fn prepare(&self, ui: &Ui) -> Result<PreparedStack, CliError> {
        match &self.template {
            Some(path) => match terraform::root(path) {
                Some(root) => self.of_terraform(&root, ui).await,
                None => self.of_template(path, ui).await,
            },
            None => self.of_project(ui).await,
        }
    }

    /// Returns the account and region that the project file declares. A template declares none.
    pub(crate) fn declared_region(&self, ui: &Ui) -> Result<DeclaredRegion, CliError> {
        if self.template.is_some() {
            return Ok(DeclaredRegion::default());
        }
        let args = ProjectArgs {
            file: self.file.clone(),
            unbuilt: true,
        };
        let project = Project::load(&args, ui)?;
        let environment = self.environment_of(&project)?;
        Ok(DeclaredRegion::of(&project, environment))
    }

    async fn of_template(&self, path: &Path, ui: &Ui) -> Result<PreparedStack, CliError> {
        let input = input::find(path, self.stack.as_deref())?;
        let path = input.template.as_path();
        let text = file::read(path, InputFile::Template)?;
        let mut sources = Sources::new();
        let parsed = stackgen_cfn::parse(sources.add(file::name(path), text.as_str()));
        let node = parsed.map_err(|errors| {
            let foreign = other_tools::error(&file::name(path), &text, None, TemplateUse::Run);
            foreign.unwrap_or_else(|| CliError::located(&sources, errors))
        })?;
        if node.get("Resources").is_none()
            && let Some(foreign) =
                other_tools::error(&file::name(path), &text, Some(&node), TemplateUse::Run)
        {
            return Err(foreign);
        }
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let stem = stem.split('.').next().unwrap_or_default();
        let names = stackgen_metadata(&node, "Stack").zip(stackgen_metadata(&node, "Environment"));
        let stack = match names {
            Some((stack, environment)) => format!("{stack}-{environment}"),
            None => input::stack_name(input.name.as_deref().unwrap_or(stem)),
        };
        let beside = path.parent().unwrap_or(Path::new("")).to_owned();
        let found = TemplateFunctions::of(&node, &self.inputs(), &beside);
        let built = self.build(&found, ui).await?;
        let template = self.template(stack, path, text, found.code(&built));
        Ok(found.prepared(template))
    }

    /// Reads the Terraform configuration of a root module as a template.
    async fn of_terraform(&self, root: &Path, ui: &Ui) -> Result<PreparedStack, CliError> {
        let read = configuration::read(root, &self.parameters, ui)?;
        let found = TemplateFunctions::of(&read.template, &self.inputs(), root);
        let built = self.build(&found, ui).await?;
        let text = json::to_json(&read.template).to_string();
        // Paths of code are relative to the folder of this file.
        let file = root.join("main.tf");
        let template = self.template(read.stack, &file, text, found.code(&built));
        Ok(PreparedStack {
            configuration: Some(read.configuration),
            ..found.prepared(template)
        })
    }

    async fn of_project(&self, ui: &Ui) -> Result<PreparedStack, CliError> {
        let args = ProjectArgs {
            file: self.file.clone(),
            unbuilt: true,
        };
        let project = Project::load(&args, ui)?;
        let environment = self.environment_of(&project)?;
        let folder = project.folder().to_owned();
        let render = |artifacts: &Artifacts| {
            project.render_with(environment, Dialect::CloudFormation, &folder, artifacts)
        };
        let unbuilt = render(&Artifacts::new())?;
        let found = TemplateFunctions::of(&unbuilt.template, &self.inputs(), &folder);
        let built = self.build(&found, ui).await?;
        // A pinned release names versions after the digest of their code.
        let mut artifacts = Artifacts::new();
        for (path, binary) in found.artifacts() {
            if let Some(built) = built.get(binary)
                && let Ok(digest) = project::digest(built)
            {
                artifacts.insert(path.to_owned(), digest);
            }
        }
        let rendered = render(&artifacts)?;
        let text = emit::yaml(&rendered.template);
        let stack = format!("{}-{environment}", project.name());
        let template = self.template(stack, &self.file, text, found.code(&built));
        Ok(PreparedStack {
            page: project.page(environment),
            ..found.prepared(template)
        })
    }

    fn environment_of<'p>(&self, project: &'p Project) -> Result<&'p str, CliError> {
        let declared = project.declared();
        if let Some(name) = &self.environment {
            let found = project.environments(std::slice::from_ref(name))?;
            return found
                .first()
                .copied()
                .ok_or_else(|| CliError::input(format!("there is no environment {name:?}")));
        }
        match declared.as_slice() {
            [only] => Ok(only),
            _ => declared
                .iter()
                .find(|name| **name == "dev")
                .copied()
                .ok_or_else(|| {
                    CliError::input("the stack has several environments")
                        .hint(format!("name one with `--env`: {}", declared.join(", ")))
                }),
        }
    }

    async fn build(
        &self,
        found: &TemplateFunctions,
        ui: &Ui,
    ) -> Result<BTreeMap<Binary, PathBuf>, CliError> {
        let options = BuildOptions {
            release: self.release,
            no_build: self.no_build,
        };
        cargo::build(&found.binaries(), options, ui).await
    }

    fn template(
        &self,
        stack: String,
        file: &Path,
        text: String,
        code: BTreeMap<String, StackCode>,
    ) -> StackTemplate {
        StackTemplate {
            stack,
            // The gateway may run in another folder.
            file: std::path::absolute(file)
                .unwrap_or_else(|_| file.to_owned())
                .display()
                .to_string(),
            text,
            parameters: self.parameters.iter().cloned().collect(),
            code,
            apply: ApplyMode::Everything,
        }
    }

    fn inputs(&self) -> Inputs {
        let parameters = self.parameters.iter();
        parameters.fold(Inputs::none(), |inputs, (name, value)| {
            inputs.with_parameter(name, value)
        })
    }
}

/// Functions of a template, and the binaries of those that cargo builds.
struct TemplateFunctions {
    model: Model,
    /// Path of the code in the template, and binary, by logical ID.
    rust: BTreeMap<String, (String, Binary)>,
}

impl TemplateFunctions {
    fn of(template: &Node, inputs: &Inputs, beside: &Path) -> Self {
        let model = Model::from_template(template, inputs);
        let rust = model.functions.iter().filter_map(|function| {
            let (path, binary) = rust(function, beside)?;
            Some((function.resource.logical_id.to_string(), (path, binary)))
        });
        TemplateFunctions {
            rust: rust.collect(),
            model,
        }
    }

    fn binaries(&self) -> BTreeSet<Binary> {
        self.rust
            .values()
            .map(|(_, binary)| binary.clone())
            .collect()
    }

    fn artifacts(&self) -> impl Iterator<Item = (&str, &Binary)> {
        self.rust
            .values()
            .map(|(path, binary)| (path.as_str(), binary))
    }

    /// Returns the code of functions. A function without a build may still have been packaged: the template has its path.
    fn code(&self, built: &BTreeMap<Binary, PathBuf>) -> BTreeMap<String, StackCode> {
        let code = self.rust.iter().filter_map(|(id, (path, binary))| {
            let code = match built.get(binary) {
                Some(program) => StackCode::Program(program.clone()),
                None if binary.folder.join(path).is_file() => return None,
                None => StackCode::Missing(format!(
                    "the binary {} is not built: run without `--no-build`",
                    binary.name
                )),
            };
            Some((id.clone(), code))
        });
        code.collect()
    }

    fn prepared(self, template: StackTemplate) -> PreparedStack {
        PreparedStack {
            template,
            folders: self.binaries().into_iter().map(|one| one.folder).collect(),
            page: None,
            configuration: None,
            model: self.model,
        }
    }
}

/// Returns the binary of a function that cargo builds: its code is in cargo-lambda's folder, or SAM builds it with
/// cargo-lambda.
fn rust(function: &Function, beside: &Path) -> Option<(String, Binary)> {
    let path = function.code.as_ref()?.as_literal()?;
    let metadata = function.resource.attributes.get("Metadata");
    let method = metadata.and_then(|metadata| metadata.get("BuildMethod")?.as_literal());
    if method == Some("rust-cargolambda") {
        let name = metadata?.at_path(&["BuildProperties", "Binary"])?;
        let binary = Binary {
            name: name.as_literal()?.to_owned(),
            folder: file::within(beside, path),
        };
        // The template that `sam build` writes names the executable's folder.
        if binary.folder.join("bootstrap").is_file() && !binary.folder.join("Cargo.toml").exists() {
            return None;
        }
        return Some((path.to_owned(), binary));
    }
    let trimmed = path.trim_end_matches('/');
    let trimmed = trimmed.strip_suffix("/bootstrap.zip").unwrap_or(trimmed);
    let (folder, name) = trimmed.rsplit_once("target/lambda/")?;
    let known = !name.is_empty() && !name.contains('/');
    known.then(|| {
        let folder = folder.trim_end_matches('/');
        let binary = Binary {
            name: name.to_owned(),
            folder: match folder {
                "" | "." => beside.to_owned(),
                folder => beside.join(folder),
            },
        };
        (path.to_owned(), binary)
    })
}
