//! Calls of services in the user's account of AWS.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_LENGTH, HOST};
use http::request::Parts;
use http::{Request, Response, Uri, Version};
use stackgen_gateway_common::endpoints::{EndpointError, SendRequest};
use stackgen_gateway_common::{ArnScope, SignError, SignRequest};
use stackgen_gateway_lambda::functions::Functions;
use thiserror::Error;

use super::client::HttpClient;
use super::connection_headers::remove_connection_headers;
use super::services_url::ServicesUrl;
use super::verify::{SignatureError, VerifiedRequest, verify};

/// Access to the user's account, which the user confirmed.
#[derive(Clone, Debug)]
pub struct AccountAccess {
    /// Partition, region and ID of the account.
    pub scope: ArnScope,
    /// Signs requests with the user's credentials.
    pub signer: Arc<dyn SignRequest>,
    /// Endpoint in place of AWS's.
    pub endpoint: Option<ServicesUrl>,
}

/// Services that may be called, by their signing names, with the first label of their hosts.
///
/// Services that run in the gateway are not among them, nor any that manages identities or creates credentials.
const HOSTS: [HostPrefix; 26] = [
    host("appsync", "appsync"),
    host("athena", "athena"),
    host("bedrock", "bedrock-runtime"),
    host("codebuild", "codebuild"),
    host("comprehend", "comprehend"),
    host("ecs", "ecs"),
    host("events", "events"),
    host("firehose", "firehose"),
    host("geo", "geo"),
    host("glue", "glue"),
    host("kinesis", "kinesis"),
    host("kms", "kms"),
    host("mobiletargeting", "pinpoint"),
    host("monitoring", "monitoring"),
    host("polly", "polly"),
    host("rekognition", "rekognition"),
    host("s3", "s3"),
    host("scheduler", "scheduler"),
    host("secretsmanager", "secretsmanager"),
    host("ses", "email"),
    host("sns", "sns"),
    host("sqs", "sqs"),
    host("ssm", "ssm"),
    host("states", "states"),
    host("textract", "textract"),
    host("translate", "translate"),
];

struct HostPrefix {
    service: &'static str,
    prefix: &'static str,
}

const fn host(service: &'static str, prefix: &'static str) -> HostPrefix {
    HostPrefix { service, prefix }
}

/// Reason why a call did not get an answer of the account.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(super) enum AccountCallError {
    /// The request is not one of a function.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// The service is not called.
    #[error("the gateway does not call {0} there")]
    NotOffered(String),
    /// The request cannot be signed.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// The service cannot be reached.
    #[error(transparent)]
    Unreachable(#[from] EndpointError),
}

/// Calls of an account.
pub(super) struct AccountCalls {
    access: AccountAccess,
    client: Arc<HttpClient>,
    /// Functions whose requests are sent.
    functions: Arc<Functions>,
}

/// Without the functions, which have secrets.
impl fmt::Debug for AccountCalls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AccountCalls").field(&self.access).finish()
    }
}

impl AccountCalls {
    pub(super) fn new(
        access: AccountAccess,
        client: Arc<HttpClient>,
        functions: Arc<Functions>,
    ) -> Self {
        AccountCalls {
            access,
            client,
            functions,
        }
    }

    /// Describes the account.
    pub(super) fn description(&self) -> String {
        let ArnScope {
            account, region, ..
        } = &self.access.scope;
        format!("account {account} in {region}")
    }

    /// Verifies that a function sent a request, and returns the function and the service that it signed for.
    pub(super) fn verify(
        &self,
        head: &Parts,
        body: &[u8],
    ) -> Result<VerifiedRequest, AccountCallError> {
        let region = &self.access.scope.region;
        let secret_of = |key: &str| self.functions.secret_of(key);
        Ok(verify(head, body, region, SystemTime::now(), secret_of)?)
    }

    /// Signs a request for a service by its signing name. Headers of the old signature are removed.
    pub(super) async fn sign(
        &self,
        service: &str,
        request: Request<Bytes>,
    ) -> Result<Request<Bytes>, AccountCallError> {
        let uri = self.access.uri(service, request.uri())?;
        let (mut head, body) = request.into_parts();
        remove_connection_headers(&mut head.headers);
        let signature = ["x-amz-date", "x-amz-security-token", "x-amz-content-sha256"];
        for name in signature {
            head.headers.remove(name);
        }
        for name in [AUTHORIZATION, HOST, CONTENT_LENGTH] {
            head.headers.remove(name);
        }
        head.uri = uri;
        head.version = Version::HTTP_11;
        head.extensions.clear();
        let request = Request::from_parts(head, body);
        Ok(self.access.signer.sign(service, request).await?)
    }

    /// Sends a signed request.
    pub(super) async fn send(
        &self,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, AccountCallError> {
        let mut response = self.client.send(request).await?;
        remove_connection_headers(response.headers_mut());
        Ok(response)
    }
}

impl AccountAccess {
    /// Returns the absolute URI of a request. The host depends on the service and the region alone.
    fn uri(&self, service: &str, uri: &Uri) -> Result<Uri, AccountCallError> {
        let known = HOSTS.iter().find(|host| host.service == service);
        let not_offered = || AccountCallError::NotOffered(service.to_owned());
        let host = known.ok_or_else(not_offered)?;
        if let Some(endpoint) = &self.endpoint {
            return Ok(endpoint.join(uri.path_and_query()));
        }
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let uri = format!(
            "https://{}.{}.{}{path}",
            host.prefix,
            self.scope.region,
            self.scope.url_suffix()
        );
        uri.parse().map_err(|_| not_offered())
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::BoxFuture;

    use super::*;

    /// Never asked.
    #[derive(Debug)]
    struct NoSigner;

    impl SignRequest for NoSigner {
        fn sign<'a>(
            &'a self,
            _: &'a str,
            _: Request<Bytes>,
        ) -> BoxFuture<'a, Result<Request<Bytes>, SignError>> {
            Box::pin(async { Err(SignError("there are no credentials".to_owned())) })
        }
    }

    fn uri(endpoint: Option<&str>, service: &str, path: &str) -> String {
        let access = AccountAccess {
            scope: ArnScope {
                partition: "aws-cn".to_owned(),
                region: "cn-north-1".to_owned(),
                account: "111122223333".to_owned(),
            },
            signer: Arc::new(NoSigner),
            endpoint: endpoint.map(|url| url.parse().unwrap()),
        };
        match access.uri(service, &path.parse().unwrap()) {
            Ok(uri) => uri.to_string(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn the_host_depends_on_the_service_and_the_region_alone() {
        for (service, path, expected) in [
            ("sqs", "/", "https://sqs.cn-north-1.amazonaws.com.cn/"),
            (
                "ses",
                "/v2/email",
                "https://email.cn-north-1.amazonaws.com.cn/v2/email",
            ),
            (
                "s3",
                "/bucket/a%20b?x=1",
                "https://s3.cn-north-1.amazonaws.com.cn/bucket/a%20b?x=1",
            ),
            (
                "s3",
                "http://other.example/key",
                "https://s3.cn-north-1.amazonaws.com.cn/key",
            ),
        ] {
            assert_eq!(uri(None, service, path), expected);
        }
        let own = uri(Some("http://127.0.0.1:1"), "sqs", "/a?b=c");
        assert_eq!(own, "http://127.0.0.1:1/a?b=c");
    }

    #[test]
    fn services_that_run_here_or_manage_identities_are_not_called() {
        for service in [
            "iam",
            "sts",
            "dynamodb",
            "lambda",
            "logs",
            "apigateway",
            "execute-api",
            "sso",
            "cloudformation",
            "evil.example/",
        ] {
            for endpoint in [None, Some("http://127.0.0.1:1")] {
                let error = uri(endpoint, service, "/");
                assert_eq!(error, format!("the gateway does not call {service} there"));
            }
        }
    }
}
