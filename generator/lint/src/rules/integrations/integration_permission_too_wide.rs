use stackgen_model::Permission;

use crate::Finding;
use crate::context::RuleContext;
use crate::facts::permission_scope;
use crate::rule::rule;

rule! {
    /// The permission of an integration's function does not restrict which API may invoke it.
    ///
    /// ## Why it hurts
    ///
    /// API Gateway invokes functions for all its customers. Without a `SourceArn`, anyone with an AWS account who knows
    /// the function's ARN can create an API that invokes it with a forged `requestContext`: connection IDs, routes and
    /// an authorizer context that the function trusts. AWS warns of this in the documentation of AddPermission. A
    /// `SourceArn` without an API, such as `…:*/*`, allows every API of its account, which is reported as a note.
    ///
    /// ## How to fix it
    ///
    /// Set `SourceArn` to `arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/*`, or write a
    /// narrower permission per route. The Serverless Framework writes the permission without one: override the resource
    /// in `resources.extensions`.
    id: "SG312",
    name: "integration-permission-too-wide",
    severity: Warning,
    confidence: High,
    rows: ["C7"],
    fixable: false,
    example: "integrations/integration_permission_too_wide.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let called = context.facts.called_functions();
    let finding = |permission: &Permission| {
        let called = called.get(permission.function.function.to()?)?;
        permission_scope::scope_finding(
            &RULE,
            permission,
            called.api.filter(|_| called.by_integration)?,
            "*",
        )
    };
    context
        .model
        .permissions
        .iter()
        .filter_map(finding)
        .collect()
}
