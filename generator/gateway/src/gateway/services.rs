//! The services that integrations of the type `AWS` reach: DynamoDB.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, header};
use axum::response::Response;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use http_body_util::BodyExt;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use serde_json::{Value, json};
use stackgen_gateway_common::services::{CallService, ServiceAnswer, ServiceCall, ServiceError};
use stackgen_gateway_common::{ArnScope, RoleStore};

/// The tables of the gateway, for roles of the stack.
pub(super) struct LocalServices {
    pub(super) tables: Router,
    pub(super) roles: Arc<RoleStore>,
    pub(super) scope: ArnScope,
}

impl CallService for LocalServices {
    fn call(&self, call: ServiceCall) -> BoxFuture<'_, Result<ServiceAnswer, ServiceError>> {
        Box::pin(async move {
            match call.service.as_str() {
                "dynamodb" => self.call_tables(call).await,
                _ => Err(ServiceError::NotRun {
                    service: call.service,
                }),
            }
        })
    }
}

impl LocalServices {
    async fn call_tables(&self, call: ServiceCall) -> Result<ServiceAnswer, ServiceError> {
        if let Err(reason) = self.check(&call) {
            let error = json!({
                "__type": "com.amazon.coral.service#AccessDeniedException",
                "Message": reason,
            });
            return Ok(ServiceAnswer {
                status: 400,
                body: error.to_string().into(),
            });
        }
        let unreachable = |reason: String| ServiceError::Unreachable {
            service: "dynamodb".to_owned(),
            reason,
        };
        let scope = &self.scope;
        // Any credentials do: the role was checked.
        let credential = format!(
            "AWS4-HMAC-SHA256 Credential=gateway/20260101/{}/dynamodb/aws4_request, SignedHeaders=host, Signature=0",
            scope.region
        );
        let request = Request::post("/")
            .header(header::HOST, "dynamodb")
            .header(header::CONTENT_TYPE, "application/x-amz-json-1.0")
            .header(header::AUTHORIZATION, credential)
            .header("x-amz-date", "20260101T000000Z")
            .header("x-amz-target", format!("DynamoDB_20120810.{}", call.action))
            .body(Body::from(call.body));
        let request = request.map_err(|error| unreachable(error.to_string()))?;
        let answer: Result<Response, Infallible> = TowerToHyperService::new(self.tables.clone())
            .call(request)
            .await;
        let answer = answer.unwrap_or_else(|never| match never {});
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await;
        let body = body.map_err(|error| unreachable(error.to_string()))?;
        Ok(ServiceAnswer {
            status,
            body: body.to_bytes(),
        })
    }

    /// Checks that the role allows the action on the tables that the request names.
    fn check(&self, call: &ServiceCall) -> Result<(), String> {
        let action = format!("dynamodb:{}", call.action);
        let tables = tables(&call.body);
        let all = match tables.is_empty() {
            true => vec!["*".to_owned()],
            false => tables,
        };
        for table in all {
            let scope = &self.scope;
            let arn = format!(
                "arn:{}:dynamodb:{}:{}:table/{table}",
                scope.partition, scope.region, scope.account
            );
            self.roles.check(&call.role, &action, &arn)?;
        }
        Ok(())
    }
}

/// Returns the names of the tables in a request: `TableName`, or the keys of `RequestItems`.
fn tables(body: &Bytes) -> Vec<String> {
    let Ok(request) = serde_json::from_slice::<Value>(body) else {
        return Vec::new();
    };
    if let Some(name) = request["TableName"].as_str() {
        return vec![name.to_owned()];
    }
    let items = request["RequestItems"].as_object();
    items.map_or_else(Vec::new, |items| items.keys().cloned().collect())
}
