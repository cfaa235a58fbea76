//! Decides what functions may do to connections and their records.

use stackgen_model::{Function, LogicalId, Model, Role};

use super::connection_arns::MANAGE_CONNECTIONS;
use super::function_roles::may_allow;

/// Returns true if a function may post to connections: it can answer a message that way.
pub(crate) fn may_post(model: &Model, function: &LogicalId) -> bool {
    let role = model
        .function(function)
        .and_then(|function| role_of(model, function));
    role.is_some_and(|role| may(role, MANAGE_CONNECTIONS))
}

/// Returns true if some function may post to connections and delete items: it can delete a record when a post returns 410.
pub(crate) fn a_poster_may_delete(model: &Model) -> bool {
    let functions = model.functions.iter();
    let mut roles = functions.filter_map(|function| role_of(model, function));
    roles.any(|role| may(role, MANAGE_CONNECTIONS) && may(role, "dynamodb:DeleteItem"))
}

fn role_of<'a>(model: &'a Model, function: &Function) -> Option<&'a Role> {
    model.role(function.role.to()?)
}

fn may(role: &Role, action: &str) -> bool {
    let mut grants = role.grants.iter();
    grants.any(|grant| may_allow(grant, action))
}
