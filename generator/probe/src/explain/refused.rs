//! Explains refused handshakes: answers other than 101. Browsers hide them and report 1006 (row X2).

use std::time::Duration;

use super::Certainty::{Certain, Likely, Possible};
use super::{Certainty, Explanation};
use crate::report::{ProbeCaller, ProbeReport};
use crate::response::HandshakeResponse;

/// Explains why a handshake was refused, starting with the likeliest cause.
pub(super) fn explain(report: &ProbeReport, handshake: &HandshakeResponse) -> Vec<Explanation> {
    let mut explanations = match handshake.status {
        300..=399 => vec![redirected(handshake)],
        400 => bad_request(handshake),
        401 => unauthorized(report),
        403 => forbidden(report, handshake),
        404 if !names_connection(handshake) => vec![not_found(handshake)],
        426 => vec![upgrade_required()],
        429 => too_many(),
        500 => broken(),
        502 => vec![bad_gateway(handshake)],
        504 => vec![timed_out(handshake)],
        200..=299 => vec![no_upgrade()],
        _ => vec![],
    };
    if explanations.is_empty() || matches!(handshake.status, 400 | 401 | 403 | 404) {
        explanations.push(integration(handshake, explanations.is_empty()));
    }
    // An answer that API Gateway did not send makes all other causes less likely.
    if let Some(proxy) = answered_by_proxy(handshake) {
        explanations.insert(0, proxy);
    }
    explanations.sort_by_key(|explanation| explanation.certainty);
    let answer = status_line(handshake);
    for explanation in &mut explanations {
        explanation.evidence.insert(0, answer.clone());
    }
    explanations
}

/// Returns status, duration and `message` of the answer in one line.
fn status_line(handshake: &HandshakeResponse) -> String {
    let status = format!("{} {}", handshake.status, handshake.reason);
    let after = handshake.timings.upgrade.as_secs_f64();
    match message(handshake) {
        Some(message) => format!("{} after {after:.3} s: {message:?}", status.trim_end()),
        None => format!("{} after {after:.3} s", status.trim_end()),
    }
}

/// Returns the `message` of a JSON body.
pub(super) fn message(handshake: &HandshakeResponse) -> Option<String> {
    let value: serde_json::Value = serde_json::from_str(&handshake.body).ok()?;
    let message = value.get("message").or_else(|| value.get("Message"))?;
    message.as_str().map(str::to_owned)
}

/// Returns true if the body has a `connectionId` and a `requestId`, as only WebSocket APIs answer.
fn names_connection(handshake: &HandshakeResponse) -> bool {
    let body: Option<serde_json::Value> = serde_json::from_str(&handshake.body).ok();
    ["connectionId", "requestId"].iter().all(|key| {
        let value = body.as_ref().and_then(|body| body.get(key));
        value.is_some_and(serde_json::Value::is_string)
    })
}

/// Returns `x-amzn-errortype` without the part after a colon.
fn error_type(handshake: &HandshakeResponse) -> Option<&str> {
    let value = handshake.header("x-amzn-errortype")?;
    value.split(':').next().map(str::trim)
}

/// Returns true if the answer has a header that API Gateway sets.
fn is_from_api_gateway(handshake: &HandshakeResponse) -> bool {
    let headers = [
        "x-amzn-requestid",
        "x-amz-apigw-id",
        "apigw-requestid",
        "x-amzn-errortype",
    ];
    headers.iter().any(|name| handshake.header(name).is_some())
}

/// Explains an answer whose headers name another server and none of API Gateway's.
fn answered_by_proxy(handshake: &HandshakeResponse) -> Option<Explanation> {
    const SERVERS: [&str; 9] = [
        "cloudfront",
        "nginx",
        "apache",
        "envoy",
        "haproxy",
        "squid",
        "zscaler",
        "cloudflare",
        "awselb",
    ];
    let server = handshake
        .header("server")
        .or_else(|| handshake.header("via"))?;
    let lower = server.to_ascii_lowercase();
    if is_from_api_gateway(handshake) || !SERVERS.iter().any(|name| lower.contains(name)) {
        return None;
    }
    let cause = format!("Not API Gateway answered, but {server} in front of it.");
    Some(
        Explanation::new(Likely, &["L9", "X2"], cause)
            .with_evidence("the answer has none of API Gateway's own headers")
            .with_next_step(
                "Check the logs and rules of that server; it must forward `Upgrade` and `Connection`. WebSocket APIs do \
                 not support WAF, so a rule that blocks is somewhere else.",
            ),
    )
}

fn redirected(handshake: &HandshakeResponse) -> Explanation {
    let explanation = Explanation::new(
        Likely,
        &["C5", "X2"],
        "The answer is a redirect, which WebSocket clients do not follow. The $connect integration, or a server in front \
         of the API, answered with this status.",
    )
    .with_next_step("Connect to the new URL, or change the $connect function to answer 200 or to refuse with 4xx.");
    match handshake.header("location") {
        Some(location) => explanation.with_evidence(format!("Location: {location}")),
        None => explanation,
    }
}

fn bad_request(handshake: &HandshakeResponse) -> Vec<Explanation> {
    if is_from_api_gateway(handshake) || handshake.body.is_empty() {
        return Vec::new();
    }
    let cause = "The server is not API Gateway and did not understand the handshake.";
    let next_step = "If the URL starts with ws://, try wss://: the port may require TLS. Otherwise compare host and port \
                     with the stack's output.";
    vec![Explanation::new(Possible, &["X2"], cause).with_next_step(next_step)]
}

fn unauthorized(report: &ProbeReport) -> Vec<Explanation> {
    let anonymous = report.caller == ProbeCaller::Anonymous;
    let (missing_source, bad_token) = match anonymous {
        true => (Likely, Possible),
        false => (Possible, Likely),
    };
    let token = match &report.caller {
        ProbeCaller::Anonymous => "no token was sent".to_owned(),
        ProbeCaller::Authenticated { token_in, .. } => {
            format!("a token was sent in the {token_in}")
        }
    };
    vec![
        Explanation::new(
            missing_source,
            &["A2", "A3"],
            "An identity source of the authorizer is missing or empty. API Gateway itself answered 401 and did not call \
             the authorizer.",
        )
        .with_evidence(token.clone())
        .with_next_step(
            "Compare the authorizer's IdentitySource with what the client sends: every source must be present. If some \
             callers have no token (`callers: mixed`), the list must be empty. If this is the cause, the authorizer's \
             log has no line for this request.",
        ),
        Explanation::new(
            bad_token,
            &["A6"],
            "API Gateway called the authorizer, which failed with exactly `Unauthorized`.",
        )
        .with_evidence(token)
        .with_next_step(
            "Read the authorizer's log. The token may have expired, have another audience, or be signed with a key that \
             the issuer does not publish.",
        ),
    ]
}

fn forbidden(report: &ProbeReport, handshake: &HandshakeResponse) -> Vec<Explanation> {
    let message = message(handshake).unwrap_or_default().to_ascii_lowercase();
    let error_type = error_type(handshake).unwrap_or_default();
    let needs_signature = error_type.contains("MissingAuthenticationToken")
        || error_type.contains("Signature")
        || error_type.contains("UnrecognizedClient")
        || error_type.contains("ExpiredToken")
        || message.contains("missing authentication token")
        || message.contains("signature")
        || message.contains("security token");
    let denied = message.contains("not authorized") || error_type.contains("AccessDenied");
    if needs_signature {
        return vec![needs_iam_signature(&message)];
    }
    if denied {
        return vec![denied_by_policy(Likely).with_evidence("the answer mentions authorization")];
    }
    // A plain `Forbidden` names no cause. For callers with a token, an authorizer is the likelier one.
    let mut found = vec![
        no_deployment(),
        denied_by_policy(Possible),
        missing_api_key(report),
    ];
    if report.caller != ProbeCaller::Anonymous {
        found.swap(0, 1);
    }
    found
}

fn needs_iam_signature(message: &str) -> Explanation {
    Explanation::new(
        Likely,
        &["A14"],
        "The $connect route requires requests signed with AWS credentials (AWS_IAM). This one has no valid signature.",
    )
    .with_evidence(format!("the answer's message is {message:?}"))
    .with_next_step(
        "Sign the upgrade request with SigV4, in the query or in headers. REST APIs give the same answer for unknown \
         paths: compare the URL with the stack's output.",
    )
}

fn denied_by_policy(certainty: Certainty) -> Explanation {
    Explanation::new(
        certainty,
        &["A5", "A13"],
        "The authorizer's policy does not allow the handshake: it has a Deny, or its Resource does not match the \
         methodArn.",
    )
    .with_next_step(
        "Check the policy that the authorizer returns. It must allow execute-api:Invoke on the event's methodArn, \
         `…/{stage}/$connect`; `…/{stage}/*/*` does not match it.",
    )
}

fn no_deployment() -> Explanation {
    Explanation::new(
        Possible,
        &["C3"],
        "The stage has no deployment, or the stage or the API does not exist.",
    )
    .with_next_step(
        "Run `stackgen status`, or `aws apigatewayv2 get-stage` and `get-deployments`: the stage needs a DeploymentId. \
         Without a custom domain, the URL ends with the stage's name.",
    )
}

fn missing_api_key(report: &ProbeReport) -> Explanation {
    let has_key = report
        .headers
        .iter()
        .any(|name| name.eq_ignore_ascii_case("x-api-key"));
    let evidence = match has_key {
        true => "an x-api-key header was sent",
        false => "no x-api-key header was sent",
    };
    Explanation::new(
        Possible,
        &["A15"],
        "The $connect route requires an API key, which is missing or belongs to no usage plan of this stage.",
    )
    .with_evidence(evidence)
    .with_next_step("Check ApiKeyRequired of the $connect route. `--header 'x-api-key: …'` sends a key.")
}

fn not_found(handshake: &HandshakeResponse) -> Explanation {
    let explanation = Explanation::new(
        Likely,
        &["X2", "L8"],
        "Nothing exists at that path. WebSocket APIs never answer a handshake with 404 themselves: this is another type \
         of API, another server, or a custom domain without a mapping for the path.",
    );
    let explanation = match is_from_api_gateway(handshake) {
        true => explanation.with_evidence(
            "the answer has headers of API Gateway: this is an HTTP API or a custom domain",
        ),
        false => explanation,
    };
    explanation.with_next_step(
        "Compare the URL with the stack's output: `wss://{api}.execute-api.{region}.amazonaws.com/{stage}`. The URL of a \
         custom domain does not contain the stage.",
    )
}

fn upgrade_required() -> Explanation {
    Explanation::new(
        Likely,
        &["C4"],
        "The server received a plain HTTP request: `Upgrade: websocket` was removed on the way.",
    )
    .with_next_step("Check what is in between: a proxy, a load balancer or a CloudFront policy may not forward `Upgrade` and `Connection`.")
}

fn too_many() -> Vec<Explanation> {
    vec![
        Explanation::new(
            Possible,
            &["D18", "L5"],
            "The stage throttles handshakes: its burst or rate limit is exceeded, or is 0.",
        )
        .with_next_step(
            "Check DefaultRouteSettings and RouteSettings of the stage: a ThrottlingBurstLimit or ThrottlingRateLimit of \
             0 refuses every handshake. If the error comes and goes, load is the cause.",
        ),
        Explanation::new(
            Possible,
            &["L5", "L6"],
            "The account exceeds its quota in this region: 500 new connections or 10,000 requests per second.",
        )
        .with_next_step("Make clients wait for a random time before they reconnect, and check the account's quotas."),
    ]
}

fn broken() -> Vec<Explanation> {
    vec![
        Explanation::new(
            Likely,
            &["A7", "A8", "A9"],
            "The authorizer failed with an error other than `Unauthorized`, or its output is invalid: no principalId, a \
             context value that is an object or an array, or more than 8 KB.",
        )
        .with_next_step("Read the authorizer's log for this time. If it has no line, the next cause applies."),
        Explanation::new(
            Possible,
            &["A16", "C7"],
            "API Gateway cannot invoke the authorizer or the $connect function: a permission is missing, or the \
             integration is misconfigured.",
        )
        .with_next_step(
            "Run `aws lambda get-policy` for both: the principal apigateway.amazonaws.com needs SourceArn \
             `…:{api}/authorizers/{id}` or `…:{api}/*/$connect`. A permission applies to one qualifier.",
        ),
    ]
}

fn bad_gateway(handshake: &HandshakeResponse) -> Explanation {
    let took = handshake.timings.upgrade;
    Explanation::new(
        Likely,
        &["C6"],
        "The $connect function threw an error, or its answer is not a valid proxy response.",
    )
    .with_evidence(format!("the handshake took {:.3} s", took.as_secs_f64()))
    .with_next_step("Read the $connect function's log. It must return an object with a statusCode.")
}

fn timed_out(handshake: &HandshakeResponse) -> Explanation {
    let took = handshake.timings.upgrade;
    let certainty = if took > Duration::from_millis(50) {
        Likely
    } else {
        Possible
    };
    Explanation::new(
        certainty,
        &["C8"],
        "The $connect integration did not answer within its TimeoutInMillis (default: 29 s).",
    )
    .with_evidence(format!("the handshake took {:.3} s", took.as_secs_f64()))
    .with_next_step(
        "Check the $connect function's duration in its REPORT lines, including cold starts.",
    )
}

fn no_upgrade() -> Explanation {
    Explanation::new(
        Certain,
        &["X2"],
        "The server answered as if to a plain HTTP request. It is not a WebSocket API.",
    )
    .with_next_step("Compare the URL with the stack's output.")
}

/// Explains a status that the $connect integration may have returned itself. `only_cause` is true if no other cause is
/// known for the status.
fn integration(handshake: &HandshakeResponse, only_cause: bool) -> Explanation {
    let certainty = if only_cause { Likely } else { Possible };
    let cause = format!(
        "The $connect integration answered {} itself: every status other than 2xx becomes that of the handshake.",
        handshake.status
    );
    let explanation = Explanation::new(certainty, &["C5", "C9"], cause).with_next_step(
        "Read the $connect function's log. Its body and headers never reach the client, so only the log has the reason.",
    );
    match only_cause && names_connection(handshake) {
        true => {
            explanation.with_evidence("the body names a connectionId, as only WebSocket APIs do")
        }
        false => explanation,
    }
}
