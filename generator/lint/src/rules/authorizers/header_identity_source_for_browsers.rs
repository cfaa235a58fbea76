use stackgen_model::{Api, Authorizer};

use super::shut_out;
use crate::Finding;
use crate::context::RuleContext;
use crate::facts::authorization::is_jwt;
use crate::facts::browsers::{self, BrowserEvidence};
use crate::facts::identity_source::{
    IdentitySource, SourceSyntax, check_syntax, header, known_sources,
};
use crate::rule::rule;

rule! {
    /// An identity source is a header that browsers cannot send, although callers are browsers.
    ///
    /// ## Why it hurts
    ///
    /// The `WebSocket` of browsers takes a URL and subprotocols, and no headers. A handshake without the header gets 401
    /// from API Gateway itself, and the authorizer is not invoked (row A2); the page is told nothing but a close with
    /// 1006 (row X2). Tools that can set headers connect, so that tests pass.
    ///
    /// That callers are browsers is seen from the stack: an HTTP API with CORS, allowed origins, a website, a sign-in that
    /// returns to a page. Where only other callers use this API, say so and suppress the finding.
    ///
    /// ## How to fix it
    ///
    /// Take the token from the query string, `route.request.querystring.token`, or from the subprotocol,
    /// `route.request.header.Sec-WebSocket-Protocol`, which the `$connect` function then has to echo (row C10). A query
    /// string ends up in logs: prefer tokens that live for a minute. All sources must be present, so that one header too
    /// many is enough.
    id: "SG115",
    name: "header-identity-source-for-browsers",
    severity: Warning,
    confidence: Medium,
    rows: ["A2", "C10", "X2"],
    fixable: false,
    example: "authorizers/header_identity_source_for_browsers.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let unsendable = |api: &Api| {
        api.authorizers
            .iter()
            .any(|one| unsendable_source(one).is_some())
    };
    let mut apis = context
        .websockets()
        .filter(|api| unsendable(api))
        .peekable();
    if apis.peek().is_none() {
        return Vec::new();
    }
    let Some(browsers) = browsers::browser_evidence(context.model) else {
        return Vec::new();
    };
    let shielded = browsers::cloudfront_origins(context.model);
    let apis = apis.filter(|api| !api.id.to().is_some_and(|id| shielded.contains(id)));
    // Callers without a token are shut out by any source: that is the one mistake then.
    let authorizers = apis
        .flat_map(|api| &api.authorizers)
        .filter(|authorizer| !is_jwt(authorizer) && shut_out(context.model, authorizer).is_none());
    authorizers
        .filter_map(unsendable_source)
        .map(|(source, header)| source_finding(&source, header, &browsers))
        .collect()
}

/// The first source that a browser cannot send, with its header.
fn unsendable_source(authorizer: &Authorizer) -> Option<(IdentitySource<'_>, &str)> {
    known_sources(authorizer).find_map(|source| {
        let header = source
            .parts()
            .filter(|part| check_syntax(part) == SourceSyntax::Valid)
            .filter_map(header)
            .find(|name| !browsers::can_send_header(name))?;
        Some((source, header))
    })
}

fn source_finding(
    source: &IdentitySource<'_>,
    header: &str,
    browsers: &BrowserEvidence,
) -> Finding {
    let message = format!(
        "a browser's WebSocket cannot send the header `{header}` that every handshake must bring"
    );
    let evidence = browsers.location.clone();
    Finding::new(&RULE, source.location(), message)
        .related(evidence, browsers.label)
        .hint("read the token from the query string, `route.request.querystring.token`, or from `Sec-WebSocket-Protocol`")
}
