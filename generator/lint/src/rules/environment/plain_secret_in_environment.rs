use stackgen_cfn::Value;

use crate::Finding;
use crate::context::RuleContext;
use crate::facts::environment::{self, EnvironmentVariable};
use crate::facts::secrets;
use crate::rule::rule;

rule! {
    /// A secret stands in the template, as the value of an environment variable.
    ///
    /// ## Why it hurts
    ///
    /// Whoever reads the repository, the template in CloudFormation, or the function's configuration
    /// (`lambda:GetFunctionConfiguration`, which many read-only policies allow) has the secret; and it cannot be rotated
    /// without a deployment. Findings of this rule do not show the value.
    ///
    /// It is told by the variable's name (`…PASSWORD`, `…SECRET`, `…API_KEY`, `…TOKEN` and the like) and by a value that is
    /// written out and does not look like a name, an ARN, a URL, a number or a placeholder.
    ///
    /// ## How to fix it
    ///
    /// Keep the secret in Secrets Manager or in a SecureString of the parameter store, give the function its name or ARN,
    /// and let the function read it. Then change the secret: the old one is in the history of the repository.
    id: "SG507",
    name: "plain-secret-in-environment",
    severity: Warning,
    confidence: Medium,
    rows: [],
    fixable: false,
    example: "environment/plain_secret_in_environment.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let plain = environment::variables(&context.facts)
        .filter(|variable| secrets::is_secret_name(variable.name) && is_plain(variable));
    environment::one_per_location(plain.map(|variable| variable_finding(&variable)))
}

fn variable_finding(variable: &EnvironmentVariable<'_>) -> Finding {
    let (id, name) = (&variable.function.resource.logical_id, variable.name);
    let message = format!(
        "the value of {name} of {id} stands in the template, and its name says that it is secret"
    );
    Finding::new(&RULE, variable.key_location().hidden(), message)
        .hint("keep it in Secrets Manager or the parameter store, and give the function its name")
}

/// Whether the value is written out where the variable is, and looks like nothing but a secret.
fn is_plain(variable: &EnvironmentVariable<'_>) -> bool {
    let written = match variable.node() {
        Some(node) => matches!(node.value, Value::String(_)),
        None => true,
    };
    let value = variable.value.as_literal();
    written && value.is_some_and(|value| secrets::looks_like_secret(variable.name, value))
}
