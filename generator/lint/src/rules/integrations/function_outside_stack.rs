use std::collections::HashSet;

use stackgen_model::{Integration, Link};

use crate::context::RuleContext;
use crate::facts::hard_coded_arns::{function_name, function_names};
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// An integration calls a function that is not in the template, although the template's other functions are.
    ///
    /// ## Why it hurts
    ///
    /// Whether API Gateway may invoke it, how long it may run and whether it is there at all is decided elsewhere, and the
    /// stack deploys without any of it. Deleted or renamed, or without its permission, it answers handshakes with 500 and
    /// messages with an `Internal server error` frame (row C7).
    ///
    /// ## How to fix it
    ///
    /// Where the function belongs to this stack, refer to its resource. Where it is another stack's, import its ARN, so that
    /// CloudFormation keeps it from being deleted, and keep the permission for this API beside it.
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
    // One of the template's own, by an ARN with an account in it: the account is the finding.
    if name.is_some_and(|name| names.contains(name)) {
        return None;
    }
    let id = &integration.resource.logical_id;
    let which = name.map(|name| format!(", `{name}`")).unwrap_or_default();
    let message = format!("{id} calls a function that is not in this template{which}");
    let location = Location::of(&integration.resource, &["IntegrationUri"]);
    let hint = "see that the function's own stack lets this API invoke it, or refer to a function of this template";
    Some(Finding::new(&RULE, location, message).hint(hint))
}
