//! Whether a stack keeps records of its connections.

use std::collections::BTreeMap;

use stackgen_model::{Api, Function, LogicalId, Resolved, Table, Text};

use super::presence::exists_with_api;
use crate::Location;
use crate::facts::Facts;

/// What of a stack may hold records of connections. Made once for all apis.
pub(crate) struct ConnectionRecords<'a> {
    /// Whether there is one WebSocket API. Of several, each keeps records only in tables that its functions are told of.
    alone: bool,
    /// Tables that have connection ids for a key.
    tables: BTreeMap<&'a LogicalId, &'a Table>,
    functions: BTreeMap<&'a LogicalId, &'a Function>,
}

impl<'a> ConnectionRecords<'a> {
    pub(crate) fn new(facts: &Facts<'a>) -> ConnectionRecords<'a> {
        let tables = facts.model.tables.iter();
        let tables = tables.filter(|table| has_connections_for_key(table));
        let functions = facts.model.functions.iter();
        ConnectionRecords {
            alone: facts.websockets().nth(1).is_none(),
            tables: tables.map(|it| (&it.resource.logical_id, it)).collect(),
            functions: functions.map(|it| (&it.resource.logical_id, it)).collect(),
        }
    }

    /// Where it shows that the functions of an api keep records of its connections: a table that has connection ids for
    /// a key, or an environment variable that names a table of connections.
    pub(crate) fn location(&self, api: &Api) -> Option<Location> {
        let here = |table: &&&Table| exists_with_api(api, &table.resource);
        let integrations = api.integrations.iter();
        let called = integrations.filter_map(|it| it.function.function.to());
        let called = called.filter_map(|id| self.functions.get(id).copied());
        let table = if self.alone {
            self.tables.values().find(here)
        } else {
            let told = called.clone().flat_map(references);
            told.filter_map(|id| self.tables.get(id)).find(here)
        };
        match table {
            Some(table) => Some(Location::of(&table.resource, &["KeySchema"])),
            None => called.into_iter().find_map(variable),
        }
    }
}

fn has_connections_for_key(table: &Table) -> bool {
    let indexes = table.indexes.iter().flat_map(|index| &index.key);
    let mut names = table.key.iter().chain(indexes).map(|key| &key.name);
    names.any(|name| {
        let name = name.as_literal().map(plain);
        name.is_some_and(|name| name.ends_with("connectionid"))
    })
}

fn variables(function: &Function) -> impl Iterator<Item = (&String, &Resolved)> {
    function.environment.value().into_iter().flatten()
}

/// The resources that a function is told of.
fn references(function: &Function) -> impl Iterator<Item = &LogicalId> {
    let texts = variables(function).filter_map(|(_, value)| match value {
        Resolved::Text(text) => Some(text),
        _ => None,
    });
    let references = texts.flat_map(Text::references);
    references.map(|reference| &reference.logical_id)
}

fn variable(function: &Function) -> Option<Location> {
    let named = |name: &str| {
        let name = plain(name);
        name.contains("connection") && name.contains("table")
    };
    let (name, _) = variables(function).find(|(name, _)| named(name))?;
    let path = ["Environment", "Variables", name.as_str()];
    Some(Location::of(&function.resource, &path))
}

/// A name without case and punctuation: `CONNECTIONS_TABLE`, `connectionsTable`.
fn plain(name: &str) -> String {
    let letters = name.chars().filter(char::is_ascii_alphanumeric);
    letters.map(|letter| letter.to_ascii_lowercase()).collect()
}
