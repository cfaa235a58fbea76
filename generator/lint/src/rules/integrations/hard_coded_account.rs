use crate::context::RuleContext;
use crate::facts::hard_coded_arns::HardCodedArn;
use crate::rule::rule;
use crate::{Confidence, Finding};

rule! {
    /// The ARN of a resource of the template contains a literal account ID.
    ///
    /// ## Why it hurts
    ///
    /// The template works in one account only. In any other, an integration calls a function that does not exist or the
    /// one in the old account, a permission allows an API of the old account, and a policy grants access to the wrong
    /// resources. The symptoms are 500 at the handshake, `Internal server error` frames and `AccessDeniedException`,
    /// only in the new account. This rule does not report ARNs of resources outside the template.
    ///
    /// The finding is a note if all ARNs of the template name the same region, at least three of them: then the stack seems
    /// to be meant for it.
    ///
    /// ## How to fix it
    ///
    /// Write `${AWS::AccountId}` in a `Sub`, or refer to the resource: `${Function.Arn}`.
    id: "SG301",
    name: "hard-coded-account",
    severity: Warning,
    confidence: High,
    rows: [],
    fixable: false,
    example: "integrations/hard_coded_account.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    context
        .facts
        .hard_coded_arns()
        .iter()
        .filter_map(finding)
        .collect()
}

fn finding(arn: &HardCodedArn<'_>) -> Option<Finding> {
    let account = arn.account?;
    let region = arn.region.map(|region| format!(" and region `{region}`"));
    let region = region.unwrap_or_default();
    let message = format!("{} works only in account `{account}`{region}", arn.subject);
    let finding = Finding::new(&RULE, arn.location.clone(), message)
        .hint("write `${AWS::AccountId}` in a `Sub`, or refer to the resource itself");
    Some(match arn.is_for_one_region {
        true => finding.with_confidence(Confidence::Low),
        false => finding,
    })
}
