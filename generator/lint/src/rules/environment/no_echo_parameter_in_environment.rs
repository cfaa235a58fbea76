use stackgen_cfn::Call;
use stackgen_model::{Model, Setting};

use crate::Finding;
use crate::context::RuleContext;
use crate::facts::environment::{self, EnvironmentVariable};
use crate::rule::rule;

rule! {
    /// A parameter that CloudFormation does not echo is handed to a function in plain.
    ///
    /// ## Why it hurts
    ///
    /// `NoEcho` hides a parameter's value in CloudFormation, and there alone: in the function's configuration it can be
    /// read by everybody who may call `lambda:GetFunctionConfiguration`.
    ///
    /// ## How to fix it
    ///
    /// Keep the secret in Secrets Manager or in the parameter store, and give the function its name. Where the variable
    /// has to stay, encrypt it with a key of your own (`KmsKeyArn`), which not everybody may use.
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
        let parameter = variable.node()?.as_call().and_then(Call::as_ref_name)?;
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
    let message = format!("{name} hands the hidden parameter {parameter} to {id} in plain");
    Finding::new(&RULE, variable.location(), message)
        .hint("give the function the name of a secret, and let it read the secret")
}
