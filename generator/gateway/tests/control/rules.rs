//! Rules of WebSocket APIs (rows F1 to F5, L6, M6, M9).

use aws_sdk_apigatewayv2::types::{
    AuthorizerType, ConnectionType, IntegrationType, ParameterConstraints, ProtocolType,
};

use crate::support::{Control, error_text, function_uri};

#[tokio::test]
async fn row_f1_a_websocket_api_requires_a_route_selection_expression() {
    let control = Control::start().await;
    let api = control
        .client
        .create_api()
        .name("talk")
        .protocol_type(ProtocolType::Websocket);
    assert_eq!(
        error_text!(api.send().await),
        "BadRequestException: RouteSelectionExpression is required for WEBSOCKET protocol Apis."
    );
}

#[tokio::test]
async fn row_f1_a_websocket_api_has_no_cors_configuration_and_no_target() {
    let control = Control::start().await;
    let api = || {
        let api = control
            .client
            .create_api()
            .name("talk")
            .protocol_type(ProtocolType::Websocket);
        api.route_selection_expression("$request.body.action")
    };
    let cors = aws_sdk_apigatewayv2::types::Cors::builder()
        .allow_origins("*")
        .build();
    assert_eq!(
        error_text!(api().cors_configuration(cors).send().await),
        "BadRequestException: CorsConfiguration cannot be set for WEBSOCKET protocol Apis."
    );
    assert_eq!(
        error_text!(api().target("arn:aws:lambda:x").send().await),
        "BadRequestException: Target cannot be set for WEBSOCKET protocol Apis."
    );
    assert!(control.apis.list_apis().is_empty());
}

#[tokio::test]
async fn row_f2_custom_route_keys_do_not_start_with_a_dollar() {
    let control = Control::start().await;
    let api = control.empty_api().await;
    let route = |key: &str| {
        control
            .client
            .create_route()
            .api_id(&api)
            .route_key(key)
            .send()
    };
    for key in ["$ping", "$Connect", "$"] {
        let refused = route(key).await;
        assert!(
            refused
                .unwrap_err()
                .into_service_error()
                .is_bad_request_exception(),
            "{key}"
        );
    }
    for key in [
        "$connect",
        "$disconnect",
        "$default",
        "ping",
        "a/b",
        "price$",
    ] {
        route(key).await.unwrap();
    }
}

#[tokio::test]
async fn row_f2_a_target_must_be_an_integration_of_this_api() {
    let control = Control::start().await;
    let api = control.empty_api().await;
    let other = control.empty_api().await;
    let elsewhere = control.integration(&other).await;
    let route = |target: String| {
        let route = control.client.create_route().api_id(&api).route_key("ping");
        route.target(target).send()
    };
    let refused = route(format!("integrations/{elsewhere}")).await;
    assert!(
        refused
            .unwrap_err()
            .into_service_error()
            .is_not_found_exception()
    );
    let refused = route(elsewhere).await;
    assert!(
        refused
            .unwrap_err()
            .into_service_error()
            .is_bad_request_exception()
    );
}

#[tokio::test]
async fn row_f3_integrations_have_a_timeout_of_50_to_29000_ms_and_payload_version_1() {
    let control = Control::start().await;
    let api = control.empty_api().await;
    let integration = || {
        let integration = control.client.create_integration().api_id(&api);
        let integration = integration.integration_type(IntegrationType::AwsProxy);
        integration.integration_uri(function_uri())
    };
    for millis in [49, 29_001] {
        let refused = integration().timeout_in_millis(millis).send().await;
        assert!(
            refused
                .unwrap_err()
                .into_service_error()
                .is_bad_request_exception(),
            "{millis}"
        );
    }
    for millis in [50, 29_000] {
        integration()
            .timeout_in_millis(millis)
            .send()
            .await
            .unwrap();
    }
    let refused = integration().payload_format_version("2.0").send().await;
    assert!(
        refused
            .unwrap_err()
            .into_service_error()
            .is_bad_request_exception()
    );
    let refused = control.client.create_integration().api_id(&api);
    let refused = refused
        .integration_type(IntegrationType::AwsProxy)
        .send()
        .await;
    assert!(
        refused
            .unwrap_err()
            .into_service_error()
            .is_bad_request_exception()
    );
    let refused = integration()
        .connection_type(ConnectionType::from("MODEM"))
        .send()
        .await;
    assert!(
        refused
            .unwrap_err()
            .into_service_error()
            .is_bad_request_exception()
    );
}

#[tokio::test]
async fn an_integration_in_use_cannot_be_deleted() {
    let control = Control::start().await;
    let client = &control.client;
    let api = control.empty_api().await;
    let route = control.route(&api, "ping").await;
    let all = client.get_integrations().api_id(&api).send().await.unwrap();
    let id = all.items()[0].integration_id().unwrap();
    let delete = || {
        client
            .delete_integration()
            .api_id(&api)
            .integration_id(id)
            .send()
    };
    assert_eq!(
        error_text!(delete().await),
        format!(
            "ConflictException: Cannot delete Integration because it is referenced by the following Routes with Ids: [{route}]"
        )
    );
    let dead = client
        .update_route()
        .api_id(&api)
        .route_id(route)
        .target("");
    dead.send().await.unwrap();
    delete().await.unwrap();
}

#[tokio::test]
async fn row_f5_a_route_response_key_must_be_default() {
    let control = Control::start().await;
    let api = control.empty_api().await;
    let route = control.route(&api, "ask").await;
    let response = |key: &str| {
        let response = control
            .client
            .create_route_response()
            .api_id(&api)
            .route_id(&route);
        response.route_response_key(key).send()
    };
    assert!(
        response("200")
            .await
            .unwrap_err()
            .into_service_error()
            .is_bad_request_exception()
    );
    response("$default").await.unwrap();
    assert!(
        response("$default")
            .await
            .unwrap_err()
            .into_service_error()
            .is_conflict_exception()
    );
}

#[tokio::test]
async fn row_m9_only_connect_can_have_request_parameters() {
    let control = Control::start().await;
    let api = control.empty_api().await;
    let needed = ParameterConstraints::builder().required(true).build();
    let route = |key: &str| {
        let route = control.client.create_route().api_id(&api).route_key(key);
        route
            .request_parameters("route.request.querystring.token", needed.clone())
            .send()
    };
    assert_eq!(
        error_text!(route("ping").await),
        "BadRequestException: RequestParameters are only supported for the $connect route"
    );
    route("$connect").await.unwrap();
}

#[tokio::test]
async fn row_m6_models_have_json_schemas_and_alphanumeric_names() {
    let control = Control::start().await;
    let api = control.empty_api().await;
    let model = |name: &str, schema: &str| {
        let model = control.client.create_model().api_id(&api).name(name);
        model.schema(schema).send()
    };
    for (name, schema) in [("Said", "{"), ("said-it", "{}")] {
        let refused = model(name, schema).await;
        assert!(
            refused
                .unwrap_err()
                .into_service_error()
                .is_bad_request_exception(),
            "{name}"
        );
    }
    model("Said", "{}").await.unwrap();
    let again = model("Said", "{}").await.unwrap_err();
    assert!(again.into_service_error().is_conflict_exception());
}

#[tokio::test]
async fn row_m6_a_model_in_use_cannot_be_deleted_or_renamed() {
    let control = Control::start().await;
    let client = &control.client;
    let api = control.empty_api().await;
    let route = || {
        let route = client.create_route().api_id(&api).route_key("say");
        route
            .model_selection_expression("$default")
            .request_models("$default", "Said")
            .send()
    };
    assert!(
        route()
            .await
            .unwrap_err()
            .into_service_error()
            .is_bad_request_exception()
    );
    let model = client.create_model().api_id(&api).name("Said").schema("{}");
    let id = model.send().await.unwrap().model_id.unwrap();
    route().await.unwrap();
    let deleted = client
        .delete_model()
        .api_id(&api)
        .model_id(&id)
        .send()
        .await;
    assert_eq!(
        error_text!(deleted),
        "ConflictException: Cannot delete model 'Said', is referenced in route: say"
    );
    let renamed = client
        .update_model()
        .api_id(&api)
        .model_id(&id)
        .name("Heard")
        .send()
        .await;
    assert!(
        renamed
            .unwrap_err()
            .into_service_error()
            .is_conflict_exception()
    );
}

#[tokio::test]
async fn row_l6_an_api_has_at_most_ten_authorizers_and_ten_stages() {
    let control = Control::start().await;
    let api = control.api().await;
    for n in 0..11 {
        let stage = control
            .client
            .create_stage()
            .api_id(&api)
            .stage_name(format!("s{n}"))
            .send()
            .await;
        let authorizer = control
            .client
            .create_authorizer()
            .api_id(&api)
            .name(format!("a{n}"));
        let authorizer = authorizer.authorizer_type(AuthorizerType::Request);
        let authorizer = authorizer.authorizer_uri(function_uri());
        let authorizer = authorizer.identity_source("context.stage").send().await;
        assert_eq!((stage.is_ok(), authorizer.is_ok()), (n < 10, n < 10), "{n}");
    }
}

#[tokio::test]
async fn an_invalid_change_is_refused_and_has_no_effect() {
    let control = Control::start().await;
    let client = &control.client;
    let api = control.api().await;
    let routes = client.get_routes().api_id(&api).send().await.unwrap();
    let id = routes.items()[0].route_id().unwrap();
    let changed = client
        .update_route()
        .api_id(&api)
        .route_id(id)
        .operation_name("New");
    let refused = changed.route_key("$reserved").send().await;
    assert!(
        refused
            .unwrap_err()
            .into_service_error()
            .is_bad_request_exception()
    );
    let read = client
        .get_route()
        .api_id(&api)
        .route_id(id)
        .send()
        .await
        .unwrap();
    assert_eq!(
        (read.route_key(), read.operation_name()),
        (Some("$connect"), None)
    );
}

#[tokio::test]
async fn texts_have_maximum_lengths() {
    let control = Control::start().await;
    let client = &control.client;
    let api = control.api().await;
    let long = "x".repeat(1025);
    let deployment = client
        .create_deployment()
        .api_id(&api)
        .description(&long)
        .send()
        .await;
    assert_eq!(
        error_text!(deployment),
        "BadRequestException: description must have 0 to 1024 characters; it has 1025"
    );
    let fits = "ü".repeat(1024);
    client
        .create_deployment()
        .api_id(&api)
        .description(fits)
        .send()
        .await
        .unwrap();
    let named = client.update_api().api_id(&api).name("").send().await;
    assert!(
        named
            .unwrap_err()
            .into_service_error()
            .is_bad_request_exception()
    );
}

#[tokio::test]
async fn routes_of_an_http_api_must_differ_in_more_than_variable_names() {
    let control = Control::start().await;
    let client = &control.client;
    let api = client
        .create_api()
        .name("web")
        .protocol_type(ProtocolType::Http);
    let api = api.send().await.unwrap().api_id.unwrap();
    let route = |key: &str| client.create_route().api_id(&api).route_key(key).send();
    for key in ["GET /a/{x}", "PUT /a/{y}", "GET /a/{y+}", "GET /a/{y}/b"] {
        route(key).await.unwrap();
    }
    assert_eq!(
        error_text!(route("GET /a/{y}").await),
        "ConflictException: The provided route key \"GET /a/{y}\" has a conflicting variable on the same hierarchical level as \"GET /a/{x}\""
    );
    for key in ["GET", "get /a", "GET a", "/a", "$connect"] {
        let refused = route(key).await;
        assert!(
            refused
                .unwrap_err()
                .into_service_error()
                .is_bad_request_exception(),
            "{key}"
        );
    }
}
