//! Decision on a handshake: stage, throttling, API key, authorizer, parameters, `$connect`.

use std::time::{Instant, SystemTime};

use serde_json::Value;
use stackgen_gateway_common::{
    AuthorizerRecord, FailureEvidence, FederatedCaller, FunctionCall, RouteKey, sigv4,
};

use super::WebSocketApi;
use super::answer::IntegrationAnswer;
use super::authorizer;
use super::call_trace::CallTrace;
use super::client::Client;
use super::integration::IntegrationCall;
use super::payloads::{self, EventType, RequestContext, RequestStamp};
use super::principal::Principal;
use super::proxy_response::ProxyResponse;
use super::refusal::WebSocketRefusal;
use super::request::HandshakeRequest;
use crate::apis::{ServedStage, Snapshot, StoredRoute};

/// Header by which an integration selects a subprotocol (row C9).
const PROTOCOL: &str = "Sec-WebSocket-Protocol";

/// Outcome of a handshake.
pub(super) struct HandshakeDecision {
    /// Data for events and records.
    pub(super) trace: HandshakeTrace,
    /// Answer to the client.
    pub(super) answer: Result<AcceptedHandshake, WebSocketRefusal>,
}

/// Data that was collected while the handshake was decided.
#[derive(Default)]
pub(super) struct HandshakeTrace {
    /// Principal, if an authorizer returned one.
    pub(super) principal: Option<Principal>,
    /// Identity of Cognito that signed the handshake, if the route requires a signature.
    pub(super) federated: Option<FederatedCaller>,
    /// Decision of the authorizer.
    pub(super) authorizer: Option<AuthorizerRecord>,
    /// True if the snapshot has a `$connect` route.
    pub(super) has_route: bool,
    /// Function of `$connect`, if it was called.
    pub(super) function: Option<String>,
    /// Call of that function, if it answered.
    pub(super) call: Option<FunctionCall>,
}

/// Caller of an authorized handshake.
#[derive(Default)]
struct AuthorizedCaller {
    /// Principal, if an authorizer returned one.
    principal: Option<Principal>,
    /// Identity of Cognito, if its credentials signed the handshake.
    federated: Option<FederatedCaller>,
}

/// An accepted handshake.
pub(super) struct AcceptedHandshake {
    /// Value of `Sec-WebSocket-Accept`.
    key: String,
    /// Subprotocol that the integration selected (rows C9, C10).
    pub(super) protocol: Option<String>,
}

/// Decides on a handshake. The client is connected (row C1) and can be found (row C11) only afterwards.
pub(super) async fn decide(
    api: &WebSocketApi,
    served: Option<&ServedStage>,
    request: &HandshakeRequest,
    client: &Client,
    stamp: &RequestStamp,
) -> HandshakeDecision {
    let mut trace = HandshakeTrace::default();
    let answer = match request.accept_key() {
        Ok(key) => run_steps(api, served, request, client, stamp, &mut trace)
            .await
            .map(|protocol| AcceptedHandshake { key, protocol }),
        Err(refusal) => Err(refusal),
    };
    HandshakeDecision { trace, answer }
}

async fn run_steps(
    api: &WebSocketApi,
    served: Option<&ServedStage>,
    request: &HandshakeRequest,
    client: &Client,
    stamp: &RequestStamp,
    trace: &mut HandshakeTrace,
) -> Result<Option<String>, WebSocketRefusal> {
    let (served, snapshot) = find_snapshot(served, request)?;
    let key = RouteKey::new(RouteKey::CONNECT);
    if !api.throttles.admit(&served.stage, &key, Instant::now()) {
        let reason = "the stage throttles $connect";
        return Err(WebSocketRefusal::new(
            429,
            "Too Many Requests",
            reason,
            "D18",
        ));
    }
    let Some(route) = snapshot.route(RouteKey::CONNECT) else {
        // A WebSocket API needs no `$connect` route (row C2).
        return Ok(None);
    };
    let context = RequestContext::new(client, EventType::Connect, RouteKey::CONNECT, stamp.clone());
    trace.has_route = true;
    let authorized = authorize_client(api, served, snapshot, route, request, &context).await;
    trace.authorizer = authorizer_record(served, snapshot, route, &authorized);
    AuthorizedCaller {
        principal: trace.principal,
        federated: trace.federated,
    } = authorized?;
    let context = context.of_caller(trace.principal.as_ref(), trace.federated.as_ref());
    check_parameters(route, request)?;
    let event = payloads::connect(
        &request.headers(false),
        &request.query(),
        &served.stage.stage_variables,
        &context,
    );
    let called = CallTrace::default();
    let call = IntegrationCall {
        api,
        served,
        snapshot,
        route,
        context: &context,
        handshake: Some(request),
        body: "",
        trace: &called,
    };
    trace.function = call.function_name();
    let answer = call.run(event, request.trace_id.clone()).await;
    trace.call = called.into_call();
    evaluate_answer(answer.map_err(WebSocketRefusal::from_failure)?).await
}

/// Returns what the stage serves, or refuses the handshake.
fn find_snapshot<'a>(
    served: Option<&'a ServedStage>,
    request: &HandshakeRequest,
) -> Result<(&'a ServedStage, &'a Snapshot), WebSocketRefusal> {
    let (stage, goes_on) = request.stage();
    let Some(served) = served else {
        return Err(WebSocketRefusal::forbidden(
            format!("there is no stage `{stage}`"),
            "C3",
        ));
    };
    if goes_on {
        let reason = "the path continues after the stage name";
        return Err(WebSocketRefusal::forbidden(reason, "C3"));
    }
    match served.snapshot.as_deref() {
        Some(snapshot)
            if snapshot.api.disable_execute_api_endpoint && request.names_default_endpoint() =>
        {
            let reason = "the deployment disables the default endpoint";
            Err(WebSocketRefusal::forbidden(reason, "D22"))
        }
        Some(snapshot) => Ok((served, snapshot)),
        None => {
            let reason = format!("stage `{stage}` has no deployment");
            Err(WebSocketRefusal::forbidden(reason, "C3"))
        }
    }
}

/// Checks the API key, the authorizer or the signature, as the route requires. Returns the caller.
async fn authorize_client(
    api: &WebSocketApi,
    served: &ServedStage,
    snapshot: &Snapshot,
    route: &StoredRoute,
    request: &HandshakeRequest,
    context: &RequestContext<'_>,
) -> Result<AuthorizedCaller, WebSocketRefusal> {
    let by_authorizer =
        snapshot.api.api_key_selection_expression == "$context.authorizer.usageIdentifierKey";
    if route.api_key_required && !by_authorizer {
        let key = request.header("x-api-key");
        check_api_key(api, served, key, "header x-api-key")?;
    }
    match route.authorization_type.as_str() {
        "NONE" => {
            if route.api_key_required && by_authorizer {
                check_api_key(api, served, None, "an authorizer's usageIdentifierKey")?;
            }
            Ok(AuthorizedCaller::default())
        }
        "CUSTOM" => {
            let Some(authorizer) = snapshot.authorizer(route) else {
                let reason = "the authorizer of $connect is not in the deployment";
                return Err(WebSocketRefusal::internal(reason, "A7"));
            };
            let authorized =
                authorizer::authorize(api, authorizer, &served.stage, request, context).await?;
            if route.api_key_required && by_authorizer {
                let key = authorized.usage_identifier_key.as_deref();
                check_api_key(api, served, key, "the authorizer's usageIdentifierKey")?;
            }
            Ok(AuthorizedCaller {
                principal: Some(authorized.principal),
                federated: None,
            })
        }
        "AWS_IAM" => Ok(AuthorizedCaller {
            principal: None,
            federated: check_signature(api, served, request)?,
        }),
        other => {
            let reason = format!("WebSocket APIs do not support AuthorizationType {other}");
            Err(WebSocketRefusal::internal(reason, "F2"))
        }
    }
}

/// Returns the record of the route's authorizer.
fn authorizer_record(
    served: &ServedStage,
    snapshot: &Snapshot,
    route: &StoredRoute,
    authorized: &Result<AuthorizedCaller, WebSocketRefusal>,
) -> Option<AuthorizerRecord> {
    let authorizer = snapshot
        .authorizer(route)
        .filter(|_| route.authorization_type == "CUSTOM")?;
    let verdict = match authorized {
        Ok(caller) => Ok(caller.principal.as_ref()?.id.as_str()),
        Err(refusal) => Err(refusal),
    };
    Some(authorizer::record(authorizer, &served.stage, verdict))
}

/// Checks that an API key opens connections to the stage (row A15).
fn check_api_key(
    api: &WebSocketApi,
    served: &ServedStage,
    key: Option<&str>,
    source: &str,
) -> Result<(), WebSocketRefusal> {
    let Some(key) = key.filter(|key| !key.is_empty()) else {
        let reason = format!("$connect requires an API key, and {source} has none");
        return Err(WebSocketRefusal::forbidden(reason, "A15"));
    };
    let stage = served.stage.stage_name.as_str();
    let checked = api.plane.apis.keys().check(key, &api.api, stage);
    checked.map_err(|error| WebSocketRefusal::forbidden(error.to_string(), "A15"))
}

/// Checks that the request is signed and that the caller may connect (row A14). Signatures are not verified.
/// Returns the caller if it is an identity of Cognito.
fn check_signature(
    api: &WebSocketApi,
    served: &ServedStage,
    request: &HandshakeRequest,
) -> Result<Option<FederatedCaller>, WebSocketRefusal> {
    let Some(caller) = sigv4::caller(request.header("authorization"), request.raw_query()) else {
        let message = "Missing Authentication Token";
        let reason = "$connect has AWS_IAM authorization and the request is not signed";
        return Err(WebSocketRefusal::new(403, message, reason, "A14"));
    };
    let action = "execute-api:Invoke";
    let resource = api.route_arn(&served.stage.stage_name, RouteKey::CONNECT);
    if api.grants.allows(&caller.access_key, action, &resource) {
        return Ok(api.grants.federated(&caller.access_key));
    }
    let reason = format!("the caller's role does not allow {action} on {resource}");
    Err(WebSocketRefusal::forbidden(reason, "A14"))
}

/// Checks the parameters that `$connect` requires (row M9).
fn check_parameters(
    route: &StoredRoute,
    request: &HandshakeRequest,
) -> Result<(), WebSocketRefusal> {
    let required = route
        .request_parameters
        .iter()
        .filter(|(_, it)| it.required);
    let missing: Vec<&str> = required
        .filter_map(|(source, _)| {
            let (is_present, name) =
                if let Some(name) = source.strip_prefix("route.request.header.") {
                    (request.header(name).is_some_and(|it| !it.is_empty()), name)
                } else {
                    let name = source.strip_prefix("route.request.querystring.")?;
                    (
                        request.parameter(name).is_some_and(|it| !it.is_empty()),
                        name,
                    )
                };
            (!is_present).then_some(name)
        })
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let message = format!(
        "Missing required request parameters: [{}]",
        missing.join(", ")
    );
    Err(WebSocketRefusal::bad_request(message, "M9"))
}

/// Maps the answer of `$connect` to a subprotocol or a refusal (rows C5, C6, C9).
async fn evaluate_answer(answer: IntegrationAnswer) -> Result<Option<String>, WebSocketRefusal> {
    let malformed = |what: &str| {
        let reason = format!("the $connect integration returned {what}");
        WebSocketRefusal::new(502, "Internal server error", reason, "C6")
    };
    let (status, protocol, log) = match answer {
        IntegrationAnswer::Mapped {
            status, protocol, ..
        } => (Some(status), protocol, None),
        IntegrationAnswer::Returned { response, log } => {
            let protocol = protocol(&response);
            (response.status, protocol, Some(log))
        }
    };
    let printable = |text: &String| text.bytes().all(|b| matches!(b, b' '..=b'~'));
    let refusal = match status {
        Some(200..=299) if protocol.as_ref().is_none_or(printable) => return Ok(protocol),
        Some(200..=299) => malformed("an invalid Sec-WebSocket-Protocol"),
        Some(status) => WebSocketRefusal::from_status(status),
        None => malformed("no {\"statusCode\": …}"),
    };
    let evidence = match log {
        Some(log) => Some(Box::new(FailureEvidence {
            error: None,
            log: log.first_lines().await,
        })),
        None => None,
    };
    Err(refusal.with_evidence(evidence))
}

/// Returns the subprotocol from the answer's headers, the only header that is used (row C9).
fn protocol(response: &ProxyResponse) -> Option<String> {
    match response.header(PROTOCOL)? {
        Value::String(text) => Some(text.clone()),
        Value::Array(values) => {
            let values: Vec<&str> = values.iter().filter_map(Value::as_str).collect();
            Some(values.join(", "))
        }
        _ => None,
    }
}

impl AcceptedHandshake {
    /// Renders the response.
    pub(super) fn render(&self, request_id: &str) -> String {
        let protocol = match &self.protocol {
            Some(protocol) => format!("{PROTOCOL}: {protocol}\r\n"),
            None => String::new(),
        };
        format!(
            "HTTP/1.1 101 Switching Protocols\r\nDate: {}\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Accept: {}\r\n{protocol}x-amzn-RequestId: {request_id}\r\n\r\n",
            httpdate::fmt_http_date(SystemTime::now()),
            self.key,
        )
    }
}
