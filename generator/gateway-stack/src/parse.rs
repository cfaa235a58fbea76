//! Parses a template into its API model.

use stackgen_cfn::{ParseError, Sources, Span};
use stackgen_gateway_common::ArnScope;
use stackgen_model::{Inputs, Model, Pseudo};

use super::{StackTemplate, TemplateProblem};

/// Parses a template with known parameters, account and region.
pub(super) fn model(
    template: &StackTemplate,
    scope: &ArnScope,
) -> Result<Model, Vec<TemplateProblem>> {
    let mut sources = Sources::new();
    let source = sources.add(template.file.as_str(), template.text.as_str());
    let node = stackgen_cfn::parse(source).map_err(|errors| {
        let problems = errors.into_iter().map(|error: ParseError| {
            let hint = error.hint();
            TemplateProblem::at(error.span, error.to_string(), hint)
        });
        problems.collect::<Vec<_>>()
    })?;
    let model = Model::from_template(&node, &inputs(template, scope));
    if model.problems.is_empty() {
        return Ok(model);
    }
    let problems = model.problems.into_iter();
    Err(problems
        .map(|problem| TemplateProblem::at(problem.span, problem.message, problem.hint))
        .collect())
}

fn inputs(template: &StackTemplate, scope: &ArnScope) -> Inputs {
    let stack = &template.stack;
    let ArnScope {
        partition,
        region,
        account,
    } = scope;
    let pseudo = [
        (Pseudo::AccountId, account.clone()),
        (Pseudo::NotificationARNs, String::new()),
        (Pseudo::Partition, partition.clone()),
        (Pseudo::Region, region.clone()),
        (
            Pseudo::StackId,
            format!("arn:{partition}:cloudformation:{region}:{account}:stack/{stack}/local"),
        ),
        (Pseudo::StackName, stack.clone()),
        (Pseudo::URLSuffix, scope.url_suffix().to_owned()),
    ];
    let inputs = pseudo
        .into_iter()
        .fold(Inputs::none(), |inputs, (pseudo, value)| {
            inputs.with_pseudo(pseudo, value)
        });
    template
        .parameters
        .iter()
        .fold(inputs, |inputs, (name, value)| {
            inputs.with_parameter(name, value)
        })
}

impl TemplateProblem {
    /// Creates a problem with a location in the template.
    pub(super) fn at(span: Span, message: impl Into<String>, hint: Option<String>) -> Self {
        let known = span.file.is_some();
        TemplateProblem {
            message: message.into(),
            hint,
            row: None,
            byte_range: known.then_some((span.start, span.end)),
            line: known.then_some(span.line),
            column: known.then_some(span.column),
        }
    }
}
