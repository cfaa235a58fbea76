use stackgen_model::{Resolved, Setting, Table};

use crate::context::RuleContext;
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// A table has no point-in-time recovery.
    ///
    /// ## Why it hurts
    ///
    /// Items that a faulty function overwrites or deletes cannot be restored. Records of connections are worthless a
    /// day later, so this does not matter for them, but it does for sessions, users and messages.
    ///
    /// ## How to fix it
    ///
    /// Set `PointInTimeRecoverySpecification: {PointInTimeRecoveryEnabled: true}`; in a global table, on every replica.
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
    let unrecoverable = tables.filter(|table| !may_recover(table));
    unrecoverable.map(table_finding).collect()
}

fn table_finding(table: &Table) -> Finding {
    let message = format!(
        "{} has no point-in-time recovery",
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

/// Returns true if recovery is enabled, or may be.
fn is_on(specification: Option<&Resolved>) -> bool {
    let enabled = specification.map(|value| value.bool("PointInTimeRecoveryEnabled"));
    matches!(enabled, Some(Setting::Set(true) | Setting::Unknown(_)))
}
