//! The services that integrations of the type `AWS` reach: DynamoDB.

use std::collections::BTreeMap;
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
                _ => Err(ServiceError::NotSupported {
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
                headers: BTreeMap::new(),
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
        let headers = answer.headers().iter();
        let headers = headers.filter_map(|(name, value)| {
            let value = value.to_str().ok()?;
            Some((name.to_string(), value.to_owned()))
        });
        let headers = headers.collect();
        let body = answer.into_body().collect().await;
        let body = body.map_err(|error| unreachable(error.to_string()))?;
        Ok(ServiceAnswer {
            status,
            headers,
            body: body.to_bytes(),
        })
    }

    /// Checks that the role allows the action on the tables and indexes that the request names.
    fn check(&self, call: &ServiceCall) -> Result<(), String> {
        let action = format!("dynamodb:{}", call.action);
        let mut resources = resources(&call.body);
        if resources.is_empty() {
            resources.push("*".to_owned());
        }
        for resource in resources {
            let arn = self
                .scope
                .resource("dynamodb", format_args!("table/{resource}"));
            self.roles.check(&call.role, &action, &arn)?;
        }
        Ok(())
    }
}

/// Returns the tables, or the index, that a request names: `TableName` with or without `IndexName`, the keys of
/// `RequestItems`, or those of `TransactItems`.
fn resources(body: &Bytes) -> Vec<String> {
    let Ok(request) = serde_json::from_slice::<Value>(body) else {
        return Vec::new();
    };
    // A table may be named by its ARN.
    let table = |name: &str| name.rsplit("table/").next().unwrap_or(name).to_owned();
    if let Some(name) = request["TableName"].as_str() {
        return vec![match request["IndexName"].as_str() {
            Some(index) => format!("{}/index/{index}", table(name)),
            None => table(name),
        }];
    }
    let batch = request["RequestItems"].as_object().into_iter();
    let batch = batch.flat_map(|items| items.keys()).map(|name| table(name));
    let transaction = request["TransactItems"].as_array().into_iter().flatten();
    let transaction = transaction
        .filter_map(Value::as_object)
        .flat_map(|item| item.values())
        .filter_map(|action| action["TableName"].as_str())
        .map(table);
    batch.chain(transaction).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_m23_the_tables_and_indexes_of_a_request_are_found() {
        let cases = [
            (r#"{"TableName":"notes"}"#, vec!["notes"]),
            (
                r#"{"TableName":"notes","IndexName":"by-user"}"#,
                vec!["notes/index/by-user"],
            ),
            (
                r#"{"TableName":"arn:aws:dynamodb:r:1:table/notes"}"#,
                vec!["notes"],
            ),
            (r#"{"RequestItems":{"a":[],"b":[]}}"#, vec!["a", "b"]),
            (
                r#"{"TransactItems":[{"Put":{"TableName":"a"}},{"ConditionCheck":{"TableName":"b"}}]}"#,
                vec!["a", "b"],
            ),
            (r#"{"Statement":"SELECT 1"}"#, vec![]),
            ("nothing", vec![]),
        ];
        for (body, expected) in cases {
            assert_eq!(resources(&Bytes::from(body)), expected, "{body}");
        }
    }
}
