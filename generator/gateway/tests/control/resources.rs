//! Every resource: create, get, list, update, delete, with the SDK.

use aws_sdk_apigatewayv2::types::{
    AuthorizationType, AuthorizerType, ConnectionType, ContentHandlingStrategy, Cors,
    IntegrationType, JwtConfiguration, ParameterConstraints, PassthroughBehavior, ProtocolType,
};

use serde_json::json;

use crate::support::{Control, error_text, function_uri};

#[tokio::test]
async fn apis_can_be_created_read_updated_and_deleted() {
    let control = Control::start().await;
    let client = &control.client;
    let created = client.create_api().name("talk");
    let created = created.protocol_type(ProtocolType::Websocket);
    let created = created.route_selection_expression("$request.body.action");
    let created = created.description("who says what").tags("team", "voice");
    let created = created.send().await.unwrap();
    let id = created.api_id().unwrap();
    assert_eq!(id.len(), 10);
    assert!(created.created_date().is_some());

    client
        .update_api()
        .api_id(id)
        .name("speak")
        .send()
        .await
        .unwrap();
    let read = client.get_api().api_id(id).send().await.unwrap();
    assert_eq!(read.name(), Some("speak"));
    assert_eq!(read.description(), Some("who says what"));
    assert_eq!(
        read.api_key_selection_expression(),
        Some("$request.header.x-api-key")
    );
    assert_eq!(read.tags().unwrap()["team"], "voice");

    client.delete_api().api_id(id).send().await.unwrap();
    let gone = client.get_api().api_id(id).send().await;
    assert!(
        gone.as_ref()
            .unwrap_err()
            .as_service_error()
            .unwrap()
            .is_not_found_exception()
    );
    assert_eq!(
        error_text!(gone),
        format!("NotFoundException: Invalid API identifier specified 123456789012:{id}")
    );
    assert!(client.get_apis().send().await.unwrap().items().is_empty());
}

#[tokio::test]
async fn an_http_api_has_a_cors_configuration_until_it_is_deleted() {
    let control = Control::start().await;
    let client = &control.client;
    let cors = Cors::builder()
        .allow_origins("*")
        .allow_methods("GET")
        .max_age(60)
        .build();
    let created = client
        .create_api()
        .name("web")
        .protocol_type(ProtocolType::Http);
    let created = created.cors_configuration(cors).send().await.unwrap();
    assert_eq!(created.cors_configuration().unwrap().max_age(), Some(60));
    let id = created.api_id().unwrap();
    client
        .delete_cors_configuration()
        .api_id(id)
        .send()
        .await
        .unwrap();
    let read = client.get_api().api_id(id).send().await.unwrap();
    assert!(read.cors_configuration().is_none());
}

#[tokio::test]
async fn a_target_creates_an_http_api_with_route_and_stage() {
    let control = Control::start().await;
    let client = &control.client;
    let created = client
        .create_api()
        .name("web")
        .protocol_type(ProtocolType::Http);
    let created = created.target("arn:aws:lambda:us-east-1:123456789012:function:echo");
    let id = created.send().await.unwrap().api_id.unwrap();
    let routes = client.get_routes().api_id(&id).send().await.unwrap();
    assert_eq!(routes.items()[0].route_key(), Some("$default"));
    let stages = client.get_stages().api_id(&id).send().await.unwrap();
    assert_eq!(stages.items()[0].stage_name(), Some("$default"));
    assert_eq!(stages.items()[0].auto_deploy(), Some(true));
    assert!(stages.items()[0].deployment_id().is_some());
}

#[tokio::test]
async fn routes_can_be_created_read_updated_and_deleted() {
    let control = Control::start().await;
    let client = &control.client;
    let api = control.empty_api().await;
    let integration = control.integration(&api).await;
    let needed = ParameterConstraints::builder().required(true).build();
    let created = client.create_route().api_id(&api).route_key("$connect");
    let created = created.request_parameters("route.request.querystring.token", needed);
    let created = created.operation_name("Connect").api_key_required(true);
    let created = created.send().await.unwrap();
    let id = created.route_id().unwrap();
    assert_eq!(created.authorization_type(), Some(&AuthorizationType::None));
    assert_eq!(created.api_key_required(), Some(true));

    let target = format!("integrations/{integration}");
    let changed = client
        .update_route()
        .api_id(&api)
        .route_id(id)
        .target(&target);
    changed.send().await.unwrap();
    let key = "route.request.querystring.token";
    let without = client
        .delete_route_request_parameter()
        .api_id(&api)
        .route_id(id);
    without.request_parameter_key(key).send().await.unwrap();
    let read = client
        .get_route()
        .api_id(&api)
        .route_id(id)
        .send()
        .await
        .unwrap();
    assert_eq!(read.target(), Some(target.as_str()));
    assert_eq!(read.operation_name(), Some("Connect"));
    assert!(read.request_parameters().is_none());

    client
        .delete_route()
        .api_id(&api)
        .route_id(id)
        .send()
        .await
        .unwrap();
    assert!(
        client
            .get_routes()
            .api_id(&api)
            .send()
            .await
            .unwrap()
            .items()
            .is_empty()
    );
    let gone = client.delete_route().api_id(&api).route_id(id).send().await;
    assert!(
        gone.unwrap_err()
            .into_service_error()
            .is_not_found_exception()
    );
}

#[tokio::test]
async fn integrations_can_be_created_read_updated_and_deleted() {
    let control = Control::start().await;
    let client = &control.client;
    let api = control.empty_api().await;
    let created = client.create_integration().api_id(&api);
    let created = created.integration_type(IntegrationType::Mock);
    let created = created.request_templates("200", "{\"statusCode\": 200}");
    let created = created
        .template_selection_expression("200")
        .timeout_in_millis(50);
    let created = created.content_handling_strategy(ContentHandlingStrategy::ConvertToText);
    let created = created.send().await.unwrap();
    let id = created.integration_id().unwrap();
    assert_eq!(created.connection_type(), Some(&ConnectionType::Internet));
    assert_eq!(
        created.passthrough_behavior(),
        Some(&PassthroughBehavior::WhenNoMatch)
    );

    let changed = client.update_integration().api_id(&api).integration_id(id);
    let changed = changed.integration_type(IntegrationType::AwsProxy);
    let changed = changed
        .integration_uri(function_uri())
        .request_templates("200", "");
    changed.send().await.unwrap();
    let read = client.get_integration().api_id(&api).integration_id(id);
    let read = read.send().await.unwrap();
    assert_eq!(read.integration_uri(), Some(function_uri().as_str()));
    assert_eq!(read.timeout_in_millis(), Some(50));
    assert!(read.request_templates().is_none());

    let listed = client.get_integrations().api_id(&api).send().await.unwrap();
    assert_eq!(listed.items().len(), 1);
    client
        .delete_integration()
        .api_id(&api)
        .integration_id(id)
        .send()
        .await
        .unwrap();
    let gone = client
        .get_integration()
        .api_id(&api)
        .integration_id(id)
        .send()
        .await;
    assert!(
        gone.unwrap_err()
            .into_service_error()
            .is_not_found_exception()
    );
}

#[tokio::test]
async fn authorizers_can_be_created_read_updated_and_deleted() {
    let control = Control::start().await;
    let client = &control.client;
    let api = control.empty_api().await;
    let created = client.create_authorizer().api_id(&api).name("tokens");
    let created = created.authorizer_type(AuthorizerType::Request);
    let created = created.authorizer_uri(function_uri());
    let created = created.identity_source("route.request.querystring.token");
    let created = created.send().await.unwrap();
    let id = created.authorizer_id().unwrap();
    let changed = client.update_authorizer().api_id(&api).authorizer_id(id);
    let changed = changed.identity_source("route.request.header.Authorization");
    changed.send().await.unwrap();
    let read = client.get_authorizer().api_id(&api).authorizer_id(id);
    let read = read.send().await.unwrap();
    assert_eq!(read.name(), Some("tokens"));
    assert_eq!(
        read.identity_source(),
        ["route.request.header.Authorization"]
    );
    let listed = client.get_authorizers().api_id(&api).send().await.unwrap();
    assert_eq!(listed.items().len(), 1);
    client
        .delete_authorizer()
        .api_id(&api)
        .authorizer_id(id)
        .send()
        .await
        .unwrap();
    let gone = client
        .get_authorizer()
        .api_id(&api)
        .authorizer_id(id)
        .send()
        .await;
    assert!(
        gone.unwrap_err()
            .into_service_error()
            .is_not_found_exception()
    );
}

#[tokio::test]
async fn an_http_api_supports_jwt_authorizers() {
    let control = Control::start().await;
    let client = &control.client;
    let api = client
        .create_api()
        .name("web")
        .protocol_type(ProtocolType::Http);
    let api = api.send().await.unwrap().api_id.unwrap();
    let jwt = JwtConfiguration::builder()
        .issuer("https://issuer.example")
        .audience("web");
    let created = client.create_authorizer().api_id(&api).name("tokens");
    let created = created.authorizer_type(AuthorizerType::Jwt);
    let created = created.identity_source("$request.header.Authorization");
    let created = created.jwt_configuration(jwt.build()).send().await.unwrap();
    assert_eq!(created.jwt_configuration().unwrap().audience(), ["web"]);
    let route = client
        .create_route()
        .api_id(&api)
        .route_key("GET /sessions/{id}");
    let route = route.authorization_type(AuthorizationType::Jwt);
    let route = route.authorizer_id(created.authorizer_id().unwrap());
    let route = route.authorization_scopes("read").send().await.unwrap();
    assert_eq!(route.authorization_scopes(), ["read"]);
}

#[tokio::test]
async fn models_can_be_created_read_updated_and_deleted() {
    let control = Control::start().await;
    let client = &control.client;
    let api = control.empty_api().await;
    let created = client
        .create_model()
        .api_id(&api)
        .name("Said")
        .schema("{\"type\": \"object\"}");
    let id = created.send().await.unwrap().model_id.unwrap();
    let changed = client
        .update_model()
        .api_id(&api)
        .model_id(&id)
        .description("what was said");
    changed.send().await.unwrap();
    let read = client
        .get_model()
        .api_id(&api)
        .model_id(&id)
        .send()
        .await
        .unwrap();
    assert_eq!(read.schema(), Some("{\"type\": \"object\"}"));
    assert_eq!(read.content_type(), Some("application/json"));
    assert_eq!(read.description(), Some("what was said"));
    assert_eq!(
        client
            .get_models()
            .api_id(&api)
            .send()
            .await
            .unwrap()
            .items()
            .len(),
        1
    );
    client
        .delete_model()
        .api_id(&api)
        .model_id(&id)
        .send()
        .await
        .unwrap();
    assert!(
        client
            .get_models()
            .api_id(&api)
            .send()
            .await
            .unwrap()
            .items()
            .is_empty()
    );
}

#[tokio::test]
async fn route_responses_can_be_created_read_updated_and_deleted() {
    let control = Control::start().await;
    let client = &control.client;
    let api = control.empty_api().await;
    let route = control.route(&api, "ask").await;
    let created = client.create_route_response().api_id(&api).route_id(&route);
    let created = created.route_response_key("$default").send().await.unwrap();
    let id = created.route_response_id().unwrap();
    let changed = client.update_route_response().api_id(&api).route_id(&route);
    let changed = changed
        .route_response_id(id)
        .model_selection_expression("default");
    changed.send().await.unwrap();
    let read = client.get_route_response().api_id(&api).route_id(&route);
    let read = read.route_response_id(id).send().await.unwrap();
    assert_eq!(read.route_response_key(), Some("$default"));
    assert_eq!(read.model_selection_expression(), Some("default"));
    let listed = client.get_route_responses().api_id(&api).route_id(&route);
    assert_eq!(listed.send().await.unwrap().items().len(), 1);
    let deleted = client.delete_route_response().api_id(&api).route_id(&route);
    deleted.route_response_id(id).send().await.unwrap();
    let gone = client.get_route_response().api_id(&api).route_id(&route);
    let gone = gone.route_response_id(id).send().await;
    assert!(
        gone.unwrap_err()
            .into_service_error()
            .is_not_found_exception()
    );
}

#[tokio::test]
async fn integration_responses_can_be_created_read_updated_and_deleted() {
    let control = Control::start().await;
    let client = &control.client;
    let api = control.empty_api().await;
    let of = control.integration(&api).await;
    let created = client
        .create_integration_response()
        .api_id(&api)
        .integration_id(&of);
    let created = created
        .integration_response_key("$default")
        .send()
        .await
        .unwrap();
    let id = created.integration_response_id().unwrap();
    let changed = client
        .update_integration_response()
        .api_id(&api)
        .integration_id(&of);
    let changed = changed
        .integration_response_id(id)
        .response_templates("$default", "{}");
    changed.send().await.unwrap();
    let read = client
        .get_integration_response()
        .api_id(&api)
        .integration_id(&of);
    let read = read.integration_response_id(id).send().await.unwrap();
    assert_eq!(read.response_templates().unwrap()["$default"], "{}");
    let listed = client
        .get_integration_responses()
        .api_id(&api)
        .integration_id(&of);
    assert_eq!(listed.send().await.unwrap().items().len(), 1);
    let deleted = client
        .delete_integration_response()
        .api_id(&api)
        .integration_id(&of);
    deleted.integration_response_id(id).send().await.unwrap();
    let gone = client
        .get_integration_response()
        .api_id(&api)
        .integration_id(&of);
    let gone = gone.integration_response_id(id).send().await;
    assert!(
        gone.unwrap_err()
            .into_service_error()
            .is_not_found_exception()
    );
}

#[tokio::test]
async fn apis_and_stages_can_be_tagged_by_arn() {
    let control = Control::start().await;
    let client = &control.client;
    let api = control.api().await;
    control.stage(&api).await;
    for arn in [
        format!("arn:aws:apigateway:us-east-1::/apis/{api}"),
        format!("arn:aws:apigateway:us-east-1::/apis/{api}/stages/dev"),
    ] {
        let tagged = client
            .tag_resource()
            .resource_arn(&arn)
            .tags("a", "1")
            .tags("b", "2");
        tagged.send().await.unwrap();
        let untagged = client.untag_resource().resource_arn(&arn).tag_keys("a");
        untagged.send().await.unwrap();
        let read = client.get_tags().resource_arn(&arn).send().await.unwrap();
        assert_eq!(read.tags().unwrap().keys().collect::<Vec<_>>(), ["b"]);
    }
    let gone = client
        .get_tags()
        .resource_arn("arn:aws:apigateway:us-east-1::/apis/none");
    assert!(
        gone.send()
            .await
            .unwrap_err()
            .into_service_error()
            .is_not_found_exception()
    );
}

fn document(path: &str) -> String {
    let document = json!({
        "openapi": "3.0.1",
        "info": { "title": "web", "version": "1.0" },
        "paths": { path: { "get": {
            "security": [{ "Jwt": ["read"] }],
            "x-amazon-apigateway-integration": {
                "type": "aws_proxy", "httpMethod": "POST", "payloadFormatVersion": "2.0",
                "uri": function_uri(), "timeoutInMillis": 9000,
            },
        } } },
        "components": { "securitySchemes": { "Jwt": {
            "type": "oauth2",
            "x-amazon-apigateway-authorizer": {
                "type": "jwt", "identitySource": "$request.header.Authorization",
                "jwtConfiguration": { "issuer": "https://issuer.example", "audience": ["web"] },
            },
        } } },
        "tags": [{ "name": "a", "x-amazon-apigateway-tag-value": "b" }],
        "x-amazon-apigateway-cors": { "allowOrigins": ["*"], "maxAge": 5 },
    });
    document.to_string()
}

#[tokio::test]
async fn an_http_api_can_be_imported_and_reimported_from_openapi() {
    let control = Control::start().await;
    let client = &control.client;
    let created = client
        .import_api()
        .body(document("/a"))
        .send()
        .await
        .unwrap();
    assert_eq!(created.name(), Some("web"));
    assert_eq!(created.cors_configuration().unwrap().max_age(), Some(5));
    assert_eq!(created.tags().unwrap()["a"], "b");
    let api = created.api_id().unwrap();
    let routes = client.get_routes().api_id(api).send().await.unwrap();
    let route = &routes.items()[0];
    assert_eq!(route.route_key(), Some("GET /a"));
    assert_eq!(route.authorization_type(), Some(&AuthorizationType::Jwt));
    assert_eq!(route.authorization_scopes(), ["read"]);
    let integrations = client.get_integrations().api_id(api).send().await.unwrap();
    assert_eq!(integrations.items()[0].timeout_in_millis(), Some(9000));

    let again = client.reimport_api().api_id(api).body(document("/b"));
    again.send().await.unwrap();
    let routes = client.get_routes().api_id(api).send().await.unwrap();
    let keys: Vec<_> = routes
        .items()
        .iter()
        .filter_map(|route| route.route_key())
        .collect();
    assert_eq!(keys, ["GET /b"]);
    let refused = client
        .reimport_api()
        .api_id(api)
        .body(document("c"))
        .send()
        .await;
    assert!(
        refused
            .unwrap_err()
            .into_service_error()
            .is_bad_request_exception()
    );
    let routes = client.get_routes().api_id(api).send().await.unwrap();
    assert_eq!(
        routes.items()[0].route_key(),
        Some("GET /b"),
        "completely or not at all"
    );
}
