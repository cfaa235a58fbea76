//! The management API, called by the AWS SDK.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use aws_sdk_apigatewaymanagement::Client;
use aws_sdk_apigatewaymanagement::config::retry::RetryConfig;
use aws_sdk_apigatewaymanagement::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_apigatewaymanagement::error::ProvideErrorMetadata;
use aws_sdk_apigatewaymanagement::operation::post_to_connection::PostToConnectionError;
use aws_sdk_apigatewaymanagement::primitives::Blob;
use http::{Request, StatusCode};
use stackgen_gateway_apis::DataPlane;
use stackgen_gateway_apis::apis::{ProtocolType, ServedStage};
use stackgen_gateway_apis::connections::{OpenConnection, Outgoing};
use stackgen_gateway_apis::management::{self, router};
use stackgen_gateway_common::{
    ApiId, ConnectionId, EpochMillis, Event, FrameText, Grants, StageName,
};

use crate::support::{self, Functions};

/// Allows everything to all callers except one function, which may only post on the stage `dev`.
#[derive(Default)]
struct OnePosterGrants(Mutex<Vec<String>>);

impl Grants for OnePosterGrants {
    fn allows(&self, access_key: &str, action: &str, resource: &str) -> bool {
        self.0.lock().unwrap().push(format!("{action} {resource}"));
        let own = "arn:aws:execute-api:us-east-1:000000000000:ws1/dev/POST/@connections/*";
        access_key != "POSTER"
            || (action == "execute-api:ManageConnections"
                && stackgen_gateway_common::pattern_matches(own, resource))
    }
}

struct Fixture {
    address: SocketAddr,
    plane: Arc<DataPlane>,
    grants: Arc<OnePosterGrants>,
}

impl Fixture {
    async fn start() -> Self {
        let (plane, _) = support::plane(Functions::none());
        for stage in ["dev", "prod"] {
            let snapshot = support::snapshot(support::api("ws1", ProtocolType::WebSocket));
            let served = ServedStage {
                stage: Arc::new(support::stage(stage)),
                snapshot: Some(Arc::new(snapshot)),
            };
            plane.apis.serve(&ApiId::new("ws1"), served);
        }
        let grants = Arc::new(OnePosterGrants::default());
        let shared = Arc::clone(&grants) as Arc<dyn Grants>;
        let router = router(ApiId::new("ws1"), Arc::clone(&plane), shared);
        let address = support::serve(router).await;
        Fixture {
            address,
            plane,
            grants,
        }
    }

    fn connect(&self, api: &str, stage: &str) -> Arc<OpenConnection> {
        let connection = Arc::new(OpenConnection::new(
            ConnectionId::generate(),
            ApiId::new(api),
            StageName::new(stage),
            IpAddr::V4(Ipv4Addr::LOCALHOST),
            Some("wscat".to_owned()),
            EpochMillis::from_millis(1_707_502_303_419),
            300 * 1024,
        ));
        self.plane.connections.insert(Arc::clone(&connection));
        connection
    }

    fn client(&self, stage: &str, access_key: &str) -> Client {
        let config = aws_sdk_apigatewaymanagement::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .endpoint_url(format!("http://{}/{stage}", self.address))
            .credentials_provider(Credentials::new(access_key, "secret", None, None, "test"))
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .retry_config(RetryConfig::disabled())
            .build();
        Client::from_conf(config)
    }

    async fn post(
        &self,
        stage: &str,
        id: impl ToString,
        data: impl Into<Vec<u8>>,
    ) -> Result<(), PostToConnectionError> {
        let request = self.client(stage, "POSTER").post_to_connection();
        let request = request.connection_id(id.to_string());
        let sent = request.data(Blob::new(data)).send().await;
        sent.map(|_| ()).map_err(|error| error.into_service_error())
    }
}

#[tokio::test]
async fn row_k1_a_post_reaches_the_connection_as_text() {
    let fixture = Fixture::start().await;
    let connection = fixture.connect("ws1", "dev");
    let mut events = fixture.plane.events.subscribe();
    fixture.post("dev", &connection.id, "hör").await.unwrap();
    let expected = Outgoing::Text("hör".as_bytes().to_vec().into());
    assert_eq!(connection.next_outgoing().await, expected);
    let posted = Event::Posted {
        connection: connection.id.clone(),
        bytes: 4,
        body: Some(FrameText::copy("hör")),
        status: 200,
        reason: None,
    };
    assert_eq!(events.recv().await.unwrap(), posted);
    let checks = fixture.grants.0.lock().unwrap();
    assert_eq!(
        *checks,
        [
            "execute-api:ManageConnections arn:aws:execute-api:us-east-1:000000000000:ws1/dev/POST/@connections/{connectionId}"
        ]
    );
}

#[tokio::test]
async fn row_k1_invalid_utf8_arrives_as_replacement_characters() {
    let fixture = Fixture::start().await;
    let connection = fixture.connect("ws1", "dev");
    let data = vec![b'a', 0xff, b'b'];
    fixture.post("dev", &connection.id, data).await.unwrap();
    let expected = Outgoing::Text("a\u{fffd}b".as_bytes().to_vec().into());
    assert_eq!(connection.next_outgoing().await, expected);
}

#[tokio::test]
async fn row_k1_a_role_without_permission_gets_403_and_nothing_is_sent() {
    let fixture = Fixture::start().await;
    let connection = fixture.connect("ws1", "prod");
    let refused = fixture.post("prod", &connection.id, "x").await.unwrap_err();
    assert_eq!(refused.code(), Some("AccessDeniedException"));
    insta::assert_snapshot!(refused.message().unwrap(), @"User: arn:aws:iam::000000000000:root is not authorized to perform: execute-api:ManageConnections on resource: arn:aws:execute-api:us-east-1:********0000:ws1/prod/POST/@connections/{connectionId}");
    let deleted = fixture.client("dev", "POSTER").delete_connection();
    let deleted = deleted.connection_id("x").send().await.unwrap_err();
    assert_eq!(deleted.code(), Some("AccessDeniedException"));
    // The administrator's post is the first to arrive.
    let allowed = fixture.client("prod", "ADMINISTRATOR").post_to_connection();
    let allowed = allowed.connection_id(connection.id.as_str());
    allowed.data(Blob::new("y")).send().await.unwrap();
    let first = connection.next_outgoing().await;
    assert_eq!(first, Outgoing::Text("y".into()));
}

#[tokio::test]
async fn row_k2_get_returns_times_and_identity() {
    let fixture = Fixture::start().await;
    let connection = fixture.connect("ws1", "dev");
    connection.touch(EpochMillis::from_millis(1_707_502_400_000));
    let found = fixture.client("dev", "ADMINISTRATOR").get_connection();
    let found = found.connection_id(connection.id.as_str());
    let found = found.send().await.unwrap();
    let millis = |at: Option<&aws_sdk_apigatewaymanagement::primitives::DateTime>| {
        at.unwrap().to_millis().unwrap()
    };
    assert_eq!(millis(found.connected_at()), 1_707_502_303_419);
    assert_eq!(millis(found.last_active_at()), 1_707_502_400_000);
    let identity = found.identity().unwrap();
    assert_eq!(identity.source_ip(), Some("127.0.0.1"));
    assert_eq!(identity.user_agent(), Some("wscat"));
}

#[tokio::test]
async fn row_k3_delete_closes_the_connection_and_a_second_delete_gets_gone() {
    let fixture = Fixture::start().await;
    let connection = fixture.connect("ws1", "dev");
    let client = fixture.client("dev", "ADMINISTRATOR");
    let delete = || {
        client
            .delete_connection()
            .connection_id(connection.id.as_str())
    };
    delete().send().await.unwrap();
    assert_eq!(connection.next_outgoing().await, Outgoing::Delete);
    let again = delete().send().await.unwrap_err().into_service_error();
    assert!(again.is_gone_exception(), "{again:?}");
}

#[tokio::test]
async fn row_k4_an_unknown_or_closed_connection_is_gone() {
    let fixture = Fixture::start().await;
    let unknown = fixture.post("dev", ConnectionId::generate(), "x").await;
    assert!(unknown.unwrap_err().is_gone_exception());
    let connection = fixture.connect("ws1", "dev");
    fixture.plane.connections.remove(&connection.id);
    let closed = fixture.post("dev", &connection.id, "x").await;
    assert!(closed.unwrap_err().is_gone_exception());
}

#[tokio::test]
async fn row_k5_another_stage_another_api_and_a_double_encoded_id_are_forbidden() {
    let fixture = Fixture::start().await;
    let (here, elsewhere) = (
        fixture.connect("ws1", "prod"),
        fixture.connect("ws2", "dev"),
    );
    let encoded = here.id.as_str().replace('=', "%3D");
    for (stage, id) in [
        ("dev", here.id.as_str()),
        ("nosuch", here.id.as_str()),
        ("dev", elsewhere.id.as_str()),
        ("dev", &encoded),
    ] {
        let refused = fixture.post(stage, id, "x").await.unwrap_err();
        assert!(
            refused.is_forbidden_exception(),
            "{stage} {id}: {refused:?}"
        );
    }
}

#[tokio::test]
async fn row_k1_an_unsigned_request_is_forbidden() {
    let fixture = Fixture::start().await;
    let connection = fixture.connect("ws1", "dev");
    let url = format!(
        "http://{}/dev/@connections/{}",
        fixture.address, connection.id
    );
    let answer = support::send(Request::post(url).body("x").unwrap()).await;
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    assert_eq!(answer.headers()["x-amzn-errortype"], "ForbiddenException");
}

#[tokio::test]
async fn a_page_in_a_browser_cannot_post_even_with_a_signature_in_the_query() {
    let fixture = Fixture::start().await;
    let connection = fixture.connect("ws1", "dev");
    let signed = "X-Amz-Credential=KEY/20240209/us-east-1/execute-api/aws4_request";
    let id = &connection.id;
    let url = format!("http://{}/dev/@connections/{id}?{signed}", fixture.address);
    let mut events = fixture.plane.events.subscribe();
    let page = Request::post(&url).header("origin", "https://elsewhere.example");
    let answer = support::send(page.body("x").unwrap()).await;
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    let refused = Event::Posted {
        connection: id.clone(),
        bytes: 0,
        body: None,
        status: 403,
        reason: None,
    };
    assert_eq!(events.recv().await.unwrap(), refused);
    let tool = Request::post(&url).body("y").unwrap();
    assert_eq!(support::send(tool).await.status(), StatusCode::OK);
    let first = connection.next_outgoing().await;
    assert_eq!(first, Outgoing::Text("y".into()));
}

#[tokio::test]
async fn a_foreign_host_is_refused_even_with_a_signature() {
    let fixture = Fixture::start().await;
    let connection = fixture.connect("ws1", "dev");
    let signed = "X-Amz-Credential=KEY/20240209/us-east-1/execute-api/aws4_request";
    let id = &connection.id;
    let url = format!("http://{}/dev/@connections/{id}?{signed}", fixture.address);
    for (host, status) in [("rebound.example", 403), ("localhost:1", 200)] {
        let request = Request::get(&url).header("host", host).body("");
        assert_eq!(
            support::send(request.unwrap()).await.status(),
            status,
            "{host}"
        );
    }
}

#[tokio::test]
async fn row_k5_an_endpoint_that_is_not_a_stages_is_forbidden_with_a_hint() {
    let fixture = Fixture::start().await;
    let address = support::serve(management::misdirected()).await;
    let elsewhere = Fixture { address, ..fixture };
    let refused = elsewhere.post("dev", "x", "y").await.unwrap_err();
    assert!(refused.is_forbidden_exception(), "{refused:?}");
    insta::assert_snapshot!(refused.message().unwrap(), @"Forbidden: @connections is not at this address but at that of the stage: give the client the endpoint https://{domainName}/{stage} of the event's requestContext");
}

#[tokio::test]
async fn a_post_without_a_stage_reaches_the_stage_that_a_custom_domain_is_mapped_to() {
    let fixture = Fixture::start().await;
    let connection = fixture.connect("ws1", "dev");
    let signed = "X-Amz-Credential=KEY/20240209/us-east-1/execute-api/aws4_request";
    let (id, address) = (&connection.id, &fixture.address);
    let url = format!("http://{address}/@connections/{id}?{signed}");
    let post = async || support::send(Request::post(&url).body("x").unwrap()).await;
    let mut events = fixture.plane.events.subscribe();
    let refused = post().await;
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
    let Ok(Event::Posted { status, reason, .. }) = events.recv().await else {
        panic!("no post is reported");
    };
    assert_eq!(status, 403);
    insta::assert_snapshot!(reason.unwrap(), @"the URL names no stage: give the client the endpoint https://{domainName}/{stage} of the event's requestContext, or map the root of a custom domain to a stage with an AWS::ApiGatewayV2::ApiMapping");
    let message = String::from_utf8_lossy(refused.body()).into_owned();
    insta::assert_snapshot!(message, @r#"{"message":"Forbidden: the URL names no stage: give the client the endpoint https://{domainName}/{stage} of the event's requestContext, or map the root of a custom domain to a stage with an AWS::ApiGatewayV2::ApiMapping"}"#);
    let apis = &fixture.plane.apis;
    let map = |api: &str, stage: &str| {
        let mapping = (ApiId::new(api), StageName::new(stage));
        apis.set_root_stages([mapping].into());
    };
    for (api, stage, status) in [
        ("ws2", "dev", 403),
        ("ws1", "nosuch", 403),
        ("ws1", "dev", 200),
    ] {
        map(api, stage);
        assert_eq!(post().await.status(), status, "{api} {stage}");
    }
    let first = connection.next_outgoing().await;
    assert_eq!(first, Outgoing::Text("x".into()));
}

#[tokio::test]
async fn row_k6_a_post_of_more_than_128_kb_is_too_large() {
    let fixture = Fixture::start().await;
    let connection = fixture.connect("ws1", "dev");
    let most = vec![b'x'; 128 * 1024];
    fixture
        .post("dev", &connection.id, most.clone())
        .await
        .unwrap();
    let more = [most, vec![b'x']].concat();
    let refused = fixture.post("dev", &connection.id, more).await.unwrap_err();
    assert!(refused.is_payload_too_large_exception(), "{refused:?}");
}

#[tokio::test]
async fn row_k7_posts_are_refused_while_the_buffer_is_full() {
    let fixture = Fixture::start().await;
    let connection = fixture.connect("ws1", "dev");
    let data = vec![b'x'; 128 * 1024];
    for _ in 0..2 {
        fixture
            .post("dev", &connection.id, data.clone())
            .await
            .unwrap();
    }
    let full = fixture.post("dev", &connection.id, data.clone()).await;
    assert!(full.unwrap_err().is_limit_exceeded_exception());
    let first = connection.next_outgoing().await;
    connection.sent(first.weight());
    fixture.post("dev", &connection.id, data).await.unwrap();
}

#[tokio::test]
async fn row_c4_a_plain_get_on_the_stage_gets_upgrade_required() {
    let fixture = Fixture::start().await;
    let url = format!("http://{}", fixture.address);
    let stage = support::get(&format!("{url}/dev")).await;
    assert_eq!(stage.status(), StatusCode::UPGRADE_REQUIRED);
    assert_eq!(stage.headers()["upgrade"], "websocket");
    for elsewhere in ["/", "/nosuch", "/dev/sessions"] {
        let answer = support::get(&format!("{url}{elsewhere}")).await;
        assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{elsewhere}");
    }
}
