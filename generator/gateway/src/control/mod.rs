//! Control plane: one endpoint for all AWS clients (`AWS_ENDPOINT_URL`), with the protocols of the services.
//!
//! A request goes to the service that it is signed for. A service that does not run here is answered by
//! [`OtherServices`](crate::outbound::OtherServices). Any credentials are accepted and signatures are not verified,
//! but a request must be signed. A web page can make a browser send plain requests to loopback, but not requests with
//! an `Authorization` header: for those the browser sends a preflight request first, which is refused.

pub mod iam;
pub mod logs;
pub mod sts;

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use stackgen_gateway_apis::server::{NamedAwsHost, is_loopback};
use stackgen_gateway_common::sigv4::credential;
use stackgen_gateway_common::{AwsHost, Grants, refuse, request_id};

use crate::identity::{Issuer, is_own_origin};
use crate::outbound::OtherServices;
use crate::outbound::actions::TARGET;
use crate::outbound::errors::WireProtocol;

/// Path of the token issuer.
pub(crate) const ISSUER_PATH: &str = "/_stackgen/issuer";

/// Routes of each service, and all other services. A service without routes answers that it is not available.
#[derive(Clone, Default)]
pub struct ServiceRouters {
    /// API Gateway v2: [`routes`](stackgen_gateway_apis::control::routes).
    pub apigatewayv2: Router,
    /// Lambda: [`routes`](stackgen_gateway_lambda::control::routes).
    pub lambda: Router,
    /// CloudWatch Logs: [`logs::routes`].
    pub logs: Router,
    /// DynamoDB.
    pub dynamodb: Router,
    /// EventBridge: the event buses of the stack. Without routes, it is one of the other services.
    pub events: Option<Router>,
    /// SNS: the topics of the stack with functions.
    pub sns: Option<Router>,
    /// Identity pools of Cognito: those of the stack.
    pub identity_pools: Option<Router>,
    /// Users of user pools: [`Issuer::users_routes`](crate::identity::Issuer::users_routes).
    pub users: Option<Router>,
    /// IAM: [`iam::routes`].
    pub iam: Router,
    /// STS: [`sts::routes`].
    pub sts: Router,
    /// Management API: [`misdirected`](stackgen_gateway_apis::management::misdirected), because each stage has its own endpoint for it.
    pub management: Router,
    /// Keys of user pools: [`Issuer::user_pools`](crate::identity::Issuer::user_pools). They need no signature.
    pub user_pools: Router,
    /// Private routes under `/_stackgen/`. They need no signature. Their `Origin` is checked to keep out web pages; a
    /// GET request may lack it, so a GET must not change anything.
    pub private: Router,
    /// Services that do not run here.
    pub others: Arc<OtherServices>,
    /// Access keys that may have expired. Without them, none has.
    pub grants: Option<Arc<dyn Grants>>,
}

/// Returns a router that dispatches to the services.
pub fn routes(services: ServiceRouters) -> Router {
    let services = Arc::new(services);
    Router::new().fallback(move |request: Request| dispatch(services.clone(), request))
}

async fn dispatch(services: Arc<ServiceRouters>, mut request: Request) -> Response {
    move_bucket_into_path(&mut request);
    if !is_local(request.uri().path(), request.headers()) {
        return refuse(
            StatusCode::FORBIDDEN,
            "AccessDeniedException",
            "The control endpoint only serves this machine: the Host or Origin header names another one",
        );
    }
    if services.changes_functions(&request) {
        return refuse(
            StatusCode::FORBIDDEN,
            "AccessDeniedException",
            "With `stackgen dev --aws`, functions change only through their files, because their code can use the account",
        );
    }
    let (head, body) = request.into_parts();
    if let Some(refusal) = services.refuse_expired(&head) {
        return refusal;
    }
    let request = Request::from_parts(head, body);
    let mut response = match services.of(&request) {
        Some(Destination::Local(router)) => {
            let answer: Result<Response, Infallible> =
                TowerToHyperService::new(router.clone()).call(request).await;
            answer.unwrap_or_else(|never| match never {})
        }
        Some(Destination::Other(service)) => services.others.answer(&service, request).await,
        None => return unsigned(&request),
    };
    let headers = response.headers_mut();
    if !headers.contains_key(REQUEST_ID) {
        // The ID is base64, a valid header value.
        let id = request_id().parse().expect("base64 is visible ASCII");
        headers.insert(REQUEST_ID, id);
    }
    response
}

/// Returns the refusal of a request without a signature. It names the host of AWS that a function called.
fn unsigned(request: &Request) -> Response {
    let named = match request.extensions().get() {
        Some(NamedAwsHost(host)) => {
            format!(", also those to {host}, which lead to the local gateway in functions")
        }
        None => String::new(),
    };
    let message = format!(
        "Missing Authentication Token: requests must be signed, with any credentials{named}"
    );
    let code = "MissingAuthenticationTokenException";
    refuse(StatusCode::FORBIDDEN, code, &message)
}

const REQUEST_ID: &str = "x-amzn-requestid";

/// Destination of a request.
enum Destination<'a> {
    /// A service of the gateway.
    Local(&'a Router),
    /// A service that does not run here.
    Other(String),
}

impl ServiceRouters {
    /// Returns true for a request that could make a function run other code, while functions may call the user's account. The
    /// control endpoint verifies no signature, so anyone on this machine could send it.
    fn changes_functions(&self, request: &Request) -> bool {
        let is_lambda = || {
            let caller = credential(request.headers(), request.uri());
            caller.is_some_and(|caller| caller.service == "lambda")
        };
        let reads = request.method() == http::Method::GET;
        let invokes = request.method() == http::Method::POST
            && request.uri().path().ends_with("/invocations");
        self.others.account().is_some() && !reads && !invokes && is_lambda()
    }

    /// Returns the refusal of a request that was signed with expired credentials.
    fn refuse_expired(&self, head: &Parts) -> Option<Response> {
        let caller = credential(&head.headers, &head.uri)?;
        if !self.grants.as_ref()?.has_expired(&caller.access_key) {
            return None;
        }
        let message = "The security token included in the request is expired";
        let protocol = WireProtocol::of(&caller.service, head);
        Some(protocol.error(StatusCode::FORBIDDEN, "ExpiredTokenException", message))
    }

    fn of(&self, request: &Request) -> Option<Destination<'_>> {
        if request.uri().path().starts_with("/_stackgen/") {
            return Some(Destination::Local(&self.private));
        }
        if request.uri().path().contains(Issuer::WELL_KNOWN) {
            return Some(Destination::Local(&self.user_pools));
        }
        let service = match credential(request.headers(), request.uri()) {
            Some(credential) => credential.service,
            None => unsigned_service(request.headers())?.to_owned(),
        };
        let own = match service.as_str() {
            "cognito-identity" => self.identity_pools.as_ref(),
            "cognito-idp" => self.users.as_ref(),
            "events" => self.events.as_ref(),
            "sns" => self.sns.as_ref(),
            _ => None,
        };
        if let Some(router) = own {
            return Some(Destination::Local(router));
        }
        Some(Destination::Local(match service.as_str() {
            "apigateway" => &self.apigatewayv2,
            "lambda" => &self.lambda,
            "logs" => &self.logs,
            "dynamodb" => &self.dynamodb,
            "iam" => &self.iam,
            "sts" => &self.sts,
            "execute-api" => &self.management,
            _ => return Some(Destination::Other(service)),
        }))
    }
}

/// Returns the service of a request that clients do not sign: Cognito's operations for users who have no credentials yet. A
/// web page cannot send their header without a preflight request.
fn unsigned_service(headers: &HeaderMap) -> Option<&'static str> {
    let (service, _) = headers.get(TARGET)?.to_str().ok()?.split_once('.')?;
    match service {
        "AWSCognitoIdentityService" => Some("cognito-identity"),
        "AWSCognitoIdentityProviderService" => Some("cognito-idp"),
        _ => None,
    }
}

/// Moves the bucket of an S3 request from its host into its path: the host is replaced on the way to the service.
fn move_bucket_into_path(request: &mut Request) {
    let Some(NamedAwsHost(host)) = request.extensions().get() else {
        return;
    };
    let Some(bucket) = bucket_of(host) else {
        return;
    };
    let path = request.uri().path_and_query();
    let path = path.map_or("/", http::uri::PathAndQuery::as_str);
    if let Ok(uri) = format!("/{bucket}{path}").parse() {
        *request.uri_mut() = uri;
    }
}

/// Returns the bucket of `{bucket}.s3.{region}.amazonaws.com` and of S3's other hosts for buckets. Hosts of access points and of
/// S3's other APIs begin with something else than a bucket.
fn bucket_of(host: &str) -> Option<&str> {
    let AwsHost::Service(name) = AwsHost::parse(host)? else {
        return None;
    };
    let (bucket, endpoint) = name.rsplit_once(".s3")?;
    let has_bucket = match endpoint.strip_prefix('-') {
        None => endpoint.is_empty() || endpoint.starts_with('.'),
        Some(kind) => {
            let (kind, region) = kind.split_once('.').unwrap_or((kind, ""));
            // Before the region, S3's older hosts have a hyphen: `s3-eu-west-1`.
            ["accelerate", "fips"].contains(&kind)
                || region.is_empty() && !kind.starts_with("website")
        }
    };
    (has_bucket && !endpoint.ends_with(".vpce")).then_some(bucket)
}

/// Returns false for a request of a foreign web page, and for one that reached loopback by a foreign name (DNS
/// rebinding). The issuer checks web pages itself: the stack's own may use it.
fn is_local(path: &str, headers: &HeaderMap) -> bool {
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    let is_own = |origin: &HeaderValue| is_own_origin(origin, headers);
    let issuers = path
        .strip_prefix(ISSUER_PATH)
        .is_some_and(|rest| rest.starts_with('/'));
    host.is_some_and(is_loopback) && (issuers || headers.get(header::ORIGIN).is_none_or(is_own))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_hosts_of_buckets_begin_with_a_bucket() {
        for (name, bucket) in [
            ("photos.s3.us-east-1", Some("photos")),
            ("photos.s3", Some("photos")),
            ("a.s3.b.s3.us-east-1", Some("a.s3.b")),
            ("photos.s3-eu-west-1", Some("photos")),
            ("photos.s3.dualstack.us-east-1", Some("photos")),
            ("photos.s3-accelerate", Some("photos")),
            ("photos.s3-accelerate.dualstack", Some("photos")),
            ("photos.s3-fips.us-east-1", Some("photos")),
            ("s3.us-east-1", None),
            ("s3", None),
            ("000000000000.s3-control.us-east-1", None),
            ("000000000000.s3-control.dualstack.us-east-1", None),
            ("point-000000000000.s3-accesspoint.us-east-1", None),
            ("point-000000000000.s3-object-lambda.us-east-1", None),
            ("point-000000000000.op-1.s3-outposts.us-east-1", None),
            ("photos.s3-website-us-east-1", None),
            ("photos.bucket.vpce-1.s3.us-east-1.vpce", None),
            ("sqs.us-east-1", None),
        ] {
            assert_eq!(
                bucket_of(&format!("{name}.amazonaws.com")),
                bucket,
                "{name}"
            );
        }
    }

    #[test]
    fn only_names_of_this_machine_are_local_also_with_the_prefix_of_an_operation() {
        for (host, expected) in [
            ("127.0.0.1:4510", true),
            ("sync-127.0.0.1:4510", true),
            ("111122223333.127.0.0.1:4510", true),
            ("sync-127.0.0.1.example.com", false),
            ("example.com", false),
        ] {
            let host = HeaderValue::from_static(host);
            let headers = HeaderMap::from_iter([(header::HOST, host.clone())]);
            assert_eq!(is_local("/", &headers), expected, "{host:?}");
        }
    }
}
