//! Deployments and stages (rows D1 to D14).

use aws_sdk_apigatewayv2::types::{DeploymentStatus, RouteSettings};
use stackgen_gateway_common::{ApiId, DeploymentId, Event, StageName};

use crate::support::{Control, error_text};

#[tokio::test]
async fn row_d1_a_stage_does_not_serve_changes_before_they_are_deployed() {
    let control = Control::start().await;
    let api = control.api().await;
    control.stage(&api).await;
    control.route(&api, "ping").await;
    assert!(!control.serves(&api, "ping"));
    let deployment = control.deploy(&api).await;
    assert!(
        !control.serves(&api, "ping"),
        "a deployment alone does not change the stage"
    );
    let moved = control.client.update_stage().api_id(&api).stage_name("dev");
    moved.deployment_id(deployment).send().await.unwrap();
    assert!(control.serves(&api, "ping"));
}

#[tokio::test]
async fn row_d1_a_changed_integration_still_calls_the_old_function_until_it_is_deployed() {
    let control = Control::start().await;
    let api = control.api().await;
    control.stage(&api).await;
    let before = control.served(&api);
    let integration = control
        .client
        .get_integrations()
        .api_id(&api)
        .send()
        .await
        .unwrap();
    let id = integration.items()[0].integration_id().unwrap();
    let changed = control
        .client
        .update_integration()
        .api_id(&api)
        .integration_id(id);
    changed
        .integration_uri("arn:aws:other")
        .send()
        .await
        .unwrap();
    assert_eq!(control.served(&api).snapshot, before.snapshot);
    let changed = control.client.update_api().api_id(&api);
    changed
        .route_selection_expression("$request.body.do")
        .send()
        .await
        .unwrap();
    let snapshot = control.served(&api).snapshot.clone().unwrap();
    assert_eq!(
        snapshot.api.route_selection_expression,
        "$request.body.action"
    );
}

#[tokio::test]
async fn row_d1_a_snapshot_contains_models_and_route_responses() {
    let control = Control::start().await;
    let client = &control.client;
    let api = control.empty_api().await;
    let route = control.route(&api, "ask").await;
    let response = client.create_route_response().api_id(&api).route_id(&route);
    let response = response
        .route_response_key("$default")
        .send()
        .await
        .unwrap();
    let model = client
        .create_model()
        .api_id(&api)
        .name("Said")
        .schema("{}")
        .send()
        .await;
    let model = model.unwrap().model_id.unwrap();
    control.stage(&api).await;
    let id = response.route_response_id().unwrap();
    let deleted = client.delete_route_response().api_id(&api).route_id(&route);
    deleted.route_response_id(id).send().await.unwrap();
    client
        .delete_model()
        .api_id(&api)
        .model_id(model)
        .send()
        .await
        .unwrap();
    let snapshot = control.served(&api).snapshot.clone().unwrap();
    let route = snapshot.route("ask").unwrap();
    assert_eq!(snapshot.route_responses[&route.route_id].len(), 1);
    assert_eq!(snapshot.models.len(), 1);
}

#[tokio::test]
async fn row_d2_stage_settings_take_effect_without_a_deployment() {
    let control = Control::start().await;
    let api = control.api().await;
    control.stage(&api).await;
    let settings = RouteSettings::builder().throttling_burst_limit(7).build();
    let changed = control.client.update_stage().api_id(&api).stage_name("dev");
    let changed = changed
        .stage_variables("colour", "blue")
        .default_route_settings(settings);
    changed.send().await.unwrap();
    let stage = control.served(&api).stage.clone();
    assert_eq!(stage.stage_variables["colour"], "blue");
    assert_eq!(stage.default_route_settings.throttling_burst_limit, Some(7));
}

#[tokio::test]
async fn row_d3_a_deployment_requires_a_route() {
    let control = Control::start().await;
    let api = control.empty_api().await;
    let refused = control.client.create_deployment().api_id(&api).send().await;
    assert!(
        refused
            .as_ref()
            .unwrap_err()
            .as_service_error()
            .unwrap()
            .is_bad_request_exception()
    );
    assert_eq!(
        error_text!(refused),
        "BadRequestException: At least one route is required before deploying the Api."
    );
}

#[tokio::test]
async fn row_d3_create_deployment_points_the_named_stage_at_the_deployment() {
    let mut control = Control::start().await;
    let api = control.api().await;
    let first = control.stage(&api).await;
    control.route(&api, "ping").await;
    control.events_so_far();
    let deployed = control
        .client
        .create_deployment()
        .api_id(&api)
        .stage_name("dev");
    let deployed = deployed.description("with ping").send().await.unwrap();
    assert_eq!(
        deployed.deployment_status(),
        Some(&DeploymentStatus::Deployed)
    );
    assert_eq!(deployed.auto_deployed(), Some(false));
    assert!(control.serves(&api, "ping"));
    let id = DeploymentId::new(deployed.deployment_id().unwrap());
    assert_eq!(
        control.events_so_far(),
        [
            Event::Deployed {
                api: ApiId::new(&api),
                deployment: id.clone(),
                description: Some("with ping".to_owned()),
            },
            Event::Activated {
                api: ApiId::new(&api),
                stage: StageName::new("dev"),
                previous: Some(DeploymentId::new(first)),
                deployment: Some(id),
            },
        ]
    );
    let refused = control
        .client
        .create_deployment()
        .api_id(&api)
        .stage_name("none")
        .send()
        .await;
    assert!(
        refused
            .unwrap_err()
            .into_service_error()
            .is_not_found_exception()
    );
    let all = control
        .client
        .get_deployments()
        .api_id(&api)
        .send()
        .await
        .unwrap();
    assert_eq!(
        all.items().len(),
        2,
        "the refused call created no deployment"
    );
}

#[tokio::test]
async fn row_d3_a_deployment_can_be_pending_first() {
    let control = Control::start_with(|apis| apis.with_pending_deployments(2), None).await;
    let client = &control.client;
    let api = control.api().await;
    let created = client
        .create_deployment()
        .api_id(&api)
        .send()
        .await
        .unwrap();
    let mut seen = vec![created.deployment_status().unwrap().clone()];
    for _ in 0..2 {
        let read = client.get_deployment().api_id(&api);
        let read = read
            .deployment_id(created.deployment_id().unwrap())
            .send()
            .await
            .unwrap();
        seen.push(read.deployment_status().unwrap().clone());
    }
    use DeploymentStatus::{Deployed, Pending};
    assert_eq!(seen, [Pending, Pending, Deployed]);
}

#[tokio::test]
async fn row_d4_with_autodeploy_every_change_of_wiring_is_deployed() {
    let control = Control::start().await;
    let client = &control.client;
    let api = control.api().await;
    let stage = client
        .create_stage()
        .api_id(&api)
        .stage_name("dev")
        .auto_deploy(true);
    let first = stage.send().await.unwrap().deployment_id.unwrap();
    control.route(&api, "ping").await;
    assert!(control.serves(&api, "ping"));
    let stage = client
        .get_stage()
        .api_id(&api)
        .stage_name("dev")
        .send()
        .await
        .unwrap();
    let second = stage.deployment_id().unwrap();
    assert_ne!(first, second);
    assert_eq!(
        stage.last_deployment_status_message(),
        Some(format!("Successfully deployed stage with deployment ID '{second}'").as_str())
    );
    let deployment = client.get_deployment().api_id(&api).deployment_id(second);
    assert_eq!(deployment.send().await.unwrap().auto_deployed(), Some(true));
}

#[tokio::test]
async fn row_d4_autodeploy_starts_when_it_is_turned_on_and_stops_when_it_is_turned_off() {
    let control = Control::start().await;
    let api = control.api().await;
    control.stage(&api).await;
    control.route(&api, "ping").await;
    let auto = |on| {
        let stage = control.client.update_stage().api_id(&api).stage_name("dev");
        stage.auto_deploy(on).send()
    };
    auto(true).await.unwrap();
    assert!(control.serves(&api, "ping"));
    auto(false).await.unwrap();
    control.route(&api, "pong").await;
    assert!(!control.serves(&api, "pong"));
}

#[tokio::test]
async fn row_d5_with_autodeploy_the_deployment_cannot_be_set() {
    let control = Control::start().await;
    let client = &control.client;
    let api = control.api().await;
    let id = control.deploy(&api).await;
    let stage = client.create_stage().api_id(&api).stage_name("dev");
    let stage = stage.auto_deploy(true).deployment_id(&id);
    let created = stage.send().await.unwrap();
    assert_eq!(created.auto_deploy(), Some(true));
    assert!(control.serves(&api, "$connect"));
    let expected = format!(
        "BadRequestException: Deployment ID cannot be set on this stage {api}:dev because AutoDeploy is enabled."
    );
    let moved = client
        .update_stage()
        .api_id(&api)
        .stage_name("dev")
        .deployment_id(&id);
    assert_eq!(error_text!(moved.send().await), expected);
    let named = client
        .create_deployment()
        .api_id(&api)
        .stage_name("dev")
        .send()
        .await;
    assert_eq!(error_text!(named), expected);
}

#[tokio::test]
async fn row_d6_a_deployment_in_use_cannot_be_deleted() {
    let control = Control::start().await;
    let client = &control.client;
    let api = control.api().await;
    let used = control.stage(&api).await;
    let unused = control.deploy(&api).await;
    let delete = |id: &str| {
        client
            .delete_deployment()
            .api_id(&api)
            .deployment_id(id)
            .send()
    };
    assert_eq!(
        error_text!(delete(&used).await),
        "BadRequestException: Active stages pointing to this deployment must be moved or deleted"
    );
    delete(&unused).await.unwrap();
    client
        .delete_stage()
        .api_id(&api)
        .stage_name("dev")
        .send()
        .await
        .unwrap();
    delete(&used).await.unwrap();
}

#[tokio::test]
async fn row_d11_a_stage_can_be_pointed_at_an_earlier_deployment() {
    let control = Control::start().await;
    let api = control.api().await;
    let first = control.stage(&api).await;
    let before = control.served(&api).snapshot.clone();
    control.route(&api, "ping").await;
    let deployed = control
        .client
        .create_deployment()
        .api_id(&api)
        .stage_name("dev");
    deployed.send().await.unwrap();
    let back = control.client.update_stage().api_id(&api).stage_name("dev");
    back.deployment_id(&first).send().await.unwrap();
    assert_eq!(control.served(&api).snapshot, before);
    let nowhere = control.client.update_stage().api_id(&api).stage_name("dev");
    let refused = nowhere.deployment_id("none").send().await;
    assert!(
        refused
            .unwrap_err()
            .into_service_error()
            .is_not_found_exception()
    );
    assert_eq!(
        control.served(&api).stage.deployment_id,
        Some(DeploymentId::new(first))
    );
}

#[tokio::test]
async fn row_d13_concurrent_changes_wait_for_each_other() {
    let control = Control::start().await;
    let api = control.api().await;
    let all = (0..20).map(|n| {
        control
            .client
            .create_route()
            .api_id(&api)
            .route_key(format!("r{n}"))
            .send()
    });
    for created in futures_util::future::join_all(all).await {
        created.unwrap();
    }
    let routes = control
        .client
        .get_routes()
        .api_id(&api)
        .send()
        .await
        .unwrap();
    assert_eq!(routes.items().len(), 21);
}

#[tokio::test]
async fn row_d14_duplicate_route_keys_and_stage_names_conflict() {
    let control = Control::start().await;
    let client = &control.client;
    let api = control.api().await;
    control.stage(&api).await;
    let route = client
        .create_route()
        .api_id(&api)
        .route_key("$connect")
        .send()
        .await;
    assert!(
        route
            .as_ref()
            .unwrap_err()
            .as_service_error()
            .unwrap()
            .is_conflict_exception()
    );
    assert_eq!(
        error_text!(route),
        "ConflictException: Route with key $connect already exists for this API"
    );
    let other = control.route(&api, "ping").await;
    let renamed = client
        .update_route()
        .api_id(&api)
        .route_id(other)
        .route_key("$connect");
    assert!(
        renamed
            .send()
            .await
            .unwrap_err()
            .into_service_error()
            .is_conflict_exception()
    );
    let stage = client
        .create_stage()
        .api_id(&api)
        .stage_name("dev")
        .send()
        .await;
    assert_eq!(
        error_text!(stage),
        "ConflictException: Stage already exists"
    );
}

#[tokio::test]
async fn undeployed_changes_are_reported() {
    let mut control = Control::start().await;
    let api = control.api().await;
    control.events_so_far();
    control.stage(&api).await;
    control.events_so_far();
    let route = control.client.create_route().api_id(&api).route_key("ping");
    let route = route.send().await.unwrap().route_id.unwrap();
    let undeployed = Event::Undeployed {
        api: ApiId::new(&api),
        what: "route ping".to_owned(),
    };
    assert_eq!(control.events_so_far(), [undeployed]);
    // The wiring is again what the stage serves.
    control
        .client
        .delete_route()
        .api_id(&api)
        .route_id(route)
        .send()
        .await
        .unwrap();
    assert_eq!(control.events_so_far(), []);
    // A description is not wiring.
    control
        .client
        .update_api()
        .api_id(&api)
        .description("new")
        .send()
        .await
        .unwrap();
    assert_eq!(control.events_so_far(), []);
}

#[tokio::test]
async fn row_d4_only_changes_that_autodeploy_could_not_deploy_are_reported() {
    let mut control = Control::start().await;
    let api = control.empty_api().await;
    let route = control.route(&api, "ping").await;
    let stage = control.client.create_stage().api_id(&api);
    stage
        .stage_name("dev")
        .auto_deploy(true)
        .send()
        .await
        .unwrap();
    control.events_so_far();
    let other = control.client.create_route().api_id(&api).route_key("pong");
    let other = other.send().await.unwrap().route_id.unwrap();
    let events_so_far = control.events_so_far();
    assert!(
        matches!(
            &events_so_far[..],
            [Event::Deployed { .. }, Event::Activated { .. }]
        ),
        "{events_so_far:?}"
    );
    for id in [route, other] {
        let deleted = control.client.delete_route().api_id(&api).route_id(id);
        deleted.send().await.unwrap();
    }
    let undeployed = Event::Undeployed {
        api: ApiId::new(&api),
        what: "route pong".to_owned(),
    };
    assert_eq!(control.events_so_far().last(), Some(&undeployed));
    assert_eq!(
        control
            .served(&api)
            .stage
            .last_deployment_status_message
            .as_deref(),
        Some("Deployment attempt failed: At least one route is required before deploying the Api.")
    );
}

#[tokio::test]
async fn the_description_of_a_deployment_can_be_updated() {
    let control = Control::start().await;
    let client = &control.client;
    let api = control.api().await;
    let id = control.deploy(&api).await;
    let changed = client
        .update_deployment()
        .api_id(&api)
        .deployment_id(&id)
        .description("first");
    changed.send().await.unwrap();
    let read = client
        .get_deployment()
        .api_id(&api)
        .deployment_id(&id)
        .send()
        .await
        .unwrap();
    assert_eq!(read.description(), Some("first"));
}
