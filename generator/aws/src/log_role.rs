//! The role by which API Gateway writes logs.
//!
//! `GetAccount` belongs to the first version of API Gateway's API, on the same endpoint. Its SDK is as large as that of the
//! second version, so the request goes through that one, with another path.

use std::sync::{Arc, Mutex, PoisonError};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::AfterDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use serde_json::Value;
use stackgen_deploy::AccountResult;
use stackgen_deploy::stack::GatewaySettings;

use crate::Aws;
use crate::operation::AwsOperation;
use crate::permissions::AwsCall;

/// Path of the operation that the SDK sends, and of the one that is meant.
const PATHS: (&str, &str) = ("/v2/domainnames", "/account");

/// Body of a response, which the SDK parses as that of another operation.
#[derive(Clone, Debug, Default)]
struct ResponseBody(Arc<Mutex<Vec<u8>>>);

impl Intercept for ResponseBody {
    fn name(&self) -> &'static str {
        "ResponseBody"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(bytes) = context.response().body().bytes() {
            let mut body = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            *body = bytes.to_vec();
        }
        Ok(())
    }
}

impl GatewaySettings for Aws {
    async fn log_role(&self) -> AccountResult<Option<String>> {
        let operation = AwsOperation::gateway(AwsCall::GetAccount, "/account");
        let body = ResponseBody::default();
        let request = self.gateway.get_domain_names().customize();
        let request = request.interceptor(body.clone()).mutate_request(|request| {
            let uri = request.uri().replacen(PATHS.0, PATHS.1, 1);
            // Cannot fail: only the path differs from a valid URI.
            let _ = request.set_uri(uri);
            request.headers_mut().insert("accept", "application/json");
        });
        operation.result(request.send().await)?;
        let body = body.0.lock().unwrap_or_else(PoisonError::into_inner);
        let account: Value = serde_json::from_slice(&body).map_err(|_| operation.lacks("JSON"))?;
        let role = account["cloudwatchRoleArn"].as_str();
        Ok(role.filter(|role| !role.is_empty()).map(str::to_owned))
    }
}
