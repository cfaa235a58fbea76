//! STS: the caller's identity. It uses the Query protocol, with XML responses.

use axum::Router;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use stackgen_gateway_common::body;
use stackgen_gateway_common::sigv4::credential;
use stackgen_gateway_common::{ArnScope, uuid};

use crate::query_protocol::{escape, parameter, xml_error};

/// Returns the route of `GetCallerIdentity`. `role_of` returns the role of a function's access key; every other caller
/// is the account.
pub fn routes(
    scope: ArnScope,
    role_of: impl Fn(&str) -> Option<String> + Clone + Send + Sync + 'static,
) -> Router {
    Router::new().fallback(move |request: Request| answer(scope.clone(), role_of.clone(), request))
}

async fn answer(
    scope: ArnScope,
    role_of: impl Fn(&str) -> Option<String>,
    request: Request,
) -> Response {
    let (head, body) = request.into_parts();
    let Ok(body) = body::read_all(body, MAX_BODY_BYTES).await else {
        return error("MalformedInput", "The body is too large or incomplete");
    };
    let body = String::from_utf8_lossy(&body);
    let query = head.uri.query().unwrap_or_default();
    let action = parameter(&body, "Action").or_else(|| parameter(query, "Action"));
    match action.unwrap_or_default().as_str() {
        "GetCallerIdentity" => {}
        action => {
            let message = format!("Could not find operation {action} for version 2011-06-15");
            return error("InvalidAction", &message);
        }
    }
    let key = credential(&head.headers, &head.uri).map(|credential| credential.access_key);
    let role = key.as_deref().and_then(role_of);
    let account = &scope.account;
    let arn = escape(&scope.caller(role.as_deref()));
    let user = match &role {
        Some(_) => format!("AROA{account}:local"),
        None => account.clone(),
    };
    xml(
        StatusCode::OK,
        format!(
            "<GetCallerIdentityResponse xmlns=\"{NAMESPACE}\"><GetCallerIdentityResult><Arn>{arn}</Arn>\
             <UserId>{user}</UserId><Account>{account}</Account></GetCallerIdentityResult>\
             <ResponseMetadata><RequestId>{}</RequestId></ResponseMetadata></GetCallerIdentityResponse>",
            uuid()
        ),
    )
}

/// Maximum size of a body in bytes: a query.
const MAX_BODY_BYTES: usize = 64 * 1024;

const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

fn error(code: &str, message: &str) -> Response {
    xml(
        StatusCode::BAD_REQUEST,
        format!(
            "<ErrorResponse xmlns=\"{NAMESPACE}\">{}<RequestId>{}</RequestId></ErrorResponse>",
            xml_error(code, message, "<Type>Sender</Type>"),
            uuid()
        ),
    )
}

fn xml(status: StatusCode, body: String) -> Response {
    (status, [(header::CONTENT_TYPE, "text/xml")], body).into_response()
}
