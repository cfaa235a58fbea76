//! Decides what functions may do to connections and their records.

use stackgen_model::{LogicalId, Model, Role};

use super::connection_arns::MANAGE_CONNECTIONS;
use super::function_roles::may_allow;

/// Returns true if a function may post to connections: it can answer a message that way.
pub(crate) fn may_post(model: &Model, function: &LogicalId) -> bool {
    role_of(model, function).is_some_and(|role| may(role, MANAGE_CONNECTIONS))
}

/// Returns true if some function may post to connections and delete items: it can delete a record when a post returns 410.
pub(crate) fn a_poster_may_delete(model: &Model) -> bool {
    let functions = model.functions.iter();
    let mut roles = functions.filter_map(|it| role_of(model, &it.resource.logical_id));
    roles.any(|role| may(role, MANAGE_CONNECTIONS) && may(role, "dynamodb:DeleteItem"))
}

fn role_of<'a>(model: &'a Model, function: &LogicalId) -> Option<&'a Role> {
    let mut functions = model.functions.iter();
    let function = functions.find(|it| it.resource.logical_id == *function)?;
    let role = function.role.to()?;
    let mut roles = model.roles.iter();
    roles.find(|known| known.resource.logical_id == *role)
}

fn may(role: &Role, action: &str) -> bool {
    let mut grants = role.grants.iter();
    grants.any(|grant| may_allow(grant, action))
}
