//! Authorizers, and the authorization of `$connect`.

mod connect_open_beside_authorizer;
mod http_api_identity_source;

use crate::registry::Group;

pub(super) const GROUP: Group = Group {
    name: "authorizers",
    title: "Authorizers, and the authorization of `$connect`",
    prefix: "SG1",
    rules: &[
        &connect_open_beside_authorizer::RULE,
        &http_api_identity_source::RULE,
    ],
};
