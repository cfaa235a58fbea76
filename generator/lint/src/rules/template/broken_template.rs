use stackgen_model::{Problem, ProblemKind};

use crate::context::Context;
use crate::rule::rule;
use crate::{Confidence, Finding, Place};

rule! {
    /// The template breaks CloudFormation's own rules.
    ///
    /// ## Why it hurts
    ///
    /// A name that is neither a resource nor a parameter, a condition that nobody defines, a resource without a type:
    /// CloudFormation refuses the template before it makes anything, with `Template format error: Unresolved resource
    /// dependencies […] in the Resources block of the template` or `Template format error: Condition … is not defined`. For
    /// the linter it means that wiring is out of sight: what hangs on a broken name is not judged.
    ///
    /// Only what keeps the wiring from being read is told; cfn-lint checks every property of every resource against its
    /// schema. Where a macro, a loop or a part of SAM that is not read may make what is missing, it is a note. Conditions are
    /// decided with the defaults of parameters.
    ///
    /// ## How to fix it
    ///
    /// Correct the name, or define what it names. What a condition leaves out may be named only inside `!If` with the same
    /// condition, or in what the condition leaves out, too.
    id: "SG001",
    name: "broken-template",
    severity: Error,
    confidence: High,
    rows: [],
    fixable: false,
    example: "template/broken_template.diff",
}

fn check(context: &Context<'_>) -> Vec<Finding> {
    let problems = context.model.problems.iter();
    // Rules about SAM's route keys tell of those.
    let broken = problems.filter(|problem| {
        !matches!(
            problem.kind,
            ProblemKind::RouteKeysCollide | ProblemKind::RouteKeyRefused
        )
    });
    broken.map(|problem| finding(context, problem)).collect()
}

fn finding(context: &Context<'_>, problem: &Problem) -> Finding {
    let place = Place::at(problem.span);
    let finding = Finding::new(&RULE, place, problem.message.as_str());
    let finding = match &problem.hint {
        Some(hint) => finding.hint(hint.as_str()),
        None => finding,
    };
    match (context.model.gaps.first(), problem.kind) {
        (Some(gap), _) => {
            let message = format!(
                "{}, as far as can be seen: {}",
                problem.message, gap.message
            );
            Finding { message, ..finding }.with_confidence(Confidence::Low)
        }
        // The condition may hold when parameters are given.
        (None, ProblemKind::ConditionIsFalse) => finding.with_confidence(Confidence::Medium),
        (None, _) => finding,
    }
}
