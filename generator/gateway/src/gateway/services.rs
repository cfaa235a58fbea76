//! The services that integrations of the type `AWS` reach: DynamoDB, and services that do not run here.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{Request, StatusCode, header};
use http_body_util::BodyExt;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use serde_json::json;
use stackgen_gateway_common::services::{CallService, ServiceCall, ServiceError};
use stackgen_gateway_common::{ArnScope, RoleStore};

use super::permissions;
use crate::outbound::errors::WireProtocol;
use crate::outbound::{OtherServices, actions};

/// The tables of the gateway and other services, for roles of the stack.
pub(super) struct LocalServices {
    pub(super) tables: Router,
    pub(super) others: Arc<OtherServices>,
    pub(super) roles: Arc<RoleStore>,
    pub(super) scope: ArnScope,
}

impl CallService for LocalServices {
    fn call(
        &self,
        call: ServiceCall,
    ) -> BoxFuture<'_, Result<http::Response<Bytes>, ServiceError>> {
        Box::pin(async move {
            let request = actions::request(&call, &self.scope)?;
            let runs_here = call.service == "dynamodb";
            if !runs_here && self.others.url().is_none() {
                let service = call.service;
                return Err(match self.others.account() {
                    Some(_) => ServiceError::NotSent { service },
                    None => ServiceError::NotSupported { service },
                });
            }
            if let Err(reason) = self.check(&call) {
                return read(&call.service, denied(&call.service, request, &reason)).await;
            }
            if runs_here {
                return read(&call.service, self.call_tables(request).await).await;
            }
            self.others.send(&call.service, request).await
        })
    }
}

impl LocalServices {
    async fn call_tables(&self, request: Request<Bytes>) -> Response {
        let mut request = request.map(Body::from);
        let host = header::HeaderValue::from_static("dynamodb");
        request.headers_mut().insert(header::HOST, host);
        let answer: Result<Response, Infallible> = TowerToHyperService::new(self.tables.clone())
            .call(request)
            .await;
        answer.unwrap_or_else(|never| match never {})
    }

    /// Checks that the role allows the action on the resources that the request names.
    fn check(&self, call: &ServiceCall) -> Result<(), String> {
        let Some((action, arns)) = permissions::needed(call, &self.scope) else {
            return Ok(());
        };
        let mut arns = arns.iter();
        arns.try_for_each(|arn| self.roles.check(&call.role, &action, arn))
    }
}

/// Returns the answer of a service to a role without the permission.
fn denied(service: &str, request: Request<Bytes>, reason: &str) -> Response {
    let (head, _) = request.into_parts();
    match WireProtocol::of(service, &head) {
        WireProtocol::Json => {
            let error = json!({
                "__type": "com.amazon.coral.service#AccessDeniedException",
                "Message": reason,
            });
            let mut response = Response::new(Body::from(error.to_string()));
            *response.status_mut() = StatusCode::BAD_REQUEST;
            response
        }
        protocol => protocol.error(StatusCode::FORBIDDEN, "AccessDenied", reason),
    }
}

/// Reads the whole response of a service.
async fn read(service: &str, response: Response) -> Result<http::Response<Bytes>, ServiceError> {
    let (head, body) = response.into_parts();
    let body = body.collect().await;
    let body = body.map_err(|error| ServiceError::Unreachable {
        service: service.to_owned(),
        reason: error.to_string(),
    })?;
    Ok(http::Response::from_parts(head, body.to_bytes()))
}
