//! The complete gateway: all services, listening on loopback.

mod access;
mod answer;
mod console;
mod event_stream;
mod history;
mod listeners;
mod permissions;
mod private;
mod project;
mod remote;
mod requests;
mod services;
mod state;
mod web_page;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use stackgen_gateway_apis::DataPlane;
use stackgen_gateway_apis::apis::Apis;
use stackgen_gateway_apis::connections::OpenConnections;
use stackgen_gateway_apis::management;
use stackgen_gateway_apis::server::{self, ServerRoutes};
use stackgen_gateway_common::logs::Logs;
use stackgen_gateway_common::{
    ArnScope, Events, FailureLog, FederatedCaller, Grants, RoleStore, Settings, Traffic,
};
use stackgen_gateway_lambda::functions::Functions;
use stackgen_gateway_stack::{
    ApplyResult, GatewayStack, LocalAccount, ServiceResources, StackTemplate, TemplateProblem,
};
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub use crate::schedule_times::ScheduleState;
pub use project::{ConsoleProject, DeploymentRecord, StageRedeploy, StageToken, TokenPlace};
pub use remote::{RemoteError, RemoteGateway};
pub use requests::TokenRequest;
pub use state::{ApiEndpoint, GatewayState, StageEndpoint, UsableApiKey};

use crate::control::{self, ServiceRouters};
use crate::event_sources::EventSourcePollers;
use crate::identities::{Identities, IdentityGrant};
use crate::identity::{Issuer, IssuerError};
use crate::outbound::{AccountAccess, OtherServices, ServicesUrl};
use crate::schedules::ScheduleRunners;
use crate::secret::secret;
use crate::service_resources::EndpointResources;
use crate::tables::{Tables, TablesError};
use crate::tls::{GatewayTls, TlsError};
use crate::triggers::Triggers;

use access::ConsoleAccess;
use listeners::Listeners;
use services::LocalServices;
use web_page::PageServer;

/// Options of a gateway.
#[derive(Clone, Debug, Default)]
pub struct GatewayOptions {
    /// Settings.
    pub settings: Settings,
    /// Port of the control endpoint. APIs get the next ports. A taken or missing port is replaced by any free one.
    pub port: Option<u16>,
    /// Folder for tables. Without it, tables are in memory.
    pub data: Option<PathBuf>,
    /// Port of the DynamoDB endpoint, for code that calls DynamoDB at a fixed address. Without it, any free one.
    pub tables_port: Option<u16>,
    /// File for the issuer's key, so that tokens stay valid after a restart. Without it, each start creates a new key.
    pub issuer_key: Option<PathBuf>,
    /// Folder for the certificate authority, so that clients that trust it keep doing so after a restart. Without it, each
    /// start creates a new authority.
    pub authority: Option<PathBuf>,
    /// Endpoint for services that do not run here. Without it, calls of them fail.
    pub services: Option<ServicesUrl>,
    /// Account of AWS for services that do not run here. Its partition, region and ID replace those of the settings.
    pub account: Option<AccountAccess>,
    /// The project, for the console.
    pub project: Option<Arc<dyn ConsoleProject>>,
}

/// Reason why a gateway cannot start.
#[derive(Debug, Error)]
pub enum StartError {
    /// No port of loopback is free.
    #[error("the gateway cannot listen on loopback: {0}")]
    Listen(#[source] io::Error),
    /// The folder for code cannot be created, or the watcher cannot be started.
    #[error("cannot prepare to run functions: {0}")]
    Code(#[source] io::Error),
    /// No key can be generated for the private routes.
    #[error("the system's random number generator failed")]
    Random,
    /// The tables cannot be opened.
    #[error(transparent)]
    Tables(#[from] TablesError),
    /// The issuer cannot be started.
    #[error(transparent)]
    Issuer(#[from] IssuerError),
    /// The endpoint for other services is the gateway itself.
    #[error(
        "{0} is the control endpoint of this gateway, so it cannot serve what does not run here"
    )]
    OwnEndpoint(String),
    /// TLS cannot be prepared.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// A running API Gateway, Lambda, DynamoDB and token issuer. Call [`Gateway::shutdown`] to end it.
pub struct Gateway {
    shared: Arc<Shared>,
    control: JoinHandle<()>,
}

/// State that the routes of the control endpoint share.
struct Shared {
    account: LocalAccount,
    tables: Arc<Tables>,
    stack: GatewayStack,
    plane: Arc<DataPlane>,
    listeners: Arc<Listeners>,
    event_sources: Arc<EventSourcePollers>,
    schedules: Arc<ScheduleRunners>,
    triggers: Triggers,
    identities: Arc<Identities>,
    issuer: Issuer,
    others: Arc<OtherServices>,
    tls: Arc<GatewayTls>,
    endpoint: String,
    /// Key that private routes require.
    key: String,
    console: ConsoleAccess,
    page: PageServer,
    stop: CancellationToken,
}

impl Gateway {
    /// Starts a gateway with an empty account.
    ///
    /// # Errors
    ///
    /// If a resource of this machine is missing, such as a free port.
    pub async fn start(options: GatewayOptions) -> Result<Gateway, StartError> {
        let listener = listen(&options)?;
        let settings = Arc::new(settings(&options));
        let port = listener.local_addr().map_err(StartError::Listen)?.port();
        let endpoint = format!("http://127.0.0.1:{port}");
        let issuer_url = format!("{endpoint}{}", control::ISSUER_PATH);
        let tables = tables(&options).await?;
        let issuer = Issuer::start(issuer_url, options.issuer_key)?;
        let events = Events::default();
        let roles = Arc::<RoleStore>::default();
        let logs = Arc::<Logs>::default();
        let functions = functions(&settings, &roles, &logs, &events)?;
        let others = other_services(options.services, options.account, &events, &functions);
        let event_sources = event_sources(&settings, &functions, &tables, &others, &events);
        let triggers = Triggers::new(&functions, events.clone());
        let services = local_services(&settings.scope, &roles, &tables, &others, &triggers);
        let schedules = Arc::new(ScheduleRunners::new(&functions, services.clone(), &events));
        let account = LocalAccount {
            scope: settings.scope.clone(),
            apis: Arc::new(apis(&settings, &events)),
            functions,
            roles,
            tables: tables.clone(),
            event_sources: event_sources.clone(),
            schedules: schedules.clone(),
            triggers: Arc::new(triggers.clone()),
            services: service_resources(&others, &settings.scope, &endpoint),
            logs,
            issuer: issuer.url().to_owned(),
        };
        let tls = functions_tls(options.authority.as_deref(), &account, &endpoint, &tables)?;
        let tls = Arc::new(tls);
        let plane = data_plane(&account, settings, events, services);
        let identities = Arc::new(Identities::new(account.scope.clone()));
        let grants = role_grants(&account, &identities);
        let fixed = options.port.is_some().then_some(port);
        let listeners = Arc::new(Listeners::new(plane.clone(), grants, tls.clone(), fixed));
        account.apis.set_listener(Some(listeners.clone()));
        let shared = Arc::new(Shared {
            stack: GatewayStack::new(account.clone()),
            account,
            tables,
            plane,
            listeners,
            event_sources,
            schedules,
            triggers,
            identities,
            issuer,
            others,
            tls,
            endpoint,
            key: secret().ok_or(StartError::Random)?,
            console: ConsoleAccess::new(port, options.project)?,
            page: PageServer::default(),
            stop: CancellationToken::new(),
        });
        let control = serve_control(&shared, listener, port)?;
        Ok(Gateway { shared, control })
    }

    /// Makes the account match a template.
    ///
    /// # Errors
    ///
    /// All problems of the template, as [`GatewayStack::apply`] returns them.
    pub async fn apply(
        &self,
        template: StackTemplate,
    ) -> Result<ApplyResult, Vec<TemplateProblem>> {
        self.shared.stack.apply(template).await
    }

    /// Returns the endpoints and stages of all APIs.
    pub async fn state(&self) -> GatewayState {
        self.shared.state().await
    }

    /// Returns the events of the gateway.
    pub fn events(&self) -> &Events {
        &self.shared.plane.events
    }

    /// Returns the handshakes and frames of clients.
    pub fn traffic(&self) -> &Traffic {
        &self.shared.plane.traffic
    }

    /// Returns the account with its resources.
    pub fn account(&self) -> &LocalAccount {
        &self.shared.account
    }

    /// Returns the key that private routes require. It is a secret for [`RemoteGateway`].
    pub fn key(&self) -> &str {
        &self.shared.key
    }

    /// Creates a link that opens the console in a browser, once.
    ///
    /// # Errors
    ///
    /// If the system has no random numbers.
    pub fn console_link(&self) -> Result<String, StartError> {
        self.shared.console_link()
    }

    /// Returns the number of open connections.
    pub fn connections(&self) -> usize {
        self.shared.plane.connections.len()
    }

    /// Shuts down: closes connections with 1012, runs their `$disconnect` functions within a time limit, and stops all
    /// processes.
    pub async fn shutdown(self) {
        let Shared {
            account,
            listeners,
            event_sources,
            schedules,
            triggers,
            others,
            page,
            stop,
            ..
        } = &*self.shared;
        event_sources.stop().await;
        schedules.stop().await;
        triggers.stop().await;
        account.apis.set_listener(None);
        listeners.shutdown().await;
        account.functions.stop().await;
        others.stop();
        stop.cancel();
        page.stopped().await;
        let _ = self.control.await;
    }
}

impl Shared {
    fn console_link(&self) -> Result<String, StartError> {
        let (endpoint, path) = (&self.endpoint, console::PATH);
        let code = self.console.link_code()?;
        Ok(format!("{endpoint}{path}open?code={code}"))
    }
}

/// Listens on the control endpoint's port, or on any free one. The endpoint for other services must be another one, because
/// calls would never end.
fn listen(options: &GatewayOptions) -> Result<TcpListener, StartError> {
    let listener = server::listen(options.port).or_else(|_| server::listen(None));
    let listener = listener.map_err(StartError::Listen)?;
    let port = listener.local_addr().map_err(StartError::Listen)?.port();
    match &options.services {
        Some(url) if url.is_loopback() && url.port() == port => {
            Err(StartError::OwnEndpoint(url.to_string()))
        }
        _ => Ok(listener),
    }
}

/// Returns the settings, with the scope of the user's account if calls go there.
fn settings(options: &GatewayOptions) -> Settings {
    let mut settings = options.settings.clone();
    if let Some(access) = &options.account {
        settings.scope = access.scope.clone();
    }
    settings
}

/// Returns the services that do not run here.
fn other_services(
    url: Option<ServicesUrl>,
    access: Option<AccountAccess>,
    events: &Events,
    functions: &Arc<Functions>,
) -> Arc<OtherServices> {
    let others = OtherServices::new(url, events.clone());
    Arc::new(others.with_account(access, functions.clone()))
}

/// Returns what creates the resources of services that do not run here, if the user named an endpoint for them. Nothing is
/// created in an account of AWS.
fn service_resources(
    others: &Arc<OtherServices>,
    scope: &ArnScope,
    endpoint: &str,
) -> Option<Arc<dyn ServiceResources>> {
    others.url().filter(|_| others.account().is_none())?;
    let resources = EndpointResources::new(others.clone(), scope.clone(), endpoint);
    Some(Arc::new(resources))
}

/// Returns the readers of queues and streams.
fn event_sources(
    settings: &Settings,
    functions: &Arc<Functions>,
    tables: &Arc<Tables>,
    others: &Arc<OtherServices>,
    events: &Events,
) -> Arc<EventSourcePollers> {
    let retry = settings.functions.retry;
    let pollers = EventSourcePollers::new(functions, tables, others, events.clone(), retry);
    Arc::new(pollers)
}

/// Returns the services that integrations and schedules call.
fn local_services(
    scope: &ArnScope,
    roles: &Arc<RoleStore>,
    tables: &Tables,
    others: &Arc<OtherServices>,
    triggers: &Triggers,
) -> Arc<LocalServices> {
    Arc::new(LocalServices {
        tables: tables.router(),
        events: triggers.events_routes(others.clone()),
        topics: triggers.topics_routes(others.clone()),
        triggers: triggers.clone(),
        others: others.clone(),
        roles: roles.clone(),
        scope: scope.clone(),
    })
}

fn data_plane(
    account: &LocalAccount,
    settings: Arc<Settings>,
    events: Events,
    services: Arc<LocalServices>,
) -> Arc<DataPlane> {
    Arc::new(DataPlane {
        settings,
        apis: account.apis.clone(),
        functions: account.functions.clone(),
        endpoints: services.others.client(),
        services,
        connections: Arc::<OpenConnections>::default(),
        logs: account.logs.clone(),
        events,
        traffic: Traffic::default(),
        failures: FailureLog::default(),
    })
}

fn role_grants(account: &LocalAccount, identities: &Arc<Identities>) -> Arc<dyn Grants> {
    Arc::new(RoleGrants {
        account: account.clone(),
        identities: identities.clone(),
    })
}

async fn tables(options: &GatewayOptions) -> Result<Arc<Tables>, TablesError> {
    let data = options.data.as_deref();
    Tables::start_on(data, options.tables_port, Tables::SWEEP)
        .await
        .map(Arc::new)
}

/// Serves the control endpoint, the host of user pools, and all other hosts of AWS. Records deployments from now on.
fn serve_control(
    shared: &Arc<Shared>,
    listener: TcpListener,
    port: u16,
) -> Result<JoinHandle<()>, TlsError> {
    history::record_deployments(shared);
    let routes = ServerRoutes {
        websocket: None,
        http: control::routes(services(shared)),
    };
    // With an account, functions reach the services of the account by their own names.
    let all = shared.others.account().is_none();
    let tls = shared.tls.serve_services(port, all);
    let tls = tls.map_err(TlsError::Files)?;
    let serving = server::serve(listener, shared.stop.clone(), Some(tls), routes);
    Ok(tokio::spawn(serving))
}

fn functions(
    settings: &Arc<Settings>,
    roles: &Arc<RoleStore>,
    logs: &Arc<Logs>,
    events: &Events,
) -> Result<Arc<Functions>, StartError> {
    let (settings, roles) = (settings.clone(), roles.clone());
    let functions = Functions::new(settings, roles, logs.clone(), events.clone());
    functions.map(Arc::new).map_err(StartError::Code)
}

fn apis(settings: &Settings, events: &Events) -> Apis {
    Apis::new(settings.scope.clone(), events.clone())
        .with_pending_deployments(settings.control.pending_deployments)
}

/// Opens the authority, and gives functions the variables that lead them to the gateway.
fn functions_tls(
    authority: Option<&Path>,
    account: &LocalAccount,
    endpoint: &str,
    tables: &Tables,
) -> Result<GatewayTls, TlsError> {
    let tls = GatewayTls::open(authority, account.functions.folder(), &account.scope)?;
    let variables = environment(endpoint, tables, &tls);
    account.functions.set_environment_variables(variables);
    Ok(tls)
}

/// Returns the environment variables that point the AWS SDKs of functions to the gateway and make functions trust it.
fn environment(endpoint: &str, tables: &Tables, tls: &GatewayTls) -> BTreeMap<String, String> {
    let variables = [
        ("AWS_ENDPOINT_URL", endpoint.to_owned()),
        ("AWS_ENDPOINT_URL_DYNAMODB", tables.endpoint()),
    ];
    variables
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .chain(tls.variables())
        .collect()
}

fn services(shared: &Arc<Shared>) -> ServiceRouters {
    let account = &shared.account;
    let grants = role_grants(account, &shared.identities);
    let callers = grants.clone();
    // An account has event buses and topics itself.
    let runs_triggers = shared.others.account().is_none();
    let settings = &shared.plane.settings.control;
    ServiceRouters {
        apigatewayv2: stackgen_gateway_apis::control::routes(
            account.apis.clone(),
            settings.rates.clone(),
        ),
        lambda: stackgen_gateway_lambda::control::routes(account.functions.clone(), grants.clone()),
        logs: control::logs::routes(account.logs.clone(), account.scope.clone()),
        iam: control::iam::routes(account.roles.clone(), shared.others.clone()),
        sts: control::sts::routes(account.scope.clone(), move |key| callers.role_of(key)),
        identity_pools: Some(identity_pools(shared)),
        users: Some(shared.issuer.users_routes(shared.others.clone())),
        events: runs_triggers.then(|| shared.triggers.events_routes(shared.others.clone())),
        sns: runs_triggers.then(|| shared.triggers.topics_routes(shared.others.clone())),
        dynamodb: shared.tables.router(),
        management: management::misdirected(),
        user_pools: shared.issuer.user_pools(&shared.tls.user_pool_host()),
        private: private::routes(shared.clone()),
        others: shared.others.clone(),
        grants: Some(grants),
    }
}

/// Returns the routes of the stack's identity pools.
fn identity_pools(shared: &Arc<Shared>) -> Router {
    let shared = shared.clone();
    Router::new().fallback(move |request: Request| {
        let shared = shared.clone();
        async move {
            let pools = shared.stack.identity_pools().await;
            shared.identities.set_pools(pools);
            shared.identities.answer(&shared.others, request).await
        }
    })
}

/// Limits functions and identities to their roles; every other caller may do everything.
struct RoleGrants {
    account: LocalAccount,
    identities: Arc<Identities>,
}

impl Grants for RoleGrants {
    fn allows(&self, access_key: &str, action: &str, resource: &str) -> bool {
        let role = match self.account.functions.role_of(access_key) {
            Some(role) => role,
            None => match self.identities.grant(access_key) {
                Some(IdentityGrant::Role(role)) => role,
                Some(IdentityGrant::Expired) => return false,
                None => return true,
            },
        };
        self.account.roles.allows(&role, action, resource)
    }

    fn federated(&self, access_key: &str) -> Option<FederatedCaller> {
        self.identities.caller(access_key)
    }

    fn role_of(&self, access_key: &str) -> Option<String> {
        let role = self.account.functions.role_of(access_key);
        role.or_else(|| match self.identities.grant(access_key)? {
            IdentityGrant::Role(role) => Some(role),
            IdentityGrant::Expired => None,
        })
    }

    fn has_expired(&self, access_key: &str) -> bool {
        self.identities.grant(access_key) == Some(IdentityGrant::Expired)
    }
}
