use stackgen_model::Permission;

use crate::Finding;
use crate::context::RuleContext;
use crate::facts::permission_scope;
use crate::rule::rule;

rule! {
    /// The permission of an integration's function does not say which API may invoke it.
    ///
    /// ## Why it hurts
    ///
    /// API Gateway invokes functions for all its customers. Without a `SourceArn`, anybody who has an AWS account and knows the
    /// function's ARN can create an API that invokes it, with a `requestContext` of their making: connection ids, routes and
    /// the authorizer's context that the function trusts. AWS says so of AddPermission: other accounts could configure
    /// resources to invoke the function. A `SourceArn` that leaves the API open, as `…:*/*` does, admits every API of its
    /// account, which is a note.
    ///
    /// ## How to fix it
    ///
    /// Set `SourceArn` to `arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/*`, or narrower, a permission
    /// for each route. The Serverless Framework writes the permission without one: override the resource under
    /// `resources.extensions`.
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
        let judged = called.by_integration;
        permission_scope::scope_finding(&RULE, permission, called.api.filter(|_| judged)?, "*")
    };
    context
        .model
        .permissions
        .iter()
        .filter_map(finding)
        .collect()
}
