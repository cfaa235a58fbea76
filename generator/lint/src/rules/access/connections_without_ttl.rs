use stackgen_model::{Resolved, Table};

use crate::context::Context;
use crate::rule::rule;
use crate::{Finding, Place};

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
    /// has expired.
    id: "SG508",
    name: "connections-without-ttl",
    severity: Warning,
    confidence: Medium,
    rows: ["M18", "K4", "M14"],
    fixable: false,
    example: "access/connections_without_ttl.diff",
}

fn check(context: &Context<'_>) -> Vec<Finding> {
    let tables = context.model.tables.iter();
    let kept = tables.filter(|table| is_of_connections(table) && !expires(table));
    kept.map(of_table).collect()
}

fn of_table(table: &Table) -> Finding {
    let id = &table.resource.logical_id;
    let message = format!("{id} keeps records of connections that no `$disconnect` removes");
    Finding::new(&RULE, Place::of(&table.resource, &[]), message)
        .related(Place::of(&table.resource, &["KeySchema"]), "connection ids")
        .hint("set `TimeToLiveSpecification: {AttributeName: expiresAt, Enabled: true}` and write `expiresAt`")
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

fn expires(table: &Table) -> bool {
    let specification = table.resource.properties.get("TimeToLiveSpecification");
    table.ttl_attribute.is_some() || matches!(specification, Some(Resolved::Unknown(_)))
}
