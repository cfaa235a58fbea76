use crate::Finding;
use crate::context::RuleContext;
use crate::facts::hard_coded_arns::HardCodedArn;
use crate::rule::rule;

rule! {
    /// The ARN of a resource of the template contains a literal partition.
    ///
    /// ## Why it hurts
    ///
    /// `arn:aws:` works only in the commercial regions. In China (`aws-cn`), GovCloud (`aws-us-gov`) and the European
    /// Sovereign Cloud (`aws-eusc`) permissions and policies of the same template match nothing, and integrations call
    /// nothing.
    ///
    /// ## How to fix it
    ///
    /// Write `arn:${AWS::Partition}:` in a `Sub`.
    id: "SG303",
    name: "hard-coded-partition",
    severity: Note,
    confidence: High,
    rows: [],
    fixable: false,
    example: "integrations/hard_coded_partition.diff",
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
    let partition = arn.partition?;
    // Other rules report a literal account or region.
    if arn.account.or(arn.region).is_some() {
        return None;
    }
    let message = format!("{} works only in partition `{partition}`", arn.subject);
    Some(
        Finding::new(&RULE, arn.location.clone(), message)
            .hint("write `arn:${AWS::Partition}:` in a `Sub`"),
    )
}
