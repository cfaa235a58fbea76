//! Decides whether the stack records the connections of an API.

use std::collections::BTreeMap;

use stackgen_model::{Api, Function, LogicalId, Resolved, Table, Text};

use super::presence::exists_with_api;
use crate::Location;
use crate::facts::Facts;

/// Tables and functions of a template that may record connections.
pub(crate) struct ConnectionRecords<'a> {
    /// True if there is one WebSocket API. With several, an API uses only the tables that its functions' variables
    /// name.
    is_only_api: bool,
    /// Tables with a connection ID as key.
    tables: BTreeMap<&'a LogicalId, &'a Table>,
    functions: BTreeMap<&'a LogicalId, &'a Function>,
}

impl<'a> ConnectionRecords<'a> {
    pub(crate) fn new(facts: &Facts<'a>) -> ConnectionRecords<'a> {
        let tables = facts.model.tables.iter();
        let tables = tables.filter(|table| has_connection_key(table));
        let functions = facts.model.functions.iter();
        ConnectionRecords {
            is_only_api: facts.websockets().nth(1).is_none(),
            tables: tables.map(|it| (&it.resource.logical_id, it)).collect(),
            functions: functions.map(|it| (&it.resource.logical_id, it)).collect(),
        }
    }

    /// Returns the evidence that an API's connections are recorded: a table with connection IDs as key, or an
    /// environment variable that names a table of connections.
    pub(crate) fn location(&self, api: &Api) -> Option<Location> {
        let exists = |table: &&&Table| exists_with_api(api, &table.resource);
        let integrations = api.integrations.iter();
        let called = integrations.filter_map(|it| it.function.function.to());
        let called = called.filter_map(|id| self.functions.get(id).copied());
        let table = if self.is_only_api {
            self.tables.values().find(exists)
        } else {
            let named = called.clone().flat_map(references);
            named.filter_map(|id| self.tables.get(id)).find(exists)
        };
        match table {
            Some(table) => Some(Location::of(&table.resource, &["KeySchema"])),
            None => called.into_iter().find_map(variable),
        }
    }
}

fn has_connection_key(table: &Table) -> bool {
    let indexes = table.indexes.iter().flat_map(|index| &index.key);
    let mut names = table.key.iter().chain(indexes).map(|key| &key.name);
    names.any(|name| {
        let name = name.as_literal().map(normalized_name);
        name.is_some_and(|name| name.ends_with("connectionid"))
    })
}

fn variables(function: &Function) -> impl Iterator<Item = (&String, &Resolved)> {
    function.environment.value().into_iter().flatten()
}

/// Returns the resources to which a function's environment refers.
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
        let name = normalized_name(name);
        name.contains("connection") && name.contains("table")
    };
    let (name, _) = variables(function).find(|(name, _)| named(name))?;
    let path = ["Environment", "Variables", name.as_str()];
    Some(Location::of(&function.resource, &path))
}

/// Returns a name in lower case and without punctuation: `CONNECTIONS_TABLE`, `connectionsTable`.
fn normalized_name(name: &str) -> String {
    let letters = name.chars().filter(char::is_ascii_alphanumeric);
    letters.map(|letter| letter.to_ascii_lowercase()).collect()
}
