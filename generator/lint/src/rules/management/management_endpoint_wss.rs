use std::collections::HashSet;

use stackgen_cfn::{Call, Function, Node, Value};
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
    /// The management endpoint that a function is told begins with `wss://`.
    ///
    /// ## Why it hurts
    ///
    /// Connections are managed by signed HTTPS requests to `https://{api}.execute-api.{region}.{suffix}/{stage}` (rows K1
    /// to K3). `wss://` is for clients: an SDK that is given it as its endpoint cannot send a request, and no message ever
    /// goes out. `!GetAtt Api.ApiEndpoint` of a WebSocket API begins with `wss://` too.
    ///
    /// That a variable is the management endpoint is told by its name (`MANAGEMENT_ENDPOINT`, `CALLBACK_URL`), or by its
    /// use: it is called an endpoint, and the function may manage connections and is told no other. A name that speaks of
    /// clients, as `CLIENT_URL` or `WSS_URL` does, is left alone.
    ///
    /// ## How to fix it
    ///
    /// Write `https://` in the place of `wss://`; `--fix` does. With CDK, give `stage.callbackUrl` and not `stage.url`.
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
    let told = |endpoint: &&Endpoint<'_>| endpoint.scheme == Scheme::Https;
    let told: HashSet<_> = endpoints.iter().filter(told).map(of_function).collect();
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
            Purpose::Unknown if told.contains(of_function(endpoint)) => return None,
            Purpose::Unknown => by_use(endpoint, roles)?,
        };
        Some(endpoint_finding(endpoint).with_confidence(confidence))
    };
    environment::one_per_location(suspects.filter_map(finding))
}

fn of_function<'a>(endpoint: &Endpoint<'a>) -> &'a LogicalId {
    &endpoint.variable.function.resource.logical_id
}

fn is_suspect(endpoint: &Endpoint<'_>) -> bool {
    endpoint.scheme == Scheme::WebSocket && !matches!(endpoint.host, EndpointHost::Other(_))
}

/// How sure it is, of a name that does not say what it is for. One that speaks of WebSockets may be what clients are told.
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
    // Whoever is told the address without a stage has to make another of it anyhow.
    let is_whole = endpoint
        .path
        .as_ref()
        .is_some_and(|path| *path != Text::new());
    let of_sockets = name.contains("SOCKET") || name.split('_').any(|word| word == "WS");
    match is_whole && !of_sockets {
        true => Some(Confidence::Medium),
        false => Some(Confidence::Low),
    }
}

fn endpoint_finding(endpoint: &Endpoint<'_>) -> Finding {
    let EnvironmentVariable { function, name, .. } = endpoint.variable;
    let id = &function.resource.logical_id;
    let message = format!(
        "{id} is told to manage connections at `wss://`, by {name}: requests go to `https://`"
    );
    let finding = Finding::new(&RULE, endpoint.variable.location(), message);
    match corrected(&endpoint.variable) {
        Some(with) => {
            let path = ["Environment", "Variables", name];
            let edit = fix::replace(&function.resource, &path, with);
            let title = format!("write `https://` at the beginning of {name}");
            finding
                .hint("write `https://` in the place of `wss://`")
                .fix(Fix::one(title, edit))
        }
        None => {
            let api = match endpoint.host {
                EndpointHost::WebSocket(api) => api.id.to().map(LogicalId::as_str),
                _ => None,
            };
            let api = api.unwrap_or("Api");
            finding.hint(format!(
                "write `!Sub https://${{{api}}}.execute-api.${{AWS::Region}}.${{AWS::URLSuffix}}/` and the stage"
            ))
        }
    }
}

/// The value with another beginning, where it begins with the scheme.
fn corrected(variable: &EnvironmentVariable<'_>) -> Option<Node> {
    let https = |text: &str| Some(format!("https://{}", text.strip_prefix("wss://")?));
    match &variable.node()?.value {
        Value::String(text) => Some(https(text)?.into()),
        Value::Call(call) if call.function == Function::Sub => {
            let text = https(call.argument.as_str()?)?;
            Some(Call::new(Function::Sub, Node::from(text)).into())
        }
        _ => None,
    }
}
