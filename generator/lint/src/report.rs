//! From a template to findings.

use stackgen_cfn::{Node, Source};
use stackgen_model::{Inputs, Model};

use crate::context::Context;
use crate::facts::{hard_coded, permissions};
use crate::rules::OF_SUPPRESSIONS;
use crate::suppress::{self, Suppressions};
use crate::{Finding, registry};

/// What is linted.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The template.
    pub template: &'a Node,
    /// Its text, in which comments suppress findings; `None` for a template that was rendered and not read.
    pub source: Option<&'a Source>,
    /// The template's earlier revision.
    pub previous: Option<&'a Node>,
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Findings in the order of the file.
    pub findings: Vec<Finding>,
    /// Findings that the template says are meant so.
    pub suppressed: Vec<Suppressed>,
    /// How many WebSocket APIs were judged.
    pub apis: usize,
}

/// A finding that is meant so, and why.
#[derive(Clone, Debug)]
pub struct Suppressed {
    /// What would be told.
    pub finding: Finding,
    /// Why it is not; empty when the template does not say.
    pub reason: String,
}

/// Judges a template by every rule. Total: whatever stands in a document, it comes to a report.
pub fn lint(subject: &Subject<'_>) -> Report {
    let model = |template| Model::from_template(template, &Inputs::none());
    let (now, previous) = (model(subject.template), subject.previous.map(model));
    let context = Context {
        model: &now,
        previous: previous.as_ref(),
        refusals: &[],
        hard_coded: &[],
        suppressions: &Suppressions::default(),
    };
    let apis = context.websockets().count();
    let mut findings = Vec::new();
    if apis > 0 {
        let refusals = permissions::refusals(&context);
        let hard_coded = hard_coded::hard_coded(&context);
        let context = Context {
            refusals: &refusals,
            hard_coded: &hard_coded,
            ..context
        };
        findings.extend(registry::all().flat_map(|rule| (rule.check)(&context)));
    }
    let (mut report, suppressions) = suppress::apply(subject, findings);
    if apis > 0 {
        let context = Context {
            suppressions: &suppressions,
            ..context
        };
        let rules = OF_SUPPRESSIONS.iter();
        report
            .findings
            .extend(rules.flat_map(|rule| (rule.check)(&context)));
    }
    report.apis = apis;
    let by_place =
        |finding: &Finding| (finding.place.span.file.is_none(), finding.place.span.start);
    report.findings.sort_by_key(by_place);
    report
}
