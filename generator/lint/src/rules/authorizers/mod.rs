//! Authorizers and the authorization of `$connect`.

mod api_key_without_authorizer;
mod authorization_off_connect;
mod authorization_type_left_out;
mod authorization_type_removed;
mod authorizer_id_without_custom;
mod authorizer_never_attached;
mod authorizer_not_request;
mod authorizer_of_another_api;
mod authorizer_payload_version;
mod authorizer_permission_missing;
mod authorizer_permission_of_another_api;
mod authorizer_permission_without_source;
mod authorizer_result_ttl;
mod authorizer_simple_responses;
mod authorizer_uri_not_invocation;
mod authorizer_without_function;
mod connect_open_beside_authorizer;
mod custom_without_authorizer;
mod duplicate_authorizer_name;
mod header_identity_source_for_browsers;
mod http_api_identity_source;
mod identity_source_malformed;
mod identity_source_removed;
mod identity_source_shuts_out_anonymous;
mod jwt_on_websocket;
mod no_such_authorization_type;
mod rest_authorizer_on_websocket;

use stackgen_model::{Authorizer, Model, Text};

use crate::facts::anonymous::{self, AnonymousAccess};
use crate::facts::identity_source::{SourceSyntax, check_syntax, known_sources};
use crate::facts::settings;
use crate::fix::{self, Fix};
use crate::rule::RuleGroup;
use crate::{Finding, Location, Rule};

pub(super) const GROUP: RuleGroup = RuleGroup {
    name: "authorizers",
    title: "Authorizers and authorization of `$connect`",
    prefix: "SG1",
    rules: &[
        &authorizer_never_attached::RULE,
        &connect_open_beside_authorizer::RULE,
        &authorizer_id_without_custom::RULE,
        &custom_without_authorizer::RULE,
        &authorizer_of_another_api::RULE,
        &authorization_off_connect::RULE,
        &jwt_on_websocket::RULE,
        &authorizer_not_request::RULE,
        &authorizer_result_ttl::RULE,
        &authorizer_simple_responses::RULE,
        &authorizer_payload_version::RULE,
        &authorizer_uri_not_invocation::RULE,
        &http_api_identity_source::RULE,
        &identity_source_shuts_out_anonymous::RULE,
        &header_identity_source_for_browsers::RULE,
        &authorizer_permission_missing::RULE,
        &authorizer_permission_of_another_api::RULE,
        &authorizer_permission_without_source::RULE,
        &authorization_type_left_out::RULE,
        &identity_source_malformed::RULE,
        &authorizer_without_function::RULE,
        &authorization_type_removed::RULE,
        &identity_source_removed::RULE,
        &duplicate_authorizer_name::RULE,
        &rest_authorizer_on_websocket::RULE,
        &no_such_authorization_type::RULE,
        &api_key_without_authorizer::RULE,
    ],
};

/// Reports a property that only authorizers of HTTP APIs have.
fn http_api_property(
    rule: &'static Rule,
    authorizer: &Authorizer,
    key: &str,
    why: &str,
) -> Option<Finding> {
    let resource = &authorizer.resource;
    if !settings::is_set(resource, key) {
        return None;
    }
    let message = format!("authorizer {} sets `{key}`, but {why}", resource.logical_id);
    let finding = Finding::new(rule, Location::of(resource, &[key]), message)
        .hint(format!("remove `{key}`"))
        .fix(Fix::one(
            format!("remove `{key}`"),
            fix::remove(resource, &[key]),
        ));
    Some(finding)
}

/// Returns the function in an invocation path.
fn invoked_function(uri: &Text) -> Option<Text> {
    let (_, path) = uri.split_once(":lambda:path/")?;
    let (_, function) = path
        .split_once("/functions/")
        .or_else(|| path.split_once("functions/"))?;
    function.strip_suffix("/invocations")
}

/// Returns an identity source that locks out callers whom the stack admits, and what admits them.
///
/// With `Callers: mixed` in the metadata any source does. With an environment variable only a source that carries a token
/// does, which `sessionId` does not. An invalid source is reported by other rules.
fn source_locking_out(model: &Model, authorizer: &Authorizer) -> Option<(String, AnonymousAccess)> {
    let mut sources = known_sources(authorizer).flat_map(|source| source.parts());
    if sources.any(|source| check_syntax(source) != SourceSyntax::Valid) {
        return None;
    }
    let mut sources = known_sources(authorizer).flat_map(|source| source.parts());
    let first = sources.find(|source| source.contains("request."))?;
    let admitted = anonymous::anonymous_access(model, authorizer)?;
    let mut all =
        std::iter::once(first).chain(sources.filter(|source| source.contains("request.")));
    let source = all.find(|source| admitted.is_recorded || carries_token(source))?;
    Some((source.to_owned(), admitted))
}

/// Returns true if the name of a source suggests that it carries a credential.
fn carries_token(source: &str) -> bool {
    let name = source.rsplit('.').next().unwrap_or_default();
    let name = name.to_ascii_lowercase();
    let words = [
        "token",
        "jwt",
        "bearer",
        "cookie",
        "credential",
        "secret",
        "password",
        "authoriz",
        "authent",
        "api-key",
        "apikey",
        "sec-websocket-protocol",
    ];
    words.iter().any(|word| name.contains(word)) || name.ends_with("auth")
}
