//! Problems of templates that the gateway refuses.

use stackgen_cfn::{Node, Sources, Span};
use stackgen_gateway::stack::TemplateProblem;
use stackgen_synth::LocatedError;

use super::prepared::{PreparedConfiguration, PreparedStack};
use crate::error::CliError;

/// Creates the error of a template that the gateway refuses, with locations.
pub(crate) fn problems(prepared: &PreparedStack, problems: Vec<TemplateProblem>) -> CliError {
    if let Some(configuration) = &prepared.configuration {
        return of_configuration(configuration, &prepared.template.text, problems);
    }
    let template = &prepared.template;
    let mut sources = Sources::new();
    let source = sources.add(template.file.as_str(), template.text.as_str());
    let id = source.id();
    let problems = problems.into_iter().map(|problem| {
        let span = match (problem.byte_range, problem.line, problem.column) {
            (Some((start, end)), Some(line), Some(column)) => Span {
                file: Some(id),
                start,
                end,
                line,
                column,
            },
            _ => Span::default(),
        };
        located(problem, span)
    });
    let problems: Vec<_> = problems.collect();
    CliError::located(&sources, problems)
}

/// Gives problems of the template the locations of their resources in the configuration.
fn of_configuration(
    configuration: &PreparedConfiguration,
    text: &str,
    problems: Vec<TemplateProblem>,
) -> CliError {
    let mut sources = Sources::new();
    let template = stackgen_cfn::parse(sources.add("template", text)).unwrap_or_default();
    let resources = template.get("Resources").and_then(Node::as_map);
    let resource_at = |offset: u32| {
        let entries = resources.into_iter().flat_map(|all| all.entries());
        let mut around = entries
            .filter(|(_, entry)| entry.key_span.start <= offset && offset <= entry.node.span.end);
        around.next().map(|(id, _)| id)
    };
    let problems = problems.into_iter().map(|problem| {
        let id = problem.byte_range.and_then(|(start, _)| resource_at(start));
        let span = id.and_then(|id| configuration.resources.get(id));
        located(problem, span.copied().unwrap_or_default())
    });
    let problems: Vec<_> = problems.collect();
    CliError::located(&configuration.sources, problems)
}

fn located(problem: TemplateProblem, span: Span) -> LocatedError {
    let located = LocatedError::new(span, problem.message);
    match problem.hint {
        Some(hint) => located.hint(hint),
        None => located,
    }
}
