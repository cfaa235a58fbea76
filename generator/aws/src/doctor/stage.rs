//! Settings of stages.

use aws_sdk_apigatewayv2::types::RouteSettings;
use stackgen_deploy::{AccountResult, ApiId, StageName};
use stackgen_diagnose::doctor::{RouteThrottle, StageSettings};

use crate::Aws;
use crate::logs::log_settings;
use crate::operation::AwsOperation;
use crate::permissions::AwsCall;

impl Aws {
    pub(super) async fn read_stage_settings(
        &self,
        api: &ApiId,
        stage: &StageName,
    ) -> AccountResult<StageSettings> {
        let path = format!("/apis/{api}/stages/{stage}");
        let operation = AwsOperation::gateway(AwsCall::GetStage, path);
        let request = self
            .gateway
            .get_stage()
            .api_id(api.as_str())
            .stage_name(stage.as_str());
        let found = operation.result(request.send().await)?;
        let default = found
            .default_route_settings()
            .map(|settings| throttle(None, settings));
        let mut of_routes: Vec<_> = found
            .route_settings()
            .into_iter()
            .flatten()
            .map(|(route, settings)| throttle(Some(route), settings))
            .collect();
        of_routes.sort_by(|a, b| a.route.cmp(&b.route));
        Ok(StageSettings {
            routes: default.into_iter().chain(of_routes).collect(),
            logs: log_settings(&found),
        })
    }
}

fn throttle(route: Option<&String>, settings: &RouteSettings) -> RouteThrottle {
    RouteThrottle {
        route: route.cloned(),
        rate: settings.throttling_rate_limit(),
        burst: settings.throttling_burst_limit(),
    }
}
