use crate::Finding;
use crate::context::RuleContext;
use crate::facts::environment::{self, EnvironmentVariable};
use crate::rule::rule;

rule! {
    /// A function's environment sets a variable that Lambda reserves.
    ///
    /// ## Why it hurts
    ///
    /// The stack does not deploy: `Lambda was unable to configure your environment variables because the environment
    /// variables you have provided contains reserved keys that are currently not supported for modification. Reserved
    /// keys used in this request: AWS_REGION`.
    ///
    /// ## How to fix it
    ///
    /// Remove variables that Lambda sets, such as `AWS_REGION`, and rename others: `TABLE_REGION`. Other names that
    /// begin with `AWS_`, such as `AWS_NODEJS_CONNECTION_REUSE_ENABLED`, are allowed, and so are `TZ`, `PATH` and
    /// `LANG`.
    id: "SG506",
    name: "reserved-environment-name",
    severity: Error,
    confidence: High,
    rows: [],
    fixable: false,
    example: "environment/reserved_environment_name.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let reserved = environment::variables(&context.facts)
        .filter(|it| stackgen_model::is_reserved_variable(it.name));
    environment::one_per_location(reserved.map(|variable| variable_finding(&variable)))
}

fn variable_finding(variable: &EnvironmentVariable<'_>) -> Finding {
    let (id, name) = (&variable.function.resource.logical_id, variable.name);
    let message = format!("{id} sets {name}, which Lambda reserves");
    let location = variable.key_location();
    let credential = name.contains("KEY") || name.contains("TOKEN");
    let hint = match name {
        "AWS_REGION" | "AWS_DEFAULT_REGION" => "remove it: Lambda sets it to the function's region",
        _ if credential => "remove it: Lambda sets it to the credentials of the function's role",
        _ => "remove it, or give it another name",
    };
    let location = if credential {
        location.hidden()
    } else {
        location
    };
    Finding::new(&RULE, location, message).hint(hint)
}
