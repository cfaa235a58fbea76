//! Integrations that are no proxies (rows M20 to M23).

use serde_json::json;

use crate::support::{Client, Reply, TestApi};

async fn answer(client: &mut Client, message: &str) -> String {
    client.send(message).await;
    client.text().await
}

/// An API whose two-way route `send` invokes a function without a proxy.
fn mapped() -> TestApi {
    TestApi::with(&["send"])
        .change_integration("send", |it| it.integration_type = "AWS".to_owned())
        .two_way("send")
}

#[tokio::test]
async fn row_m20_templates_map_the_message_to_the_function_and_its_answer_to_the_client() {
    let request = r##"#set($text = $input.path('$.text'))
{"user": "$context.connectionId", "text": "$text.toUpperCase()", "stage": "$stageVariables.name"}"##;
    let test_api = mapped()
        .change_integration("send", |it| {
            it.request_templates
                .insert("$default".to_owned(), request.to_owned());
        })
        .change_stage(|stage| {
            stage
                .stage_variables
                .insert("name".to_owned(), "blue".to_owned());
        })
        .integration_response(
            "send",
            r##"#foreach($word in $input.path('$.words'))$word#if($foreach.hasNext),#end#end"##,
        );
    let gateway = test_api.start().await;
    gateway
        .functions
        .always("send", Reply::Json(json!({"words": ["a", "b"]})));
    let mut client = gateway.connect().await;
    let message = r#"{"action":"send","text":"hi"}"#;
    assert_eq!(answer(&mut client, message).await, "a,b");
    let event = gateway.functions.event("send").await;
    assert_eq!(
        (&event["text"], &event["stage"]),
        (&json!("HI"), &json!("blue"))
    );
    assert!(
        event["user"].as_str().is_some_and(|id| id.len() > 8),
        "{event}"
    );
}

#[tokio::test]
async fn row_m21_a_message_without_a_template_is_passed_through_or_refused() {
    let gateway = mapped().start().await;
    let echo = |event: &serde_json::Value| Reply::Json(event.clone());
    gateway.functions.on("send", echo);
    let mut client = gateway.connect().await;
    let message = r#"{"action":"send","n":1}"#;
    assert_eq!(answer(&mut client, message).await, message);

    let never = |it: &mut stackgen_gateway_apis::apis::StoredIntegration| {
        it.passthrough_behavior = Some("NEVER".to_owned());
    };
    mapped()
        .change_integration("send", never)
        .serve(&gateway.plane);
    let frame = answer(&mut client, message).await;
    assert!(frame.contains("Internal server error"), "{frame}");

    // A template for another value of the expression matches nothing.
    mapped()
        .change_integration("send", never)
        .change_integration("send", |it| {
            it.template_selection_expression = Some("$request.body.kind".to_owned());
            it.request_templates
                .insert("note".to_owned(), r#"{"kind":"a note"}"#.to_owned());
        })
        .serve(&gateway.plane);
    let note = answer(&mut client, r#"{"action":"send","kind":"note"}"#).await;
    assert_eq!(note, r#"{"kind":"a note"}"#);
    let frame = answer(&mut client, r#"{"action":"send","kind":"other"}"#).await;
    assert!(frame.contains("Internal server error"), "{frame}");
}

#[tokio::test]
async fn row_m22_an_error_of_the_function_selects_a_response_by_a_regular_expression() {
    let test_api = mapped()
        .integration_response_for("send", "$default", "fine")
        .integration_response_for(
            "send",
            "/no such .*/",
            "missing: $input.path('$.errorMessage')",
        )
        .integration_response_for(
            "send",
            "no such room",
            "a key without slashes matches nothing",
        );
    let gateway = test_api.start().await;
    let mut client = gateway.connect().await;
    let message = r#"{"action":"send"}"#;
    assert_eq!(answer(&mut client, message).await, "fine");
    gateway
        .functions
        .always("send", Reply::Throw("no such room"));
    assert_eq!(answer(&mut client, message).await, "missing: no such room");
}

#[tokio::test]
async fn a_template_that_cannot_be_rendered_is_reported_with_its_place() {
    let test_api = mapped().change_integration("send", |it| {
        it.request_templates
            .insert("$default".to_owned(), "{\n#if($input".to_owned());
    });
    let gateway = test_api.start().await;
    let mut client = gateway.connect().await;
    let frame = answer(&mut client, r#"{"action":"send"}"#).await;
    assert!(frame.contains("Internal server error"), "{frame}");
    assert_eq!(gateway.functions.calls("send"), 0);
}

#[tokio::test]
async fn row_m8_an_integration_that_is_no_proxy_answers_with_a_route_response_alone() {
    let gateway = TestApi::with(&["send"])
        .change_integration("send", |it| it.integration_type = "AWS".to_owned())
        .route_response("send")
        .start()
        .await;
    gateway
        .functions
        .always("send", Reply::Json(json!({"n": 1})));
    let mut client = gateway.connect().await;
    let message = r#"{"action":"send"}"#;
    assert_eq!(answer(&mut client, message).await, r#"{"n":1}"#);
}

#[tokio::test]
async fn row_m20_templates_of_connect_read_the_headers_and_the_query_string() {
    let template = r#"{"room": "$input.params('room')", "agent": "$input.params().header.get('User-Agent')", "none": "$input.params('none')"}"#;
    let test_api = TestApi::with(&["$connect"]).change_integration("$connect", |it| {
        it.integration_type = "AWS".to_owned();
        it.request_templates
            .insert("$default".to_owned(), template.to_owned());
    });
    let gateway = test_api.start().await;
    let headers = [("User-Agent", "tests")];
    gateway
        .handshake("/prod?room=a%20b", &headers)
        .await
        .unwrap();
    let event = gateway.functions.event("connect").await;
    let expected = json!({"room": "a b", "agent": "tests", "none": ""});
    assert_eq!(event, expected);
}
