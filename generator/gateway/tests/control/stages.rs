//! Settings of stages (rows D12, F8, L2).

use aws_sdk_apigatewayv2::types::{AccessLogSettings, LoggingLevel, RouteSettings};

use crate::support::{Control, error_text};

#[tokio::test]
async fn row_d12_an_update_merges_settings() {
    let control = Control::start().await;
    let client = &control.client;
    let api = control.api().await;
    control.stage(&api).await;
    let update = || client.update_stage().api_id(&api).stage_name("dev");
    let log = AccessLogSettings::builder().destination_arn("arn:aws:logs:us-east-1:1:log-group:a");
    let log = log.format("$context.requestId").build();
    let fast = RouteSettings::builder().throttling_rate_limit(5.0).build();
    let first = update()
        .access_log_settings(log)
        .route_settings("$connect", fast.clone());
    let first = first
        .default_route_settings(fast)
        .stage_variables("a", "1")
        .stage_variables("b", "2");
    first.description("one").send().await.unwrap();
    let loud = RouteSettings::builder()
        .logging_level(LoggingLevel::Info)
        .build();
    let second = update()
        .default_route_settings(loud)
        .stage_variables("b", "");
    second.send().await.unwrap();

    let stage = client
        .get_stage()
        .api_id(&api)
        .stage_name("dev")
        .send()
        .await
        .unwrap();
    assert_eq!(stage.description(), Some("one"));
    assert!(stage.access_log_settings().is_some());
    let settings = stage.default_route_settings().unwrap();
    assert_eq!(settings.throttling_rate_limit(), Some(5.0));
    assert_eq!(settings.logging_level(), Some(&LoggingLevel::Info));
    assert_eq!(
        stage.stage_variables().unwrap().keys().collect::<Vec<_>>(),
        ["a"]
    );
    assert!(stage.route_settings().unwrap().contains_key("$connect"));
}

#[tokio::test]
async fn row_d12_log_and_route_settings_are_deleted_by_separate_calls() {
    let control = Control::start().await;
    let client = &control.client;
    let api = control.api().await;
    control.route(&api, "say/it now").await;
    control.stage(&api).await;
    let log = AccessLogSettings::builder().destination_arn("arn:aws:logs:us-east-1:1:log-group:a");
    let log = log.format("$context.extendedRequestId").build();
    let settings = RouteSettings::builder().throttling_rate_limit(5.0).build();
    let update = client
        .update_stage()
        .api_id(&api)
        .stage_name("dev")
        .access_log_settings(log);
    update
        .route_settings("say/it now", settings)
        .send()
        .await
        .unwrap();

    let deleted = client
        .delete_access_log_settings()
        .api_id(&api)
        .stage_name("dev");
    deleted.send().await.unwrap();
    let delete = || {
        let deleted = client
            .delete_route_settings()
            .api_id(&api)
            .stage_name("dev");
        deleted.route_key("say/it now").send()
    };
    delete().await.unwrap();
    let stage = control.served(&api).stage.clone();
    assert_eq!(stage.access_log_settings, None);
    assert!(stage.route_settings.is_empty());
    assert!(
        delete()
            .await
            .unwrap_err()
            .into_service_error()
            .is_not_found_exception()
    );
}

#[tokio::test]
async fn row_f8_route_settings_require_the_route() {
    let control = Control::start().await;
    let client = &control.client;
    let api = control.api().await;
    let settings = RouteSettings::builder().throttling_rate_limit(5.0).build();
    let stage = || {
        let stage = client.create_stage().api_id(&api).stage_name("dev");
        stage.route_settings("ping", settings.clone()).send()
    };
    let refused = stage().await;
    assert!(
        refused
            .as_ref()
            .unwrap_err()
            .as_service_error()
            .unwrap()
            .is_not_found_exception()
    );
    assert_eq!(
        error_text!(refused),
        "NotFoundException: Unable to find Route by key ping within the provided RouteSettings"
    );
    let route = control.route(&api, "ping").await;
    stage().await.unwrap();
    // A deleted route leaves its settings, which do not prevent other changes.
    client
        .delete_route()
        .api_id(&api)
        .route_id(route)
        .send()
        .await
        .unwrap();
    let update = client
        .update_stage()
        .api_id(&api)
        .stage_name("dev")
        .description("still");
    update.send().await.unwrap();
}

#[tokio::test]
async fn row_l2_an_access_log_format_must_contain_the_request_id() {
    let control = Control::start().await;
    let api = control.api().await;
    let log = AccessLogSettings::builder().destination_arn("arn:aws:logs:us-east-1:1:log-group:a");
    let log = log.format("$context.routeKey").build();
    let stage = control.client.create_stage().api_id(&api).stage_name("dev");
    assert_eq!(
        error_text!(stage.access_log_settings(log).send().await),
        "BadRequestException: Access log format must include $context.requestId or $context.extendedRequestId"
    );
}

#[tokio::test]
async fn stage_names_and_variables_have_allowed_characters() {
    let control = Control::start().await;
    let client = &control.client;
    let api = control.api().await;
    for name in ["$default", "a/b", "a b", "ä"] {
        let stage = client
            .create_stage()
            .api_id(&api)
            .stage_name(name)
            .send()
            .await;
        assert!(
            stage
                .unwrap_err()
                .into_service_error()
                .is_bad_request_exception(),
            "{name}"
        );
    }
    for (name, value) in [("a-b", "1"), ("a", "ü"), ("a", "x y")] {
        let stage = client.create_stage().api_id(&api).stage_name("dev");
        let stage = stage.stage_variables(name, value).send().await;
        assert!(
            stage
                .unwrap_err()
                .into_service_error()
                .is_bad_request_exception(),
            "{name}"
        );
    }
    let stage = client.create_stage().api_id(&api).stage_name("dev");
    stage
        .stage_variables("url", "https://a.b/c?d=e&f")
        .send()
        .await
        .unwrap();
    client
        .delete_stage()
        .api_id(&api)
        .stage_name("dev")
        .send()
        .await
        .unwrap();
    let gone = client
        .get_stage()
        .api_id(&api)
        .stage_name("dev")
        .send()
        .await;
    assert!(
        gone.unwrap_err()
            .into_service_error()
            .is_not_found_exception()
    );
}

#[tokio::test]
async fn a_stage_without_a_deployment_serves_nothing() {
    let control = Control::start().await;
    let api = control.api().await;
    let stage = control.client.create_stage().api_id(&api).stage_name("dev");
    stage.send().await.unwrap();
    assert_eq!(control.served(&api).snapshot, None);
}
