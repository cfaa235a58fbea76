//! The page that asks who the user is.

use std::sync::Arc;

use axum::Form;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, LOCATION};
use http::{StatusCode, Uri};
use serde::Deserialize;
use stackgen_gateway_common::EpochMillis;

use super::request::{AuthorizationRefusal, AuthorizationRequest};
use super::{SignIn, form};

/// Maximum length of a user's name, as in Cognito.
const MAX_NAME: usize = 128;

/// The answered form.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct FormAnswer {
    username: String,
    cancel: Option<String>,
}

/// Shows the form.
pub(super) async fn ask(State(sign_in): State<Arc<SignIn>>, uri: Uri) -> Response {
    match AuthorizationRequest::parse(&uri, &sign_in) {
        Ok(request) => form::question(&sign_in, &request, ""),
        Err(refusal) => refuse(refusal),
    }
}

/// Sends the browser back to the page, with a code. The form has the same URL as the request, so that everything is checked again.
pub(super) async fn answer(
    State(sign_in): State<Arc<SignIn>>,
    uri: Uri,
    answer: Result<Form<FormAnswer>, FormRejection>,
) -> Response {
    let request = match AuthorizationRequest::parse(&uri, &sign_in) {
        Ok(request) => request,
        Err(refusal) => return refuse(refusal),
    };
    let answer = answer.map(|Form(answer)| answer).unwrap_or_default();
    if answer.cancel.is_some() {
        return go_to(&request.location("error", "access_denied"));
    }
    let subject = answer.username.trim();
    let is_name = !subject.is_empty() && subject.chars().count() <= MAX_NAME;
    if !is_name || subject.contains(char::is_control) {
        let problem = format!("Enter a name of 1 to {MAX_NAME} characters.");
        return form::question(&sign_in, &request, &problem);
    }
    let auth_time = EpochMillis::now().as_millis() / 1000;
    let code = sign_in
        .codes
        .create(request.clone(), subject.to_owned(), auth_time);
    match code {
        Some(code) => go_to(&request.location("code", &code)),
        None => go_to(&request.location("error", "server_error")),
    }
}

fn refuse(refusal: AuthorizationRefusal) -> Response {
    match refusal {
        AuthorizationRefusal::Shown(text) => form::refusal(&text),
        AuthorizationRefusal::Sent(location) => go_to(&location),
    }
}

/// Sends the browser to a URL, with GET.
fn go_to(location: &str) -> Response {
    let headers = [(LOCATION, location), (CACHE_CONTROL, "no-store")];
    (StatusCode::SEE_OTHER, headers).into_response()
}
