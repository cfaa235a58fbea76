use crate::Finding;
use crate::context::RuleContext;
use crate::facts::authorization::websocket_authorizers;
use crate::facts::identity_source::{IdentitySource, SourceSyntax, check_syntax, known_sources};
use crate::fix::Fix;
use crate::rule::rule;

rule! {
    /// An identity source has the syntax of HTTP APIs or REST APIs.
    ///
    /// ## Why it hurts
    ///
    /// A WebSocket API reads `route.request.header.X` and `route.request.querystring.X` (row A3). `$request.header.X`
    /// is the syntax of HTTP APIs and `method.request.header.X` that of REST APIs. API Gateway refuses the authorizer
    /// with `Invalid request identity source expression: $request.header.X`, and the stack rolls back.
    ///
    /// ## How to fix it
    ///
    /// Write `route.request.` before `header.X` or `querystring.X`, and write `context.X` and `stageVariables.X`
    /// without a dollar sign, as `--fix` does.
    id: "SG113",
    name: "http-api-identity-source",
    severity: Error,
    confidence: High,
    rows: ["A3"],
    fixable: true,
    example: "authorizers/http_api_identity_source.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    websocket_authorizers(&context.facts)
        .flat_map(known_sources)
        .filter_map(|source| check_source(&source))
        .collect()
}

fn check_source(source: &IdentitySource<'_>) -> Option<Finding> {
    let mut parts = source.parts();
    let (foreign, right) = parts.find_map(|part| match check_syntax(part) {
        SourceSyntax::OtherApiType(right) => Some((part, right)),
        _ => None,
    })?;
    let message = format!("`{foreign}` is not an identity source of a WebSocket API");
    // If one text contains several sources, others may be wrong too.
    let edit = (foreign == source.text)
        .then(|| source.replace(&right))
        .flatten();
    let finding = Finding::new(&RULE, source.location(), message)
        .hint(format!("write `{right}`"))
        .fix(Fix::one(
            format!("write the identity source as `{right}`"),
            edit,
        ));
    Some(finding)
}
