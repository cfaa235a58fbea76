use crate::context::RuleContext;
use crate::facts::hard_coded_arns::HardCodedArn;
use crate::rule::rule;
use crate::{Confidence, Finding};

rule! {
    /// The ARN of a resource of the template contains a literal region.
    ///
    /// ## Why it hurts
    ///
    /// The template works in one region only. In any other, an integration calls a function that does not exist or one
    /// that an earlier stack left in the old region, and a permission or a policy is for an API of the old region. The
    /// symptoms are 500 at the handshake, `Internal server error` frames and `AccessDeniedException`, only in the new
    /// region: on the day of a failover. This rule does not report ARNs of resources outside the template.
    ///
    /// The finding is a note if all ARNs of the template name the same region, at least three of them: then the stack seems
    /// to be meant for it.
    ///
    /// ## How to fix it
    ///
    /// Write `${AWS::Region}` in a `Sub`, or refer to the resource: `${Function.Arn}`.
    id: "SG302",
    name: "hard-coded-region",
    severity: Warning,
    confidence: High,
    rows: [],
    fixable: false,
    example: "integrations/hard_coded_region.diff",
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
    // `hard-coded-account` reports a literal account.
    let region = arn.region.filter(|_| arn.account.is_none())?;
    let message = format!("{} works only in region `{region}`", arn.subject);
    let finding = Finding::new(&RULE, arn.location.clone(), message)
        .hint("write `${AWS::Region}` in a `Sub`, or refer to the resource itself");
    Some(match arn.is_for_one_region {
        true => finding.with_confidence(Confidence::Low),
        false => finding,
    })
}
