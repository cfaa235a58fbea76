//! Integrations of the types `HTTP` and `HTTP_PROXY`, and request parameters (rows M24, M25).

use http::{HeaderMap, Method};
use stackgen_gateway_apis::apis::StoredIntegration;
use stackgen_gateway_common::services::ServiceOperation;

use crate::support::{BackendReply, Client, TestApi};

const MESSAGE: &str = r#"{"action":"send","room":"a b","list":[{"n":7}]}"#;

async fn answer(client: &mut Client, message: &str) -> String {
    client.send(message).await;
    client.text().await
}

/// Makes the integration of a route one of an HTTP endpoint.
fn endpoint(it: &mut StoredIntegration, integration_type: &str, uri: &str) {
    it.integration_type = integration_type.to_owned();
    it.integration_uri = Some(uri.to_owned());
    it.integration_method = Some("PUT".to_owned());
}

fn parameters(it: &mut StoredIntegration, pairs: &[(&str, &str)]) {
    for (destination, source) in pairs {
        it.request_parameters
            .insert((*destination).to_owned(), (*source).to_owned());
    }
}

/// An API whose two-way route `send` calls an endpoint.
fn with_endpoint(integration_type: &str, uri: &str) -> TestApi {
    TestApi::with(&["$connect", "send"])
        .change_integration("send", |it| endpoint(it, integration_type, uri))
        .two_way("send")
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers
        .get(name)
        .map_or("", |value| value.to_str().unwrap())
}

#[tokio::test]
async fn row_m25_a_proxy_passes_the_message_and_the_answer_on() {
    let test_api = with_endpoint("HTTP_PROXY", "https://${stageVariables.host}/hook?v=1")
        .change_integration("send", |it| {
            it.request_templates
                .insert("$default".to_owned(), "templates are not used".to_owned());
        })
        .integration_response("send", "nor are response templates")
        .change_stage(|stage| {
            let host = "example.com:8443".to_owned();
            stage.stage_variables.insert("host".to_owned(), host);
        });
    let gateway = test_api.start().await;
    let answered = BackendReply::Answer(503, Vec::new(), r#"{"busy":true}"#);
    gateway.backends.always(answered);
    let mut client = gateway.connect().await;
    assert_eq!(answer(&mut client, MESSAGE).await, r#"{"busy":true}"#);
    let request = gateway.backends.request();
    assert_eq!(request.method(), Method::PUT);
    assert_eq!(request.uri(), "https://example.com:8443/hook?v=1");
    assert_eq!(request.body(), MESSAGE);
    let headers = request.headers();
    assert_eq!(header(headers, "content-type"), "application/json");
    assert_eq!(header(headers, "user-agent"), "AmazonAPIGateway_a1b2c3d4e5");
    assert_eq!(header(headers, "x-amzn-apigateway-api-id"), "a1b2c3d4e5");
    assert!(header(headers, "x-amzn-trace-id").starts_with("Root="));
}

#[tokio::test]
async fn row_m25_an_endpoint_gets_the_rendered_template_and_its_status_selects_a_response() {
    let test_api = with_endpoint("HTTP", "http://backend/rooms")
        .change_integration("send", |it| {
            let template = r#"{"from":"$context.connectionId","room":$input.json('$.room')}"#;
            // CDK apps write the key as they write the expression.
            it.request_templates
                .insert("\\$default".to_owned(), template.to_owned());
            it.template_selection_expression = Some("\\$default".to_owned());
        })
        .integration_response_for("send", "/4\\d{2}/", "refused: $input.path('$.why')")
        .integration_response("send", "fine");
    let gateway = test_api.start().await;
    let mut client = gateway.connect().await;
    assert_eq!(answer(&mut client, MESSAGE).await, "fine");
    let body: serde_json::Value =
        serde_json::from_slice(gateway.backends.request().body()).unwrap();
    assert_eq!(body["room"], "a b");
    assert!(body["from"].as_str().is_some_and(|id| id.ends_with('=')));
    let refused = BackendReply::Answer(404, Vec::new(), r#"{"why":"no room"}"#);
    gateway.backends.always(refused);
    assert_eq!(answer(&mut client, MESSAGE).await, "refused: no room");
}

#[tokio::test]
async fn row_m21_an_endpoint_gets_no_message_that_no_template_matches_with_passthrough_never() {
    let test_api = with_endpoint("HTTP", "http://backend/").change_integration("send", |it| {
        it.passthrough_behavior = Some("NEVER".to_owned());
    });
    let gateway = test_api.start().await;
    let mut client = gateway.connect().await;
    let frame = answer(&mut client, MESSAGE).await;
    assert!(frame.contains("Internal server error"), "{frame}");
    assert_eq!(gateway.backends.waiting(), 0);
}

#[tokio::test]
async fn row_m24_values_of_the_message_become_headers_query_parameters_and_parts_of_the_path() {
    let test_api = with_endpoint("HTTP_PROXY", "http://backend/rooms/{room}/{id}")
        .change_integration("send", |it| {
            parameters(
                it,
                &[
                    ("integration.request.path.room", "route.request.body.room"),
                    ("integration.request.path.id", "context.connectionId"),
                    (
                        "integration.request.querystring.n",
                        "route.request.body.list[0].n",
                    ),
                    (
                        "integration.request.querystring.room",
                        "route.request.body.room",
                    ),
                    (
                        "integration.request.querystring.list",
                        "route.request.body.list",
                    ),
                    ("integration.request.querystring.raw", "'a%20b'"),
                    (
                        "integration.request.querystring.none",
                        "route.request.body.none",
                    ),
                    ("integration.request.header.Content-Type", "'text/plain'"),
                    ("integration.request.header.X-Color", "stageVariables.color"),
                    ("integration.request.header.X-Route", "context.routeKey"),
                    (
                        "integration.request.header.X-None",
                        "route.request.header.Origin",
                    ),
                ],
            );
        })
        .change_stage(|stage| {
            let color = "blue".to_owned();
            stage.stage_variables.insert("color".to_owned(), color);
        });
    let gateway = test_api.start().await;
    gateway
        .backends
        .always(BackendReply::Answer(200, vec![], "ok"));
    let mut client = gateway.connect().await;
    assert_eq!(answer(&mut client, MESSAGE).await, "ok");
    let request = gateway.backends.request();
    let id = request.uri().path().strip_prefix("/rooms/a%20b/").unwrap();
    assert!(id.ends_with("%3D"), "{id}");
    assert_eq!(
        request.uri().query(),
        Some("n=7&room=a%20b&list=%5B%7B%22n%22%3A7%7D%5D&raw=a%20b")
    );
    let headers = request.headers();
    assert_eq!(header(headers, "content-type"), "text/plain");
    assert_eq!(headers.get_all("content-type").iter().count(), 1);
    assert_eq!(header(headers, "x-color"), "blue");
    assert_eq!(header(headers, "x-route"), "send");
    assert!(!headers.contains_key("x-none"));
}

#[tokio::test]
async fn row_m24_a_parameter_that_cannot_be_mapped_is_reported_and_nothing_is_sent() {
    for (destination, source, reason) in [
        ("integration.request.cookie.a", "'x'", "none of header"),
        (
            "integration.response.header.a",
            "'x'",
            "does not begin with",
        ),
        (
            "integration.request.header.a",
            "$request.body.a",
            "is no source",
        ),
        ("integration.request.header.a", "'x", "quote at both ends"),
        (
            "integration.request.header.a",
            "route.request.cookie.b",
            "no place cookie",
        ),
        (
            "integration.request.header.Content-Length",
            "'7'",
            "cannot be set",
        ),
        (
            "integration.request.header.a b",
            "'7'",
            "no name of a header",
        ),
        (
            "integration.request.header.a",
            "route.request.body.text",
            "cannot be in a header",
        ),
        (
            "integration.request.header.a",
            "route.request.body.list[",
            "$.list[",
        ),
    ] {
        let test_api = with_endpoint("HTTP_PROXY", "http://backend/")
            .change_integration("send", |it| parameters(it, &[(destination, source)]));
        let mut gateway = test_api.start().await;
        let mut client = gateway.connect().await;
        let frame = answer(&mut client, r#"{"action":"send","text":"a\nb"}"#).await;
        assert!(frame.contains("Internal server error"), "{frame}");
        let reported = gateway.message_error().await;
        assert!(reported.contains(reason), "{reported}");
        assert!(reported.contains("M24"), "{reported}");
        assert_eq!(gateway.backends.waiting(), 0);
    }
}

#[tokio::test]
async fn row_m24_connect_maps_headers_and_the_query_string_of_the_handshake() {
    let test_api = TestApi::with(&["$connect"]).change_integration("$connect", |it| {
        endpoint(it, "HTTP", "http://backend/connect?fixed=1");
        parameters(
            it,
            &[
                (
                    "integration.request.header.X-Agent",
                    "route.request.header.user-agent",
                ),
                (
                    "integration.request.querystring.room",
                    "route.request.querystring.room",
                ),
                (
                    "integration.request.multivaluequerystring.all",
                    "method.request.multivaluequerystring.room",
                ),
            ],
        );
    });
    let gateway = test_api.start().await;
    let headers = [("User-Agent", "tests")];
    let client = gateway.handshake("/prod?room=a&room=b%26c", &headers).await;
    client.unwrap();
    let request = gateway.backends.request();
    assert_eq!(
        request.uri().query(),
        Some("fixed=1&room=b%26c&all=a&all=b%26c")
    );
    assert_eq!(header(request.headers(), "x-agent"), "tests");
    // Only a proxy passes the handshake's own headers on.
    assert!(header(request.headers(), "user-agent").starts_with("AmazonAPIGateway"));
}

#[tokio::test]
async fn rows_c5_and_c9_a_proxy_of_connect_decides_on_the_handshake() {
    let test_api = TestApi::with(&["$connect"]).change_integration("$connect", |it| {
        endpoint(it, "HTTP_PROXY", "http://backend/connect");
        it.integration_method = None;
    });
    let gateway = test_api.start().await;
    let headers = [
        ("Origin", "https://app.example"),
        ("Sec-WebSocket-Protocol", "chat, chat2"),
    ];
    let protocol = vec![("sec-websocket-protocol", "chat2")];
    gateway
        .backends
        .always(BackendReply::Answer(204, protocol, ""));
    let client = gateway
        .handshake("/prod?token=a%20b", &headers)
        .await
        .unwrap();
    assert_eq!(
        client.answer.header("sec-websocket-protocol"),
        Some("chat2")
    );
    let request = gateway.backends.request();
    assert_eq!(request.method(), Method::POST);
    assert_eq!(request.uri(), "http://backend/connect?token=a%20b");
    assert_eq!(header(request.headers(), "origin"), "https://app.example");
    for absent in ["host", "connection", "upgrade"] {
        assert!(!request.headers().contains_key(absent), "{absent}");
    }
    for (status, expected) in [(200, 101), (302, 302), (401, 401), (503, 503)] {
        let answer = BackendReply::Answer(status, Vec::new(), "body");
        gateway.backends.always(answer);
        assert_eq!(gateway.status("/prod", &[]).await, expected);
    }
    gateway.backends.always(BackendReply::Unreachable);
    assert_eq!(gateway.status("/prod", &[]).await, 500);
}

#[tokio::test]
async fn rows_c8_and_m5_an_endpoint_that_does_not_answer_times_out() {
    let test_api = with_endpoint("HTTP_PROXY", "http://backend/")
        .change_integration("send", |it| it.timeout_in_millis = 50)
        .change_integration("$connect", |it| {
            endpoint(it, "HTTP", "http://backend/connect");
            it.timeout_in_millis = 50;
        });
    let gateway = test_api.start().await;
    let mut client = gateway.connect().await;
    gateway.backends.always(BackendReply::Hang);
    let frame = answer(&mut client, MESSAGE).await;
    assert!(frame.contains("Endpoint request timed out"), "{frame}");
    assert_eq!(gateway.status("/prod", &[]).await, 504);
}

#[tokio::test]
async fn row_f3_a_uri_that_is_no_url_is_reported() {
    for uri in [
        "arn:aws:elasticloadbalancing:us-east-1:1:listener/net/a/b/c",
        "ftp://backend/",
        "/path",
        "http://backend/{missing}",
    ] {
        let mut gateway = with_endpoint("HTTP", uri).start().await;
        let mut client = gateway.connect().await;
        let frame = answer(&mut client, MESSAGE).await;
        assert!(frame.contains("Internal server error"), "{frame}");
        let reported = gateway.message_error().await;
        assert!(reported.contains("is not the URL"), "{reported}");
    }
}

#[tokio::test]
async fn row_m10_an_endpoint_gets_bytes_if_the_integration_converts_base64() {
    let test_api = TestApi::with(&["$connect", "$default"]).change_integration("$default", |it| {
        endpoint(it, "HTTP_PROXY", "http://backend/");
        it.content_handling_strategy = Some("CONVERT_TO_BINARY".to_owned());
    });
    let gateway = test_api.two_way("$default").start().await;
    gateway
        .backends
        .always(BackendReply::Answer(200, vec![], "ok"));
    let mut client = gateway.connect().await;
    for (message, expected) in [("aGkA", &b"hi\0"[..]), ("not base64", b"not base64")] {
        assert_eq!(answer(&mut client, message).await, "ok");
        assert_eq!(gateway.backends.request().body(), expected);
    }
}

#[tokio::test]
async fn row_m10_an_integration_response_converts_between_bytes_and_base64() {
    for (strategy, template, reply, expected) in [
        ("CONVERT_TO_TEXT", "$input.body", "h\u{e9}\0", "aMOpAA=="),
        (
            "CONVERT_TO_TEXT",
            r#"{"data": "$input.body"}"#,
            "hi",
            r#"{"data": "aGk="}"#,
        ),
        ("CONVERT_TO_BINARY", "got $input.body", "aGk=", "got hi"),
        (
            "CONVERT_TO_BINARY",
            "$input.body",
            "not base64",
            "not base64",
        ),
    ] {
        let test_api = with_endpoint("HTTP", "http://backend/")
            .integration_response("send", template)
            .convert_responses("send", strategy);
        let gateway = test_api.start().await;
        gateway
            .backends
            .always(BackendReply::Answer(200, vec![], reply));
        let mut client = gateway.connect().await;
        assert_eq!(answer(&mut client, MESSAGE).await, expected, "{strategy}");
    }
}

#[tokio::test]
async fn rows_m23_and_m24_a_path_of_a_service_gets_the_parameters() {
    let test_api = TestApi::with(&["send"])
        .change_integration("send", |it| {
            it.integration_type = "AWS".to_owned();
            it.credentials_arn = Some("arn:aws:iam::1:role/sender".to_owned());
            it.integration_uri = Some(
                "arn:aws:apigateway:us-east-1:sqs:path/1/${stageVariables.queue}-{room}".to_owned(),
            );
            let body = "Action=SendMessage&MessageBody=$util.urlEncode($input.path('$.room'))";
            it.request_templates
                .insert("$default".to_owned(), body.to_owned());
            let form = "'application/x-www-form-urlencoded'";
            parameters(
                it,
                &[
                    ("integration.request.header.Content-Type", form),
                    (
                        "integration.request.path.room",
                        "route.request.body.list[0].n",
                    ),
                ],
            );
        })
        .change_stage(|stage| {
            let queue = "notes".to_owned();
            stage.stage_variables.insert("queue".to_owned(), queue);
        })
        .two_way("send");
    let mut gateway = test_api.start().await;
    gateway
        .backends
        .always(BackendReply::Answer(200, vec![], "<sent/>"));
    let mut client = gateway.connect().await;
    assert_eq!(answer(&mut client, MESSAGE).await, "<sent/>");
    let call = gateway.backends.call();
    assert_eq!(call.service, "sqs");
    let path = "/1/notes-7".to_owned();
    assert_eq!(call.operation, ServiceOperation::Path(path));
    assert_eq!(call.method, Method::POST);
    assert_eq!(call.body, "Action=SendMessage&MessageBody=a+b");
    let form = "application/x-www-form-urlencoded";
    assert_eq!(header(&call.headers, "content-type"), form);

    gateway.backends.always(BackendReply::Unreachable);
    let frame = answer(&mut client, MESSAGE).await;
    assert!(frame.contains("Internal server error"), "{frame}");
    let reported = gateway.message_error().await;
    assert!(reported.contains("no sqs; start `stackgen dev` with --services"));
}
