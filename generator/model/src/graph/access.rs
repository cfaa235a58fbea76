//! What a function may do to a table, in a word.

use crate::role::{Grant, Role};
use crate::{LogicalId, Text};

/// Reading, writing, or both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Access {
    reads: bool,
    writes: bool,
}

impl Access {
    /// What a role grants on a table of the template.
    pub(super) fn of(role: &Role, table: &LogicalId) -> Access {
        let mut access = Access::default();
        for grant in role.grants.iter().filter(|grant| allows(grant)) {
            let named = |text: &Text| {
                text.references()
                    .any(|reference| reference.logical_id == *table)
            };
            if grant.resources.iter().any(named) {
                grant.actions.iter().for_each(|action| access.add(action));
            }
        }
        access
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
        let reading = [
            "Get",
            "BatchGet",
            "Query",
            "Scan",
            "Describe",
            "List",
            "ConditionCheck",
        ];
        self.reads |= verb == "*" || reading.iter().any(|start| verb.starts_with(start));
        self.writes |= verb == "*" || !reading.iter().any(|start| verb.starts_with(start));
    }

    /// `reads, writes`; `None` when there is no access.
    pub(super) fn words(self) -> Option<&'static str> {
        match (self.reads, self.writes) {
            (true, true) => Some("reads, writes"),
            (true, false) => Some("reads"),
            (false, true) => Some("writes"),
            (false, false) => None,
        }
    }
}

/// Whether a role may post to connections or close them.
pub(super) fn manages_connections(role: &Role) -> bool {
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
