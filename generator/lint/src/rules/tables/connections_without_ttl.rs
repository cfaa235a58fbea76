use std::collections::HashSet;

use stackgen_model::{LogicalId, Model, Resolved, Table};

use crate::context::RuleContext;
use crate::facts::{creation_order, settings};
use crate::rule::rule;
use crate::{Confidence, Finding, Location};

rule! {
    /// A table of connections keeps its records for ever.
    ///
    /// ## Why it hurts
    ///
    /// `$disconnect` is best effort (row M18): when it does not come, or its function fails, the record stays. Every
    /// broadcast then posts to connections that are gone, which costs time and answers 410 `GoneException` (row K4), and
    /// counts of who is connected drift. A connection lives for two hours at most (row M14), so a record need not live
    /// much longer.
    ///
    /// ## How to fix it
    ///
    /// Write the time of expiry, in seconds since 1970, into an attribute of each record, and name the attribute in
    /// `TimeToLiveSpecification`. Go on deleting records at `$disconnect` and on 410: DynamoDB may take days to delete what
    /// has expired. Where a schedule or a custom resource of the template may see to it, it is a note.
    id: "SG508",
    name: "connections-without-ttl",
    severity: Warning,
    confidence: Medium,
    rows: ["M18", "K4", "M14"],
    fixable: false,
    example: "tables/connections_without_ttl.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let tables = context.model.tables.iter();
    let kept = tables.filter(|table| is_of_connections(table) && !expires(table));
    let mut others = None;
    let finding = |table: &Table| {
        let others = others.get_or_insert_with(|| OtherCleanup::of(context.model));
        let finding = table_finding(table);
        match others.may_remove(&table.resource.logical_id) {
            true => finding.with_confidence(Confidence::Low),
            false => finding,
        }
    };
    kept.map(finding).collect()
}

fn table_finding(table: &Table) -> Finding {
    let id = &table.resource.logical_id;
    let message =
        format!("{id} keeps the record of a connection for ever when no `$disconnect` comes");
    Finding::new(&RULE, Location::of(&table.resource, &[]), message)
        .related(Location::of(&table.resource, &["KeySchema"]), "connection ids")
        .hint("set `TimeToLiveSpecification: {AttributeName: expiresAt, Enabled: true}` and write `expiresAt`")
}

/// What else may remove records or have them expire.
struct OtherCleanup {
    /// Something that runs at times may sweep tables; what is out of sight may, too.
    sweeps: bool,
    /// What custom resources are told of.
    told: HashSet<String>,
}

impl OtherCleanup {
    fn of(model: &Model) -> OtherCleanup {
        let mut others = OtherCleanup {
            sweeps: !model.gaps.is_empty(),
            told: HashSet::new(),
        };
        for resource in model.resources.values() {
            let kind = resource.kind.as_str();
            let properties = &resource.properties;
            let by_rule = || properties.get("ScheduleExpression").is_some();
            others.sweeps |=
                kind == "AWS::Scheduler::Schedule" || (kind == "AWS::Events::Rule" && by_rule());
            if kind.starts_with("Custom::") || kind == "AWS::CloudFormation::CustomResource" {
                creation_order::visit_references(properties, &mut |id| {
                    others.told.insert(id.to_owned());
                });
            }
        }
        others
    }

    fn may_remove(&self, table: &LogicalId) -> bool {
        self.sweeps || self.told.contains(table.as_str())
    }
}

/// Whether its items are found by connection ids.
fn is_of_connections(table: &Table) -> bool {
    let name = table.key.first().and_then(|key| key.name.as_literal());
    name.is_some_and(|name| {
        let letters = name.chars().filter(char::is_ascii_alphanumeric);
        let name: String = letters.map(|c| c.to_ascii_lowercase()).collect();
        name.ends_with("connectionid")
    })
}

/// Whether they do, or a condition or parameter decides.
fn expires(table: &Table) -> bool {
    let path = ["TimeToLiveSpecification"];
    let specification = table.resource.properties.get(path[0]);
    table.ttl_attribute.is_some()
        || matches!(specification, Some(Resolved::Unknown(_)))
        || settings::is_computed(&table.resource, &path)
}
