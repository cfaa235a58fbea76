//! An answer to the handshake that is not 101. Browsers hide it and say 1006 (row X2).

use std::time::Duration;

use super::Certainty::{Certain, Likely, Possible};
use super::{Certainty, Explanation};
use crate::handshake::Handshake;
use crate::report::{Caller, Report};

/// Why a handshake was refused: the likeliest first.
pub(super) fn explain(report: &Report, handshake: &Handshake) -> Vec<Explanation> {
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
    // Where it is known that API Gateway did not answer, that comes first.
    if let Some(stranger) = stranger(handshake) {
        explanations.insert(0, stranger);
    }
    explanations.sort_by_key(|explanation| explanation.certainty);
    let answered = answered(handshake);
    for explanation in &mut explanations {
        explanation.evidence.insert(0, answered.clone());
    }
    explanations
}

/// What was answered, in a line.
fn answered(handshake: &Handshake) -> String {
    let status = format!("{} {}", handshake.status, handshake.reason);
    let after = handshake.timings.upgrade.as_secs_f64();
    match message(handshake) {
        Some(message) => format!("{} after {after:.3} s: {message:?}", status.trim_end()),
        None => format!("{} after {after:.3} s", status.trim_end()),
    }
}

/// The `message` of a JSON body.
pub(super) fn message(handshake: &Handshake) -> Option<String> {
    let value: serde_json::Value = serde_json::from_str(&handshake.body).ok()?;
    let message = value.get("message").or_else(|| value.get("Message"))?;
    message.as_str().map(str::to_owned)
}

/// Returns true when the body names a connection and a request, as WebSocket APIs answer and nothing else does.
fn names_connection(handshake: &Handshake) -> bool {
    let body: Option<serde_json::Value> = serde_json::from_str(&handshake.body).ok();
    ["connectionId", "requestId"].iter().all(|key| {
        let value = body.as_ref().and_then(|body| body.get(key));
        value.is_some_and(serde_json::Value::is_string)
    })
}

/// `x-amzn-errortype` without what may stand behind a colon.
fn error_type(handshake: &Handshake) -> Option<&str> {
    let value = handshake.header("x-amzn-errortype")?;
    value.split(':').next().map(str::trim)
}

/// True when the answer bears API Gateway's marks.
fn from_api_gateway(handshake: &Handshake) -> bool {
    let marks = [
        "x-amzn-requestid",
        "x-amz-apigw-id",
        "apigw-requestid",
        "x-amzn-errortype",
    ];
    marks.iter().any(|name| handshake.header(name).is_some())
}

/// Somebody else who says that he answered.
fn stranger(handshake: &Handshake) -> Option<Explanation> {
    const STRANGERS: [&str; 9] = [
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
    if from_api_gateway(handshake) || !STRANGERS.iter().any(|name| lower.contains(name)) {
        return None;
    }
    let cause = format!("Not API Gateway answered, but {server}, which stands in between.");
    Some(
        Explanation::new(Likely, &["L9", "X2"], cause)
            .seen("the answer has none of API Gateway's own headers")
            .next(
                "Look at the logs and rules of what stands in between; it has to pass `Upgrade` and `Connection` on. \
                 WebSocket APIs have no WAF of their own, so a rule that blocks is somewhere else.",
            ),
    )
}

fn redirected(handshake: &Handshake) -> Explanation {
    let explanation = Explanation::new(
        Likely,
        &["C5", "X2"],
        "The handshake is redirected, and WebSocket clients do not follow: the $connect integration answered with this \
         status, or something in front of the API did.",
    )
    .next("Use the URL that is redirected to, or let the $connect function answer 200 or refuse with 4xx.");
    match handshake.header("location") {
        Some(location) => explanation.seen(format!("Location: {location}")),
        None => explanation,
    }
}

fn bad_request(handshake: &Handshake) -> Vec<Explanation> {
    if from_api_gateway(handshake) || handshake.body.is_empty() {
        return Vec::new();
    }
    let cause = "A server that is not API Gateway did not understand the handshake.";
    let next = "A port that wants TLS answers so to ws://: try wss://. Otherwise compare host and port with the stack's \
                output.";
    vec![Explanation::new(Possible, &["X2"], cause).next(next)]
}

fn unauthorized(report: &Report) -> Vec<Explanation> {
    let anonymous = report.caller == Caller::Anonymous;
    let (missing, refused) = match anonymous {
        true => (Likely, Possible),
        false => (Possible, Likely),
    };
    let brought = match &report.caller {
        Caller::Anonymous => "no token was brought".to_owned(),
        Caller::Authenticated { token_in, .. } => format!("a token was brought in the {token_in}"),
    };
    vec![
        Explanation::new(
            missing,
            &["A2", "A3"],
            "An identity source of the authorizer is missing or empty, so API Gateway itself answered 401 and the \
             authorizer was not asked.",
        )
        .seen(brought.clone())
        .next(
            "Compare the authorizer's IdentitySource with how the token travels: every source must be there. For callers \
             without a token (`callers: mixed`) the list must be empty. The authorizer's log has no line for this \
             request if this is it.",
        ),
        Explanation::new(
            refused,
            &["A6"],
            "The authorizer was asked and failed with exactly `Unauthorized`.",
        )
        .seen(brought)
        .next(
            "Read the authorizer's log: is the token expired, for another audience, or signed by a key that the issuer \
             does not publish?",
        ),
    ]
}

fn forbidden(report: &Report, handshake: &Handshake) -> Vec<Explanation> {
    let said = message(handshake).unwrap_or_default().to_ascii_lowercase();
    let kind = error_type(handshake).unwrap_or_default();
    let iam = kind.contains("MissingAuthenticationToken")
        || kind.contains("Signature")
        || kind.contains("UnrecognizedClient")
        || kind.contains("ExpiredToken")
        || said.contains("missing authentication token")
        || said.contains("signature")
        || said.contains("security token");
    let denied = said.contains("not authorized") || kind.contains("AccessDenied");
    if iam {
        return vec![signed(&said)];
    }
    if denied {
        return vec![denial(Likely).seen("the answer speaks of authorization")];
    }
    // A plain `Forbidden` names nobody. Who brought a token has likelier met an authorizer.
    let mut found = vec![no_deployment(), denial(Possible), api_key(report)];
    if report.caller != Caller::Anonymous {
        found.swap(0, 1);
    }
    found
}

fn signed(said: &str) -> Explanation {
    Explanation::new(
        Likely,
        &["A14"],
        "The $connect route wants requests that are signed with AWS credentials (AWS_IAM), and this one is not, or not \
         rightly.",
    )
    .seen(format!("the answer speaks of {said:?}"))
    .next(
        "Sign the upgrade request with SigV4, as a query or as headers. An unknown path of another kind of API answers \
         so too: compare the URL with the stack's output.",
    )
}

fn denial(certainty: Certainty) -> Explanation {
    Explanation::new(
        certainty,
        &["A5", "A13"],
        "The authorizer's policy does not allow it: it says Deny, or its Resource does not match the methodArn.",
    )
    .next(
        "Read the policy that the authorizer returned. It has to allow execute-api:Invoke on the event's methodArn, \
         `…/{stage}/$connect`; `…/{stage}/*/*` does not match it.",
    )
}

fn no_deployment() -> Explanation {
    Explanation::new(
        Possible,
        &["C3"],
        "The stage has no deployment, or there is no such stage or api.",
    )
    .next(
        "`stackgen status`, or `aws apigatewayv2 get-stage` and `get-deployments`: the stage needs a DeploymentId. A URL \
         without custom domain ends in the stage's name.",
    )
}

fn api_key(report: &Report) -> Explanation {
    let brought = report
        .headers
        .iter()
        .any(|name| name.eq_ignore_ascii_case("x-api-key"));
    let seen = match brought {
        true => "an x-api-key was brought",
        false => "no x-api-key was brought",
    };
    Explanation::new(
        Possible,
        &["A15"],
        "The $connect route wants an API key, and it is missing or belongs to no usage plan of this stage.",
    )
    .seen(seen)
    .next("Look for ApiKeyRequired at the $connect route. `--header 'x-api-key: …'` brings one along.")
}

fn not_found(handshake: &Handshake) -> Explanation {
    let explanation = Explanation::new(
        Likely,
        &["X2", "L8"],
        "There is nothing at that path. No WebSocket API has a 404 of its own for a handshake: this is another kind of \
         API, another server, or a custom domain without a mapping for the path.",
    );
    let explanation = match from_api_gateway(handshake) {
        true => explanation.seen("API Gateway's own headers: an HTTP API, or a custom domain"),
        false => explanation,
    };
    explanation.next(
        "Compare the URL with the stack's output: `wss://{api}.execute-api.{region}.amazonaws.com/{stage}`. Behind a \
         custom domain there is no stage in the path.",
    )
}

fn upgrade_required() -> Explanation {
    Explanation::new(
        Likely,
        &["C4"],
        "The server saw a plain HTTP request: `Upgrade: websocket` got lost on the way.",
    )
    .next("Something in between does not pass `Upgrade` and `Connection` on: a proxy, a load balancer, CloudFront's policy.")
}

fn too_many() -> Vec<Explanation> {
    vec![
        Explanation::new(
            Possible,
            &["D18", "L5"],
            "The stage's throttle refuses handshakes: its burst or its rate is used up, or set to 0.",
        )
        .next(
            "Look at DefaultRouteSettings and RouteSettings of the stage: a ThrottlingBurstLimit or ThrottlingRateLimit \
             of 0 refuses every handshake. If it comes and goes, it is load.",
        ),
        Explanation::new(
            Possible,
            &["L5", "L6"],
            "The account's quota in this region is used up: 500 new connections a second, 10,000 requests a second.",
        )
        .next("Let clients wait a random while before they connect again, and look at the account's quotas."),
    ]
}

fn broken() -> Vec<Explanation> {
    vec![
        Explanation::new(
            Likely,
            &["A7", "A8", "A9"],
            "The authorizer failed with something else than `Unauthorized`, or its output is not valid: no principalId, \
             a context value that is an object or an array, more than 8 KB.",
        )
        .next("Read the authorizer's log for this moment. If it has no line, it is the next cause."),
        Explanation::new(
            Possible,
            &["A16", "C7"],
            "API Gateway may not invoke the authorizer or the $connect function: the permission is missing, or the \
             integration is misconfigured.",
        )
        .next(
            "`aws lambda get-policy` of both: the principal apigateway.amazonaws.com needs SourceArn \
             `…:{api}/authorizers/{id}` or `…:{api}/*/$connect`. A permission is for one qualifier.",
        ),
    ]
}

fn bad_gateway(handshake: &Handshake) -> Explanation {
    let took = handshake.timings.upgrade;
    Explanation::new(
        Likely,
        &["C6"],
        "The $connect function threw, or returned something that is no proxy response.",
    )
    .seen(format!("the handshake took {:.3} s", took.as_secs_f64()))
    .next("Read the $connect function's log. It has to return an object with a statusCode.")
}

fn timed_out(handshake: &Handshake) -> Explanation {
    let took = handshake.timings.upgrade;
    let certainty = if took > Duration::from_millis(50) {
        Likely
    } else {
        Possible
    };
    Explanation::new(
        certainty,
        &["C8"],
        "The $connect integration did not answer within its TimeoutInMillis (29 s if nothing is set).",
    )
    .seen(format!("the handshake took {:.3} s", took.as_secs_f64()))
    .next("Look at the $connect function's duration in its REPORT lines, cold starts included.")
}

fn no_upgrade() -> Explanation {
    Explanation::new(
        Certain,
        &["X2"],
        "The server answered as if this were a plain HTTP request. What answers there is no WebSocket API.",
    )
    .next("Compare the URL with the stack's output.")
}

/// The integration itself may have said so, whatever the status.
fn integration(handshake: &Handshake, alone: bool) -> Explanation {
    let certainty = if alone { Likely } else { Possible };
    let cause = format!(
        "The $connect integration answered {} itself: any status but 2xx becomes the handshake's.",
        handshake.status
    );
    let explanation = Explanation::new(certainty, &["C5", "C9"], cause).next(
        "Read the $connect function's log. Its body and headers never reach the client, so the reason is there alone.",
    );
    match alone && names_connection(handshake) {
        true => explanation.seen("the body names a connectionId, as only WebSocket APIs do"),
        false => explanation,
    }
}
