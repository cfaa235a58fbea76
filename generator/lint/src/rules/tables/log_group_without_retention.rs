use crate::context::RuleContext;
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// A log group never deletes its events.
    ///
    /// ## Why it hurts
    ///
    /// Without a retention CloudWatch Logs keeps everything, and you pay for the storage. Access logs of a WebSocket
    /// API contain a line per message, and IP addresses, which the law may require you to delete.
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
    let permanent = groups.filter(|group| group.retention_days.is_absent());
    let finding = |group: &stackgen_model::LogGroup| {
        let message = format!("{} keeps its events forever", group.resource.logical_id);
        Finding::new(&RULE, Location::of(&group.resource, &[]), message)
            .hint("set `RetentionInDays`, for example to 30")
    };
    permanent.map(finding).collect()
}
