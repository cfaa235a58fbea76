use std::collections::HashSet;

use stackgen_model::{LogicalId, Model, Resolved, Table};

use crate::context::RuleContext;
use crate::facts::role_rights::a_poster_may_delete;
use crate::facts::{creation_order, settings};
use crate::rule::rule;
use crate::{Confidence, Finding, Location};

rule! {
    /// A table of connections never deletes its records.
    ///
    /// ## Why it hurts
    ///
    /// API Gateway sends `$disconnect` on a best-effort basis (row M18): if it does not arrive, or its function fails,
    /// the record stays. Every broadcast then posts to closed connections, which takes time and returns 410
    /// `GoneException` (row K4), and counts of connected clients drift. A connection lives for at most two hours (row
    /// M14), so a record need not live much longer.
    ///
    /// ## How to fix it
    ///
    /// Write the expiry time, in seconds since 1970, into an attribute of each record, and name the attribute in
    /// `TimeToLiveSpecification`. Keep deleting records on `$disconnect` and on 410: DynamoDB may take days to delete
    /// expired items. Tables with a second key are not checked.
    ///
    /// The finding is a note if a schedule or a custom resource of the template may delete the records. It is also a note
    /// if a function may both post to connections and delete items: it can delete a record when a post returns 410.
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
    let permanent = tables.filter(|table| has_connection_key(table) && !expires(table));
    let mut others = None;
    let finding = |table: &Table| {
        let others = others.get_or_insert_with(|| OtherCleanup::of(context.model));
        let finding = table_finding(table);
        match others.may_remove(&table.resource.logical_id) || a_poster_may_delete(context.model) {
            true => finding.with_confidence(Confidence::Low),
            false => finding,
        }
    };
    permanent.map(finding).collect()
}

fn table_finding(table: &Table) -> Finding {
    let id = &table.resource.logical_id;
    let message = format!(
        "{id} keeps the record of a connection if `$disconnect` does not arrive: its items never expire"
    );
    let set = "set `TimeToLiveSpecification: {AttributeName: expiresAt, Enabled: true}` and write `expiresAt`";
    let finding = Finding::new(&RULE, Location::of(&table.resource, &[]), message).related(
        Location::of(&table.resource, &["KeySchema"]),
        "connection IDs",
    );
    match is_simple_table(table) {
        true => finding.hint(format!(
            "make it an `AWS::DynamoDB::Table`, because `AWS::Serverless::SimpleTable` has no time to live, and {set}"
        )),
        false => finding.hint(set),
    }
}

/// Returns true for a table of SAM, whose key schema is not written in the template.
fn is_simple_table(table: &Table) -> bool {
    let schema = table.resource.node(&["KeySchema"]);
    schema.is_some_and(|schema| schema.span.file.is_none())
}

/// Other resources that may delete records or set their expiry.
struct OtherCleanup {
    /// True if a schedule, or a part of the template that cannot be read, may delete records.
    has_schedule: bool,
    /// Names that custom resources refer to.
    custom_references: HashSet<String>,
}

impl OtherCleanup {
    fn of(model: &Model) -> OtherCleanup {
        let mut others = OtherCleanup {
            has_schedule: !model.gaps.is_empty(),
            custom_references: HashSet::new(),
        };
        for resource in model.resources.values() {
            let kind = resource.kind.as_str();
            let properties = &resource.properties;
            let by_rule = || properties.get("ScheduleExpression").is_some();
            others.has_schedule |=
                kind == "AWS::Scheduler::Schedule" || (kind == "AWS::Events::Rule" && by_rule());
            if kind.starts_with("Custom::") || kind == "AWS::CloudFormation::CustomResource" {
                creation_order::visit_references(properties, &mut |id| {
                    others.custom_references.insert(id.to_owned());
                });
            }
        }
        others
    }

    fn may_remove(&self, table: &LogicalId) -> bool {
        self.has_schedule || self.custom_references.contains(table.as_str())
    }
}

/// Returns true if the only key is a connection ID. A table with a second key holds something else of connections, such
/// as messages or subscriptions, which may have to outlive them.
fn has_connection_key(table: &Table) -> bool {
    let [key] = table.key.as_slice() else {
        return false;
    };
    key.name.as_literal().is_some_and(|name| {
        let letters = name.chars().filter(char::is_ascii_alphanumeric);
        let name: String = letters.map(|c| c.to_ascii_lowercase()).collect();
        name.ends_with("connectionid")
    })
}

/// Returns true if items expire, or if a condition or parameter decides that.
fn expires(table: &Table) -> bool {
    let path = ["TimeToLiveSpecification"];
    let specification = table.resource.properties.get(path[0]);
    table.ttl_attribute.is_some()
        || matches!(specification, Some(Resolved::Unknown(_)))
        || settings::is_computed(&table.resource, &path)
}
