//! The services that integrations of the type `AWS` reach: DynamoDB, the event buses and topics of the stack, and services that
//! do not run here.

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
use crate::triggers::Triggers;

/// The tables of the gateway and other services, for roles of the stack.
pub(super) struct LocalServices {
    pub(super) tables: Router,
    pub(super) events: Router,
    pub(super) topics: Router,
    pub(super) triggers: Triggers,
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
            let local = self.local(&call.service, &request);
            if local.is_none() && self.others.url().is_none() {
                let service = call.service;
                return Err(match self.others.account() {
                    Some(_) => ServiceError::NotSent { service },
                    None => ServiceError::NotSupported { service },
                });
            }
            if let Err(reason) = self.check(&call) {
                return read(&call.service, denied(&call.service, request, &reason)).await;
            }
            if let Some(router) = local {
                return read(&call.service, send(router, &call.service, request).await).await;
            }
            self.others.send(&call.service, request).await
        })
    }
}

impl LocalServices {
    /// Returns the routes of a service that answers a request here.
    fn local(&self, service: &str, request: &Request<Bytes>) -> Option<&Router> {
        let target = request.headers().get(actions::TARGET);
        let target = target.and_then(|target| target.to_str().ok());
        match service {
            "dynamodb" => Some(&self.tables),
            "events" => {
                let takes = self
                    .triggers
                    .takes_events(target.unwrap_or_default(), request.body());
                takes.then_some(&self.events)
            }
            "sns" => {
                let (head, body) = request.clone().into_parts();
                self.triggers.topic_of(&head, &body).map(|_| &self.topics)
            }
            _ => None,
        }
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

/// Sends a request to a service that runs here.
async fn send(router: &Router, service: &str, request: Request<Bytes>) -> Response {
    let mut request = request.map(Body::from);
    if let Ok(host) = header::HeaderValue::try_from(service) {
        request.headers_mut().insert(header::HOST, host);
    }
    let answer: Result<Response, Infallible> =
        TowerToHyperService::new(router.clone()).call(request).await;
    answer.unwrap_or_else(|never| match never {})
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
