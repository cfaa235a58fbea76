use std::collections::HashSet;

use stackgen_cfn::{Intrinsic, IntrinsicCall, Node, Value};
use stackgen_model::{LogicalId, Text};

use crate::context::RuleContext;
use crate::facts::connection_arns::MANAGE_CONNECTIONS;
use crate::facts::endpoints::{Endpoint, EndpointHost, Purpose, Scheme};
use crate::facts::environment::{self, EnvironmentVariable};
use crate::facts::function_roles::{self, FunctionRoles};
use crate::fix::{self, Fix};
use crate::rule::rule;
use crate::{Confidence, Finding};

rule! {
    /// The management endpoint in a function's environment begins with `wss://`.
    ///
    /// ## Why it hurts
    ///
    /// The management API expects signed HTTPS requests to `https://{api}.execute-api.{region}.{suffix}/{stage}` (rows
    /// K1 to K3). `wss://` is for clients: an SDK with such an endpoint cannot send a request, and no message goes out.
    /// `!GetAtt Api.ApiEndpoint` of a WebSocket API begins with `wss://` too.
    ///
    /// A variable counts as the management endpoint because of its name (`MANAGEMENT_ENDPOINT`, `CALLBACK_URL`), or
    /// because its name contains `ENDPOINT`, the function may manage connections, and it has no other endpoint. Names
    /// that mention clients, such as `CLIENT_URL` or `WSS_URL`, are not reported.
    ///
    /// ## How to fix it
    ///
    /// Replace `wss://` by `https://`, as `--fix` does. With CDK, use `stage.callbackUrl` instead of `stage.url`.
    id: "SG504",
    name: "management-endpoint-wss",
    severity: Error,
    confidence: High,
    rows: ["K1", "K5"],
    fixable: true,
    example: "management/management_endpoint_wss.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let endpoints = context.facts.endpoints();
    let is_https = |endpoint: &&Endpoint<'_>| endpoint.scheme == Scheme::Https;
    let with_https: HashSet<_> = endpoints.iter().filter(is_https).map(function_id).collect();
    let suspects = endpoints.iter().filter(|endpoint| is_suspect(endpoint));
    let mut suspects = suspects.peekable();
    if suspects.peek().is_none() {
        return Vec::new();
    }
    let roles = context.facts.function_roles();
    let finding = |endpoint: &Endpoint<'_>| {
        let confidence = match Purpose::of(endpoint.variable.name) {
            Purpose::Management => Confidence::High,
            Purpose::Clients => return None,
            Purpose::Unknown if with_https.contains(function_id(endpoint)) => return None,
            Purpose::Unknown => by_use(endpoint, roles)?,
        };
        Some(endpoint_finding(endpoint).with_confidence(confidence))
    };
    environment::one_per_location(suspects.filter_map(finding))
}

fn function_id<'a>(endpoint: &Endpoint<'a>) -> &'a LogicalId {
    &endpoint.variable.function.resource.logical_id
}

fn is_suspect(endpoint: &Endpoint<'_>) -> bool {
    endpoint.scheme == Scheme::WebSocket && !matches!(endpoint.host, EndpointHost::Other(_))
}

/// Returns the confidence for a name that does not show its purpose. A name that mentions WebSockets may be for clients.
fn by_use(endpoint: &Endpoint<'_>, roles: &FunctionRoles<'_>) -> Option<Confidence> {
    let name = endpoint.variable.name.to_ascii_uppercase();
    let role = roles.complete_role(endpoint.variable.function)?;
    let manages = role
        .grants
        .iter()
        .any(|grant| function_roles::may_allow(grant, MANAGE_CONNECTIONS));
    if !manages || !name.contains("ENDPOINT") {
        return None;
    }
    // Without a stage the function has to build another address anyway.
    let has_stage = endpoint
        .path
        .as_ref()
        .is_some_and(|path| *path != Text::new());
    let names_sockets = name.contains("SOCKET") || name.split('_').any(|word| word == "WS");
    match has_stage && !names_sockets {
        true => Some(Confidence::Medium),
        false => Some(Confidence::Low),
    }
}

fn endpoint_finding(endpoint: &Endpoint<'_>) -> Finding {
    let EnvironmentVariable { function, name, .. } = endpoint.variable;
    let id = &function.resource.logical_id;
    let message = format!(
        "{name} of {id} is a management endpoint with `wss://`, but the management API needs `https://`"
    );
    let finding = Finding::new(&RULE, endpoint.variable.location(), message);
    match corrected(&endpoint.variable) {
        Some(with) => {
            let path = ["Environment", "Variables", name];
            let edit = fix::replace(&function.resource, &path, with);
            let title = format!("write `https://` at the beginning of {name}");
            finding
                .hint("write `https://` instead of `wss://`")
                .fix(Fix::one(title, edit))
        }
        None => {
            let api = match endpoint.host {
                EndpointHost::WebSocket(api) => api.id.to().map(LogicalId::as_str),
                _ => None,
            };
            let api = api.unwrap_or("Api");
            finding.hint(format!(
                "write `!Sub https://${{{api}}}.execute-api.${{AWS::Region}}.${{AWS::URLSuffix}}/` and append the stage"
            ))
        }
    }
}

/// Returns the value with `https://`, if it is text that begins with `wss://`.
fn corrected(variable: &EnvironmentVariable<'_>) -> Option<Node> {
    let https = |text: &str| Some(format!("https://{}", text.strip_prefix("wss://")?));
    match &variable.node()?.value {
        Value::String(text) => Some(https(text)?.into()),
        Value::Call(call) if call.function == Intrinsic::Sub => {
            let text = https(call.argument.as_str()?)?;
            Some(IntrinsicCall::new(Intrinsic::Sub, Node::from(text)).into())
        }
        _ => None,
    }
}
