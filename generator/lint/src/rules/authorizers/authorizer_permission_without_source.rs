use stackgen_model::Permission;

use crate::Finding;
use crate::context::RuleContext;
use crate::facts::permission_scope;
use crate::rule::rule;

rule! {
    /// The permission of an authorizer's function does not say which API may invoke it.
    ///
    /// ## Why it hurts
    ///
    /// API Gateway invokes functions for all its customers. Without a `SourceArn`, anybody who has an AWS account and knows the
    /// function's ARN can create an API whose authorizer is this function, and try tokens on it as often as they like, past
    /// the throttles and the logs of its owner. AWS says so of AddPermission: other accounts could configure resources to
    /// invoke the function. A `SourceArn` that leaves the API open, as `…:*/authorizers/*` does, admits every API of its account,
    /// which is a note.
    ///
    /// ## How to fix it
    ///
    /// Set `SourceArn` to `arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/authorizers/${Authorizer}`.
    /// The Serverless Framework writes the permission without one: override the resource under `resources.extensions`.
    id: "SG118",
    name: "authorizer-permission-without-source",
    severity: Warning,
    confidence: High,
    rows: ["A16"],
    fixable: false,
    example: "authorizers/authorizer_permission_without_source.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let called = context.facts.called_functions();
    let finding = |permission: &Permission| {
        let called = called.get(permission.function.function.to()?)?;
        // A function that routes call too is judged as an integration's.
        let judged = !called.by_integration;
        permission_scope::scope_finding(
            &RULE,
            permission,
            called.api.filter(|_| judged)?,
            "authorizers/*",
        )
    };
    context
        .model
        .permissions
        .iter()
        .filter_map(finding)
        .collect()
}
