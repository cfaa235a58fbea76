use crate::context::RuleContext;
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// A stage writes logs, but the template does not set the account's role for them.
    ///
    /// ## Why it hurts
    ///
    /// API Gateway writes the logs of WebSocket APIs, including access logs, with one role per account and region (row
    /// L3). If the role is not set, API Gateway refuses the stage with 400 `CloudWatch Logs role ARN must be set in
    /// account settings to enable logging`. The template does not show whether the role is set, by another stack or by
    /// hand.
    ///
    /// ## How to fix it
    ///
    /// Set it once per account and region, in a separate stack with an `AWS::ApiGateway::Account` or with `aws
    /// apigateway update-account`. Deleting a stack that sets it removes it for all other stacks.
    id: "SG410",
    name: "log-settings-without-account-role",
    severity: Note,
    confidence: Low,
    rows: ["L3"],
    fixable: false,
    example: "stages/log_settings_without_account_role.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    // The latter belongs to the Serverless Framework.
    let makers = ["AWS::ApiGateway::Account", "Custom::ApiGatewayAccountRole"];
    let mut resources = context.model.resources.values();
    if resources.any(|resource| makers.contains(&resource.kind.as_str())) {
        return Vec::new();
    }
    let stages = context.websockets().flat_map(|api| &api.stages);
    let logging = stages.filter(|stage| stage.has_logs());
    let finding = |stage: &stackgen_model::Stage| {
        let id = &stage.resource.logical_id;
        let message = format!(
            "stage {id} writes logs, which needs a role that only the account's settings contain"
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
        .hint("check that `aws apigateway get-account` shows a `cloudwatchRoleArn`")
    };
    logging.map(finding).collect()
}
