//! stackgen.yaml as types. The doc comments are the descriptions that an editor shows: the JSON Schema is made
//! from these types, and the file is checked against that schema, so the three cannot part.

mod alarms;
mod api;
mod function;
mod http;
mod table;
mod value;
mod verify;
mod websocket;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

pub use alarms::{Alarm, Alarms};
pub use api::{AccessLogs, Domain, LogLevel, LogRetention, Stage, Throttling};
pub use function::{Function, FunctionDefaults};
pub use http::{Auth, Cors, Http, HttpAuthorizer, HttpRoute};
pub use table::{Encryption, Key, Projection, Removal, StreamView, Table, TableAction};
pub(crate) use value::DURATION_FORMAT;
pub use value::{Duration, Expression, Raw, Retention};
pub(crate) use verify::VERIFY_VALUE_FORMAT;
pub use verify::{VerifyApi, VerifyCaller, VerifyValue, VerifyValueError};
pub use websocket::{Authorizer, Callers, ContentHandling, Route, WebSocket};

/// A stack: WebSocket API, HTTP API, functions and tables, for one or more environments.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(title = "stackgen.yaml")]
pub struct Spec {
    /// The stack's name. Letters, digits and hyphens, beginning with a letter.
    #[schemars(extend("format" = "stack-name"))]
    pub name: String,
    /// What the stack is for; becomes the template's description.
    pub description: Option<String>,
    /// Whether integrations call functions or published versions of them. `live` is the default of a development
    /// environment (`dev`, `dev-…`, `development`, `local`), `pinned` of every other.
    pub release: Option<Release>,
    /// Tags of every resource that can have them.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    /// Parameters of the template, in CloudFormation's words: `Type`, `Default`, `Description`, …
    #[serde(default)]
    pub parameters: Raw,
    /// Conditions of the template, as CloudFormation writes them.
    #[serde(default)]
    pub conditions: Raw,
    /// Mappings of the template, as CloudFormation writes them.
    #[serde(default)]
    pub mappings: Raw,
    /// Further resources, as CloudFormation writes them. A logical id that stackgen itself makes is refused.
    #[serde(default)]
    pub resources: Raw,
    /// Further outputs, as CloudFormation writes them.
    #[serde(default)]
    pub outputs: Raw,
    /// What holds for every function unless the function says otherwise.
    pub function_defaults: Option<FunctionDefaults>,
    /// Lambda functions by name; the function is called `{name}-{env}`.
    #[serde(default)]
    #[schemars(extend("propertyNames" = {"format": "function-name"}))]
    pub functions: BTreeMap<String, Function>,
    /// DynamoDB tables by name; the table is called `{name}-{env}`.
    #[serde(default)]
    #[schemars(extend("propertyNames" = {"format": "table-name"}))]
    pub tables: BTreeMap<String, Table>,
    /// The WebSocket API.
    pub websocket: Option<WebSocket>,
    /// The HTTP API beside it.
    pub http: Option<Http>,
    /// CloudWatch alarms. Those that are named are made.
    pub alarms: Option<Alarms>,
    /// A CloudWatch dashboard of the APIs, functions and tables.
    #[serde(default)]
    pub dashboard: bool,
    /// Creates the role by which API Gateway writes to CloudWatch Logs and sets it for the **whole account and
    /// region**. Without it, a stack with logs names the role as a prerequisite in its outputs.
    #[serde(default)]
    pub api_gateway_cloud_watch_role: bool,
    /// Callers, by name, that a stage is tried as before a deployment counts as good. They render nothing.
    #[serde(default)]
    #[schemars(extend("propertyNames" = {"format": "verify-caller-name"}))]
    pub verify: BTreeMap<String, VerifyCaller>,
    /// The environments, by name, each with what differs in it: any part of this file, merged over the rest. A
    /// list or a value replaces, a mapping is merged, `null` takes away.
    #[serde(default)]
    #[schemars(extend("propertyNames" = {"format": "environment-name"}))]
    pub environments: BTreeMap<String, Raw>,
}

impl Spec {
    /// The WebSocket API's authorizer.
    pub(crate) fn authorizer(&self) -> Option<&Authorizer> {
        self.websocket.as_ref()?.authorizer.as_ref()
    }

    /// Returns the release mode of an environment.
    pub(crate) fn release_in(&self, environment: &str) -> Release {
        self.release
            .unwrap_or_else(|| Release::of_environment(environment))
    }
}

/// What integrations and the authorizer call.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub enum Release {
    /// The function itself: new code is live at once; API deployments carry the wiring alone.
    Live,
    /// A published version: an API deployment carries code and wiring, and going back is one `UpdateStage`.
    Pinned,
}

impl Release {
    /// What an environment uses that does not say.
    pub fn of_environment(name: &str) -> Release {
        let development =
            matches!(name, "dev" | "development" | "local") || name.starts_with("dev-");
        if development {
            Release::Live
        } else {
            Release::Pinned
        }
    }
}
