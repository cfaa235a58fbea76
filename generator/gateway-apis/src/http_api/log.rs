//! Access log of a request (row L1).

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::Response;
use stackgen_gateway_common::RouteKey;

use super::HttpApi;
use super::authorization::RequestAuthorization;
use super::integration::IntegrationOutcome;
use super::refusal::HttpRefusal;
use super::request::HttpRequest;
use crate::access_log;
use crate::apis::{ServedStage, StoredStage};

/// Data that was collected while a request was answered.
#[derive(Debug, Default)]
pub(super) struct RequestOutcome {
    pub(super) request: Option<HttpRequest>,
    pub(super) served: Option<Arc<ServedStage>>,
    pub(super) route: Option<RouteKey>,
    pub(super) authorized: RequestAuthorization,
    pub(super) integration: IntegrationOutcome,
    pub(super) refused: Option<HttpRefusal>,
}

impl RequestOutcome {
    pub(super) fn write_access_log(
        &self,
        api: &HttpApi,
        stage: &StoredStage,
        request: &HttpRequest,
        response: &Response<Bytes>,
        started: Instant,
    ) {
        let settings = stage.access_log_settings.as_ref();
        let source = (&api.api, &stage.stage_name);
        let message = self.refused.as_ref().map(|refusal| refusal.message);
        let millis = || started.elapsed().as_millis().to_string();
        access_log::write(settings, &*api.plane.logs, source, request.at, |name| {
            Some(match name {
                "status" => response.status().as_str().to_owned().into(),
                "responseLength" => response.body().len().to_string().into(),
                "responseLatency" => millis().into(),
                "dataProcessed" => (request.body.len() + response.body().len())
                    .to_string()
                    .into(),
                "error.message" => message?.into(),
                "error.messageString" => format!("{:?}", message?).into(),
                "error.responseType" => response_type(self.refused.as_ref()?).into(),
                "authorizer.error" => {
                    let refusal = self.refused.as_ref().filter(|one| one.from_authorizer)?;
                    refusal.reason.clone().into()
                }
                "integrationErrorMessage" | "integration.error" => {
                    let refusal = self.refused.as_ref().filter(|one| !one.from_authorizer)?;
                    self.integration.latency?;
                    refusal.reason.clone().into()
                }
                "integrationLatency" | "integration.latency" => {
                    self.integration.latency?.as_millis().to_string().into()
                }
                "integration.status" => self.integration.status?.to_string().into(),
                "integrationStatus" | "integration.integrationStatus" => {
                    self.integration.request_id.as_ref().map(|_| "200")?.into()
                }
                "awsEndpointRequestId" | "integration.requestId" => {
                    self.integration.request_id.clone()?.into()
                }
                _ => match name.strip_prefix("authorizer.") {
                    Some(name) => self.authorized.variable(name)?.into(),
                    None => variable(api, stage, request, self.route.as_ref(), name)?,
                },
            })
        });
    }
}

fn response_type(refusal: &HttpRefusal) -> &'static str {
    match refusal.status.as_u16() {
        401 => "UNAUTHORIZED",
        403 => "ACCESS_DENIED",
        404 => "NOT_FOUND",
        413 => "REQUEST_TOO_LARGE",
        429 => "THROTTLED",
        503 => "INTEGRATION_TIMEOUT",
        _ => "INTERNAL_SERVER_ERROR",
    }
}

/// Returns the value of a `$context` variable that depends on the request only.
pub(super) fn variable<'a>(
    api: &'a HttpApi,
    stage: &'a StoredStage,
    request: &'a HttpRequest,
    route: Option<&'a RouteKey>,
    name: &str,
) -> Option<Cow<'a, str>> {
    Some(match name {
        "accountId" => api.plane.settings.scope.account.as_str().into(),
        "apiId" | "domainPrefix" => api.api.as_str().into(),
        "domainName" => request.domain.as_str().into(),
        "extendedRequestId" | "requestId" => request.id.as_str().into(),
        "httpMethod" => request.method.as_str().into(),
        "identity.sourceIp" => request.source_ip.to_string().into(),
        "identity.userAgent" => request.header("user-agent")?.into(),
        "path" => request.path.as_str().into(),
        "protocol" => request.protocol.as_str().into(),
        "requestTime" => request.at.request_time().into(),
        "requestTimeEpoch" => request.at.as_millis().to_string().into(),
        "routeKey" => route?.as_str().into(),
        "stage" => stage.stage_name.as_str().into(),
        _ => return None,
    })
}
