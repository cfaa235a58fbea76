//! Whole templates: the flagship in out/, and templates of SAM and CDK.

use stackgen_gateway_apis::apis::ProtocolType;

use crate::support::{
    api, apply, changes, gateway, served_route, template, variable, without_deployments,
};

#[tokio::test]
async fn the_flagship_is_served_with_local_urls_and_the_local_issuer() {
    let gateway = gateway().await;
    let applied = apply(&gateway, template("out/dev/template.yaml")).await;

    let socket = api(&gateway, "session-websocket-api-dev");
    let endpoint = socket.api_endpoint.clone().expect("a port");
    assert!(endpoint.starts_with("ws://127.0.0.1:"), "{endpoint}");
    let audio = served_route(&gateway, &socket.api_id, "prod", "sendAudio").expect("the route");
    assert!(audio.target.is_some());
    let connect = served_route(&gateway, &socket.api_id, "prod", "$connect").expect("the route");
    assert_eq!(connect.authorization_type, "CUSTOM");

    let management = variable(&gateway, "session-audio-handler-dev", "MANAGEMENT_ENDPOINT");
    let here = endpoint.replace("ws://", "http://");
    assert_eq!(management, format!("{here}/prod"));
    let state = gateway.state().await;
    let issuer = variable(&gateway, "session-authorizer-dev", "JWT_ISSUER");
    assert_eq!(issuer, state.issuer);
    assert_eq!(state.audiences, ["example-client-id"]);
    let http = api(&gateway, "session-http-api-dev");
    assert_eq!(http.protocol_type, ProtocolType::Http);
    let authorizers = gateway.account().apis.list_authorizers(&http.api_id);
    let authorizers = authorizers.expect("the api");
    let jwt = authorizers[0].jwt_configuration.as_ref().expect("JWT");
    assert_eq!(jwt.issuer, state.issuer);

    let mut kinds: Vec<_> = applied
        .not_run
        .iter()
        .map(|one| one.kind.as_str())
        .collect();
    kinds.sort_unstable();
    kinds.dedup();
    assert_eq!(
        kinds,
        ["AWS::CloudWatch::Alarm", "AWS::CloudWatch::Dashboard"]
    );
    gateway.shutdown().await;
}

#[tokio::test]
async fn row_d19_the_pinned_flagship_calls_versions_with_a_role_that_may_invoke_them() {
    let gateway = gateway().await;
    apply(&gateway, template("out/prod/template.yaml")).await;
    let socket = api(&gateway, "session-websocket-api-prod");
    let apis = &gateway.account().apis;
    let integrations = apis.list_integrations(&socket.api_id).expect("the api");
    for integration in integrations {
        let uri = integration.integration_uri.clone().expect("a URI");
        assert!(uri.ends_with("-prod:1/invocations"), "{uri}");
        let role = integration.credentials_arn.clone().expect("a role");
        let (_, function) = uri.split_once("/functions/").expect("a function");
        let function = function.trim_end_matches("/invocations");
        let roles = &gateway.account().roles;
        assert!(roles.allows(&role, "lambda:InvokeFunction", function));
    }
    gateway.shutdown().await;
}

#[tokio::test]
async fn applying_again_changes_nothing_and_other_gateways_generate_the_same_ids() {
    for file in [
        "out/dev/template.yaml",
        "out/prod/template.yaml",
        "out/prod/sam.yaml",
        "generator/model/tests/fixtures/cdk/dev.template.json",
        "generator/model/tests/fixtures/cdk/prod.template.json",
        "generator/model/tests/fixtures/sam/websocket.yaml",
        "generator/model/tests/fixtures/sam/http.yaml",
    ] {
        let (first, second) = (gateway().await, gateway().await);
        let applied = apply(&first, template(file)).await;
        assert!(!applied.changes.is_empty(), "{file}");
        let again = apply(&first, template(file)).await;
        assert_eq!(changes(&again), Vec::<String>::new(), "{file}");
        let again = apply(&first, without_deployments(template(file))).await;
        assert_eq!(changes(&again), Vec::<String>::new(), "{file}");
        let other = apply(&second, template(file)).await;
        assert_eq!(applied.changes, other.changes, "{file}");
        first.shutdown().await;
        second.shutdown().await;
    }
}

#[tokio::test]
async fn stages_of_sam_and_cdk_templates_serve_their_routes() {
    for (file, name, stage, key) in [
        (
            "generator/model/tests/fixtures/sam/websocket.yaml",
            "session-socket",
            "dev",
            "sendAudio",
        ),
        (
            "generator/model/tests/fixtures/cdk/dev.template.json",
            "session-websocket-api-dev",
            "prod",
            "sendAudio",
        ),
        (
            "out/dev/sam.yaml",
            "session-websocket-api-dev",
            "prod",
            "sendAudio",
        ),
    ] {
        let gateway = gateway().await;
        apply(&gateway, template(file)).await;
        let socket = api(&gateway, name);
        assert!(
            served_route(&gateway, &socket.api_id, stage, key).is_some(),
            "{file}"
        );
        gateway.shutdown().await;
    }
}
