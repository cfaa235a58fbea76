use stackgen_model::{Api, Authorizer};

use super::source_locking_out;
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
    /// The `WebSocket` of browsers takes a URL and subprotocols but no headers. Without the header API Gateway answers
    /// the handshake with 401 and does not invoke the authorizer (row A2). The page only sees close code 1006 (row X2).
    /// Tools that can set headers connect, so tests pass.
    ///
    /// The stack shows that callers are browsers: an HTTP API with CORS, allowed origins, a website, or a sign-in that
    /// returns to a page. If only other clients use this API, suppress the finding and give that reason.
    ///
    /// ## How to fix it
    ///
    /// Read the token from the query string, `route.request.querystring.token`, or from the subprotocol,
    /// `route.request.header.Sec-WebSocket-Protocol`, which the `$connect` function then has to echo (row C10). Query
    /// strings appear in logs, so prefer tokens that expire within a minute. All identity sources must be present: one
    /// such header is enough to lock browsers out.
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
    // If the stack admits anonymous callers, any source locks them out, which another rule reports.
    let authorizers = apis.flat_map(|api| &api.authorizers).filter(|authorizer| {
        !is_jwt(authorizer) && source_locking_out(context.model, authorizer).is_none()
    });
    authorizers
        .filter_map(unsendable_source)
        .map(|(source, header)| source_finding(&source, header, &browsers))
        .collect()
}

/// Returns the first source that a browser cannot send, with its header.
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
    let message =
        format!("browsers cannot send the header `{header}`, which every handshake needs");
    let evidence = browsers.location.clone();
    Finding::new(&RULE, source.location(), message)
        .related(evidence, browsers.label)
        .hint("read the token from the query string, `route.request.querystring.token`, or from `Sec-WebSocket-Protocol`")
}
