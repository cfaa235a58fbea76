//! A gateway: everything put together, listening on loopback.

mod listeners;
mod private;
mod remote;
mod state;

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use stackgen_gateway_apis::DataPlane;
use stackgen_gateway_apis::apis::Apis;
use stackgen_gateway_apis::connections::Connections;
use stackgen_gateway_apis::{management, server};
use stackgen_gateway_common::logs::Logs;
use stackgen_gateway_common::{Events, FailureLog, Grants, Roles, Settings};
use stackgen_gateway_lambda::functions::Functions;
use stackgen_gateway_stack::{Account, Applied, Problem, Stack, Template};
use thiserror::Error;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub use remote::{Remote, RemoteError, Tokens};
pub use state::{ApiState, StageState, State};

use crate::control::{self, Services};
use crate::identity::{Issuer, IssuerError};
use crate::tables::{Tables, TablesError};

use listeners::Listeners;

/// What a gateway is told when it starts.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// How it behaves.
    pub settings: Settings,
    /// The control endpoint's port; apis take the next ones. Where one is taken, and when left out, any free port.
    pub port: Option<u16>,
    /// Where tables are kept; in memory when left out.
    pub data: Option<PathBuf>,
    /// Where the issuer's key is kept, so that tokens stay good; a new one each time when left out.
    pub issuer_key: Option<PathBuf>,
}

/// Why a gateway does not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// No port of loopback is free.
    #[error("the gateway cannot listen on loopback: {0}")]
    Listen(#[source] io::Error),
    /// No folder for code can be made, or the watcher cannot be started.
    #[error("cannot prepare to run functions: {0}")]
    Code(#[source] io::Error),
    /// There is no key for its private routes.
    #[error("this machine gives no random numbers")]
    Random,
    /// There are no tables.
    #[error(transparent)]
    Tables(#[from] TablesError),
    /// There is no issuer.
    #[error(transparent)]
    Issuer(#[from] IssuerError),
}

/// API Gateway, Lambda, DynamoDB and an issuer of tokens, running. It needs [`Gateway::shutdown`] to end well.
pub struct Gateway {
    shared: Arc<Shared>,
    control: JoinHandle<()>,
}

/// What the routes of the control endpoint use, too.
struct Shared {
    account: Account,
    tables: Arc<Tables>,
    stack: Stack,
    plane: Arc<DataPlane>,
    listeners: Arc<Listeners>,
    issuer: Issuer,
    endpoint: String,
    /// What private routes ask for.
    key: String,
    stop: CancellationToken,
}

impl Gateway {
    /// Starts with an empty account.
    ///
    /// # Errors
    ///
    /// If something that it needs of this machine is not to be had.
    pub async fn start(options: Options) -> Result<Gateway, StartError> {
        let settings = Arc::new(options.settings);
        let listener = server::listen(options.port).or_else(|_| server::listen(None));
        let listener = listener.map_err(StartError::Listen)?;
        let port = listener.local_addr().map_err(StartError::Listen)?.port();
        let endpoint = format!("http://127.0.0.1:{port}");
        let issuer = Issuer::start(format!("{endpoint}{}", private::ISSUER), options.issuer_key)?;
        let tables = Tables::start(options.data.as_deref(), Tables::SWEEP).await?;
        let tables = Arc::new(tables);
        let (events, roles, logs) = (
            Events::default(),
            Arc::<Roles>::default(),
            Arc::<Logs>::default(),
        );
        let functions = Functions::new(
            settings.clone(),
            roles.clone(),
            logs.clone(),
            events.clone(),
        );
        let functions = Arc::new(functions.map_err(StartError::Code)?);
        let account = Account {
            place: settings.place.clone(),
            apis: Arc::new(apis(&settings, &events)),
            functions: functions.clone(),
            roles,
            tables: tables.clone(),
            logs: logs.clone(),
            issuer: issuer.url().to_owned(),
        };
        functions.set_environment(environment(&endpoint, &tables));
        let plane = Arc::new(DataPlane {
            settings,
            apis: account.apis.clone(),
            functions,
            connections: Arc::<Connections>::default(),
            logs,
            events,
            failures: FailureLog::default(),
        });
        let grants: Arc<dyn Grants> = Arc::new(Granted(account.clone()));
        let fixed_port = options.port.is_some().then_some(port);
        let listeners = Arc::new(Listeners::new(plane.clone(), grants, fixed_port));
        account.apis.set_listen(Some(listeners.clone()));
        let shared = Arc::new(Shared {
            stack: Stack::new(account.clone()),
            account,
            tables,
            plane,
            listeners,
            issuer,
            endpoint,
            key: key()?,
            stop: CancellationToken::new(),
        });
        let routes = control::routes(services(&shared));
        let control = tokio::spawn(server::serve(listener, shared.stop.clone(), None, routes));
        Ok(Gateway { shared, control })
    }

    /// Makes the account what a template says.
    ///
    /// # Errors
    ///
    /// What is wrong with the template, as [`Stack::apply`] has it.
    pub async fn apply(&self, template: Template) -> Result<Applied, Vec<Problem>> {
        self.shared.stack.apply(template).await
    }

    /// Where everything is.
    pub async fn state(&self) -> State {
        self.shared.state().await
    }

    /// What happens in it.
    pub fn events(&self) -> &Events {
        &self.shared.plane.events
    }

    /// What is in the account.
    pub fn account(&self) -> &Account {
        &self.shared.account
    }

    /// What private routes ask for: for [`Remote`], and for nobody's eyes.
    pub fn key(&self) -> &str {
        &self.shared.key
    }

    /// How many connections are open.
    pub fn connections(&self) -> usize {
        self.shared.plane.connections.len()
    }

    /// Ends: connections are closed with 1001, their `$disconnect` functions run within a bound, processes go.
    pub async fn shutdown(self) {
        let Shared {
            account,
            listeners,
            stop,
            ..
        } = &*self.shared;
        account.apis.set_listen(None);
        listeners.shutdown().await;
        account.functions.stop().await;
        stop.cancel();
        let _ = self.control.await;
    }
}

/// A key that nobody guesses: 256 bits in base64.
fn key() -> Result<String, StartError> {
    let mut bytes = [0; 32];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| StartError::Random)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

fn apis(settings: &Settings, events: &Events) -> Apis {
    Apis::new(settings.place.clone(), events.clone())
        .with_pending_deployments(settings.control.pending_deployments)
}

/// What every function finds in its environment, so that AWS SDKs come here.
fn environment(endpoint: &str, tables: &Tables) -> BTreeMap<String, String> {
    let variables = [
        ("AWS_ENDPOINT_URL", endpoint.to_owned()),
        ("AWS_ENDPOINT_URL_DYNAMODB", tables.endpoint()),
    ];
    variables
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

fn services(shared: &Arc<Shared>) -> Services {
    let account = &shared.account;
    let functions = account.functions.clone();
    let settings = &shared.plane.settings.control;
    Services {
        apigatewayv2: stackgen_gateway_apis::control::routes(
            account.apis.clone(),
            settings.rates.clone(),
        ),
        lambda: stackgen_gateway_lambda::control::routes(account.functions.clone()),
        logs: control::logs::routes(account.logs.clone(), account.place.clone()),
        sts: control::sts::routes(account.place.clone(), move |key| functions.role_of(key)),
        dynamodb: shared.tables.router(),
        management: management::misdirected(),
        private: private::routes(shared.clone()),
    }
}

/// Functions are held to their roles; everybody else is the account.
struct Granted(Account);

impl Grants for Granted {
    fn allows(&self, access_key: &str, action: &str, resource: &str) -> bool {
        match self.0.functions.role_of(access_key) {
            None => true,
            Some(role) => self.0.roles.allows(&role, action, resource),
        }
    }
}
