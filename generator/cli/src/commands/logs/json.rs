//! Connections as JSON.

use serde_json::{Value, json};
use stackgen_diagnose::logs::{ConnectionLife, ConnectionLives, LogLine, RequestStep, parse_line};

use super::denied::DeniedCalls;
use super::lines::line_json;
use super::range::iso8601;
use super::target::LogTarget;

/// Returns the selected connections, the sources, and what is not logged.
pub(super) fn report(
    target: &LogTarget,
    lives: &ConnectionLives,
    entries: &[LogLine],
    denied: &DeniedCalls,
) -> Value {
    let selected = lives.lives.iter().filter(|life| life.selected);
    let connections: Vec<_> = selected
        .map(|life| connection(life, target, entries))
        .collect();
    let sources = target.sources.iter().zip(&lives.unjoined);
    let sources = sources.map(|(source, unjoined)| {
        json!({
            "name": source.name,
            "kind": source.kind.word(),
            "group": source.group,
            "linesWithoutConnection": unjoined,
        })
    });
    json!({
        "api": target.api,
        "stage": target.stage,
        "connections": connections,
        "sources": sources.collect::<Vec<_>>(),
        "notLogged": target.gaps,
        "denied": denied.actions(),
    })
}

fn connection(life: &ConnectionLife, target: &LogTarget, entries: &[LogLine]) -> Value {
    let lines = life.lines.iter().map(|at| {
        let entry = &entries[*at];
        let source = &target.sources[entry.source];
        let line = parse_line(source, &entry.message);
        line_json(source, entry, &line, Some(&life.id), false)
    });
    // A table of a thousand connections needs no lines; one life does.
    let lines: Vec<_> = match life.selected && target.wants_lines {
        true => lines.collect(),
        false => Vec::new(),
    };
    let close = life.close.as_ref().map(
        |close| json!({ "time": iso8601(close.at), "code": close.code, "reason": close.reason }),
    );
    let mut value = json!({
        "connectionId": life.id,
        "openedAt": life.opened_at.map(iso8601),
        "firstLineAt": iso8601(life.first_at),
        "lastLineAt": iso8601(life.last_at),
        "ageMs": life.age_ms(),
        "user": life.user,
        "session": life.session,
        "sourceIp": life.source_ip,
        "userAgent": life.user_agent,
        "handshake": life.handshake().map(request),
        "messages": life.messages().map(request).collect::<Vec<_>>(),
        "close": close,
        "problems": life.problems,
    });
    if target.wants_lines {
        value["lines"] = Value::from(lines);
    }
    value
}

fn request(step: &RequestStep) -> Value {
    let authorizer = step.authorizer.as_ref().map(|authorizer| {
        json!({
            "status": authorizer.status,
            "latencyMs": authorizer.latency_ms,
            "error": authorizer.error,
            "principal": authorizer.principal,
        })
    });
    json!({
        "time": iso8601(step.at),
        "requestId": step.request,
        "routeKey": step.route,
        "status": step.status,
        "latencyMs": step.latency_ms,
        "functionMs": step.function_ms,
        "functionFailed": step.function_failed,
        "integrationStatus": step.integration_status,
        "integrationError": step.integration_error,
        "error": step.error,
        "authorizer": authorizer,
    })
}
