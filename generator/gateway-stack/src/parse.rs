//! From a template's text to the model that is applied, or to everything that is wrong with it.

use stackgen_cfn::{ParseError, Sources, Span};
use stackgen_gateway_common::ArnScope;
use stackgen_model::{Inputs, Model, Pseudo};

use super::{Problem, Template, attributes};

/// Reads a template as it means here: parameters, account and region are known.
pub(super) fn model(template: &Template, place: &ArnScope) -> Result<Model, Vec<Problem>> {
    let mut sources = Sources::new();
    let source = sources.add(template.file.as_str(), template.text.as_str());
    let node = stackgen_cfn::parse(source).map_err(|errors| {
        let problems = errors.into_iter().map(|error: ParseError| {
            let hint = error.hint();
            Problem::at(error.span, error.to_string(), hint)
        });
        problems.collect::<Vec<_>>()
    })?;
    let model = Model::from_template(&node, &inputs(template, place));
    if model.problems.is_empty() {
        return Ok(model);
    }
    let problems = model.problems.into_iter();
    Err(problems
        .map(|problem| Problem::at(problem.span, problem.message, problem.hint))
        .collect())
}

fn inputs(template: &Template, place: &ArnScope) -> Inputs {
    let stack = &template.stack;
    let ArnScope {
        partition,
        region,
        account,
    } = place;
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
        (Pseudo::URLSuffix, attributes::suffix(place).to_owned()),
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

impl Problem {
    /// A problem at a place of the template.
    pub(super) fn at(span: Span, message: impl Into<String>, hint: Option<String>) -> Self {
        let known = span.file.is_some();
        Problem {
            message: message.into(),
            hint,
            row: None,
            place: known.then_some((span.start, span.end)),
            line: known.then_some(span.line),
            column: known.then_some(span.column),
        }
    }
}
