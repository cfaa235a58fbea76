use stackgen_model::{Resolved, Setting, Table};

use crate::context::RuleContext;
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// A table has no point-in-time recovery.
    ///
    /// ## Why it hurts
    ///
    /// What a faulty function overwrites or deletes cannot be brought back. Records of connections are worth nothing a
    /// day later, and then this is no loss; sessions, users and messages are another matter.
    ///
    /// ## How to fix it
    ///
    /// Set `PointInTimeRecoverySpecification: {PointInTimeRecoveryEnabled: true}`, in a global table for every replica.
    id: "SG509",
    name: "table-without-recovery",
    severity: Note,
    confidence: High,
    rows: [],
    fixable: false,
    example: "tables/table_without_recovery.diff",
}

const PROPERTY: &str = "PointInTimeRecoverySpecification";

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let tables = context.model.tables.iter();
    let lost = tables.filter(|table| !may_recover(table));
    lost.map(table_finding).collect()
}

fn table_finding(table: &Table) -> Finding {
    let message = format!(
        "{} cannot be brought back to an earlier time",
        table.resource.logical_id
    );
    Finding::new(&RULE, Location::of(&table.resource, &[PROPERTY]), message).hint(format!(
        "set `{PROPERTY}: {{PointInTimeRecoveryEnabled: true}}`"
    ))
}

fn may_recover(table: &Table) -> bool {
    let properties = &table.resource.properties;
    if let Some(replicas) = properties.get("Replicas") {
        let mut replicas = replicas.one_or_many().iter();
        return replicas.any(|replica| is_on(replica.get(PROPERTY)) || replica.as_map().is_none());
    }
    is_on(properties.get(PROPERTY))
}

/// Whether it is on, or may be.
fn is_on(specification: Option<&Resolved>) -> bool {
    let enabled = specification.map(|value| value.bool("PointInTimeRecoveryEnabled"));
    matches!(enabled, Some(Setting::Set(true) | Setting::Unknown(_)))
}
