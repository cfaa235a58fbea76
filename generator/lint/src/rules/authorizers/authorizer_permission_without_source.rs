use stackgen_model::Permission;

use crate::Finding;
use crate::context::RuleContext;
use crate::facts::permission_scope;
use crate::rule::rule;

rule! {
    /// The permission of an authorizer's function does not restrict which API may invoke it.
    ///
    /// ## Why it hurts
    ///
    /// API Gateway invokes functions for all its customers. Without a `SourceArn`, anyone with an AWS account who knows
    /// the function's ARN can create an API with this function as authorizer and try tokens on it, without your
    /// throttles and logs. AWS warns of this in the documentation of AddPermission. A `SourceArn` without an API, such
    /// as `…:*/authorizers/*`, allows every API of its account, which is reported as a note.
    ///
    /// ## How to fix it
    ///
    /// Set `SourceArn` to
    /// `arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/authorizers/${Authorizer}`. The
    /// Serverless Framework writes the permission without one: override the resource in `resources.extensions`.
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
        // If routes call the function too, the rule for integrations reports it.
        let is_only_authorizer = !called.by_integration;
        permission_scope::scope_finding(
            &RULE,
            permission,
            called.api.filter(|_| is_only_authorizer)?,
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
