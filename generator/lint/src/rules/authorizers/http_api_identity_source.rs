use crate::Finding;
use crate::context::Context;
use crate::facts::authorization::authorizers;
use crate::facts::identity_source::{IdentitySource, Verdict, known, verdict};
use crate::fix::Fix;
use crate::rule::rule;

rule! {
    /// An identity source is written as HTTP APIs and REST APIs write it.
    ///
    /// ## Why it hurts
    ///
    /// A WebSocket API reads `route.request.header.X` and `route.request.querystring.X` (row A3). `$request.header.X` is
    /// the syntax of HTTP APIs and `method.request.header.X` that of REST APIs: the authorizer is refused with `Invalid
    /// request identity source expression: $request.header.X`, and the stack rolls back.
    ///
    /// ## How to fix it
    ///
    /// Write `route.request.` in front of `header.X` or `querystring.X`, and `context.X` and `stageVariables.X` without a
    /// dollar sign. `--fix` does.
    id: "SG113",
    name: "http-api-identity-source",
    severity: Error,
    confidence: High,
    rows: ["A3"],
    fixable: true,
    example: "authorizers/http_api_identity_source.diff",
}

fn check(context: &Context<'_>) -> Vec<Finding> {
    authorizers(&context.facts)
        .flat_map(known)
        .filter_map(|source| of_source(&source))
        .collect()
}

fn of_source(source: &IdentitySource<'_>) -> Option<Finding> {
    let mut parts = source.parts();
    let (foreign, right) = parts.find_map(|part| match verdict(part) {
        Verdict::Foreign(right) => Some((part, right)),
        _ => None,
    })?;
    let message = format!("`{foreign}` is no identity source of a WebSocket API");
    // Where several stand in one text, the others may be wrong too.
    let edit = (foreign == source.text)
        .then(|| source.replace(&right))
        .flatten();
    let finding = Finding::new(&RULE, source.place(), message)
        .hint(format!("write `{right}`"))
        .fix(Fix::one(
            format!("write the identity source as `{right}`"),
            edit,
        ));
    Some(finding)
}
