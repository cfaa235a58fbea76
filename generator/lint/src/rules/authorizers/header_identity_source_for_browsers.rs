use stackgen_model::{Api, Authorizer};

use super::shut_out;
use crate::Finding;
use crate::context::Context;
use crate::facts::authorization::is_jwt;
use crate::facts::browsers::{self, Browsers};
use crate::facts::identity_source::{IdentitySource, Verdict, header, known, verdict};
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

fn check(context: &Context<'_>) -> Vec<Finding> {
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
    let Some(browsers) = browsers::shown(context.model) else {
        return Vec::new();
    };
    let shielded = browsers::behind_cloudfront(context.model);
    let apis = apis.filter(|api| !api.id.to().is_some_and(|id| shielded.contains(id)));
    // Callers without a token are shut out by any source: that is the one mistake then.
    let authorizers = apis
        .flat_map(|api| &api.authorizers)
        .filter(|authorizer| !is_jwt(authorizer) && shut_out(context.model, authorizer).is_none());
    authorizers
        .filter_map(unsendable_source)
        .map(|(source, header)| of_source(&source, header, &browsers))
        .collect()
}

/// The first source that a browser cannot send, with its header.
fn unsendable_source(authorizer: &Authorizer) -> Option<(IdentitySource<'_>, &str)> {
    known(authorizer).find_map(|source| {
        let header = source
            .parts()
            .filter(|part| verdict(part) == Verdict::Right)
            .filter_map(header)
            .find(|name| !browsers::send(name))?;
        Some((source, header))
    })
}

fn of_source(source: &IdentitySource<'_>, header: &str, browsers: &Browsers) -> Finding {
    let message = format!(
        "a browser's WebSocket cannot send the header `{header}` that every handshake must bring"
    );
    let evidence = browsers.place.clone();
    Finding::new(&RULE, source.place(), message)
        .related(evidence, browsers.label)
        .hint("read the token from the query string, `route.request.querystring.token`, or from `Sec-WebSocket-Protocol`")
}
