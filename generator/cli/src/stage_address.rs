//! WebSocket stages that a command connects to: by URL, in the local gateway, or in an account.

use std::path::PathBuf;

use stackgen_deploy::selector::ApiSelector;
use stackgen_deploy::{ApiId, ApiProtocol, Interrupt, StageName};
use stackgen_gateway::apis::ProtocolType;
use stackgen_gateway::gateway::ApiEndpoint;
use stackgen_network::NetworkOptions;
use stackgen_probe::ProbeTarget;

use crate::account::{AccountArgs, TargetArgs, resolve_probe_target};
use crate::error::CliError;
use crate::local::LocalGateway;
use crate::project::{Project, ProjectArgs};
use crate::template;
use crate::tokens::{DeclaredCallers, bad_target};
use crate::ui::Ui;

/// Flags that select a stage to connect to.
#[derive(clap::Args, Debug)]
pub(crate) struct StageAddressArgs {
    /// WebSocket URL, wss:// or ws:// (default: the URL of the API in the account or the local gateway)
    #[arg(value_name = "URL", conflicts_with_all = ["api", "api_id", "stage_name", "local", "profile", "region", "assume_role"])]
    pub(crate) url: Option<String>,

    /// Name of the API (default: the stack's WebSocket API)
    #[arg(
        long,
        value_name = "NAME",
        conflicts_with = "api_id",
        help_heading = "Target"
    )]
    api: Option<String>,

    /// ID of the API, which need not be in a project file
    #[arg(long, value_name = "ID", help_heading = "Target")]
    api_id: Option<String>,

    /// Stage of the API (default: the only one)
    #[arg(long, value_name = "STAGE", help_heading = "Target")]
    stage_name: Option<String>,

    /// Project file
    #[arg(
        long,
        short,
        value_name = "FILE",
        default_value = "stackgen.yaml",
        help_heading = "Target"
    )]
    pub(crate) file: PathBuf,

    /// Environment (default: the only one; with `--local`, the one that is running)
    #[arg(long = "env", short, value_name = "ENV", help_heading = "Target")]
    pub(crate) environment: Option<String>,

    #[command(flatten)]
    pub(crate) account: AccountArgs,
}

/// URL of a stage, and the settings of connections to it.
pub(crate) struct StageAddress {
    pub(crate) url: String,
    pub(crate) network: NetworkOptions,
}

impl StageAddressArgs {
    /// Returns the running local gateway if `--local` is given.
    pub(crate) async fn gateway(&self) -> Result<Option<LocalGateway>, CliError> {
        self.account.gateway(&self.file).await
    }

    /// Returns the target of connections.
    pub(crate) async fn target(
        &self,
        local: Option<&LocalGateway>,
        ui: &Ui,
    ) -> Result<ProbeTarget, CliError> {
        let StageAddress { url, network } = self.address(local, ui).await?;
        let target = ProbeTarget::new(&url).map_err(bad_target)?;
        let target = target.network(&network);
        target.map_err(|error| CliError::failed(error.to_string()))
    }

    /// Returns true if the stage is selected by more than the project file.
    pub(crate) fn is_given(&self) -> bool {
        self.url.is_some()
            || self.environment.is_some()
            || self.names_a_stage()
            || self.account.is_given()
    }

    /// Returns the address of the stage: the URL, or that of the API in the local gateway or the account.
    pub(crate) async fn address(
        &self,
        local: Option<&LocalGateway>,
        ui: &Ui,
    ) -> Result<StageAddress, CliError> {
        match (&self.url, local) {
            (Some(url), _) => Ok(StageAddress {
                url: url.clone(),
                network: self.account.network().await?,
            }),
            (None, Some(local)) => Ok(StageAddress {
                url: self.local_url(local)?,
                network: NetworkOptions::default(),
            }),
            (None, None) => self.account_address(ui).await,
        }
    }

    /// Returns the named API, or the only WebSocket API.
    fn websocket_api<'a>(&self, local: &'a LocalGateway) -> Result<&'a ApiEndpoint, CliError> {
        let apis = local.state.apis.iter();
        let mut websocket = apis.filter(|api| api.protocol_type == ProtocolType::WebSocket);
        let named = self.api.as_deref().or(self.api_id.as_deref());
        match (named, websocket.next(), websocket.next()) {
            (None, Some(only), None) => Ok(only),
            (None, None, _) => Err(CliError::failed("the local gateway has no WebSocket API")),
            (named, ..) => local.api(named),
        }
    }

    /// Returns true if an API or a stage is named.
    pub(crate) fn names_a_stage(&self) -> bool {
        self.names_an_api() || self.stage_name.is_some()
    }

    fn names_an_api(&self) -> bool {
        self.api.is_some() || self.api_id.is_some()
    }

    fn local_url(&self, local: &LocalGateway) -> Result<String, CliError> {
        let api = self.websocket_api(local)?;
        let mut stages = api.stages.iter();
        let found = match &self.stage_name {
            Some(name) => stages.find(|stage| stage.name.as_str() == name),
            None if api.stages.len() == 1 => stages.next(),
            None => None,
        };
        let names: Vec<_> = api.stages.iter().map(|stage| stage.name.as_str()).collect();
        let found = found.map(|stage| stage.url.clone());
        found.ok_or_else(|| {
            CliError::input(format!("no stage of {} is selected", api.name)).hint(format!(
                "name one with `--stage-name`: {}",
                names.join(", ")
            ))
        })
    }

    /// Returns the address of the stage in the account.
    async fn account_address(&self, ui: &Ui) -> Result<StageAddress, CliError> {
        if !self.names_an_api() && !self.file.exists() {
            return Err(CliError::input("no URL is given").hint(
                "give a URL, use `--local`, or name an API of the account with `--api` or `--api-id`",
            ));
        }
        let selector = match (&self.api, &self.api_id) {
            (Some(name), _) => Some(ApiSelector::Name(name.clone())),
            (None, Some(id)) => Some(ApiSelector::Id(ApiId::new(id))),
            (None, None) => None,
        };
        let stage = self.stage_name.as_deref().map(StageName::new);
        let project = TargetArgs::of_project(&self.file, self.environment.as_deref());
        let target = resolve_probe_target(selector, stage, &project, ui)?;
        let account = self.account.connect_in(None, ui).await?;
        let never = Interrupt::never();
        let ctx = account.context(&|_| {}, &never);
        let (api, stage) = target.find(&account, ctx).await?;
        if api.protocol == ApiProtocol::Http {
            let message = format!("{} is an HTTP API, not a WebSocket API", api.name);
            return Err(CliError::input(message).hint("name another API with `--api`"));
        }
        let url = api.url(&stage.name).ok_or_else(|| {
            let message = format!("{} is reachable only through a custom domain", api.name);
            CliError::input(message).hint("give its URL: `wss://…`")
        })?;
        let network = account.network;
        Ok(StageAddress { url, network })
    }

    /// Returns the callers that the API's project file declares.
    pub(crate) fn declared(
        &self,
        local: Option<&LocalGateway>,
        ui: &Ui,
    ) -> Result<Option<DeclaredCallers>, CliError> {
        let project = self.project(local, ui)?;
        Ok(project
            .map(|(project, environment)| DeclaredCallers::new(project.authorizer(&environment))))
    }

    /// Returns the project that the API belongs to, and the environment; `None` if the API need not be of the project.
    pub(crate) fn project(
        &self,
        local: Option<&LocalGateway>,
        ui: &Ui,
    ) -> Result<Option<(Project, String)>, CliError> {
        let is_of_project = self.url.is_none() && (local.is_some() || !self.names_an_api());
        let is_needed = is_of_project || self.environment.is_some();
        if !is_needed || !self.file.exists() || template::is_template(&self.file) {
            return Ok(None);
        }
        let args = ProjectArgs {
            file: self.file.clone(),
            unbuilt: true,
        };
        let project = Project::load(&args, ui)?;
        let running = local.and_then(|local| local.environment(&project));
        if local.is_some() && running.is_none() && self.environment.is_none() {
            return Ok(None);
        }
        let environment = self.environment.as_deref().or(running).map(str::to_owned);
        let environments = project.environments(environment.as_slice())?;
        let first = environments.first().map(|name| (*name).to_owned());
        Ok(first.map(|environment| (project, environment)))
    }
}
