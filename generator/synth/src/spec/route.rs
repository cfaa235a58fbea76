//! Routes of the WebSocket API, and the backends that they call.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Duration, Expression, ThrottlingSpec};

/// Route: the name of a function, or a mapping with settings.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "RouteEntry")]
pub enum RouteEntrySpec {
    /// Function that the route calls.
    Function(String),
    /// Route with settings.
    Route(Box<RouteSpec>),
}

impl RouteEntrySpec {
    /// Returns the route with every setting; those left out have their defaults.
    pub fn route(&self) -> RouteSpec {
        match self {
            RouteEntrySpec::Function(function) => RouteSpec {
                function: Some(function.clone()),
                ..RouteSpec::default()
            },
            RouteEntrySpec::Route(route) => (**route).clone(),
        }
    }

    /// Returns the name of the function that the route calls, if it calls one.
    pub fn function(&self) -> Option<&str> {
        match self {
            RouteEntrySpec::Function(function) => Some(function),
            RouteEntrySpec::Route(route) => route.function.as_deref(),
        }
    }
}

/// Route with settings. It names one backend: `function`, `table`, `queue`, `topic`, `stateMachine`, `eventBus`, `stream`,
/// `service`, `http`, `httpProxy` or `mock`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "Route")]
pub struct RouteSpec {
    /// Function that the route calls, as a proxy: it gets the event and returns the response. With `request`, `response`
    /// and so on, it gets and returns what the templates render.
    pub function: Option<String>,
    /// DynamoDB table of this file. `action` and `request` say what to do; `$table` in the templates is the table's name.
    pub table: Option<String>,
    /// SQS queue that gets the message: its logical ID under `resources`, or its ARN.
    pub queue: Option<Expression>,
    /// SNS topic that gets the message: its logical ID under `resources`, or its ARN. `$topic` in the templates is the ARN.
    pub topic: Option<Expression>,
    /// Step Functions state machine that is started with the message: its logical ID under `resources`, or its ARN.
    /// `$stateMachine` in the templates is the ARN.
    pub state_machine: Option<Expression>,
    /// EventBridge event bus that gets the message as an event: its logical ID under `resources`, or its ARN. `$eventBus`
    /// in the templates is the ARN.
    pub event_bus: Option<Expression>,
    /// Kinesis stream that gets the message as a record: its logical ID under `resources`, or its ARN. `$stream` in the
    /// templates is the ARN.
    pub stream: Option<Expression>,
    /// Action of another service of AWS.
    pub service: Option<ServiceSpec>,
    /// URL of an HTTP endpoint. The templates map the message and the answer.
    pub http: Option<Expression>,
    /// URL of an HTTP endpoint that gets the message as it is, and whose answer is returned as it is.
    pub http_proxy: Option<Expression>,
    /// Answers without a backend: a status such as 200, or a template that renders `{"statusCode": 200}`.
    pub mock: Option<MockSpec>,
    /// Action of the backend. Required for a `table`, such as `PutItem`. For a `stateMachine`, `StartExecution` (default)
    /// or `StartSyncExecution`.
    pub action: Option<String>,
    /// HTTP method of the request to `http`, `httpProxy` or a `service`. Default `POST`.
    #[schemars(extend("format" = "integration-method"))]
    pub method: Option<String>,
    /// Headers, query parameters and path variables of the request to the backend: `header.X-Room: route.request.body.room`.
    /// Text stands in single quotes: `header.X-Kind: "'chat'"`.
    #[serde(default)]
    #[schemars(extend("propertyNames" = {"format": "request-parameter"}))]
    pub request_parameters: BTreeMap<String, Expression>,
    /// Mapping template for every message, in Velocity. Default: the message as it is, or what sends it to the backend.
    pub request: Option<Expression>,
    /// Mapping templates for messages, by the key that `requestSelection` selects. `$default` is for all others.
    #[serde(default)]
    pub requests: BTreeMap<String, Expression>,
    /// Expression that selects the template of `requests`, such as `$request.body.kind`.
    #[schemars(extend("format" = "selection-expression"))]
    pub request_selection: Option<String>,
    /// Treatment of messages for which `requests` has no template. Default `whenNoMatch`.
    pub passthrough: Option<Passthrough>,
    /// Mapping template for every answer, in Velocity. The route sends what it renders to the client.
    pub response: Option<Expression>,
    /// Mapping templates for answers, by the status or the error message of a function: a regular expression between slashes,
    /// such as `/4\d\d/`, or `$default`.
    /// The route sends what they render to the client.
    #[serde(default)]
    #[schemars(extend("propertyNames" = {"format": "response-key"}))]
    pub responses: BTreeMap<String, Expression>,
    /// ARN of the role with which API Gateway calls a service of AWS. Default: a role that allows only this action on this
    /// resource.
    pub role: Option<Expression>,
    /// Sends the answer back to the caller. A route with `response` or `responses` does so anyway. Without it, API Gateway
    /// ignores the answer.
    #[serde(default)]
    pub two_way: bool,
    /// Integration timeout, 50 ms to 29 s. Default: the API's `timeout`.
    pub timeout: Option<Duration>,
    /// Model under `models` that messages must match. API Gateway answers others with `Bad request body`.
    pub model: Option<String>,
    /// Limits for this route.
    pub throttling: Option<ThrottlingSpec>,
    /// Conversion of messages between base64 text and binary on their way to the backend.
    pub content_handling: Option<ContentHandling>,
}

/// Backend that a route names.
#[derive(Clone, Copy, Debug)]
pub enum RouteBackend<'a> {
    /// Function.
    Function(&'a str),
    /// Table of this file.
    Table(&'a str),
    /// SQS queue.
    Queue(&'a Expression),
    /// SNS topic.
    Topic(&'a Expression),
    /// State machine.
    StateMachine(&'a Expression),
    /// Event bus.
    EventBus(&'a Expression),
    /// Kinesis stream.
    Stream(&'a Expression),
    /// Action of another service.
    Service(&'a ServiceSpec),
    /// HTTP endpoint with templates.
    Http(&'a Expression),
    /// HTTP endpoint as a proxy.
    HttpProxy(&'a Expression),
    /// No backend.
    Mock(&'a MockSpec),
}

impl RouteBackend<'_> {
    /// Keys of stackgen.yaml that name a backend.
    pub const KEYS: [&'static str; 11] = [
        "function",
        "table",
        "queue",
        "topic",
        "stateMachine",
        "eventBus",
        "stream",
        "service",
        "http",
        "httpProxy",
        "mock",
    ];

    /// Returns the key of the backend in stackgen.yaml.
    pub fn key(&self) -> &'static str {
        match self {
            RouteBackend::Function(_) => "function",
            RouteBackend::Table(_) => "table",
            RouteBackend::Queue(_) => "queue",
            RouteBackend::Topic(_) => "topic",
            RouteBackend::StateMachine(_) => "stateMachine",
            RouteBackend::EventBus(_) => "eventBus",
            RouteBackend::Stream(_) => "stream",
            RouteBackend::Service(_) => "service",
            RouteBackend::Http(_) => "http",
            RouteBackend::HttpProxy(_) => "httpProxy",
            RouteBackend::Mock(_) => "mock",
        }
    }

    /// Returns true for services of AWS, which API Gateway calls with a role.
    pub fn needs_role(&self) -> bool {
        !matches!(
            self,
            RouteBackend::Function(_)
                | RouteBackend::Http(_)
                | RouteBackend::HttpProxy(_)
                | RouteBackend::Mock(_)
        )
    }
}

impl RouteSpec {
    /// Returns all backends that the route names. A valid route names one.
    pub fn backends(&self) -> Vec<RouteBackend<'_>> {
        let found = [
            self.function.as_deref().map(RouteBackend::Function),
            self.table.as_deref().map(RouteBackend::Table),
            self.queue.as_ref().map(RouteBackend::Queue),
            self.topic.as_ref().map(RouteBackend::Topic),
            self.state_machine.as_ref().map(RouteBackend::StateMachine),
            self.event_bus.as_ref().map(RouteBackend::EventBus),
            self.stream.as_ref().map(RouteBackend::Stream),
            self.service.as_ref().map(RouteBackend::Service),
            self.http.as_ref().map(RouteBackend::Http),
            self.http_proxy.as_ref().map(RouteBackend::HttpProxy),
            self.mock.as_ref().map(RouteBackend::Mock),
        ];
        found.into_iter().flatten().collect()
    }

    /// Returns true if a key maps messages or answers, so that the integration is no proxy.
    pub fn has_templates(&self) -> bool {
        self.request.is_some()
            || !self.requests.is_empty()
            || self.response.is_some()
            || !self.responses.is_empty()
            || self.passthrough.is_some()
    }

    /// Returns true if the route sends answers to the client.
    pub fn sends_answers(&self) -> bool {
        self.two_way || self.response.is_some() || !self.responses.is_empty()
    }

    /// Returns true if the integration is a Lambda proxy.
    pub fn is_function_proxy(&self) -> bool {
        self.function.is_some() && !self.has_templates()
    }
}

/// Action of a service of AWS.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "Service")]
pub struct ServiceSpec {
    /// Name of the service in integration URIs, such as `ssm`.
    #[schemars(extend("format" = "service-name"))]
    pub name: String,
    /// Action, such as `GetParameter`. A service without actions has a `path`.
    #[schemars(extend("format" = "service-action"))]
    pub action: Option<String>,
    /// Path of the request in place of an action, such as `my-bucket/{key}`.
    pub path: Option<Expression>,
    /// ARN of the resource that the role allows. Required unless the route has a `role`.
    pub resource: Option<Expression>,
    /// IAM action that the role allows. Default: the service's name and the action, `ssm:GetParameter`. Required with
    /// `path`.
    #[schemars(extend("format" = "iam-action"))]
    pub permission: Option<String>,
}

/// Answer of a route without a backend.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "Mock")]
pub enum MockSpec {
    /// Status of every answer.
    Status(#[schemars(range(min = 100, max = 599))] u16),
    /// Template that renders `{"statusCode": 200}`.
    Template(String),
}

/// Treatment of a message that no mapping template matches.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub enum Passthrough {
    /// It is passed on as it is.
    WhenNoMatch,
    /// It is passed on as it is if the route has no templates; otherwise it is refused.
    WhenNoTemplates,
    /// It is refused.
    Never,
}

impl Passthrough {
    /// Returns CloudFormation's value.
    pub fn property(self) -> &'static str {
        match self {
            Passthrough::WhenNoMatch => "WHEN_NO_MATCH",
            Passthrough::WhenNoTemplates => "WHEN_NO_TEMPLATES",
            Passthrough::Never => "NEVER",
        }
    }
}

/// Conversion of a message.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "camelCase")]
pub enum ContentHandling {
    /// From base64 text to binary.
    ConvertToBinary,
    /// From binary to base64 text.
    ConvertToText,
}

impl ContentHandling {
    /// Returns CloudFormation's value.
    pub fn property(self) -> &'static str {
        match self {
            ContentHandling::ConvertToBinary => "CONVERT_TO_BINARY",
            ContentHandling::ConvertToText => "CONVERT_TO_TEXT",
        }
    }
}
