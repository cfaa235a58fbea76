use std::collections::HashSet;

use stackgen_model::{Integration, Link};

use crate::context::RuleContext;
use crate::facts::hard_coded_arns::{function_name, function_names};
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// An integration calls a function outside the template, although the other functions are in it.
    ///
    /// ## Why it hurts
    ///
    /// The permission for API Gateway, the timeout and the existence of this function are controlled elsewhere, and the
    /// stack deploys without them. If the function is deleted or renamed, or has no permission, handshakes fail with
    /// 500 and messages with an `Internal server error` frame (row C7).
    ///
    /// ## How to fix it
    ///
    /// If the function belongs to this stack, refer to its resource. If it belongs to another stack, import its ARN, so
    /// that CloudFormation does not let it be deleted, and define the permission for this API next to the function.
    id: "SG304",
    name: "function-outside-stack",
    severity: Note,
    confidence: High,
    rows: ["C7"],
    fixable: false,
    example: "integrations/function_outside_stack.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let names = function_names(context.model);
    if context.model.functions.is_empty() {
        return Vec::new();
    }
    let integrations = context.websockets().flat_map(|api| &api.integrations);
    integrations
        .filter_map(|it| check_integration(it, &names))
        .collect()
}

fn check_integration(integration: &Integration, names: &HashSet<&str>) -> Option<Finding> {
    let (Link::External(_), Some(uri)) = (&integration.function.function, &integration.uri) else {
        return None;
    };
    let name = function_name(uri);
    // `hard-coded-account` reports a function of the template with a literal account in its ARN.
    if name.is_some_and(|name| names.contains(name)) {
        return None;
    }
    let id = &integration.resource.logical_id;
    let which = name.map(|name| format!(", `{name}`")).unwrap_or_default();
    let message = format!("{id} calls a function outside this template{which}");
    let location = Location::of(&integration.resource, &["IntegrationUri"]);
    let hint = "make sure that the function's stack allows this API to invoke it, or refer to a function of this template";
    Some(Finding::new(&RULE, location, message).hint(hint))
}
