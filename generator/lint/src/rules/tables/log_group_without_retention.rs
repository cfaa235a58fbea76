use crate::context::RuleContext;
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// A log group keeps its events for ever.
    ///
    /// ## Why it hurts
    ///
    /// CloudWatch Logs deletes nothing unless it is told to, and storage is paid for. Access logs of a WebSocket API have a
    /// line for every message, and hold addresses of people, which may have to be deleted in time.
    ///
    /// ## How to fix it
    ///
    /// Set `RetentionInDays`.
    id: "SG510",
    name: "log-group-without-retention",
    severity: Note,
    confidence: High,
    rows: [],
    fixable: false,
    example: "tables/log_group_without_retention.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let groups = context.model.log_groups.iter();
    let kept = groups.filter(|group| group.retention_days.is_absent());
    let finding = |group: &stackgen_model::LogGroup| {
        let message = format!("{} keeps its events for ever", group.resource.logical_id);
        Finding::new(&RULE, Location::of(&group.resource, &[]), message)
            .hint("set `RetentionInDays: 30`, or as long as they are needed")
    };
    kept.map(finding).collect()
}
