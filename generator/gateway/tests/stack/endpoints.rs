//! Integrations that call HTTP endpoints (row M25), and the endpoint for services that do not run here.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use axum::Router;
use axum::extract::Request;
use futures_util::SinkExt;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use stackgen_gateway::gateway::{Gateway, GatewayOptions, StartError};
use tokio::net::TcpListener;
use tokio::sync::Notify;

use crate::serving::{connect, receive};
use crate::support::{api, apply, gateway, template_from_text};

/// An API whose `$connect` and `$default` call an endpoint.
const TEMPLATE: &str = r##"
Parameters: { Backend: { Type: String, Default: BACKEND } }
Resources:
  Api:
    Type: AWS::ApiGatewayV2::Api
    Properties: { Name: hooks, ProtocolType: WEBSOCKET, RouteSelectionExpression: $request.body.action }
  Connect:
    Type: AWS::ApiGatewayV2::Integration
    Properties:
      ApiId: !Ref Api
      IntegrationType: HTTP_PROXY
      IntegrationMethod: GET
      IntegrationUri: !Sub '${Backend}/connect'
  Message:
    Type: AWS::ApiGatewayV2::Integration
    Properties:
      ApiId: !Ref Api
      IntegrationType: HTTP
      IntegrationMethod: POST
      ConnectionType: VPC_LINK
      ConnectionId: vpclink
      IntegrationUri: !Sub '${Backend}/rooms/{room}'
      RequestParameters:
        integration.request.path.room: route.request.body.room
        integration.request.header.X-Connection: context.connectionId
      TemplateSelectionExpression: \$default
      RequestTemplates: { $default: "said: $input.path('$.text')" }
  ConnectRoute: { Type: AWS::ApiGatewayV2::Route, Properties: { ApiId: !Ref Api, RouteKey: $connect, Target: !Sub 'integrations/${Connect}' } }
  MessageRoute:
    Type: AWS::ApiGatewayV2::Route
    Properties: { ApiId: !Ref Api, RouteKey: $default, Target: !Sub 'integrations/${Message}', RouteResponseSelectionExpression: $default }
  MessageResponse:
    Type: AWS::ApiGatewayV2::RouteResponse
    Properties: { ApiId: !Ref Api, RouteId: !Ref MessageRoute, RouteResponseKey: $default }
  Deployment:
    Type: AWS::ApiGatewayV2::Deployment
    DependsOn: [ConnectRoute, MessageRoute, MessageResponse]
    Properties: { ApiId: !Ref Api }
  Stage:
    Type: AWS::ApiGatewayV2::Stage
    Properties: { ApiId: !Ref Api, StageName: prod, DeploymentId: !Ref Deployment }
"##;

/// Serves a router and returns its URL.
pub(crate) async fn serve(router: Router) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

#[tokio::test]
async fn row_m25_routes_of_a_template_call_an_endpoint() {
    let handler = async |request: Request| {
        let (head, body) = request.into_parts();
        let body = body.collect().await.expect("a body").to_bytes();
        let has_connection = head.headers.contains_key("x-connection");
        let body = String::from_utf8_lossy(&body);
        format!("{} {} {has_connection} {body}", head.method, head.uri)
    };
    let backend = serve(Router::new().fallback(handler)).await;
    let gateway = gateway().await;
    let template = TEMPLATE.replace("BACKEND", &backend);
    apply(&gateway, template_from_text(&template)).await;
    let mut socket = connect(&gateway, "hooks", "/prod?token=x").await;
    let message = r#"{"room":"a/b","text":"hi"}"#;
    socket.send(message.into()).await.expect("sent");
    let answer = receive(&mut socket).await;
    assert_eq!(answer, "POST /rooms/a%2Fb true said: hi");
    gateway.shutdown().await;
}

#[tokio::test]
async fn the_root_of_a_custom_domain_is_that_of_the_mapping_without_a_key() {
    let gateway = gateway().await;
    let template = TEMPLATE.replace("BACKEND", "http://127.0.0.1:1");
    let mapped = |key: &str| {
        let properties =
            format!("DomainName: chat.example.com, ApiId: !Ref Api, Stage: !Ref Stage{key}");
        let mapping = format!(
            "  Mapping: {{ Type: AWS::ApiGatewayV2::ApiMapping, Properties: {{ {properties} }} }}\n"
        );
        template_from_text(&format!("{template}{mapping}"))
    };
    for (applied, stage) in [
        (mapped(""), Some("prod")),
        (mapped(", ApiMappingKey: v1"), None),
        (mapped(", ApiMappingKey: ''"), Some("prod")),
        (template_from_text(&template), None),
    ] {
        apply(&gateway, applied).await;
        let api = api(&gateway, "hooks").api_id.clone();
        let mapped = gateway.account().apis.root_stage(&api);
        assert_eq!(mapped.as_ref().map(|name| name.as_str()), stage);
    }
    gateway.shutdown().await;
}

#[tokio::test]
async fn the_gateway_is_not_its_own_endpoint_for_other_services() {
    let free = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let port = free.local_addr().expect("an address").port();
    drop(free);
    let url = format!("http://localhost:{port}");
    let options = GatewayOptions {
        port: Some(port),
        services: Some(url.parse().expect("a URL")),
        ..GatewayOptions::default()
    };
    match Gateway::start(options).await {
        Err(StartError::OwnEndpoint(named)) => assert_eq!(named, url),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it started"),
    }
}

#[tokio::test]
async fn a_forwarded_call_that_waits_ends_when_the_gateway_stops() {
    let arrived = Arc::new(Notify::new());
    let handler = {
        let arrived = arrived.clone();
        move || {
            arrived.notify_one();
            std::future::pending::<String>()
        }
    };
    let services = serve(Router::new().fallback(handler)).await;
    let options = GatewayOptions {
        services: Some(services.parse().expect("a URL")),
        ..GatewayOptions::default()
    };
    let gateway = Gateway::start(options).await.expect("a gateway");
    let endpoint = gateway.state().await.endpoint;
    let credential =
        "AWS4-HMAC-SHA256 Credential=A/20260101/us-east-1/sqs/aws4_request, Signature=0";
    let request = http::Request::post(endpoint)
        .header("authorization", credential)
        .body(Full::new("{}".into()))
        .expect("a request");
    let client = Client::builder(TokioExecutor::new()).build_http::<Full<bytes::Bytes>>();
    let waiting = tokio::spawn(client.request(request));
    arrived.notified().await;
    gateway.shutdown().await;
    let response = waiting.await.expect("no panic").expect("a response");
    assert_eq!(response.status(), 503);
}

#[tokio::test]
async fn rules_that_an_unreachable_emulator_keeps_cost_one_call_and_are_removed_later() {
    let is_gone = Arc::new(AtomicBool::new(false));
    let calls_when_gone = Arc::new(AtomicUsize::new(0));
    let emulator = {
        let (is_gone, calls_when_gone) = (is_gone.clone(), calls_when_gone.clone());
        move || async move {
            if is_gone.load(Ordering::Relaxed) {
                calls_when_gone.fetch_add(1, Ordering::Relaxed);
                // Closes the connection without an answer.
                std::panic::resume_unwind(Box::new("gone"));
            }
            "{}"
        }
    };
    let services = serve(Router::new().fallback(emulator)).await;
    let options = GatewayOptions {
        services: Some(services.parse().expect("a URL")),
        ..GatewayOptions::default()
    };
    let gateway = Gateway::start(options).await.expect("a gateway");
    let group = "
Resources:
  Group: { Type: AWS::Logs::LogGroup, Properties: { LogGroupName: group } }
";
    let rule = |id: &str| {
        format!(
            "  {id}:\n    Type: AWS::Events::Rule\n    Properties: {{ Name: {id}, EventPattern: {{ source: [app] }}, \
             Targets: [{{ Id: q, Arn: 'arn:aws:sqs:us-east-1:000000000000:q' }}] }}\n"
        )
    };
    let with_rules = [group, &rule("First"), &rule("Second")].concat();
    let applied = apply(&gateway, template_from_text(&with_rules)).await;
    assert_eq!(applied.emulated.len(), 2);
    is_gone.store(true, Ordering::Relaxed);
    let applied = apply(&gateway, template_from_text(group)).await;
    assert_eq!(calls_when_gone.load(Ordering::Relaxed), 1);
    let notes: Vec<_> = applied.not_run.iter().collect();
    assert_eq!(notes.len(), 2, "{notes:?}");
    for note in notes {
        let expected = "it could not be deleted in the emulator: events cannot be reached: ";
        assert!(note.reason.starts_with(expected), "{}", note.reason);
    }
    is_gone.store(false, Ordering::Relaxed);
    let applied = apply(&gateway, template_from_text(group)).await;
    assert_eq!(applied.not_run, []);
    gateway.shutdown().await;
}
