//! Changes of templates, with and without deployments.

use stackgen_gateway_apis::apis::{Apis, StageInput};
use stackgen_gateway_common::{ApiId, DeploymentId};

use crate::support::{
    api, apply, changes, gateway, served_route, template_from_text, without_deployments,
};

/// Returns a template of a WebSocket API with these routes and a deployment with this logical ID.
fn socket(routes: &[&str], deployment: &str) -> String {
    let mut template = String::from(
        "Resources:
  Socket: {Type: AWS::ApiGatewayV2::Api, Properties: {Name: socket, ProtocolType: WEBSOCKET, RouteSelectionExpression: $request.body.action}}
  Mock: {Type: AWS::ApiGatewayV2::Integration, Properties: {ApiId: !Ref Socket, IntegrationType: MOCK}}
",
    );
    for route in routes {
        let id = route.replace('$', "");
        template += &format!(
            "  {id}Route: {{Type: AWS::ApiGatewayV2::Route, Properties: {{ApiId: !Ref Socket, RouteKey: {route}, AuthorizationType: NONE, Target: !Sub 'integrations/${{Mock}}'}}}}\n"
        );
    }
    template += &format!(
        "  {deployment}: {{Type: AWS::ApiGatewayV2::Deployment, DeletionPolicy: Retain, Properties: {{ApiId: !Ref Socket}}}}
  Stage: {{Type: AWS::ApiGatewayV2::Stage, Properties: {{ApiId: !Ref Socket, StageName: prod, DeploymentId: !Ref {deployment}}}}}
"
    );
    template
}

#[tokio::test]
async fn row_d7_a_route_without_a_new_deployment_is_not_served() {
    let gateway = gateway().await;
    apply(&gateway, template_from_text(&socket(&["ping"], "First"))).await;
    let id = api(&gateway, "socket").api_id.clone();
    let applied = apply(
        &gateway,
        template_from_text(&socket(&["ping", "pong"], "First")),
    )
    .await;
    assert_eq!(changes(&applied), ["created pongRoute"]);
    assert!(served_route(&gateway, &id, "prod", "pong").is_none());
    gateway.shutdown().await;
}

#[tokio::test]
async fn rows_d9_and_d20_a_new_logical_id_creates_a_snapshot_that_still_contains_removed_routes() {
    let gateway = gateway().await;
    apply(&gateway, template_from_text(&socket(&["ping"], "First"))).await;
    let id = api(&gateway, "socket").api_id.clone();
    let applied = apply(&gateway, template_from_text(&socket(&["pong"], "Second"))).await;
    let expected = [
        "created pongRoute",
        "created Second",
        "updated Stage",
        "retained First",
        "deleted pingRoute",
    ];
    assert_eq!(changes(&applied), expected);
    assert!(served_route(&gateway, &id, "prod", "pong").is_some());
    // Row D20: routes are deleted after the snapshot is taken.
    assert!(served_route(&gateway, &id, "prod", "ping").is_some());
    gateway.shutdown().await;
}

#[tokio::test]
async fn row_d1_without_deployments_the_wiring_changes_and_the_stage_stays_the_same() {
    let gateway = gateway().await;
    apply(&gateway, template_from_text(&socket(&["ping"], "First"))).await;
    let id = api(&gateway, "socket").api_id.clone();
    let changed = socket(&["pong"], "Second");
    let applied = apply(&gateway, without_deployments(template_from_text(&changed))).await;
    assert_eq!(
        changes(&applied),
        ["created pongRoute", "deleted pingRoute"]
    );
    assert_eq!(applied.undeployed, ["Second"]);
    let stale = || {
        gateway
            .account()
            .apis
            .stale_stages(&id)
            .expect("the api")
            .len()
    };
    assert_eq!(stale(), 1);
    apply(
        &gateway,
        without_deployments(template_from_text(&socket(&["ping"], "First"))),
    )
    .await;
    assert_eq!(stale(), 0);
    apply(&gateway, without_deployments(template_from_text(&changed))).await;
    assert!(served_route(&gateway, &id, "prod", "ping").is_some());
    assert!(served_route(&gateway, &id, "prod", "pong").is_none());

    let applied = apply(&gateway, template_from_text(&changed)).await;
    assert_eq!(
        changes(&applied),
        ["created Second", "updated Stage", "retained First"]
    );
    assert!(served_route(&gateway, &id, "prod", "ping").is_none());
    assert!(served_route(&gateway, &id, "prod", "pong").is_some());
    gateway.shutdown().await;
}

#[tokio::test]
async fn a_retained_deployment_keeps_its_id_when_its_logical_id_returns() {
    let gateway = gateway().await;
    for (route, deployment) in [("ping", "First"), ("pong", "Second"), ("ping", "First")] {
        apply(&gateway, template_from_text(&socket(&[route], deployment))).await;
    }
    let id = api(&gateway, "socket").api_id.clone();
    let deployments = gateway
        .account()
        .apis
        .list_deployments(&id)
        .expect("the api");
    let mut ids: Vec<_> = deployments
        .iter()
        .map(|one| one.deployment_id.as_str())
        .collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 3);
    assert!(served_route(&gateway, &id, "prod", "ping").is_some());
    gateway.shutdown().await;
}

/// Moves the stage as `aws apigatewayv2 update-stage` does.
fn move_stage(apis: &Apis, api: &ApiId, to: &DeploymentId) {
    let moved = StageInput {
        deployment_id: Some(to.clone()),
        ..Default::default()
    };
    apis.update_stage(api, "prod", moved).expect("the stage");
}

#[tokio::test]
async fn row_d8_a_stage_that_was_moved_by_hand_stays_moved() {
    let gateway = gateway().await;
    apply(&gateway, template_from_text(&socket(&["ping"], "First"))).await;
    let (apis, id) = (
        &gateway.account().apis,
        api(&gateway, "socket").api_id.clone(),
    );
    let by_hand = apis
        .create_deployment(&id, None, Default::default())
        .expect("a deployment");
    move_stage(apis, &id, &by_hand.deployment_id);
    apply(
        &gateway,
        template_from_text(&socket(&["ping", "pong"], "First")),
    )
    .await;
    let stage = apis.get_stage(&id, "prod").expect("the stage");
    assert_eq!(stage.deployment_id.as_ref(), Some(&by_hand.deployment_id));
    gateway.shutdown().await;
}

#[tokio::test]
async fn row_d10_a_deployment_that_a_stage_serves_is_not_deleted() {
    let gateway = gateway().await;
    let last = socket(&["ping"], "Second").replace("DeletionPolicy: Retain, ", "");
    let both = last.replace(
        "  Stage: ",
        "  First: {Type: AWS::ApiGatewayV2::Deployment, Properties: {ApiId: !Ref Socket}}\n  Stage: ",
    );
    let applied = apply(&gateway, template_from_text(&both)).await;
    let of = |name: &str| {
        let mut changes = applied.changes.iter();
        let first = changes.find(|change| change.logical_id == name);
        DeploymentId::new(&first.expect("it was made").physical_id)
    };
    let (apis, id) = (
        &gateway.account().apis,
        api(&gateway, "socket").api_id.clone(),
    );
    move_stage(apis, &id, &of("First"));
    apply(&gateway, template_from_text(&last)).await;
    let stage = apis.get_stage(&id, "prod").expect("the stage");
    assert_eq!(stage.deployment_id, Some(of("First")));
    assert!(apis.get_deployment(&id, &of("First")).is_ok());
    gateway.shutdown().await;
}

#[tokio::test]
async fn row_d16_a_changed_setting_moves_the_stage_back_to_the_templates_deployment() {
    let gateway = gateway().await;
    apply(&gateway, template_from_text(&socket(&["ping"], "First"))).await;
    let (apis, id) = (
        &gateway.account().apis,
        api(&gateway, "socket").api_id.clone(),
    );
    let own = apis
        .get_stage(&id, "prod")
        .expect("the stage")
        .deployment_id
        .clone();
    let by_hand = apis
        .create_deployment(&id, None, Default::default())
        .expect("a deployment");
    move_stage(apis, &id, &by_hand.deployment_id);
    let throttled = socket(&["ping"], "First").replace(
        "StageName: prod, ",
        "StageName: prod, DefaultRouteSettings: {ThrottlingRateLimit: 10}, ",
    );
    apply(&gateway, template_from_text(&throttled)).await;
    let stage = apis.get_stage(&id, "prod").expect("the stage");
    assert_eq!(stage.deployment_id, own);
    gateway.shutdown().await;
}

#[tokio::test]
async fn a_rejected_resource_rolls_back_the_stack() {
    let gateway = gateway().await;
    apply(&gateway, template_from_text(&socket(&["ping"], "First"))).await;
    let id = api(&gateway, "socket").api_id.clone();
    let broken = socket(&["pong"], "Second").replace("RouteKey: pong", "RouteKey: $pong");
    let problems = gateway
        .apply(template_from_text(&broken))
        .await
        .expect_err("a refusal");
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert_eq!(problems[0].line, Some(4));
    let routes = gateway.account().apis.list_routes(&id).expect("the api");
    let keys: Vec<_> = routes
        .iter()
        .map(|route| route.route_key.as_str())
        .collect();
    assert_eq!(keys, ["ping"]);
    assert!(served_route(&gateway, &id, "prod", "ping").is_some());
    gateway.shutdown().await;
}

#[tokio::test]
async fn a_rejected_first_template_leaves_nothing() {
    let gateway = gateway().await;
    let broken = socket(&["ping"], "First").replace("RouteKey: ping", "RouteKey: $ping");
    gateway
        .apply(template_from_text(&broken))
        .await
        .expect_err("a refusal");
    assert_eq!(gateway.account().apis.list_apis().len(), 0);
    assert_eq!(gateway.state().await.stack, None);
    gateway.shutdown().await;
}

#[tokio::test]
async fn a_deployment_that_names_its_stage_waits_for_the_stage() {
    let gateway = gateway().await;
    let template = socket(&["ping"], "Deploy").replace(
        "Properties: {ApiId: !Ref Socket}}\n  Stage",
        "DependsOn: [Stage], Properties: {ApiId: !Ref Socket, StageName: prod}}\n  Stage",
    );
    let template = template.replace(", DeploymentId: !Ref Deploy", "");
    let applied = apply(&gateway, template_from_text(&template)).await;
    let changes = changes(&applied);
    let at = |change: &str| changes.iter().position(|it| it == change).unwrap();
    assert!(at("created Stage") < at("created Deploy"), "{changes:?}");
    let id = api(&gateway, "socket").api_id.clone();
    assert!(served_route(&gateway, &id, "prod", "ping").is_some());
    gateway.shutdown().await;
}
