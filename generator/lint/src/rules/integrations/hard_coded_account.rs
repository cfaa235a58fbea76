use crate::Finding;
use crate::context::RuleContext;
use crate::facts::hard_coded_arns::HardCodedArn;
use crate::rule::rule;

rule! {
    /// An account is written into the ARN of something that the template makes.
    ///
    /// ## Why it hurts
    ///
    /// The template works in one account. In any other, an integration calls a function that is not there, or the old one in
    /// the old account; a permission admits an API of that account and not this stack's; and a policy grants what nobody needs:
    /// the symptoms are 500 at the handshake, `Internal server error` frames and `AccessDeniedException`, in the new account
    /// alone. An ARN of something that is really elsewhere is not meant by this rule.
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
    let message = format!("{} works in account `{account}`{region} alone", arn.what);
    Some(
        Finding::new(&RULE, arn.location.clone(), message)
            .hint("write `${AWS::AccountId}` in a `Sub`, or refer to the resource itself"),
    )
}
