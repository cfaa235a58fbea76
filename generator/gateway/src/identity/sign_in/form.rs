//! HTML of the sign-in. It has no script.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};

use super::SignIn;
use super::request::AuthorizationRequest;
use crate::query_protocol::escape;

/// Returns the form that asks who the user is.
pub(super) fn question(
    sign_in: &SignIn,
    request: &AuthorizationRequest,
    problem: &str,
) -> Response {
    let status = match problem.is_empty() {
        true => StatusCode::OK,
        false => StatusCode::UNPROCESSABLE_ENTITY,
    };
    let client = escape(&request.client_id);
    let invalid = !problem.is_empty();
    let body = format!(
        r#"<p>This is the token issuer of <code>stackgen dev</code>, on this machine. It asks for no password: say who you are, and
the page gets tokens for that user.</p>
<form method="post">
<label for="username">User</label>
<input id="username" name="username" value="ada" maxlength="128" required autofocus autocomplete="username" autocapitalize="none" spellcheck="false" aria-invalid="{invalid}" aria-describedby="problem">
<p id="problem" role="alert">{problem}</p>
<p class="actions"><button type="submit">Sign in</button>
<button type="submit" name="cancel" value="yes" formnovalidate class="quiet">Cancel</button></p>
</form>
<p class="small">Client ID <code>{client}</code></p>"#,
        problem = escape(problem),
    );
    // Browsers also check the address that the answer leads to.
    let targets = sign_in.clients.origins().join(" ");
    document(status, "Sign in", &body, &targets)
}

/// Returns the page about a request that the issuer does not answer.
pub(super) fn refusal(text: &str) -> Response {
    let body = format!("<p role=\"alert\">{}</p>", escape(text));
    document(
        StatusCode::BAD_REQUEST,
        "This sign-in cannot work",
        &body,
        "",
    )
}

fn document(status: StatusCode, title: &str, body: &str, form_targets: &str) -> Response {
    let html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title} – stackgen dev</title>\n<link rel=\"stylesheet\" href=\"sign-in.css\">\n</head>\n\
         <body>\n<main>\n<h1>{title}</h1>\n{body}\n</main>\n</body>\n</html>\n"
    );
    let policy = format!(
        "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self' {form_targets}"
    );
    let headers: [(HeaderName, &str); 5] = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CONTENT_SECURITY_POLICY, &policy),
        (CACHE_CONTROL, "no-store"),
        // Without any referrer, the form's origin would be hidden from the issuer, too.
        (REFERRER_POLICY, "same-origin"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (status, headers, html).into_response()
}
