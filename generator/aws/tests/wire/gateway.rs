//! APIs, deployments and stages.

use serde_json::json;
use stackgen_deploy::account::ApiPartKind;
use stackgen_deploy::stack::GatewaySettings;
use stackgen_deploy::{
    Account, AccountErrorKind, ApiId, ApiProtocol, CustomDomain, DeploymentId, DeploymentState,
    DomainMapping, OffsetDateTime, StageName,
};

use crate::replay::{Exchange, Replay, get, sent};

fn at(seconds: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(seconds).unwrap()
}

fn api() -> ApiId {
    ApiId::new("a1")
}

#[tokio::test]
async fn apis_are_read_page_by_page() {
    let item = |id: &str, protocol: &str| {
        json!({
            "apiId": id, "name": "chat", "protocolType": protocol, "createdDate": "2026-01-01T00:00:00Z",
            "apiEndpoint": format!("wss://{id}.execute-api.us-east-1.amazonaws.com"), "routeSelectionExpression": "x",
            "tags": { "aws:cloudformation:stack-name": "rooms" },
        })
    };
    let replay = Replay::of([
        get(
            "GET /v2/apis",
            json!({ "items": [item("a1", "WEBSOCKET")], "nextToken": "a/b=" }),
        ),
        get(
            "GET /v2/apis?nextToken=a%2Fb%3D",
            json!({ "items": [item("a2", "HTTP")] }),
        ),
    ])
    .await;
    let apis = replay.aws.apis().await.unwrap();
    assert_eq!(
        (apis[0].protocol, apis[1].protocol),
        (ApiProtocol::WebSocket, ApiProtocol::Http)
    );
    assert_eq!(apis[1].tags["aws:cloudformation:stack-name"], "rooms");
    let url = apis[0].url(&StageName::new("dev")).unwrap();
    assert_eq!(url, "wss://a1.execute-api.us-east-1.amazonaws.com/dev");
    replay.end();
}

#[tokio::test]
async fn a_deployment_is_created_without_a_stage() {
    let replay = Replay::of([
        sent(
            "POST /v2/apis/a1/deployments",
            json!({ "description": "stackgen sha256:…" }),
            201,
            json!({ "deploymentId": "d1", "deploymentStatus": "PENDING", "createdDate": "2026-11-22T02:42:52Z" }),
        ),
        get(
            "GET /v2/apis/a1/deployments/d1",
            json!({ "deploymentId": "d1", "deploymentStatus": "FAILED", "deploymentStatusMessage": "why", "description": "x", "autoDeployed": false }),
        ),
        get(
            "GET /v2/apis/a1/deployments",
            json!({ "items": [{ "deploymentId": "d1", "deploymentStatus": "DEPLOYED" }], "nextToken": "n" }),
        ),
        get("GET /v2/apis/a1/deployments?nextToken=n", json!({ "items": [{ "deploymentId": "d2", "autoDeployed": true }] })),
        sent("PATCH /v2/apis/a1/deployments/d1", json!({ "description": "y" }), 200, json!({ "deploymentId": "d1" })),
        sent("DELETE /v2/apis/a1/deployments/d1", json!(null), 204, json!(null)),
    ])
    .await;
    let made = replay
        .aws
        .create_deployment(&api(), "stackgen sha256:…")
        .await
        .unwrap();
    assert_eq!(
        (made.status, made.created),
        (DeploymentState::Pending, at(1_795_315_372))
    );
    let id = DeploymentId::new("d1");
    let found = replay.aws.deployment(&api(), &id).await.unwrap();
    assert_eq!(
        (found.status, found.message.as_deref()),
        (DeploymentState::Failed, Some("why"))
    );
    let all = replay.aws.deployments(&api()).await.unwrap();
    assert_eq!(
        all.iter().map(|one| one.auto_deployed).collect::<Vec<_>>(),
        [false, true]
    );
    replay
        .aws
        .update_description(&api(), &id, "y")
        .await
        .unwrap();
    replay.aws.delete_deployment(&api(), &id).await.unwrap();
    replay.end();
}

#[tokio::test]
async fn row_d12_activating_sends_the_deployment_and_nothing_else() {
    let stage = json!({ "stageName": "$default", "deploymentId": "d2", "autoDeploy": false, "stageVariables": {} });
    let replay = Replay::of([
        sent(
            "PATCH /v2/apis/a1/stages/%24default",
            json!({ "deploymentId": "d2" }),
            200,
            stage.clone(),
        ),
        get("GET /v2/apis/a1/stages/%24default", stage.clone()),
        get(
            "GET /v2/apis/a1/stages",
            json!({ "items": [stage, {
                "stageName": "auto", "autoDeploy": true, "lastDeploymentStatusMessage": "Deployment attempt failed: x",
            }] }),
        ),
    ])
    .await;
    let name = StageName::new("$default");
    replay
        .aws
        .activate(&api(), &name, &DeploymentId::new("d2"))
        .await
        .unwrap();
    let found = replay.aws.stage(&api(), &name).await.unwrap();
    assert_eq!(
        (found.deployment, found.auto_deploy),
        (Some(DeploymentId::new("d2")), false)
    );
    let stages = replay.aws.stages(&api()).await.unwrap();
    assert!(stages[1].auto_deploy && stages[1].deployment.is_none());
    let failure = stages[1].auto_deploy_failure();
    assert_eq!(failure, Some("Deployment attempt failed: x"));
    replay.end();
}

#[tokio::test]
async fn setting_a_uri_sends_nothing_else() {
    let replay = Replay::of([
        sent(
            "PATCH /v2/apis/a1/integrations/i1",
            json!({ "integrationUri": "arn:x" }),
            200,
            json!({}),
        ),
        sent(
            "PATCH /v2/apis/a1/authorizers/z1",
            json!({ "authorizerUri": "arn:y" }),
            200,
            json!({}),
        ),
    ])
    .await;
    replay
        .aws
        .set_integration_uri(&api(), "i1", "arn:x")
        .await
        .unwrap();
    replay
        .aws
        .set_authorizer_uri(&api(), "z1", "arn:y")
        .await
        .unwrap();
    replay.end();
}

#[tokio::test]
async fn custom_domains_and_their_mappings_are_found() {
    let replay = Replay::of([
        get(
            "GET /v2/domainnames",
            json!({ "items": [
                { "domainName": "ws.example.com", "domainNameConfigurations": [] },
                { "domainName": "mtls.example.com", "mutualTlsAuthentication": { "truststoreUri": "s3://b/k" } },
            ] }),
        ),
        get(
            "GET /v2/domainnames/ws.example.com/apimappings",
            json!({ "items": [
                { "apiId": "other", "stage": "prod", "apiMappingId": "m1" },
                { "apiId": "a1", "stage": "prod", "apiMappingKey": "chat", "apiMappingId": "m2" },
            ] }),
        ),
        get(
            "GET /v2/domainnames/mtls.example.com/apimappings",
            json!({ "items": [{ "apiId": "a1", "stage": "dev", "apiMappingId": "m3" }] }),
        ),
    ])
    .await;
    let domain = |name: &str, mutual_tls| CustomDomain {
        name: name.to_owned(),
        mutual_tls,
    };
    let domains = [
        domain("ws.example.com", false),
        domain("mtls.example.com", true),
    ];
    assert_eq!(replay.aws.custom_domains().await.unwrap(), domains);
    let mapping = |key: Option<&str>, stage: &str| DomainMapping {
        key: key.map(str::to_owned),
        stage: StageName::new(stage),
    };
    let expected = [mapping(Some("chat"), "prod"), mapping(None, "dev")];
    for (domain, expected) in domains.iter().zip(expected) {
        let found = replay.aws.mappings(&domain.name, &api()).await.unwrap();
        assert_eq!(found, [expected]);
    }
    replay.end();
}

#[tokio::test]
async fn a_list_whose_pages_repeat_is_an_error() {
    let page = || json!({ "items": [], "nextToken": "same" });
    let replay = Replay::of([
        get("GET /v2/apis", page()),
        get("GET /v2/apis?nextToken=same", page()),
    ])
    .await;
    let error = replay.aws.apis().await.unwrap_err();
    insta::assert_snapshot!(error, @"GetApis: the list does not end: its pages repeat; another server may answer here");
    assert!(!error.is_transient());
    replay.end();
}

#[tokio::test]
async fn an_answer_of_another_server_is_garbled() {
    let html = Exchange {
        answer: "<html>Sign in to the network</html>".to_owned(),
        ..get("GET /v2/apis", json!(null))
    };
    for answer in [html, get("GET /v2/apis", json!(null))] {
        let replay = Replay::of([answer]).await;
        let error = replay.aws.apis().await.unwrap_err();
        assert_eq!(error.kind, AccountErrorKind::Garbled, "{error}");
        assert!(error.hint().unwrap().contains("proxy"), "{error}");
        replay.end();
    }
}

#[tokio::test]
async fn an_answer_without_a_list_is_garbled_and_not_an_empty_list() {
    let replay = Replay::of([get("GET /v2/apis/a1/integrations", json!({}))]).await;
    let (api, kind) = (api(), ApiPartKind::Integration);
    let error = replay.aws.parts(&api, kind, None).await.unwrap_err();
    assert_eq!(error.kind, AccountErrorKind::Garbled);
    assert_eq!(error.message, "the answer has no items");
    replay.end();
}

#[tokio::test]
async fn the_role_of_api_gateways_logs_is_read_from_the_first_version_of_its_api() {
    let role = "arn:aws:iam::000000000000:role/logs";
    let replay = Replay::of([
        get(
            "GET /account",
            json!({ "cloudwatchRoleArn": role, "throttleSettings": {} }),
        ),
        get("GET /account", json!({ "cloudwatchRoleArn": null })),
        get("GET /account", json!({})),
    ])
    .await;
    assert_eq!(replay.aws.log_role().await.unwrap().as_deref(), Some(role));
    assert_eq!(replay.aws.log_role().await.unwrap(), None);
    assert_eq!(replay.aws.log_role().await.unwrap(), None);
    replay.end();
}
