use crate::Finding;
use crate::context::RuleContext;
use crate::facts::authorization::websocket_authorizers;
use crate::facts::identity_source::{IdentitySource, SourceSyntax, check_syntax, known_sources};
use crate::rule::rule;

rule! {
    /// An identity source does not have a valid syntax.
    ///
    /// ## Why it hurts
    ///
    /// A source is a header or a query parameter of the handshake, a stage variable or a context value (row A3). API
    /// Gateway refuses anything else with `Invalid request identity source expression: …`, and the stack rolls back. A
    /// handshake has no body and no path parameters.
    ///
    /// ## How to fix it
    ///
    /// Write `route.request.header.NAME`, `route.request.querystring.NAME`, `stageVariables.NAME` or `context.NAME`.
    /// Names consist of letters, digits, `.`, `_` and `-`.
    id: "SG120",
    name: "identity-source-malformed",
    severity: Error,
    confidence: High,
    rows: ["A3"],
    fixable: false,
    example: "authorizers/identity_source_malformed.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    websocket_authorizers(&context.facts)
        .flat_map(known_sources)
        .filter_map(|source| check_source(&source))
        .collect()
}

fn check_source(source: &IdentitySource<'_>) -> Option<Finding> {
    let (part, guess) = source.parts().find_map(|part| match check_syntax(part) {
        SourceSyntax::Malformed(guess) => Some((part, guess)),
        _ => None,
    })?;
    let message = format!("`{part}` is not an identity source");
    let hint = match guess {
        Some(guess) => format!("did you mean `{guess}`?"),
        None => "write `route.request.header.NAME` or `route.request.querystring.NAME`".to_owned(),
    };
    Some(Finding::new(&RULE, source.location(), message).hint(hint))
}
