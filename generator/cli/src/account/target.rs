//! APIs and stages that a command works on.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use stackgen_cfn::Node;
use stackgen_deploy::code::{BuiltCode, ReleaseMode};
use stackgen_deploy::selector::{ApiSelector, find_api, find_stage};
use stackgen_deploy::stack::StackName;
use stackgen_deploy::status::TemplateSnapshot;
use stackgen_deploy::{ApiId, ApiInfo, DeployError, OperationContext, StageInfo, StageName};
use stackgen_gateway::apis::ProtocolType;
use stackgen_model::{Inputs, Model, Text};
use stackgen_synth::spec::VerifyCallerSpec;

use super::access::{AccountClient, AccountDefaults};
use super::built::built_code;
use super::declared::DeclaredRegion;
use super::stack::stack_name;
use super::templates::{issuer, rendered, snapshot_of, stored_model};
use crate::error::CliError;
use crate::file;
use crate::local::LocalGateway;
use crate::output_dir::stackgen_metadata;
use crate::project::{Project, ProjectArgs};
use crate::template;
use crate::ui::Ui;

/// Flags that select a stack, or one API.
#[derive(Args, Debug)]
#[command(next_help_heading = "Target")]
pub(crate) struct TargetArgs {
    /// Project file
    #[arg(long, short, value_name = "FILE", default_value = "stackgen.yaml")]
    pub(crate) file: PathBuf,

    /// Environment (default: the only one; with `--local`, the one that is running)
    #[arg(long = "env", short, value_name = "ENV", conflicts_with = "api_id")]
    pub(crate) environment: Option<String>,

    /// ID of the API, which need not be in a project file
    #[arg(long, value_name = "ID")]
    api_id: Option<String>,

    /// Stage of the API given with `--api-id` (default: the only one)
    #[arg(long, value_name = "STAGE", requires = "api_id")]
    stage_name: Option<String>,
}

/// Resolves the API that a probe connects to: the selected one, or the WebSocket API of a project file.
pub(crate) fn resolve_probe_target(
    selector: Option<ApiSelector>,
    stage: Option<StageName>,
    project: &TargetArgs,
    ui: &Ui,
) -> Result<StageTarget, CliError> {
    if let Some(selector) = selector {
        return Ok(StageTarget::without_template(selector, stage));
    }
    let targets = project.resolve(ProjectScope::Names, None, ui)?;
    let target = targets.into_iter().next();
    let target = target.ok_or_else(|| CliError::input("the stack has no API"))?;
    Ok(StageTarget {
        stage: stage.or(target.stage.clone()),
        ..target
    })
}

/// Parts of a project that a command reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProjectScope {
    /// APIs and stages.
    Names,
    /// APIs, stages, and the code that was built.
    Code,
}

/// An API and a stage that a command works on.
#[derive(Debug)]
pub(crate) struct StageTarget {
    api: ApiSelector,
    stage: Option<StageName>,
    /// Snapshots of the API by the rendered template, then by the template in `out`.
    pub(crate) snapshots: Vec<TemplateSnapshot>,
    /// Issuer of the tokens that API Gateway itself checks.
    pub(crate) issuer: Option<String>,
    /// Release mode of the template.
    pub(crate) release: Option<ReleaseMode>,
    /// Default name of the stack.
    pub(crate) stack: Option<StackName>,
    /// Environment of the stack.
    pub(crate) environment: Option<String>,
    /// Account and region that the environment belongs to.
    pub(crate) declared: DeclaredRegion,
    /// Callers that the project file declares for verification.
    pub(crate) callers: Vec<(String, VerifyCallerSpec)>,
    /// Folder of the project file.
    pub(crate) folder: PathBuf,
    /// Code that was built for functions of the stack. Only the first target has it.
    pub(crate) code: Vec<BuiltCode>,
    /// Model of the rendered template.
    pub(crate) model: Option<Arc<Model>>,
}

/// Returns what targets of one project file declare for connections.
pub(crate) fn account_defaults(targets: &[StageTarget]) -> AccountDefaults<'_> {
    let mut all = targets.iter();
    AccountDefaults {
        issuer: all.clone().find_map(|target| target.issuer.as_deref()),
        region: all.find_map(|target| target.declared.region.as_deref()),
    }
}

impl StageTarget {
    fn without_template(api: ApiSelector, stage: Option<StageName>) -> Self {
        StageTarget {
            api,
            stage,
            snapshots: Vec::new(),
            issuer: None,
            release: None,
            stack: None,
            environment: None,
            declared: DeclaredRegion::default(),
            callers: Vec::new(),
            folder: PathBuf::from("."),
            code: Vec::new(),
            model: None,
        }
    }

    /// Returns the API's name if the API is selected by name.
    pub(crate) fn name(&self) -> Option<&str> {
        match &self.api {
            ApiSelector::Name(name) => Some(name),
            ApiSelector::Id(_) => None,
        }
    }

    /// Returns how the API is selected.
    pub(crate) fn selector(&self) -> &ApiSelector {
        &self.api
    }

    /// Returns the stage if it is selected by name.
    pub(crate) fn stage_name(&self) -> Option<&StageName> {
        self.stage.as_ref()
    }

    /// Finds API and stage in the account, if it is the account that the environment belongs to.
    pub(crate) async fn find(
        &self,
        account: &AccountClient,
        ctx: OperationContext<'_>,
    ) -> Result<(ApiInfo, StageInfo), CliError> {
        self.declared.require(account, ctx).await?;
        Ok(self.find_in(account, ctx).await?)
    }

    /// Finds API and stage in any account.
    pub(crate) async fn find_in(
        &self,
        account: &AccountClient,
        ctx: OperationContext<'_>,
    ) -> Result<(ApiInfo, StageInfo), DeployError> {
        let api = find_api(&account.aws, &self.api, ctx).await?;
        let stage = find_stage(&account.aws, &api.id, self.stage.as_ref(), ctx).await?;
        Ok((api, stage))
    }
}

impl TargetArgs {
    /// Creates the flags that select the APIs of a project file.
    pub(crate) fn of_project(file: &Path, environment: Option<&str>) -> Self {
        TargetArgs {
            file: file.to_owned(),
            environment: environment.map(str::to_owned),
            api_id: None,
            stage_name: None,
        }
    }

    /// Returns the flags that select the same target in another command.
    pub(crate) fn selector(&self) -> Vec<String> {
        let file = self.file.display().to_string();
        let is_usual = self.names_an_api() || self.file == Path::new("stackgen.yaml");
        let file = (!is_usual).then_some(file);
        let flag = |name: &str, value: &Option<String>| {
            value.as_ref().map(|value| format!("--{name} {value}"))
        };
        let flags = [
            flag("file", &file),
            flag("env", &self.environment),
            flag("api-id", &self.api_id),
            flag("stage-name", &self.stage_name),
        ];
        flags.into_iter().flatten().collect()
    }

    /// Returns true if an API is selected without a project file.
    pub(crate) fn names_an_api(&self) -> bool {
        self.api_id.is_some()
    }

    /// Returns the targets, WebSocket APIs first.
    pub(crate) fn resolve(
        &self,
        scope: ProjectScope,
        gateway: Option<&LocalGateway>,
        ui: &Ui,
    ) -> Result<Vec<StageTarget>, CliError> {
        if let Some(id) = &self.api_id {
            let stage = self.stage_name.as_deref().map(StageName::new);
            let selector = ApiSelector::Id(ApiId::new(id));
            return Ok(vec![StageTarget::without_template(selector, stage)]);
        }
        // The gateway may run a template that belongs to no project file.
        if let Some(local) = gateway
            && (!self.file.exists() || template::is_template(&self.file))
        {
            return targets_of_gateway(local);
        }
        let project = self.project(scope, gateway, ui)?;
        let environments = project.environments(self.environment.as_slice())?;
        let mut templates = Vec::new();
        for environment in environments {
            templates.push((
                environment,
                rendered(&project, environment, &self.file, ui)?,
            ));
        }
        let (environment, template) = select_template(templates, gateway)?;
        let model = Arc::new(Model::from_template(&template, &Inputs::none()));
        let mut targets = targets_of_template(&project, environment, &template, &model);
        if gateway.is_some() {
            // The local gateway is no account.
            for target in &mut targets {
                target.declared = DeclaredRegion::default();
            }
        }
        let Some(first) = targets.first_mut() else {
            return Err(CliError::input(format!("{} has no API", project.name())));
        };
        // The local gateway builds and loads code by itself.
        if scope == ProjectScope::Code && gateway.is_none() {
            first.code = built_code(&model, file::parent(&self.file), ui)?;
        }
        Ok(targets)
    }

    fn project(
        &self,
        scope: ProjectScope,
        gateway: Option<&LocalGateway>,
        ui: &Ui,
    ) -> Result<Project, CliError> {
        let args = ProjectArgs {
            file: self.file.clone(),
            unbuilt: scope == ProjectScope::Names || gateway.is_some(),
        };
        Project::load(&args, ui).map_err(|error| match self.file.exists() {
            true => error,
            false => error.hint("name an API without a stackgen.yaml with `--api-id`"),
        })
    }
}

fn targets_of_template(
    project: &Project,
    environment: &str,
    template: &Node,
    model: &Arc<Model>,
) -> Vec<StageTarget> {
    let release = stackgen_metadata(template, "Release").map(|release| match release {
        "pinned" => ReleaseMode::Pinned,
        _ => ReleaseMode::Live,
    });
    let stored = stored_model(project, environment);
    let mut targets = Vec::new();
    for api in &model.apis {
        let Some(name) = api.name.as_ref().and_then(Text::as_literal) else {
            continue;
        };
        let stage = api
            .stages
            .first()
            .and_then(|stage| stage.name.as_ref()?.as_literal());
        let models = [Some(model.as_ref()), stored.as_ref()]
            .into_iter()
            .flatten();
        targets.push(StageTarget {
            api: ApiSelector::Name(name.to_owned()),
            stage: stage.map(StageName::new),
            snapshots: models
                .filter_map(|model| snapshot_of(model, name))
                .collect(),
            issuer: issuer(api),
            release,
            stack: Some(stack_name(project.name(), environment)),
            environment: Some(environment.to_owned()),
            declared: DeclaredRegion::of(project, environment),
            callers: project.verify_callers(environment),
            folder: project.folder().to_owned(),
            code: Vec::new(),
            model: Some(Arc::clone(model)),
        });
    }
    targets
}

/// Returns the only template, or the one that the gateway runs.
fn select_template<'a>(
    templates: Vec<(&'a str, Node)>,
    gateway: Option<&LocalGateway>,
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
        CliError::input("the stack has several environments")
            .hint(format!("name one with `--env`: {}", names.join(", ")))
    })
}

/// Returns the APIs that a gateway runs, WebSocket APIs first. APIs without a stage are left out: they serve nothing.
fn targets_of_gateway(local: &LocalGateway) -> Result<Vec<StageTarget>, CliError> {
    let mut apis: Vec<_> = local.state.apis.iter().collect();
    apis.retain(|api| !api.stages.is_empty());
    apis.sort_by_key(|api| api.protocol_type != ProtocolType::WebSocket);
    let targets = apis.into_iter().map(|api| {
        let stage = match api.stages.as_slice() {
            [only] => Some(StageName::new(only.name.as_str())),
            _ => None,
        };
        StageTarget::without_template(ApiSelector::Name(api.name.clone()), stage)
    });
    let targets: Vec<_> = targets.collect();
    match targets.is_empty() {
        true => Err(CliError::input("the local gateway has no stage")),
        false => Ok(targets),
    }
}
