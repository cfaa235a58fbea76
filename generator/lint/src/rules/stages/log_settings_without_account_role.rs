use crate::context::RuleContext;
use crate::facts::access_log;
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// A stage writes logs, and nothing in the template gives API Gateway a role to write them with.
    ///
    /// ## Why it hurts
    ///
    /// API Gateway writes the logs of WebSocket APIs, access logs too, with one role of the account and region (row L3).
    /// Where that is not set, the stage is refused with 400 `CloudWatch Logs role ARN must be set in account settings to
    /// enable logging`. The template cannot tell whether it is: somebody may have set it long ago, or another stack.
    ///
    /// ## How to fix it
    ///
    /// Set it once for every account and region, in a stack of its own with an `AWS::ApiGateway::Account`, or with `aws
    /// apigateway update-account`. A stack that makes it and goes takes it away from every other.
    id: "SG410",
    name: "log-settings-without-account-role",
    severity: Note,
    confidence: Low,
    rows: ["L3"],
    fixable: false,
    example: "stages/log_settings_without_account_role.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    // The latter is that of the Serverless Framework.
    let makers = ["AWS::ApiGateway::Account", "Custom::ApiGatewayAccountRole"];
    let mut resources = context.model.resources.values();
    if resources.any(|resource| makers.contains(&resource.kind.as_str())) {
        return Vec::new();
    }
    let stages = context.websockets().flat_map(|api| &api.stages);
    let logging = stages.filter(|stage| access_log::has_logs(stage));
    let finding = |stage: &stackgen_model::Stage| {
        let id = &stage.resource.logical_id;
        let message = format!(
            "stage {id} writes logs, and whether the account has a role for them is not known here"
        );
        let property = match stage.access_log {
            Some(_) => "AccessLogSettings",
            None => "DefaultRouteSettings",
        };
        Finding::new(
            &RULE,
            Location::of_key(&stage.resource, &[property]),
            message,
        )
        .hint("`aws apigateway get-account` tells whether there is a `cloudwatchRoleArn`")
    };
    logging.map(finding).collect()
}
