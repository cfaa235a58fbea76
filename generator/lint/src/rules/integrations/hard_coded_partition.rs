use crate::Finding;
use crate::context::RuleContext;
use crate::facts::hard_coded_arns::HardCodedArn;
use crate::rule::rule;

rule! {
    /// A partition is written into the ARN of something that the template makes.
    ///
    /// ## Why it hurts
    ///
    /// `arn:aws:` is right in the commercial regions alone. In China (`aws-cn`), GovCloud (`aws-us-gov`) and the European Sovereign
    /// Cloud (`aws-eusc`) the same template makes permissions and policies that match nothing, and integrations that call nothing.
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
    // What is tied to more is told by its account or region.
    if arn.account.or(arn.region).is_some() {
        return None;
    }
    let message = format!("{} works in partition `{partition}` alone", arn.what);
    Some(
        Finding::new(&RULE, arn.location.clone(), message)
            .hint("write `arn:${AWS::Partition}:` in a `Sub`"),
    )
}
