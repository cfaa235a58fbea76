use stackgen_cfn::Value;

use crate::Finding;
use crate::context::RuleContext;
use crate::facts::environment::{self, EnvironmentVariable};
use crate::facts::secrets;
use crate::rule::rule;

rule! {
    /// The value of an environment variable is a secret in plain text.
    ///
    /// ## Why it hurts
    ///
    /// Everyone who can read the repository, the template in CloudFormation or the function's configuration
    /// (`lambda:GetFunctionConfiguration`, which many read-only policies allow) knows the secret, and rotating it takes
    /// a deployment. Findings of this rule do not show the value.
    ///
    /// The rule goes by the variable's name (`…PASSWORD`, `…SECRET`, `…API_KEY`, `…TOKEN` and similar) and by a literal
    /// value that does not look like a name, an ARN, a URL, a number or a placeholder.
    ///
    /// ## How to fix it
    ///
    /// Store the secret in Secrets Manager or in a SecureString of Parameter Store, pass its name or ARN, and let the
    /// function read it. Then change the secret: the old one is in the history of the repository.
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
    let message = format!("{name} of {id} has a literal value, and its name suggests a secret");
    Finding::new(&RULE, variable.key_location().hidden(), message)
        .hint("store it in Secrets Manager or Parameter Store, and pass its name")
}

/// Returns true for a literal value that looks like a secret.
fn is_plain(variable: &EnvironmentVariable<'_>) -> bool {
    let written = match variable.node() {
        Some(node) => matches!(node.value, Value::String(_)),
        None => true,
    };
    let value = variable.value.as_literal();
    written && value.is_some_and(|value| secrets::looks_like_secret(variable.name, value))
}
