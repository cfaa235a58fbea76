//! The management API (`@connections`), by which functions reach clients (rows K1 to K7), and the response to plain
//! HTTP requests to a WebSocket API (row C4).

mod path;
mod response;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::request::Parts;
use http::{Method, header};
use stackgen_gateway_common::{ApiId, ConnectionId, Event, FrameText, Grants, body, sigv4};

use self::path::PathTarget;
use self::response::ManagementResponse;
use crate::DataPlane;
use crate::connections::{OpenConnection, PostError};
use crate::server::NamesDefaultEndpoint;

/// Response to a path without a stage.
const WITHOUT_STAGE: &str = "Forbidden: the URL names no stage: give the client the endpoint \
                             https://{domainName}/{stage} of the event's requestContext, or map the root of a custom \
                             domain to a stage with an AWS::ApiGatewayV2::ApiMapping";

/// Returns a router for addresses that are not a stage's, such as the control endpoint. It answers as in row K5, with a
/// hint.
pub fn misdirected() -> Router {
    Router::new().fallback(|| async {
        let hint = "Forbidden: @connections is not at this address but at that of the stage: give the client the endpoint \
                    https://{domainName}/{stage} of the event's requestContext";
        ManagementResponse::Forbidden(hint.to_owned()).into_response()
    })
}

/// Returns a router for all requests to a WebSocket API that are not upgrades: `/{stage}/@connections/{id}`, and the
/// stage itself, which answers with 426.
pub fn router(api: ApiId, plane: Arc<DataPlane>, grants: Arc<dyn Grants>) -> Router {
    let management = ManagementApi { api, plane, grants };
    Router::new()
        .fallback(handle)
        .with_state(Arc::new(management))
}

struct ManagementApi {
    api: ApiId,
    plane: Arc<DataPlane>,
    grants: Arc<dyn Grants>,
}

async fn handle(State(management): State<Arc<ManagementApi>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let answer = match path::parse_target(parts.uri.path()) {
        Some(PathTarget::Connection { stage, .. } | PathTarget::Stage(stage))
            if management.is_disabled(&parts, &stage) =>
        {
            ManagementResponse::forbidden()
        }
        Some(PathTarget::Connection { stage, id }) if management.has_stage(&stage) => {
            management.manage(&parts, body, &stage, &id).await
        }
        Some(PathTarget::MappedConnection(id)) => match management.mapped_stage(&parts) {
            Some(stage) => management.manage(&parts, body, &stage, &id).await,
            None => management.refuse_without_stage(&parts.method, &id),
        },
        Some(PathTarget::Stage(stage))
            if parts.method == Method::GET && management.has_stage(&stage) =>
        {
            ManagementResponse::UpgradeRequired
        }
        _ => ManagementResponse::forbidden(),
    };
    answer.into_response()
}

impl ManagementApi {
    fn has_stage(&self, stage: &str) -> bool {
        self.plane.apis.served(&self.api, stage).is_some()
    }

    /// Returns the stage of a request without one. The port on loopback stands for a custom domain, whose root a template can
    /// map to a stage; the default endpoint always needs a stage.
    fn mapped_stage(&self, parts: &Parts) -> Option<String> {
        if parts.extensions.get::<NamesDefaultEndpoint>().is_some() {
            return None;
        }
        let stage = self.plane.apis.root_stage(&self.api)?;
        self.has_stage(stage.as_str()).then(|| stage.to_string())
    }

    /// Returns true if the request is for the default endpoint and the stage's deployment disables it (row D22).
    fn is_disabled(&self, parts: &Parts, stage: &str) -> bool {
        let served = self.plane.apis.served(&self.api, stage);
        let snapshot = served.as_deref().and_then(|it| it.snapshot.as_deref());
        parts.extensions.get::<NamesDefaultEndpoint>().is_some()
            && snapshot.is_some_and(|it| it.api.disable_execute_api_endpoint)
    }

    async fn manage(&self, parts: &Parts, body: Body, stage: &str, id: &str) -> ManagementResponse {
        let authorized = self.authorize(parts, stage);
        if parts.method != Method::POST {
            return authorized
                .and_then(|()| self.get_or_delete(&parts.method, stage, id))
                .unwrap_or_else(|refused| refused);
        }
        let (answer, bytes, text) = match authorized {
            Ok(()) => self.post(stage, id, body).await,
            Err(refused) => (refused, 0, None),
        };
        self.report(id, bytes, text.map(FrameText::new), &answer);
        answer
    }

    /// Refuses a request whose path has no stage, and reports a post.
    fn refuse_without_stage(&self, method: &Method, id: &str) -> ManagementResponse {
        let answer = ManagementResponse::Forbidden(WITHOUT_STAGE.to_owned());
        if method == Method::POST {
            self.report(id, 0, None, &answer);
        }
        answer
    }

    fn report(&self, id: &str, bytes: usize, body: Option<FrameText>, answer: &ManagementResponse) {
        self.plane.events.send(Event::Posted {
            connection: ConnectionId::new(id),
            bytes,
            body,
            status: answer.status().as_u16(),
            reason: answer.reason().map(str::to_owned),
        });
    }

    fn get_or_delete(
        &self,
        method: &Method,
        stage: &str,
        id: &str,
    ) -> Result<ManagementResponse, ManagementResponse> {
        match *method {
            Method::GET => Ok(ManagementResponse::Found(describe(&*self.find(stage, id)?))),
            Method::DELETE => {
                self.find(stage, id)?.delete().map_err(from_post_error)?;
                Ok(ManagementResponse::Deleted)
            }
            _ => Err(ManagementResponse::forbidden()),
        }
    }

    /// Checks that the caller may perform `execute-api:ManageConnections` on `{api}/{stage}/{method}/@connections/*`
    /// (row K1).
    fn authorize(&self, parts: &Parts, stage: &str) -> Result<(), ManagementResponse> {
        // Only browsers send `Origin`. Web pages must not use this API, and a query can be signed by anyone.
        if parts.headers.contains_key(header::ORIGIN) {
            return Err(ManagementResponse::forbidden());
        }
        let Some(caller) = sigv4::credential(&parts.headers, &parts.uri) else {
            return Err(ManagementResponse::Forbidden(
                "Missing Authentication Token".to_owned(),
            ));
        };
        // As on API Gateway: the braces are part of the resource's name, whatever the connection.
        let resource = self.plane.settings.scope.execute_api(format_args!(
            "{}/{stage}/{}/@connections/{{connectionId}}",
            self.api, parts.method
        ));
        let action = "execute-api:ManageConnections";
        if self.grants.allows(&caller.access_key, action, &resource) {
            return Ok(());
        }
        let scope = &self.plane.settings.scope;
        let role = self.grants.role_of(&caller.access_key);
        let user = scope.caller(role.as_deref());
        let resource = mask_account(&resource, &scope.account);
        Err(ManagementResponse::AccessDenied(format!(
            "User: {user} is not authorized to perform: {action} on resource: {resource}"
        )))
    }

    /// Posts a message. Returns the answer, the size of the message, and the message unless it is too large.
    async fn post(
        &self,
        stage: &str,
        id: &str,
        body: Body,
    ) -> (ManagementResponse, usize, Option<Bytes>) {
        let body = match body::read_all(body, self.plane.settings.limits.message).await {
            Ok(body) => body,
            Err(size) => return (ManagementResponse::PayloadTooLarge, size, None),
        };
        let (bytes, message) = (body.len(), text(body));
        let posted = self
            .find(stage, id)
            .and_then(|open| open.post(message.clone()).map_err(from_post_error));
        let answer = posted.map_or_else(|refused| refused, |()| ManagementResponse::Posted);
        (answer, bytes, Some(message))
    }

    /// Returns an open connection of this stage (rows K4, K5).
    fn find(&self, stage: &str, id: &str) -> Result<Arc<OpenConnection>, ManagementResponse> {
        if id.contains('%') {
            return Err(ManagementResponse::forbidden());
        }
        if !ConnectionId::new(id).is_well_formed() {
            return Err(ManagementResponse::InvalidConnectionId(id.to_owned()));
        }
        let open = self
            .plane
            .connections
            .get(id)
            .ok_or(ManagementResponse::Gone)?;
        if open.api == self.api && open.stage == stage {
            Ok(open)
        } else {
            Err(ManagementResponse::forbidden())
        }
    }
}

/// Masks the account of an ARN as API Gateway does: `********8512`.
fn mask_account(arn: &str, account: &str) -> String {
    let shown = account.get(account.len().saturating_sub(4)..);
    arn.replacen(
        account,
        &format!("********{}", shown.unwrap_or_default()),
        1,
    )
}

fn from_post_error(error: PostError) -> ManagementResponse {
    match error {
        PostError::Gone => ManagementResponse::Gone,
        PostError::Full => ManagementResponse::LimitExceeded,
    }
}

fn describe(open: &OpenConnection) -> response::ConnectionDescription {
    response::ConnectionDescription {
        connected_at: open.connected_at.iso8601(),
        identity: response::ConnectionIdentity {
            source_ip: open.source_ip.to_string(),
            user_agent: open.user_agent.clone(),
        },
        last_active_at: open.last_active_at().iso8601(),
    }
}

/// Converts a body to text, since API Gateway sends only text frames. Bytes that are not UTF-8 become `U+FFFD`.
fn text(body: Bytes) -> Bytes {
    match String::from_utf8_lossy(&body) {
        std::borrow::Cow::Borrowed(_) => body,
        std::borrow::Cow::Owned(replaced) => Bytes::from(replaced),
    }
}
