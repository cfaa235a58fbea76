//! Which APIs and stages a command is about: those of a stackgen.yaml, or one that is named.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::Args;
use stackgen_cfn::Node;
use stackgen_deploy::code::{BuiltCode, LARGEST_ZIP, ReleaseMode};
use stackgen_deploy::selector::{ApiSelector, find_api, find_stage};
use stackgen_deploy::status::TemplateSnapshot;
use stackgen_deploy::{ApiId, ApiInfo, FunctionName, OperationContext, StageInfo, StageName};
use stackgen_gateway::apis::ProtocolType;
use stackgen_model::{Inputs, Model, Resolved, Text};
use stackgen_synth::Dialect;
use stackgen_synth::spec::VerifyCallerSpec;

use super::Account;
use crate::error::CliError;
use crate::file;
use crate::kept;
use crate::local::Local;
use crate::project::{Project, ProjectArgs};
use crate::report::reason;
use crate::template::{self, Place};
use crate::ui::Ui;

/// Which stack, or which API.
#[derive(Args, Debug)]
pub(crate) struct GoalArgs {
    /// The stackgen.yaml whose APIs are meant
    #[arg(long, short, value_name = "FILE", default_value = "stackgen.yaml")]
    pub(crate) file: PathBuf,

    /// The environment; the only one, or with `--local` the one that runs, when left out
    #[arg(long = "env", short, value_name = "ENV", conflicts_with = "api_id")]
    pub(crate) environment: Option<String>,

    /// Any API by its id, without a stackgen.yaml
    #[arg(long, value_name = "ID")]
    api_id: Option<String>,

    /// The stage of that API; the only one when left out
    #[arg(long, value_name = "STAGE", requires = "api_id")]
    stage_name: Option<String>,
}

/// An API that is to be connected to, and its stage: one that is named, or the WebSocket API of a stackgen.yaml.
pub(crate) fn resolve_probe_target(
    named: Option<&str>,
    stage: Option<&str>,
    (file, environment): (&Path, Option<&str>),
    ui: &Ui,
) -> Result<Goal, CliError> {
    let stage = stage.map(StageName::new);
    if let Some(named) = named {
        return Ok(Goal::of_any(ApiSelector::Either(named.to_owned()), stage));
    }
    let of_project = GoalArgs {
        file: file.to_owned(),
        environment: environment.map(str::to_owned),
        api_id: None,
        stage_name: None,
    };
    let goals = of_project.goals(Read::Names, None, ui)?;
    let goal = goals.into_iter().next();
    let goal = goal.ok_or_else(|| CliError::input("the stack has no API"))?;
    Ok(Goal {
        stage: stage.or(goal.stage.clone()),
        ..goal
    })
}

/// How much of a project is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Read {
    /// Which APIs and stages it has.
    Names,
    /// The code that was built, too.
    Code,
}

/// An API and a stage that a command is about.
#[derive(Debug)]
pub(crate) struct Goal {
    wanted: ApiSelector,
    stage: Option<StageName>,
    /// What templates say of the API: the one that is rendered, then the one that is kept in `out`.
    pub(crate) said: Vec<TemplateSnapshot>,
    /// Who issues the tokens that it takes, where API Gateway itself looks at them.
    pub(crate) issuer: Option<String>,
    /// Whether the template pins versions.
    pub(crate) release: Option<ReleaseMode>,
    /// The environment of the stack.
    pub(crate) environment: Option<String>,
    /// The callers that the stack declares for verification.
    pub(crate) callers: Vec<(String, VerifyCallerSpec)>,
    /// The folder of the stackgen.yaml.
    pub(crate) folder: PathBuf,
    /// Code that was built for functions of the stack, with the first goal alone.
    pub(crate) code: Vec<BuiltCode>,
}

impl Goal {
    /// One of which no template tells anything.
    fn of_any(wanted: ApiSelector, stage: Option<StageName>) -> Self {
        Goal {
            wanted,
            stage,
            said: Vec::new(),
            issuer: None,
            release: None,
            environment: None,
            callers: Vec::new(),
            folder: PathBuf::from("."),
            code: Vec::new(),
        }
    }

    /// The API's name, when that is how it is found.
    pub(crate) fn name(&self) -> Option<&str> {
        match &self.wanted {
            ApiSelector::Name(name) => Some(name),
            ApiSelector::Id(_) | ApiSelector::Either(_) => None,
        }
    }

    /// Finds it in the account.
    pub(crate) async fn find(
        &self,
        account: &Account,
        ctx: OperationContext<'_>,
    ) -> Result<(ApiInfo, StageInfo), CliError> {
        let api = find_api(&account.aws, &self.wanted, ctx).await?;
        let stage = find_stage(&account.aws, &api.id, self.stage.as_ref(), ctx).await?;
        Ok((api, stage))
    }
}

impl GoalArgs {
    /// Whether one API is meant, whatever a stackgen.yaml says.
    pub(crate) fn names_an_api(&self) -> bool {
        self.api_id.is_some()
    }

    /// What is meant, WebSocket APIs first.
    pub(crate) fn goals(
        &self,
        read: Read,
        gateway: Option<&Local>,
        ui: &Ui,
    ) -> Result<Vec<Goal>, CliError> {
        if let Some(id) = &self.api_id {
            let stage = self.stage_name.as_deref().map(StageName::new);
            return Ok(vec![Goal::of_any(ApiSelector::Id(ApiId::new(id)), stage)]);
        }
        // The gateway may run a template, of which no stackgen.yaml tells.
        if let Some(local) = gateway
            && (!self.file.exists() || template::is_one(&self.file))
        {
            return goals_of_gateway(local);
        }
        let project = self.project(read, gateway, ui)?;
        let environments = project.environments(self.environment.as_slice())?;
        let mut templates = Vec::new();
        for environment in environments {
            templates.push((
                environment,
                rendered(&project, environment, &self.file, ui)?,
            ));
        }
        let (environment, template) = self.chosen(templates, gateway)?;
        let model = Model::from_template(&template, &Inputs::none());
        let release = kept::said(&template, "Release").map(|release| match release {
            "pinned" => ReleaseMode::Pinned,
            _ => ReleaseMode::Live,
        });
        let kept = kept_model(&project, environment);
        let mut goals = Vec::new();
        for api in &model.apis {
            let Some(name) = api.name.as_ref().and_then(Text::as_literal) else {
                continue;
            };
            let stage = api
                .stages
                .first()
                .and_then(|stage| stage.name.as_ref()?.as_literal());
            let said = [Some(&model), kept.as_ref()].into_iter().flatten();
            let said = said.filter_map(|model| said_of(model, name));
            goals.push(Goal {
                wanted: ApiSelector::Name(name.to_owned()),
                stage: stage.map(StageName::new),
                said: said.collect(),
                issuer: issuer(api),
                release,
                environment: Some(environment.to_owned()),
                callers: project.verify_callers(environment),
                folder: project.folder().to_owned(),
                code: Vec::new(),
            });
        }
        let Some(first) = goals.first_mut() else {
            return Err(CliError::input(format!("{} has no API", project.name())));
        };
        // The local gateway builds and loads code by itself.
        if read == Read::Code && gateway.is_none() {
            first.code = built(&model, &folder(&self.file), ui)?;
        }
        Ok(goals)
    }

    fn project(&self, read: Read, gateway: Option<&Local>, ui: &Ui) -> Result<Project, CliError> {
        let args = ProjectArgs {
            file: self.file.clone(),
            unbuilt: read == Read::Names || gateway.is_some(),
        };
        Project::load(&args, ui).map_err(|error| match self.file.exists() {
            true => error,
            false => error.hint("`--api-id` names an API without a stackgen.yaml"),
        })
    }

    /// The template that is meant.
    fn chosen<'a>(
        &self,
        templates: Vec<(&'a str, Node)>,
        gateway: Option<&Local>,
    ) -> Result<(&'a str, Node), CliError> {
        let names: Vec<_> = templates.iter().map(|(name, _)| *name).collect();
        let runs = |template: &Node| {
            let model = Model::of_wiring(template, &Inputs::none());
            let names = model
                .apis
                .iter()
                .filter_map(|api| api.name.as_ref()?.as_literal().map(str::to_owned));
            let running: Vec<_> = gateway
                .into_iter()
                .flat_map(|local| &local.state.apis)
                .collect();
            names
                .into_iter()
                .any(|name| running.iter().any(|api| api.name == name))
        };
        let only = templates.len() == 1;
        let found = templates
            .into_iter()
            .find(|(_, template)| only || runs(template));
        found.ok_or_else(|| {
            CliError::input("which environment?")
                .hint(format!("name one with `--env`: {}", names.join(", ")))
        })
    }
}

/// What a gateway runs, WebSocket APIs first. What has no stage serves nothing.
fn goals_of_gateway(local: &Local) -> Result<Vec<Goal>, CliError> {
    let mut apis: Vec<_> = local.state.apis.iter().collect();
    apis.retain(|api| !api.stages.is_empty());
    apis.sort_by_key(|api| api.protocol_type != ProtocolType::WebSocket);
    let goals = apis.into_iter().map(|api| {
        let stage = match api.stages.as_slice() {
            [only] => Some(StageName::new(only.name.as_str())),
            _ => None,
        };
        Goal::of_any(ApiSelector::Name(api.name.clone()), stage)
    });
    let goals: Vec<_> = goals.collect();
    match goals.is_empty() {
        true => Err(CliError::input("the local gateway has no stage")),
        false => Ok(goals),
    }
}

/// The template that is kept of an environment: what was deployed last, most likely.
fn kept_model(project: &Project, environment: &str) -> Option<Model> {
    let path = project
        .default_out()
        .join(environment)
        .join("template.yaml");
    let template = path.exists().then(|| Place::File(path).read())?.ok()?;
    Some(Model::of_wiring(&template, &Inputs::none()))
}

/// What a template says of the API of that name.
fn said_of(model: &Model, name: &str) -> Option<TemplateSnapshot> {
    let is_it =
        |api: &&stackgen_model::Api| api.name.as_ref().and_then(Text::as_literal) == Some(name);
    let api = model.apis.iter().find(is_it)?;
    Some(TemplateSnapshot {
        digest: api.snapshot_digest(model),
        snapshot: api.snapshot(model),
    })
}

/// The issuer of a JWT authorizer.
fn issuer(api: &stackgen_model::Api) -> Option<String> {
    let mut configurations = api
        .authorizers
        .iter()
        .filter_map(|one| one.resource.properties.get("JwtConfiguration"));
    let issuer = configurations.next()?.text("Issuer")?;
    issuer.as_literal().map(str::to_owned)
}

fn folder(file: &Path) -> PathBuf {
    match file.parent() {
        Some(parent) if parent != Path::new("") => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// As it would lie beside the stackgen.yaml, so that paths in it start there.
fn rendered(project: &Project, environment: &str, file: &Path, ui: &Ui) -> Result<Node, CliError> {
    let rendered = project.render(environment, Dialect::CloudFormation, &folder(file), ui)?;
    Ok(rendered.template)
}

/// The zip files that were built for functions of a template. What is not built is left alone.
fn built(model: &Model, folder: &Path, ui: &Ui) -> Result<Vec<BuiltCode>, CliError> {
    let (mut built, mut missing) = (Vec::new(), Vec::new());
    for function in &model.functions {
        let name = function.name.as_ref().and_then(Text::as_literal);
        let path = match &function.code {
            Some(Resolved::Text(path)) => path.as_literal(),
            _ => None,
        };
        let (Some(name), Some(path)) = (name, path.filter(|path| !path.contains("://"))) else {
            continue;
        };
        let path = file::within(folder, path);
        match fs::read(&path) {
            Ok(zip) if zip.len() > LARGEST_ZIP => {
                let message = format!(
                    "{} is too large to be sent to Lambda directly",
                    path.display()
                );
                return Err(CliError::input(message)
                    .hint("Lambda takes 50 MiB in a call; deploy the template instead, or leave code alone with `--no-code`")
                    .file(&path));
            }
            Ok(zip) => built.push(BuiltCode::new(FunctionName::new(name), zip)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => missing.push(name.to_owned()),
            Err(error) => {
                let message = format!("cannot read {}: {}", path.display(), reason(&error));
                return Err(CliError::input(message).file(&path));
            }
        }
    }
    if !missing.is_empty() {
        let message = format!(
            "not built, so their code is left as it is: {}",
            missing.join(", ")
        );
        ui.note(
            &message,
            Some("`cargo lambda build --release --output-format zip --arm64` builds them"),
        );
    }
    Ok(built)
}
