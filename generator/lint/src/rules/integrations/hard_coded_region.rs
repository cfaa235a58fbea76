use crate::Finding;
use crate::context::RuleContext;
use crate::facts::hard_coded_arns::HardCodedArn;
use crate::rule::rule;

rule! {
    /// A region is written into the ARN of something that the template makes.
    ///
    /// ## Why it hurts
    ///
    /// The template works in one region. In any other, the integration calls a function that is not there, or the one that an
    /// earlier stack left in the old region; a permission or a policy is for the old region's API. The symptoms are 500 at the
    /// handshake, `Internal server error` frames and `AccessDeniedException`, in the new region alone: on the day of a failover.
    /// An ARN of something that is really elsewhere is not meant by this rule.
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
    // With an account beside it, the account is the finding.
    let region = arn.region.filter(|_| arn.account.is_none())?;
    let message = format!("{} works in region `{region}` alone", arn.what);
    Some(
        Finding::new(&RULE, arn.location.clone(), message)
            .hint("write `${AWS::Region}` in a `Sub`, or refer to the resource itself"),
    )
}
