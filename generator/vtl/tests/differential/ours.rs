//! This crate, with the variables that Velocity gets.

use stackgen_vtl::{
    RenderLimits, RenderProblem, SyntaxProblem, TemplateRequest, TemplateVariables, VtlTemplate,
};

use crate::velocity::{Case, Outcome};

/// Renders a case. Returns `None` for what this crate refuses on purpose: numbers that only Java has, and a `#foreach` that
/// Velocity refuses only when it renders it.
pub(crate) fn render(case: &Case) -> Option<Outcome> {
    let template = match VtlTemplate::parse(&case.template) {
        Ok(template) => template,
        Err(error) if is_foreach(&error.problem) => return None,
        Err(error) => return Some(Err(format!("{error}; {}", error.hint()))),
    };
    let request = TemplateRequest::default();
    let none = serde_json::Value::Null;
    let mut variables = TemplateVariables::of_request(request, none.clone(), none);
    for (name, value) in case.variables.as_object().expect("variables are an object") {
        variables.set(name, value.clone());
    }
    variables.set_unresolved(case.unresolved);
    match template.render(&variables, &RenderLimits::default()) {
        Err(error) if matches!(error.problem, RenderProblem::Unsupported(_)) => None,
        Err(error) => Some(Err(format!("{error}; {}", error.hint()))),
        Ok(output) => Some(Ok(output)),
    }
}

fn is_foreach(problem: &SyntaxProblem) -> bool {
    matches!(problem, SyntaxProblem::DirectiveArguments { directive, .. } if directive == "foreach")
}
