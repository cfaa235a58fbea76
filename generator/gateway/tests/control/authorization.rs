//! Authorization of WebSocket APIs (rows A1, A3, A4, A11, A12, F2, F6).

use aws_sdk_apigatewayv2::types::{AuthorizationType, AuthorizerType};

use crate::support::{Control, error_text, function_uri};

#[tokio::test]
async fn row_a1_only_connect_can_have_authorization() {
    let control = Control::start().await;
    let api = control.empty_api().await;
    let route = |key: &str| {
        let route = control.client.create_route().api_id(&api).route_key(key);
        route.authorization_type(AuthorizationType::AwsIam).send()
    };
    assert_eq!(
        error_text!(route("ping").await),
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
async fn row_f2_custom_authorization_requires_an_authorizer_of_this_api() {
    let control = Control::start().await;
    let client = &control.client;
    let api = control.empty_api().await;
    let other = control.empty_api().await;
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
        error_text!(delete().await),
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
async fn row_a3_identity_sources_have_known_prefixes() {
    let control = Control::start().await;
    let api = control.empty_api().await;
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
    let api = control.empty_api().await;
    let body = format!(
        "{{\"name\": \"a\", \"authorizerType\": \"REQUEST\", \"authorizerUri\": \"{}\"}}",
        function_uri()
    );
    let created = control
        .raw("POST", &format!("/v2/apis/{api}/authorizers"), &body)
        .await;
    assert_eq!(created.status(), 201);
}

#[tokio::test]
async fn row_a11_any_ttl_is_refused_even_zero() {
    let control = Control::start().await;
    let api = control.empty_api().await;
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
            error_text!(
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
async fn row_a12_simple_responses_and_payload_versions_are_only_for_http_apis() {
    let control = Control::start().await;
    let api = control.empty_api().await;
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
        error_text!(authorizer().enable_simple_responses(true).send().await),
        "BadRequestException: EnableSimpleResponses cannot be set for WEBSOCKET protocol Apis."
    );
    assert_eq!(
        error_text!(
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
async fn row_f6_an_authorizer_requires_an_invocation_uri() {
    let control = Control::start().await;
    let api = control.empty_api().await;
    let arn = "arn:aws:lambda:us-east-1:123456789012:function:auth";
    let authorizer = control
        .client
        .create_authorizer()
        .api_id(&api)
        .name("tokens");
    let authorizer = authorizer
        .authorizer_type(AuthorizerType::Request)
        .authorizer_uri(arn);
    let refused = authorizer.identity_source("context.stage").send().await;
    assert_eq!(
        error_text!(refused),
        format!(
            "BadRequestException: Invalid Authorizer URI: {arn}. Authorizer URI should be a valid API Gateway ARN that represents a Lambda function invocation."
        )
    );
}
