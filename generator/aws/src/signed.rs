//! Signed calls of services whose SDKs would cost more than the few operations are worth
//! (docs/decisions/0019-a-few-calls-without-their-sdks.md). They run in the SDK's own machinery: credentials, signature,
//! proxies, timeouts.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use aws_credential_types::provider::SharedCredentialsProvider;
use aws_runtime::auth::SigV4OperationSigningConfig;
use aws_runtime::auth::sigv4::{SCHEME_ID, SigV4AuthScheme};
use aws_smithy_runtime::client::identity::IdentityCache;
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime_api::client::auth::AuthSchemeOptionResolverParams;
use aws_smithy_runtime_api::client::auth::SharedAuthScheme;
use aws_smithy_runtime_api::client::auth::static_resolver::StaticAuthSchemeOptionResolver;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponentsBuilder;
use aws_smithy_runtime_api::client::runtime_plugin::StaticRuntimePlugin;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::Layer;
use aws_smithy_types::error::metadata::{ErrorMetadata, ProvideErrorMetadata};
use aws_types::SigningName;
use aws_types::region::SigningRegion;
use serde_json::Value;
use stackgen_deploy::AccountResult;

use crate::Aws;
use crate::operation::AwsOperation;
use crate::permissions::AwsCall;
use crate::signing_credentials::CachedCredentials;

/// A service without an SDK here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SignedService {
    ApiGateway,
    CloudTrail,
    CloudWatch,
    Cognito,
    DynamoDb,
    Ec2,
    ExecuteApi,
    Iam,
    Route53,
    ServiceQuotas,
}

impl SignedService {
    /// Returns the name in signatures.
    fn signing_name(self) -> &'static str {
        match self {
            SignedService::ApiGateway => "apigateway",
            SignedService::CloudTrail => "cloudtrail",
            SignedService::CloudWatch => "monitoring",
            SignedService::Cognito => "cognito-idp",
            SignedService::DynamoDb => "dynamodb",
            SignedService::Ec2 => "ec2",
            SignedService::ExecuteApi => "execute-api",
            SignedService::Iam => "iam",
            SignedService::Route53 => "route53",
            SignedService::ServiceQuotas => "servicequotas",
        }
    }

    /// Returns the endpoint in a region, and the region in signatures. IAM and Route 53 have one
    /// endpoint in each partition.
    fn endpoint(self, region: &str) -> (String, String) {
        let (suffix, global, of_partition) = match region {
            china if china.starts_with("cn-") => ("amazonaws.com.cn", "cn-north-1", ".cn-north-1"),
            gov if gov.starts_with("us-gov-") => ("amazonaws.com", "us-gov-west-1", ".us-gov"),
            _ => ("amazonaws.com", "us-east-1", ""),
        };
        match self {
            SignedService::Iam => (
                format!("https://iam{of_partition}.{suffix}"),
                global.to_owned(),
            ),
            SignedService::Route53 if region.starts_with("cn-") => (
                format!("https://route53.{suffix}"),
                "cn-northwest-1".to_owned(),
            ),
            SignedService::Route53 => (
                format!("https://route53{of_partition}.{suffix}"),
                global.to_owned(),
            ),
            other => (
                format!("https://{}.{region}.{suffix}", other.signing_name()),
                region.to_owned(),
            ),
        }
    }
}

/// A request to a service.
#[derive(Clone, Debug)]
pub(crate) struct SignedRequest {
    method: &'static str,
    /// Endpoint, if it is not the service's.
    endpoint: Option<String>,
    path: String,
    headers: Vec<(&'static str, String)>,
    body: String,
}

impl SignedRequest {
    /// A request in the JSON protocol.
    pub(crate) fn json(target: &str, version: &str, body: &Value) -> Self {
        SignedRequest {
            method: "POST",
            endpoint: None,
            path: "/".to_owned(),
            headers: vec![
                ("content-type", format!("application/x-amz-json-{version}")),
                ("x-amz-target", target.to_owned()),
            ],
            body: body.to_string(),
        }
    }

    /// A request in the Query protocol.
    pub(crate) fn query(version: &str, action: &str, parameters: &[(String, String)]) -> Self {
        let all = [("Action", action), ("Version", version)].into_iter();
        let rest = parameters
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        let pairs: Vec<_> = all
            .chain(rest)
            .map(|(name, value)| format!("{}={}", encoded(name), encoded(value)))
            .collect();
        SignedRequest {
            method: "POST",
            endpoint: None,
            path: "/".to_owned(),
            headers: vec![(
                "content-type",
                "application/x-www-form-urlencoded".to_owned(),
            )],
            body: pairs.join("&"),
        }
    }

    /// A request in the REST protocol.
    pub(crate) fn rest(method: &'static str, path: String, body: String) -> Self {
        SignedRequest {
            method,
            endpoint: None,
            path,
            headers: vec![
                ("accept", "application/json".to_owned()),
                ("content-type", "application/json".to_owned()),
            ],
            body,
        }
    }

    /// Sends the request to another endpoint than the service's.
    pub(crate) fn to(mut self, endpoint: String) -> Self {
        self.endpoint = Some(endpoint);
        self
    }

    fn http(&self) -> Result<HttpRequest, aws_smithy_runtime_api::box_error::BoxError> {
        let mut request = http::Request::builder().method(self.method).uri(&self.path);
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        let body = SdkBody::from(self.body.clone());
        Ok(HttpRequest::try_from(request.body(body)?)?)
    }
}

/// Encodes a text for a path or a form.
pub(crate) fn encoded(text: &str) -> String {
    const UNRESERVED: &percent_encoding::AsciiSet = &percent_encoding::NON_ALPHANUMERIC
        .remove(b'-')
        .remove(b'.')
        .remove(b'_')
        .remove(b'~');
    percent_encoding::utf8_percent_encode(text, UNRESERVED).to_string()
}

/// Returns the texts of all elements with a name in an answer in XML; `None` if it is not XML.
pub(crate) fn texts(answer: &str, element: &str) -> Option<Vec<String>> {
    let document = roxmltree::Document::parse(answer).ok()?;
    Some(
        element_texts(&document, element)
            .map(str::to_owned)
            .collect(),
    )
}

/// Returns the texts of all elements with a name.
pub(crate) fn element_texts<'d>(
    document: &'d roxmltree::Document<'_>,
    element: &str,
) -> impl Iterator<Item = &'d str> {
    let nodes = document.descendants();
    let named = nodes.filter(move |node| node.tag_name().name() == element);
    named.filter_map(|node| node.text())
}

/// Error answer of a service.
#[derive(Debug)]
pub(crate) struct SignedCallError(ErrorMetadata);

impl fmt::Display for SignedCallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for SignedCallError {}

impl ProvideErrorMetadata for SignedCallError {
    fn meta(&self) -> &ErrorMetadata {
        &self.0
    }
}

impl SignedCallError {
    /// Reads code and message of an answer: JSON, or XML of any of the Query protocols.
    fn parse(response: &HttpResponse, body: &str) -> Self {
        let (mut code, mut message) = (None, None);
        if let Ok(json) = serde_json::from_str::<Value>(body) {
            let text = |name: &str| json.get(name).and_then(Value::as_str).map(str::to_owned);
            code = text("__type").or_else(|| text("code"));
            message = text("message").or_else(|| text("Message"));
        } else if let Ok(document) = roxmltree::Document::parse(body) {
            let text = |name: &str| {
                let mut all = document.descendants();
                let found = all.find(|node| node.tag_name().name() == name)?;
                found.text().map(str::to_owned)
            };
            code = text("Code");
            message = text("Message");
        }
        let header = response
            .headers()
            .get("x-amzn-errortype")
            .map(str::to_owned);
        let code = code.or(header);
        let mut metadata = ErrorMetadata::builder();
        if let Some(code) = &code {
            // `com.amazonaws.dynamodb.v20120810#ResourceNotFoundException`, or with a URL after a colon.
            let code = code.rsplit('#').next().unwrap_or(code);
            metadata = metadata.code(code.split(':').next().unwrap_or(code));
        }
        if let Some(message) = message {
            metadata = metadata.message(message);
        }
        SignedCallError(metadata.build())
    }
}

impl Aws {
    /// Sends a request once, and returns the body of the answer.
    pub(crate) async fn send_signed(
        &self,
        service: SignedService,
        call: AwsCall,
        operation: &AwsOperation,
        request: SignedRequest,
    ) -> AccountResult<String> {
        let (endpoint, region) = service.endpoint(&self.region);
        let endpoint = request
            .endpoint
            .clone()
            .or_else(|| self.endpoint_url.clone())
            .unwrap_or(endpoint);
        let mut builder = Operation::builder()
            .service_name(service.signing_name())
            .operation_name(call.name())
            .behavior_version(
                aws_smithy_runtime_api::client::behavior_version::BehaviorVersion::latest(),
            )
            .endpoint_url(&endpoint)
            .no_retry();
        if let Some(client) = self.config.http_client() {
            builder = builder.http_client(client);
        }
        if let Some(timeouts) = self.config.timeout_config() {
            builder = builder.timeout_config(timeouts.clone());
        }
        if let Some(sleep) = self.config.sleep_impl() {
            builder = builder.sleep_impl(sleep);
        }
        if let Some(time) = self.config.time_source() {
            builder = builder.time_source(time);
        }
        let prepared = builder
            .runtime_plugin(self.signature(service, region))
            .serializer(|request: SignedRequest| request.http())
            .deserializer(|response: &HttpResponse| {
                let body = String::from_utf8_lossy(response.body().bytes().unwrap_or_default())
                    .into_owned();
                match response.status().is_success() {
                    true => Ok(body),
                    false => Err(OrchestratorError::operation(SignedCallError::parse(
                        response, &body,
                    ))),
                }
            })
            .build();
        operation.result(prepared.invoke(request).await)
    }

    fn signature(&self, service: SignedService, region: String) -> StaticRuntimePlugin {
        let mut layer = Layer::new("signature");
        layer.store_put(AuthSchemeOptionResolverParams::new(()));
        layer.store_put(SigV4OperationSigningConfig {
            region: Some(SigningRegion::from(aws_types::region::Region::new(region))),
            name: Some(SigningName::from(service.signing_name())),
            ..SigV4OperationSigningConfig::default()
        });
        let mut components = RuntimeComponentsBuilder::new("signature")
            .with_auth_scheme(SharedAuthScheme::new(SigV4AuthScheme::new()))
            .with_auth_scheme_option_resolver(Some(StaticAuthSchemeOptionResolver::new(vec![
                SCHEME_ID,
            ])))
            .with_identity_cache(Some(IdentityCache::no_cache()));
        // Without a cache of its own, every call would assume roles again.
        let credentials = CachedCredentials(Arc::clone(&self.signing));
        let credentials = SharedCredentialsProvider::new(credentials);
        components.set_identity_resolver(SCHEME_ID, credentials);
        StaticRuntimePlugin::new()
            .with_config(layer.freeze())
            .with_runtime_components(components)
    }
}
