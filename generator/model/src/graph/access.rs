//! Access of functions to tables.

use std::collections::{BTreeMap, HashMap};

use super::steps::step;
use crate::role::{Grant, Role};
use crate::{LogicalId, Piece, Text};

/// Access to a table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Access {
    reads: bool,
    writes: bool,
}

/// Permissions of a role, as far as a graph shows them.
#[derive(Clone, Debug, Default)]
pub(super) struct RoleAccess {
    /// True if it may post to connections or close them.
    pub(super) manages_connections: bool,
    /// The accessible tables by their position in the model, with the kind of access.
    pub(super) tables: BTreeMap<usize, &'static str>,
}

impl RoleAccess {
    /// Reads the statements of a role, each once. `tables` are those of the template with their positions, and `names`
    /// those with literal names.
    pub(super) fn of(
        role: &Role,
        tables: &HashMap<&LogicalId, usize>,
        names: &HashMap<&str, usize>,
    ) -> Self {
        let mut used: BTreeMap<usize, Access> = BTreeMap::new();
        for grant in role.grants.iter().filter(|grant| allows(grant)) {
            let mut access = Access::default();
            grant.actions.iter().for_each(|action| access.add(action));
            for reference in grant.resources.iter().flat_map(Text::references) {
                step();
                if let Some(table) = tables.get(&reference.logical_id) {
                    used.entry(*table).or_default().merge(access);
                }
            }
            for resource in &grant.resources {
                step();
                if let Some(table) = table_name(resource).and_then(|name| names.get(name)) {
                    used.entry(*table).or_default().merge(access);
                }
            }
        }
        let used = used.into_iter();
        RoleAccess {
            manages_connections: manages_connections(role),
            tables: used
                .filter_map(|(table, access)| Some((table, access.text()?)))
                .collect(),
        }
    }
}

/// Returns the literal name in `…:table/{name}` and `…:table/{name}/index/*`.
fn table_name(arn: &Text) -> Option<&str> {
    let Some(Piece::Literal(end)) = arn.pieces().last() else {
        return None;
    };
    let (_, name) = end.split_once(":table/")?;
    name.split('/').next()
}

impl Access {
    fn merge(&mut self, other: Access) {
        self.reads |= other.reads;
        self.writes |= other.writes;
    }

    fn add(&mut self, action: &Text) {
        let Some(action) = action.as_literal() else {
            return;
        };
        let Some(verb) = action
            .strip_prefix("dynamodb:")
            .or((action == "*").then_some("*"))
        else {
            return;
        };
        self.reads |= verb == "*" || is_read(verb);
        self.writes |= verb == "*" || !is_read(verb);
    }

    /// Returns the access as text, such as `reads, writes`; `None` without access.
    fn text(self) -> Option<&'static str> {
        match (self.reads, self.writes) {
            (true, true) => Some("reads, writes"),
            (true, false) => Some("reads"),
            (false, true) => Some("writes"),
            (false, false) => None,
        }
    }
}

/// Returns true if an action of DynamoDB, such as `GetItem`, changes nothing.
pub(super) fn is_read(verb: &str) -> bool {
    let reading = [
        "Get",
        "BatchGet",
        "Query",
        "Scan",
        "Describe",
        "List",
        "ConditionCheck",
    ];
    reading.iter().any(|start| verb.starts_with(start))
}

/// True if a role may post to connections or close them.
fn manages_connections(role: &Role) -> bool {
    let mut grants = role.grants.iter().filter(|grant| allows(grant));
    grants.any(|grant| {
        let actions = grant.actions.iter().filter_map(Text::as_literal);
        actions
            .into_iter()
            .any(|action| ["execute-api:ManageConnections", "execute-api:*"].contains(&action))
    })
}

fn allows(grant: &Grant) -> bool {
    grant.effect.as_ref().and_then(Text::as_literal) == Some("Allow")
}
