//! Resources that are replaced under the same logical ID.

use stackgen_gateway::gateway::Gateway;

use crate::support::{api, apply, changes, gateway, template_from_text};

/// Returns a template of an API with this protocol and route key, and a stage.
fn stack(protocol: &str, selection: &str, key: &str) -> String {
    format!(
        "Resources:
  Api: {{Type: AWS::ApiGatewayV2::Api, Properties: {{Name: talk, ProtocolType: {protocol}{selection}}}}}
  Route: {{Type: AWS::ApiGatewayV2::Route, Properties: {{ApiId: !Ref Api, RouteKey: '{key}', AuthorizationType: NONE}}}}
  Deployment: {{Type: AWS::ApiGatewayV2::Deployment, Properties: {{ApiId: !Ref Api}}, DependsOn: Route}}
  Stage: {{Type: AWS::ApiGatewayV2::Stage, Properties: {{ApiId: !Ref Api, StageName: prod, DeploymentId: !Ref Deployment}}}}
"
    )
}

fn socket(key: &str) -> String {
    let selection = ", RouteSelectionExpression: $request.body.action";
    stack("WEBSOCKET", selection, key)
}

fn api_count(gateway: &Gateway) -> usize {
    gateway.account().apis.list_apis().len()
}

#[tokio::test]
async fn replaced_resources_are_deleted_at_the_end() {
    let gateway = gateway().await;
    apply(&gateway, template_from_text(&socket("ping"))).await;
    let first = api(&gateway, "talk");
    apply(
        &gateway,
        template_from_text(&stack("HTTP", "", "GET /ping")),
    )
    .await;
    let second = api(&gateway, "talk");
    assert_ne!(first.api_id, second.api_id);
    assert_eq!(api_count(&gateway), 1);
    gateway.shutdown().await;
}

#[tokio::test]
async fn replaced_resources_are_restored_when_another_is_rejected() {
    let gateway = gateway().await;
    apply(&gateway, template_from_text(&socket("ping"))).await;
    let before = api(&gateway, "talk");
    let refused = stack("HTTP", "", "ping");
    gateway
        .apply(template_from_text(&refused))
        .await
        .expect_err("an HTTP API has no such route");
    assert_eq!(api_count(&gateway), 1);
    let after = api(&gateway, "talk");
    assert_eq!(
        (&after.api_id, &after.api_endpoint),
        (&before.api_id, &before.api_endpoint)
    );
    let same = apply(&gateway, template_from_text(&socket("ping"))).await;
    assert_eq!(changes(&same), [""; 0]);
    gateway.shutdown().await;
}

#[tokio::test]
async fn row_d17_a_version_with_another_logical_id_is_not_deleted() {
    let gateway = gateway().await;
    let version = |id: &str| {
        template_from_text(&format!(
            "Resources:
  Worker: {{Type: AWS::Lambda::Function, Properties: {{FunctionName: worker, Runtime: provided.al2023, Handler: bootstrap, Role: r, Code: {{S3Bucket: b, S3Key: k}}}}}}
  {id}: {{Type: AWS::Lambda::Version, Properties: {{FunctionName: !Ref Worker}}}}
"
        ))
    };
    let functions = &gateway.account().functions;
    apply(&gateway, version("First")).await;
    apply(&gateway, version("Second")).await;
    assert!(functions.get("worker", Some("1")).is_ok());
    // The version is deleted with the last resource that refers to it.
    let without = version("Second");
    let without = without
        .text
        .lines()
        .filter(|line| !line.contains("Version"));
    let without = without.collect::<Vec<_>>().join("\n");
    apply(&gateway, template_from_text(&without)).await;
    assert!(functions.get("worker", Some("1")).is_err());
    gateway.shutdown().await;
}
