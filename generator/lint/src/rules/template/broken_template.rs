use stackgen_model::{Problem, ProblemKind};

use crate::context::RuleContext;
use crate::rule::rule;
use crate::{Confidence, Finding, Location};

rule! {
    /// The template breaks CloudFormation's own rules.
    ///
    /// ## Why it hurts
    ///
    /// A name that is neither a resource nor a parameter, an undefined condition, a resource without a type:
    /// CloudFormation refuses the template before it creates anything, with `Template format error: Unresolved resource
    /// dependencies […] in the Resources block of the template` or `Template format error: Condition … is not defined`.
    /// The linter cannot see the wiring behind a broken name and does not check it.
    ///
    /// This rule reports only errors that hide wiring; cfn-lint checks every property of every resource against its
    /// schema. If a macro, a loop or an unsupported part of SAM may create what is missing, the finding is a note.
    /// Conditions are evaluated with the defaults of parameters.
    ///
    /// ## How to fix it
    ///
    /// Correct the name, or define it. A resource whose condition is false can only be named inside `!If` with the same
    /// condition, or in a resource with the same condition.
    id: "SG001",
    name: "broken-template",
    severity: Error,
    confidence: High,
    rows: [],
    fixable: false,
    example: "template/broken_template.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let problems = context.model.problems.iter();
    // Rules about SAM report those.
    let broken = problems.filter(|problem| {
        !matches!(
            problem.kind,
            ProblemKind::RouteKeysCollide | ProblemKind::RouteKeyRefused | ProblemKind::SamRefused
        )
    });
    broken.map(|problem| finding(context, problem)).collect()
}

fn finding(context: &RuleContext<'_>, problem: &Problem) -> Finding {
    let location = Location::at(problem.span);
    let finding = Finding::new(&RULE, location, problem.message.as_str());
    let finding = match &problem.hint {
        Some(hint) => finding.hint(hint.as_str()),
        None => finding,
    };
    match (context.model.gaps.first(), problem.kind) {
        (Some(gap), _) => {
            let message = format!("{}, unless it is hidden: {}", problem.message, gap.message);
            Finding { message, ..finding }.with_confidence(Confidence::Low)
        }
        // The condition may be true when parameters are given.
        (None, ProblemKind::ConditionIsFalse) => finding.with_confidence(Confidence::Medium),
        (None, _) => finding,
    }
}
