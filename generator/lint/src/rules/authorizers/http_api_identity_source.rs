use stackgen_model::{Authorizer, Text};

use crate::context::Context;
use crate::fix::{self, Fix};
use crate::rule::rule;
use crate::{Finding, Place};

rule! {
    /// An identity source is written as HTTP APIs and REST APIs write it.
    ///
    /// ## Why it hurts
    ///
    /// A WebSocket API reads `route.request.header.X` and `route.request.querystring.X` (row A3). `$request.header.X` is
    /// the syntax of HTTP APIs and `method.request.header.X` that of REST APIs: the deployment of the stack fails with
    /// `Invalid mapping expression specified`, or every handshake is refused with 401 because the source is never present.
    ///
    /// ## How to fix it
    ///
    /// Write `route.request.` in front of `header.X` or `querystring.X`. `--fix` does.
    id: "SG113",
    name: "http-api-identity-source",
    severity: Error,
    confidence: High,
    rows: ["A3"],
    fixable: true,
    example: "authorizers/http_api_identity_source.diff",
}

fn check(context: &Context<'_>) -> Vec<Finding> {
    let authorizers = context.websockets().flat_map(|api| &api.authorizers);
    authorizers.flat_map(of_authorizer).collect()
}

fn of_authorizer(authorizer: &Authorizer) -> Vec<Finding> {
    let sources = authorizer.identity_sources.iter().map(Text::as_literal);
    let finding = |(index, source): (usize, &str)| {
        let right = corrected(source)?;
        let index = index.to_string();
        let path = ["IdentitySource", index.as_str()];
        let edit = fix::replace(&authorizer.resource, &path, right.as_str());
        let message = format!("`{source}` is no identity source of a WebSocket API");
        let finding = Finding::new(&RULE, Place::of(&authorizer.resource, &path), message)
            .hint(format!("write `{right}`"))
            .fix(Fix::one(
                format!("write the identity source as `{right}`"),
                edit,
            ));
        Some(finding)
    };
    let known = sources
        .enumerate()
        .filter_map(|(index, source)| Some((index, source?)));
    known.filter_map(finding).collect()
}

/// The source as a WebSocket API reads it, if another kind of API would read this one.
fn corrected(source: &str) -> Option<String> {
    let foreign = ["$request.", "method.request.", "request."];
    let rest = foreign
        .iter()
        .find_map(|prefix| source.strip_prefix(prefix))?;
    Some(format!("route.request.{rest}"))
}
