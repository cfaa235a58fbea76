//! What the estimate needs of a template.

use serde::Serialize;
use stackgen_model::{
    Api, Function, FunctionLink, Integration, Model, Protocol, Resolved, Stage, Text,
};
use thiserror::Error;

use crate::declared::number;

/// Lambda's default memory in MiB.
const DEFAULT_MEMORY: u32 = 128;

/// Lambda's default timeout in seconds.
const DEFAULT_TIMEOUT: u32 = 3;

/// Facts about a WebSocket API, its functions and its tables.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LoadTarget {
    /// Logical ID of the API.
    pub api: String,
    /// Route that receives the messages.
    pub route: String,
    /// The function of that route. `None` if the route invokes no function of the template.
    pub function: Option<FunctionCost>,
    /// Functions that a handshake invokes: authorizer and `$connect`.
    pub handshake_functions: Vec<FunctionCost>,
    /// The function of `$disconnect`, which the end of a connection invokes.
    pub disconnect_function: Option<FunctionCost>,
    /// Throttle of the route in requests per second, of the route's settings or of the stage.
    pub throttle_rate: Option<f64>,
    /// Throttle of the stage for handshakes, in requests per second.
    pub connect_rate: Option<f64>,
    /// True if the stage writes an access log.
    pub has_access_log: bool,
    /// Number of tables that are billed on demand.
    pub on_demand_tables: usize,
    /// Number of tables with provisioned capacity, whose price does not depend on the load.
    pub provisioned_tables: usize,
}

/// Settings of a function that decide about its price and its limits.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FunctionCost {
    /// Logical ID.
    pub id: String,
    /// Memory in MiB.
    pub memory_mib: u32,
    /// True for arm64, false for x86_64.
    pub is_arm: bool,
    /// Timeout in seconds.
    pub timeout_seconds: u32,
    /// Reserved concurrency, if it is set.
    pub reserved_concurrency: Option<u32>,
}

/// A template without what the estimate needs.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum LoadTargetError {
    /// There is no WebSocket API.
    #[error("the template has no WebSocket API")]
    NoApi,
    /// There are several, and none is selected.
    #[error("the template has several WebSocket APIs: {}", .0.join(", "))]
    SeveralApis(Vec<String>),
    /// The API does not exist.
    #[error("the template has no WebSocket API {name}; it has: {}", .known.join(", "))]
    UnknownApi {
        /// The name.
        name: String,
        /// The APIs that exist.
        known: Vec<String>,
    },
    /// The route does not exist.
    #[error("API {api} has no route {route}; it has: {}", .known.join(", "))]
    UnknownRoute {
        /// The API.
        api: String,
        /// The route key.
        route: String,
        /// The route keys that exist.
        known: Vec<String>,
    },
    /// There is no route for messages.
    #[error("API {0} has no route that receives messages")]
    NoRoute(String),
}

impl LoadTarget {
    /// Reads the facts of an API from the model of a template. Without a name it must be the only WebSocket API. Without
    /// a route it is the first one that is not `$connect`, `$disconnect` or `$default`, else `$default`.
    ///
    /// # Errors
    ///
    /// Returns an error if the API or the route does not exist, or if several APIs exist and none is named.
    pub fn new(
        model: &Model,
        api: Option<&str>,
        route: Option<&str>,
    ) -> Result<Self, LoadTargetError> {
        let api = select_api(model, api)?;
        let name = api_name(api);
        let route = select_route(api, &name, route)?;
        let stage = api.stages.first();
        let on_demand = |mode: &Option<Text>| {
            mode.as_ref().and_then(Text::as_literal) == Some("PAY_PER_REQUEST")
        };
        let on_demand_tables = model
            .tables
            .iter()
            .filter(|table| on_demand(&table.billing_mode))
            .count();
        Ok(LoadTarget {
            function: route_function(model, api, &route),
            handshake_functions: handshake_functions(model, api),
            disconnect_function: route_function(model, api, "$disconnect"),
            throttle_rate: stage.and_then(|stage| throttle(stage, &route)),
            connect_rate: stage.and_then(|stage| throttle(stage, "$connect")),
            has_access_log: stage.is_some_and(|stage| stage.access_log.is_some()),
            on_demand_tables,
            provisioned_tables: model.tables.len() - on_demand_tables,
            api: name,
            route,
        })
    }

    /// Returns the functions that each connection invokes once: those of its handshake and of its end.
    pub(crate) fn connection_functions(&self) -> impl Iterator<Item = &FunctionCost> {
        self.handshake_functions
            .iter()
            .chain(&self.disconnect_function)
    }
}

fn select_api<'m>(model: &'m Model, name: Option<&str>) -> Result<&'m Api, LoadTargetError> {
    let apis = model.apis.iter();
    let websockets: Vec<&Api> = apis
        .filter(|api| api.protocol == Protocol::WebSocket)
        .collect();
    let names = || websockets.iter().map(|api| api_name(api)).collect();
    match (websockets.as_slice(), name) {
        ([], _) => Err(LoadTargetError::NoApi),
        (all, Some(name)) => {
            let found = all.iter().find(|api| api_name(api) == name);
            let unknown = || LoadTargetError::UnknownApi {
                name: name.to_owned(),
                known: names(),
            };
            found.copied().ok_or_else(unknown)
        }
        ([only], None) => Ok(only),
        (_, None) => Err(LoadTargetError::SeveralApis(names())),
    }
}

fn api_name(api: &Api) -> String {
    match &api.resource {
        Some(resource) => resource.logical_id.to_string(),
        None => "outside of the template".to_owned(),
    }
}

fn select_route(api: &Api, name: &str, route: Option<&str>) -> Result<String, LoadTargetError> {
    let known: Vec<String> = api
        .routes
        .iter()
        .map(|route| route.key.to_string())
        .collect();
    match route {
        Some(route) if known.iter().any(|key| key == route) => Ok(route.to_owned()),
        Some(route) => Err(LoadTargetError::UnknownRoute {
            api: name.to_owned(),
            route: route.to_owned(),
            known,
        }),
        None => {
            let custom = known.iter().find(|key| !key.starts_with('$'));
            let first = custom.or_else(|| known.iter().find(|key| *key == "$default"));
            first
                .cloned()
                .ok_or_else(|| LoadTargetError::NoRoute(name.to_owned()))
        }
    }
}

fn handshake_functions(model: &Model, api: &Api) -> Vec<FunctionCost> {
    let connect = api
        .routes
        .iter()
        .find(|route| route.key.as_str() == "$connect");
    let authorizer = connect.and_then(|route| {
        let id = route.authorizer.to()?;
        api.authorizers
            .iter()
            .find(|authorizer| authorizer.resource.logical_id == *id)
    });
    let authorizer = authorizer.and_then(|authorizer| function(model, &authorizer.function));
    let connect = route_function(model, api, "$connect");
    authorizer.into_iter().chain(connect).collect()
}

fn route_function(model: &Model, api: &Api, key: &str) -> Option<FunctionCost> {
    let route = api.routes.iter().find(|route| route.key.as_str() == key)?;
    let target = route.target.to()?;
    let is_target = |integration: &&Integration| integration.resource.logical_id == *target;
    let integration = api.integrations.iter().find(is_target)?;
    function(model, &integration.function)
}

fn function(model: &Model, link: &FunctionLink) -> Option<FunctionCost> {
    let function: &Function = model.function(link.function.to()?)?;
    let unsigned = |value: Option<&i64>| value.and_then(|value| u32::try_from(*value).ok());
    let architecture = function.architecture.as_ref().and_then(Text::as_literal);
    let reserved = function
        .resource
        .properties
        .int("ReservedConcurrentExecutions");
    Some(FunctionCost {
        id: function.resource.logical_id.to_string(),
        memory_mib: unsigned(function.memory_mib.value()).unwrap_or(DEFAULT_MEMORY),
        is_arm: architecture == Some("arm64"),
        timeout_seconds: unsigned(function.timeout_seconds.value()).unwrap_or(DEFAULT_TIMEOUT),
        reserved_concurrency: unsigned(reserved.value()),
    })
}

/// Returns the throttle of a route: its own one, or that of the stage.
fn throttle(stage: &Stage, route: &str) -> Option<f64> {
    let own = stage
        .route_settings
        .as_ref()
        .and_then(|settings| settings.get(route));
    let rate = |settings: &Resolved| number(settings.get("ThrottlingRateLimit")?);
    own.and_then(rate)
        .or_else(|| stage.default_route_settings.as_ref().and_then(rate))
}
