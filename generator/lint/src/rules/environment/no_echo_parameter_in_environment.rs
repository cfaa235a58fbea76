use stackgen_cfn::IntrinsicCall;
use stackgen_model::{Model, Setting};

use crate::Finding;
use crate::context::RuleContext;
use crate::facts::environment::{self, EnvironmentVariable};
use crate::rule::rule;

rule! {
    /// The value of a `NoEcho` parameter is a plain environment variable.
    ///
    /// ## Why it hurts
    ///
    /// `NoEcho` hides a parameter's value only in CloudFormation. Everyone who may call
    /// `lambda:GetFunctionConfiguration` can read it in the function's configuration.
    ///
    /// ## How to fix it
    ///
    /// Store the secret in Secrets Manager or Parameter Store, and pass its name to the function. If the variable has
    /// to stay, encrypt it with your own key (`KmsKeyArn`), which not everyone may use.
    id: "SG516",
    name: "no-echo-parameter-in-environment",
    severity: Note,
    confidence: High,
    rows: [],
    fixable: false,
    example: "environment/no_echo_parameter_in_environment.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let finding = |variable: EnvironmentVariable<'_>| {
        let parameter = variable
            .node()?
            .as_call()
            .and_then(IntrinsicCall::as_ref_name)?;
        is_hidden(context.model, parameter).then(|| variable_finding(&variable, parameter))
    };
    environment::one_per_location(environment::variables(&context.facts).filter_map(finding))
}

fn is_hidden(model: &Model, parameter: &str) -> bool {
    let parameter = model.parameters.get(parameter);
    parameter.is_some_and(|parameter| parameter.bool("NoEcho") == Setting::Set(true))
}

fn variable_finding(variable: &EnvironmentVariable<'_>, parameter: &str) -> Finding {
    let (id, name) = (&variable.function.resource.logical_id, variable.name);
    let message =
        format!("{name} of {id} contains the `NoEcho` parameter {parameter} as plain text");
    Finding::new(&RULE, variable.location(), message)
        .hint("pass the name of a secret, and let the function read the secret")
}
