//! Authorizers, and the authorization of `$connect`.

mod authorizer_permission_missing;
mod authorizer_permission_of_another_api;
mod authorizer_permission_without_source;
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
        &authorizer_permission_missing::RULE,
        &authorizer_permission_of_another_api::RULE,
        &authorizer_permission_without_source::RULE,
    ],
};
