//! What API Gateway refuses of WebSocket APIs (rows A3, A11, A12, F1 to F6, L6, M9).

use aws_sdk_apigatewayv2::types::{
    AuthorizationType, AuthorizerType, ConnectionType, IntegrationType, ParameterConstraints,
    ProtocolType,
};

use crate::support::{Control, function_uri, refusal};

#[tokio::test]
async fn row_f1_a_websocket_api_needs_its_route_selection_expression() {
    let control = Control::start().await;
    let api = control
        .client
        .create_api()
        .name("talk")
        .protocol_type(ProtocolType::Websocket);
    assert_eq!(
        refusal!(api.send().await),
        "BadRequestException: RouteSelectionExpression is required for WEBSOCKET protocol Apis."
    );
}

#[tokio::test]
async fn row_f1_a_websocket_api_has_no_cross_origin_settings_and_no_target() {
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
        refusal!(api().cors_configuration(cors).send().await),
        "BadRequestException: CorsConfiguration cannot be set for WEBSOCKET protocol Apis."
    );
    assert_eq!(
        refusal!(api().target("arn:aws:lambda:x").send().await),
        "BadRequestException: Target cannot be set for WEBSOCKET protocol Apis."
    );
    assert!(control.apis.list_apis().is_empty());
}

#[tokio::test]
async fn row_f2_custom_keys_do_not_start_with_a_dollar() {
    let control = Control::start().await;
    let api = control.bare().await;
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
async fn row_f2_a_target_is_an_integration_of_this_api() {
    let control = Control::start().await;
    let api = control.bare().await;
    let other = control.bare().await;
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
async fn row_a1_authorization_is_of_connect_alone() {
    let control = Control::start().await;
    let api = control.bare().await;
    let route = |key: &str| {
        let route = control.client.create_route().api_id(&api).route_key(key);
        route.authorization_type(AuthorizationType::AwsIam).send()
    };
    assert_eq!(
        refusal!(route("ping").await),
        "BadRequestException: Currently, authorization is restricted to the $connect route only"
    );
    route("$connect").await.unwrap();
    let jwt = control
        .client
        .create_route()
        .api_id(&api)
        .route_key("$disconnect");
    let jwt = jwt.authorization_type(AuthorizationType::Jwt).send().await;
    assert!(
        jwt.unwrap_err()
            .into_service_error()
            .is_bad_request_exception()
    );
}

#[tokio::test]
async fn row_f2_custom_authorization_needs_an_authorizer_of_this_api() {
    let control = Control::start().await;
    let client = &control.client;
    let api = control.bare().await;
    let other = control.bare().await;
    let authorizer = |api: &str| {
        let authorizer = client.create_authorizer().api_id(api).name("tokens");
        let authorizer = authorizer.authorizer_type(AuthorizerType::Request);
        let authorizer = authorizer.authorizer_uri(function_uri());
        authorizer.set_identity_source(Some(Vec::new())).send()
    };
    let elsewhere = authorizer(&other).await.unwrap().authorizer_id.unwrap();
    let route = || {
        let route = client.create_route().api_id(&api).route_key("$connect");
        route.authorization_type(AuthorizationType::Custom)
    };
    assert!(
        route()
            .send()
            .await
            .unwrap_err()
            .into_service_error()
            .is_bad_request_exception()
    );
    let refused = route().authorizer_id(elsewhere).send().await;
    assert!(
        refused
            .unwrap_err()
            .into_service_error()
            .is_bad_request_exception()
    );

    let own = authorizer(&api).await.unwrap().authorizer_id.unwrap();
    let route = route()
        .authorizer_id(&own)
        .send()
        .await
        .unwrap()
        .route_id
        .unwrap();
    let delete = || {
        client
            .delete_authorizer()
            .api_id(&api)
            .authorizer_id(&own)
            .send()
    };
    assert_eq!(
        refusal!(delete().await),
        "ConflictException: Cannot delete authorizer 'tokens', is referenced in route: $connect"
    );
    let open = client.update_route().api_id(&api).route_id(route);
    open.authorization_type(AuthorizationType::None)
        .send()
        .await
        .unwrap();
    delete().await.unwrap();
}

#[tokio::test]
async fn row_a3_identity_sources_are_of_the_route_the_context_or_the_stage() {
    let control = Control::start().await;
    let api = control.bare().await;
    let authorizer = |name: usize, source: &str| {
        let authorizer = control
            .client
            .create_authorizer()
            .api_id(&api)
            .name(format!("a{name}"));
        let authorizer = authorizer.authorizer_type(AuthorizerType::Request);
        authorizer
            .authorizer_uri(function_uri())
            .identity_source(source)
            .send()
    };
    let known = [
        "route.request.header.Authorization",
        "route.request.querystring.token",
        "context.identity.sourceIp",
        "stageVariables.secret",
    ];
    for (name, source) in known.into_iter().enumerate() {
        authorizer(name, source).await.unwrap();
    }
    for source in [
        "$request.header.Authorization",
        "route.request.header.",
        "method.request.header.A",
        "",
    ] {
        let refused = authorizer(9, source).await;
        assert!(
            refused
                .unwrap_err()
                .into_service_error()
                .is_bad_request_exception(),
            "{source}"
        );
    }
}

#[tokio::test]
async fn row_a4_an_authorizer_may_have_no_identity_source() {
    let control = Control::start().await;
    let api = control.bare().await;
    let body = format!(
        "{{\"name\": \"a\", \"authorizerType\": \"REQUEST\", \"authorizerUri\": \"{}\"}}",
        function_uri()
    );
    let made = control
        .raw("POST", &format!("/v2/apis/{api}/authorizers"), &body)
        .await;
    assert_eq!(made.status(), 201);
}

#[tokio::test]
async fn row_a11_any_ttl_is_refused_zero_too() {
    let control = Control::start().await;
    let api = control.bare().await;
    for ttl in [0, 300] {
        let authorizer = control
            .client
            .create_authorizer()
            .api_id(&api)
            .name("tokens");
        let authorizer = authorizer.authorizer_type(AuthorizerType::Request);
        let authorizer = authorizer.authorizer_uri(function_uri());
        let authorizer = authorizer.identity_source("route.request.querystring.token");
        assert_eq!(
            refusal!(
                authorizer
                    .authorizer_result_ttl_in_seconds(ttl)
                    .send()
                    .await
            ),
            "BadRequestException: AuthorizerResultTtlInSeconds cannot be set for WEBSOCKET protocol Apis."
        );
    }
}

#[tokio::test]
async fn row_a12_simple_responses_and_payload_versions_are_of_http_apis() {
    let control = Control::start().await;
    let api = control.bare().await;
    let authorizer = || {
        let authorizer = control
            .client
            .create_authorizer()
            .api_id(&api)
            .name("tokens");
        let authorizer = authorizer.authorizer_type(AuthorizerType::Request);
        let authorizer = authorizer.authorizer_uri(function_uri());
        authorizer.identity_source("route.request.querystring.token")
    };
    assert_eq!(
        refusal!(authorizer().enable_simple_responses(true).send().await),
        "BadRequestException: EnableSimpleResponses cannot be set for WEBSOCKET protocol Apis."
    );
    assert_eq!(
        refusal!(
            authorizer()
                .authorizer_payload_format_version("2.0")
                .send()
                .await
        ),
        "BadRequestException: AuthorizerPayloadFormatVersion cannot be set for WEBSOCKET protocol Apis."
    );
    let jwt = control
        .client
        .create_authorizer()
        .api_id(&api)
        .name("tokens");
    let jwt = jwt
        .authorizer_type(AuthorizerType::Jwt)
        .identity_source("route.request.header.A");
    assert!(
        jwt.send()
            .await
            .unwrap_err()
            .into_service_error()
            .is_bad_request_exception()
    );
}

#[tokio::test]
async fn row_f3_integrations_have_50_to_29000_milliseconds_and_payload_version_1() {
    let control = Control::start().await;
    let api = control.bare().await;
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
    let api = control.bare().await;
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
        refusal!(delete().await),
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
async fn row_f5_a_route_response_is_of_default_alone() {
    let control = Control::start().await;
    let api = control.bare().await;
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
async fn row_m9_request_parameters_are_of_connect_alone() {
    let control = Control::start().await;
    let api = control.bare().await;
    let needed = ParameterConstraints::builder().required(true).build();
    let route = |key: &str| {
        let route = control.client.create_route().api_id(&api).route_key(key);
        route
            .request_parameters("route.request.querystring.token", needed.clone())
            .send()
    };
    assert_eq!(
        refusal!(route("ping").await),
        "BadRequestException: RequestParameters are only supported for the $connect route"
    );
    route("$connect").await.unwrap();
}

#[tokio::test]
async fn row_m6_models_are_json_of_this_api_and_kept_while_a_route_names_them() {
    let control = Control::start().await;
    let client = &control.client;
    let api = control.bare().await;
    let model = |name: &str, schema: &str| {
        client
            .create_model()
            .api_id(&api)
            .name(name)
            .schema(schema)
            .send()
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
    let id = model("Said", "{}").await.unwrap().model_id.unwrap();
    assert!(
        model("Said", "{}")
            .await
            .unwrap_err()
            .into_service_error()
            .is_conflict_exception()
    );
    route().await.unwrap();
    let deleted = client
        .delete_model()
        .api_id(&api)
        .model_id(&id)
        .send()
        .await;
    assert_eq!(
        refusal!(deleted),
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
async fn row_l6_an_api_has_ten_authorizers_and_ten_stages() {
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
async fn what_a_change_would_break_is_refused_and_changes_nothing() {
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
async fn texts_have_their_lengths() {
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
        refusal!(deployment),
        "BadRequestException: description must be between 0 and 1024 characters long, and is 1025"
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
