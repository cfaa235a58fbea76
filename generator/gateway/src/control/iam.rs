//! IAM: the simulation of a role of the stack. All other operations are those of a service that does not run here.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use stackgen_gateway_common::{RoleStore, body, uuid};

use crate::outbound::OtherServices;
use crate::query_protocol::{escape, parameter, xml_error};

/// Maximum size of a body in bytes: policies can be part of a request.
const MAX_BODY_BYTES: usize = 256 * 1024;

const NAMESPACE: &str = "https://iam.amazonaws.com/doc/2010-05-08/";

/// Returns the route of `SimulatePrincipalPolicy`.
pub fn routes(roles: Arc<RoleStore>, others: Arc<OtherServices>) -> Router {
    Router::new().fallback(move |request: Request| answer(roles.clone(), others.clone(), request))
}

async fn answer(roles: Arc<RoleStore>, others: Arc<OtherServices>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let Ok(body) = body::read_all(body, MAX_BODY_BYTES).await else {
        return error(
            StatusCode::BAD_REQUEST,
            "MalformedInput",
            "The body is too large or incomplete",
        );
    };
    let form = String::from_utf8_lossy(&body).into_owned();
    let is_simulation = parameter(&form, "Action").as_deref() == Some("SimulatePrincipalPolicy");
    let role = parameter(&form, "PolicySourceArn").unwrap_or_default();
    // Roles of an emulator are its own.
    if !is_simulation || others.url().is_some() && !roles.has(&role) {
        return others
            .answer("iam", Request::from_parts(head, Body::from(body)))
            .await;
    }
    if !roles.has(&role) {
        let message = format!("No template or policy declares the role {role}");
        return error(StatusCode::NOT_FOUND, "NoSuchEntity", &message);
    }
    simulation(&roles, &role, &form)
}

/// Decides each action on each resource.
fn simulation(roles: &RoleStore, role: &str, form: &str) -> Response {
    let members = |name: &str| -> Vec<String> {
        let numbered = (1..).map(|number| parameter(form, &format!("{name}.member.{number}")));
        numbered.map_while(|value| value).collect()
    };
    let mut resources = members("ResourceArns");
    if resources.is_empty() {
        resources.push("*".to_owned());
    }
    let mut results = String::new();
    for action in members("ActionNames") {
        for resource in &resources {
            let decision = match roles.check(role, &action, resource) {
                Ok(()) => "allowed",
                Err(reason) if reason.contains("explicit deny") => "explicitDeny",
                Err(_) => "implicitDeny",
            };
            let (action, resource) = (escape(&action), escape(resource));
            results.push_str(&format!(
                "<member><EvalActionName>{action}</EvalActionName><EvalResourceName>{resource}</EvalResourceName>\
                 <EvalDecision>{decision}</EvalDecision></member>"
            ));
        }
    }
    let body = format!(
        "<SimulatePrincipalPolicyResponse xmlns=\"{NAMESPACE}\"><SimulatePrincipalPolicyResult>\
         <IsTruncated>false</IsTruncated><EvaluationResults>{results}</EvaluationResults>\
         </SimulatePrincipalPolicyResult><ResponseMetadata><RequestId>{}</RequestId></ResponseMetadata>\
         </SimulatePrincipalPolicyResponse>",
        uuid()
    );
    xml(StatusCode::OK, body)
}

fn error(status: StatusCode, code: &str, message: &str) -> Response {
    let error = xml_error(code, message, "<Type>Sender</Type>");
    xml(
        status,
        format!(
            "<ErrorResponse xmlns=\"{NAMESPACE}\">{error}<RequestId>{}</RequestId></ErrorResponse>",
            uuid()
        ),
    )
}

fn xml(status: StatusCode, body: String) -> Response {
    (status, [(header::CONTENT_TYPE, "text/xml")], body).into_response()
}
