//! Shared parts of the tests: a control endpoint, its clients, and an API with a route.

use std::net::SocketAddr;
use std::sync::Arc;

use aws_sdk_apigatewayv2::Client;
use aws_sdk_apigatewayv2::config::retry::RetryConfig;
use aws_sdk_apigatewayv2::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_apigatewayv2::types::{IntegrationType, ProtocolType};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client as Http;
use hyper_util::rt::TokioExecutor;
use stackgen_gateway::control::{self, ServiceRouters, sts};
use stackgen_gateway_apis::apis::{Apis, ServedStage};
use stackgen_gateway_common::{ApiId, ArnScope, Event, EventReceiver, Events, RateLimits};
use tokio::net::TcpListener;

/// A running control endpoint.
pub(crate) struct Control {
    pub(crate) address: SocketAddr,
    pub(crate) apis: Arc<Apis>,
    pub(crate) client: Client,
    pub(crate) events: EventReceiver,
}

impl Control {
    pub(crate) async fn start() -> Self {
        Self::start_with(|apis| apis, None).await
    }

    pub(crate) async fn start_with(
        change: impl FnOnce(Apis) -> Apis,
        rates: Option<RateLimits>,
    ) -> Self {
        let events = Events::default();
        let events_so_far = events.subscribe();
        let scope = ArnScope {
            account: "123456789012".to_owned(),
            ..ArnScope::default()
        };
        let apis = Arc::new(change(Apis::new(scope.clone(), events)));
        let role_of = |key: &str| {
            (key == "FUNCTION").then(|| "arn:aws:iam::123456789012:role/echo-role".to_owned())
        };
        let router = control::routes(ServiceRouters {
            apigatewayv2: stackgen_gateway_apis::control::routes(apis.clone(), rates),
            sts: sts::routes(scope, role_of),
            ..ServiceRouters::default()
        });
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
        let config = aws_sdk_apigatewayv2::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .endpoint_url(format!("http://{address}"))
            .credentials_provider(Credentials::new("ANY", "secret", None, None, "test"))
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .retry_config(RetryConfig::disabled())
            .build();
        Control {
            address,
            apis,
            client: Client::from_conf(config),
            events: events_so_far,
        }
    }

    /// Creates a WebSocket API without resources.
    pub(crate) async fn empty_api(&self) -> String {
        let api = self.client.create_api().name("talk");
        let api = api.protocol_type(ProtocolType::Websocket);
        let api = api.route_selection_expression("$request.body.action");
        api.send().await.unwrap().api_id.unwrap()
    }

    /// Creates a WebSocket API with the route `$connect` and its integration.
    pub(crate) async fn api(&self) -> String {
        let api = self.empty_api().await;
        self.route(&api, "$connect").await;
        api
    }

    /// Creates an integration with a function.
    pub(crate) async fn integration(&self, api: &str) -> String {
        let integration = self.client.create_integration().api_id(api);
        let integration = integration.integration_type(IntegrationType::AwsProxy);
        let integration = integration.integration_uri(function_uri());
        integration.send().await.unwrap().integration_id.unwrap()
    }

    /// Creates a route with its own integration, and returns the route's ID.
    pub(crate) async fn route(&self, api: &str, key: &str) -> String {
        let integration = self.integration(api).await;
        let route = self.client.create_route().api_id(api).route_key(key);
        let route = route.target(format!("integrations/{integration}"));
        route.send().await.unwrap().route_id.unwrap()
    }

    pub(crate) async fn deploy(&self, api: &str) -> String {
        let deployment = self.client.create_deployment().api_id(api).send().await;
        deployment.unwrap().deployment_id.unwrap()
    }

    /// Creates a stage `dev` that points at a new deployment, and returns the deployment's ID.
    pub(crate) async fn stage(&self, api: &str) -> String {
        let deployment = self.deploy(api).await;
        let stage = self.client.create_stage().api_id(api).stage_name("dev");
        stage.deployment_id(&deployment).send().await.unwrap();
        deployment
    }

    pub(crate) fn served(&self, api: &str) -> Arc<ServedStage> {
        self.apis.served(&ApiId::new(api), "dev").unwrap()
    }

    /// Returns true if the stage `dev` serves a route with this key.
    pub(crate) fn serves(&self, api: &str, key: &str) -> bool {
        let served = self.served(api);
        let snapshot = served.snapshot.as_ref();
        snapshot.is_some_and(|snapshot| snapshot.route(key).is_some())
    }

    /// Returns all events so far.
    pub(crate) fn events_so_far(&mut self) -> Vec<Event> {
        std::iter::from_fn(|| self.events.try_recv().ok()).collect()
    }

    /// Sends a raw request that is signed for apigateway.
    pub(crate) async fn raw(&self, method: &str, path: &str, body: &str) -> Response<Bytes> {
        let request = Request::builder().method(method);
        let request = request.uri(format!("http://{}{path}", self.address));
        let request = request.header("authorization", signature("apigateway"));
        send(request.body(body.to_owned()).unwrap()).await
    }
}

pub(crate) fn function_uri() -> String {
    ArnScope::default().function("echo").invocation_uri()
}

/// Returns an `Authorization` header for a service. Signatures are not verified.
pub(crate) fn signature(service: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential=ANY/20240209/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature=ab"
    )
}

pub(crate) async fn send(request: Request<String>) -> Response<Bytes> {
    let client = Http::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let request = request.map(|body| Full::new(body.into()));
    let (parts, body) = client.request(request).await.unwrap().into_parts();
    Response::from_parts(parts, body.collect().await.unwrap().to_bytes())
}

/// Formats an SDK error as the service's code and message.
macro_rules! error_text {
    ($result:expr) => {{
        let error = $result.unwrap_err().into_service_error();
        let metadata = aws_sdk_apigatewayv2::error::ProvideErrorMetadata::meta(&error);
        format!(
            "{}: {}",
            metadata.code().unwrap_or_default(),
            metadata.message().unwrap_or_default()
        )
    }};
}
pub(crate) use error_text;
