//! First lines of `stackgen dev`: URLs and endpoints.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};
use stackgen_cfn::terminal::escape;
use stackgen_gateway::apis::ProtocolType;
use stackgen_gateway::gateway::{GatewayState, ScheduleState, UsableApiKey};
use stackgen_gateway::stack::{ApplyResult, EmulatedResource, NotRun};

use crate::error::CliError;
use crate::local::LocalGateway;
use crate::style::{BOLD, CYAN, DIM};

/// Formats the banner. `console` is the link of the console, `resources` are the lists of what is elsewhere and what does not
/// run, and `runtimes` are those of all functions. Other commands need `flag` to find the gateway.
pub(super) fn text(
    local: &LocalGateway,
    console: &str,
    resources: &str,
    runtimes: &[String],
    flag: &str,
) -> String {
    let state = &local.state;
    let mut rows = api_rows(state);
    rows.extend(page_rows(state, console, flag));
    rows.extend(
        state
            .schedules
            .iter()
            .map(|one| ("Schedule", schedule(one, flag))),
    );
    rows.extend(state.api_keys.iter().map(|key| ("API key", api_key(key))));
    rows.push((
        "AWS clients",
        format!("AWS_ENDPOINT_URL={}", state.endpoint),
    ));
    rows.extend(elsewhere(state));
    rows.push((
        "TLS",
        "the ports of APIs and AWS clients also speak https:// and wss://".to_owned(),
    ));
    rows.push((
        "CA",
        format!(
            "{}   {DIM}curl --cacert, NODE_EXTRA_CA_CERTS, or import it into a browser{DIM:#}",
            escape(&state.certificate.display().to_string())
        ),
    ));
    rows.extend(
        redirects(runtimes, state.aws.is_some()).map(|line| ("AWS hosts", line.to_owned())),
    );
    if !state.audiences.is_empty() {
        rows.push(("Issuer", state.issuer.clone()));
        rows.push(("Token", format!("stackgen token --sub YOU{flag}")));
    }
    rows.extend(state.identity_pools.iter().map(|pool| {
        let pool = escape(pool);
        let operations = "GetId and GetCredentialsForIdentity of AWS clients";
        ("Identities", format!("{pool}   {DIM}{operations}{DIM:#}"))
    }));
    let stack = escape(state.stack.as_deref().unwrap_or_default());
    let mut text = format!("{BOLD}{stack}{BOLD:#} runs on this machine\n\n");
    for (name, value) in rows {
        text += &format!("  {name:<12} {value}\n");
    }
    text += resources;
    text + "\nCtrl-C ends it; `stackgen explain ROW` explains a row.\n"
}

/// Returns the rows with the addresses of web pages.
fn page_rows(state: &GatewayState, console: &str, flag: &str) -> Vec<(&'static str, String)> {
    let page = state.page.as_ref();
    let page = page.map(|url| ("Web page", format!("{CYAN}{url}{CYAN:#}")));
    let note = format!("{DIM}opens once; again: stackgen console{flag}{DIM:#}");
    let console = ("Console", format!("{CYAN}{console}{CYAN:#}   {note}"));
    page.into_iter().chain([console]).collect()
}

/// Returns the row with the destination of calls of services that do not run here.
fn elsewhere(state: &GatewayState) -> Option<(&'static str, String)> {
    let (name, shown, calls) = match (&state.services, &state.aws) {
        (Some(services), _) => ("Services", services, "the calls of"),
        (None, Some(aws)) => ("AWS", aws, "the calls of functions to"),
        (None, None) => return None,
    };
    let shown = escape(shown);
    Some((
        name,
        format!("{shown}   {DIM}gets {calls} services that do not run here{DIM:#}"),
    ))
}

/// Returns the rows with the addresses of the APIs.
fn api_rows(state: &GatewayState) -> Vec<(&'static str, String)> {
    let mut rows: Vec<(&str, String)> = Vec::new();
    for api in &state.apis {
        let api_name = escape(&api.name);
        let label = match api.protocol_type {
            ProtocolType::WebSocket => "WebSocket",
            ProtocolType::Http => "HTTP",
        };
        for stage in &api.stages {
            let name = format!("{DIM}{api_name}{DIM:#}");
            rows.push((
                label,
                format!("{CYAN}{}{CYAN:#}   {name}", escape(&stage.url)),
            ));
        }
        if api.stages.is_empty() {
            rows.push((label, format!("{}   {api_name} has no stage", api.endpoint)));
        }
    }
    rows
}

/// Describes a schedule, with the command that runs it now.
fn schedule(schedule: &ScheduleState, flag: &str) -> String {
    let name = escape(&schedule.name);
    let functions = schedule.functions.join(", ");
    let functions = escape(&functions);
    let times = match schedule.enabled {
        true => escape(&schedule.expression),
        false => "disabled".into(),
    };
    format!("{times} calls {functions}   {DIM}now: stackgen trigger {name}{flag}{DIM:#}")
}

/// Describes an API key, with its value if the gateway generated it.
fn api_key(key: &UsableApiKey) -> String {
    let subject = format!("{} for {}/{}", key.name, key.api, key.stage);
    let subject = escape(&subject);
    match &key.value {
        Some(value) => format!("x-api-key: {value}   {DIM}{subject}{DIM:#}"),
        None => format!("{subject}   {DIM}its value is in the template{DIM:#}"),
    }
}

/// Explains from which functions AWS's names of APIs and user pools lead to the gateway.
fn redirects(runtimes: &[String], with_account: bool) -> impl Iterator<Item = &'static str> {
    let has = |name: &str| runtimes.iter().any(|runtime| runtime.starts_with(name));
    let redirected = (has("nodejs") || has("python")).then_some(match with_account {
        true => {
            "*.execute-api and cognito-idp lead to this gateway in Node.js and Python functions"
        }
        false => "*.amazonaws.com leads to this gateway in Node.js and Python functions",
    });
    let not_redirected = has("provided").then_some(
        "AWS's hosts cannot be redirected in compiled functions: use https:// + domainName",
    );
    redirected.into_iter().chain(not_redirected)
}

/// Lists the resources that the endpoint for services that do not run here has, one line per type.
pub(super) fn emulated(services: Option<&str>, all: &[EmulatedResource]) -> String {
    let Some(services) = services.filter(|_| !all.is_empty()) else {
        return String::new();
    };
    let mut names: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for one in all {
        names.entry(&one.kind).or_default().push(&one.name);
    }
    let width = names
        .keys()
        .map(|kind| kind.len())
        .max()
        .unwrap_or_default();
    let mut text = format!("\nCreated at {}, where they stay:\n", escape(services));
    for (kind, names) in names {
        let names = names.join(", ");
        text += &format!("  {:<width$}  {}\n", escape(kind), escape(&names));
    }
    text
}

/// Lists what does not run: resources, one line per type and reason, and then the reasons why functions fail.
pub(super) fn not_run(all: &[NotRun], failures: &[String]) -> String {
    if all.is_empty() && failures.is_empty() {
        return String::new();
    }
    let mut reasons: BTreeMap<(&str, &str), BTreeSet<&str>> = BTreeMap::new();
    for one in all {
        let reason = (group(&one.kind), one.reason.as_str());
        let ids = reasons.entry(reason).or_default();
        ids.insert(&one.logical_id);
    }
    let mut text = String::from("\nNot run locally:\n");
    for ((kind, reason), ids) in reasons {
        let ids = Vec::from_iter(ids);
        let subject = match ids.as_slice() {
            [""] => String::new(),
            [id] => format!("{id}: "),
            ids => format!("{} of {kind}: ", ids.len()),
        };
        text += &format!("  {}\n", escape(&format!("{subject}{reason}")));
    }
    for failure in failures {
        text += &format!("  {}\n", escape(failure));
    }
    text
}

/// Returns the type of a resource for the list, in which all custom resources are one type.
fn group(kind: &str) -> &str {
    const CUSTOM: &str = "AWS::CloudFormation::CustomResource";
    match kind.starts_with("Custom::") {
        true => CUSTOM,
        false => kind,
    }
}

/// Returns the banner as an event. `port_taken` is the requested port if other ports are used.
pub(super) fn json(
    local: &LocalGateway,
    console: &str,
    applied: &ApplyResult,
    port_taken: Option<u16>,
) -> Json {
    json!({
        "event": "ready",
        "pid": local.pid,
        "gateway": local.state,
        "emulated": applied.emulated,
        "console": console,
        "notRun": applied.not_run,
        "portTaken": port_taken,
    })
}

/// Returns an error as an event.
pub(super) fn failure(error: &CliError) -> Json {
    let mut line = json!({ "event": "error" });
    line["errors"] = json!(error.to_json())["errors"].take();
    line
}
