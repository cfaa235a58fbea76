//! Builds the lives of connections from the lines of all logs.

use std::collections::HashMap;

use super::access_record::{AccessEvent, AccessRecord};
use super::diagnosis::find_problems;
use super::entry::{LineLevel, LogLine, LogSource, SourceKind};
use super::join::{IdNumber, Joiner, LineLinks};
use super::life::{AuthorizerStep, ConnectionLife, ConnectionLives, LineFailure, RequestStep};
use super::life_filter::LifeFilter;
use super::line::{LineFact, ParsedLine};
use super::parse::parse_line;

/// Largest number of failures that a life keeps.
const MAX_FAILURES: usize = 50;

/// Joins entries, which are sorted by time, and tells what happened to each connection.
pub fn connection_lives(
    sources: &[LogSource],
    entries: &[LogLine],
    filter: &LifeFilter,
) -> ConnectionLives {
    let mut joiner = Joiner::default();
    let links: Vec<LineLinks> = entries
        .iter()
        .map(|entry| {
            let source = &sources[entry.source];
            joiner.add(source, entry, &parse_line(source, &entry.message))
        })
        .collect();
    let mut builder = LivesBuilder {
        joiner: &joiner,
        filter,
        lives: Vec::new(),
        index: HashMap::new(),
    };
    let mut unjoined = vec![0; sources.len()];
    let mut life_of_entry = Vec::with_capacity(entries.len());
    for (at, (entry, links)) in entries.iter().zip(&links).enumerate() {
        let source = &sources[entry.source];
        let life = joiner.connection(*links).map(|connection| {
            let line = parse_line(source, &entry.message);
            builder.add(connection, *links, at, entry, &source.kind, &line)
        });
        if life.is_none() {
            unjoined[entry.source] += 1;
        }
        life_of_entry.push(life);
    }
    builder.finish(unjoined, life_of_entry)
}

struct LivesBuilder<'a> {
    joiner: &'a Joiner,
    filter: &'a LifeFilter,
    lives: Vec<LifeBuilder>,
    index: HashMap<IdNumber, usize>,
}

#[derive(Default)]
struct LifeBuilder {
    life: ConnectionLife,
    step_of_request: HashMap<IdNumber, usize>,
    step_of_invocation: HashMap<usize, usize>,
    passed: u32,
}

impl LivesBuilder<'_> {
    fn add(
        &mut self,
        connection: IdNumber,
        links: LineLinks,
        at: usize,
        entry: &LogLine,
        kind: &SourceKind,
        line: &ParsedLine<'_>,
    ) -> u32 {
        let next = self.lives.len();
        let index = *self.index.entry(connection).or_insert(next);
        if index == next {
            self.lives.push(LifeBuilder::default());
            let life = &mut self.lives[index].life;
            self.joiner.name(connection).clone_into(&mut life.id);
            life.first_at = entry.at;
        }
        let builder = &mut self.lives[index];
        builder.passed |= self.filter.passed(line);
        builder.life.last_at = builder.life.last_at.max(entry.at);
        builder.learn(line);
        let request = links.request(self.joiner);
        let step = builder.step(self.joiner, request, links.invocation(), entry, line);
        builder.apply(step, entry, kind, line);
        if kind.is_function() {
            builder.life.lines.push(at);
        }
        u32::try_from(index).unwrap_or(u32::MAX)
    }

    fn finish(self, unjoined: Vec<usize>, mut life_of_entry: Vec<Option<u32>>) -> ConnectionLives {
        let filter = self.filter;
        let lives = self.lives.into_iter();
        let mut lives: Vec<(usize, ConnectionLife)> = lives
            .map(|builder| builder.finish(filter))
            .enumerate()
            .collect();
        lives.sort_by(|(_, a), (_, b)| {
            let worst = |life: &ConnectionLife| life.problems.first().map(|found| found.severity);
            worst(b)
                .cmp(&worst(a))
                .then(b.problems.len().cmp(&a.problems.len()))
                .then(b.first_at.cmp(&a.first_at))
                .then(a.id.cmp(&b.id))
        });
        let mut new_index = vec![0; lives.len()];
        for (new, (old, _)) in lives.iter().enumerate() {
            new_index[*old] = u32::try_from(new).unwrap_or(u32::MAX);
        }
        for life in life_of_entry.iter_mut().flatten() {
            *life = new_index[*life as usize];
        }
        ConnectionLives {
            lives: lives.into_iter().map(|(_, life)| life).collect(),
            unjoined,
            life_of_entry,
        }
    }
}

impl LifeBuilder {
    /// Takes over what a line tells about the client.
    fn learn(&mut self, line: &ParsedLine<'_>) {
        let life = &mut self.life;
        let set = |value: &mut Option<String>, new: Option<&str>| {
            if value.is_none() {
                *value = new.map(str::to_owned);
            }
        };
        if let LineFact::Access(record) = &line.fact {
            set(&mut life.source_ip, record.source_ip.as_deref());
            set(&mut life.user_agent, record.user_agent.as_deref());
            let principal = record.principal.as_deref();
            // The authorizer's name for callers without a token.
            set(
                &mut life.user,
                principal.filter(|name| *name != "anonymous"),
            );
        }
        for field in &line.fields {
            if LifeFilter::is_session(&field.name) {
                set(&mut life.session, Some(&field.value));
            } else if LifeFilter::is_user(&field.name) && field.value != "anonymous" {
                set(&mut life.user, Some(&field.value));
            }
        }
    }

    /// Returns the step of a line's request. The first line of a request creates it.
    fn step(
        &mut self,
        joiner: &Joiner,
        request: Option<IdNumber>,
        invocation: Option<usize>,
        entry: &LogLine,
        line: &ParsedLine<'_>,
    ) -> Option<usize> {
        let known = request
            .and_then(|request| self.step_of_request.get(&request).copied())
            .or_else(|| self.step_of_invocation.get(&invocation?).copied());
        let is_request = matches!(line.fact, LineFact::Access(_))
            || line.route.is_some() && invocation.is_some();
        let step = match known.or_else(|| self.only_step(line)) {
            Some(step) => step,
            None if is_request || request.is_some() || is_only(line.route.as_deref()) => {
                self.life.requests.push(RequestStep {
                    at: entry.at,
                    request: request.map(|request| joiner.name(request).to_owned()),
                    ..RequestStep::default()
                });
                self.life.requests.len() - 1
            }
            None => return None,
        };
        if let Some(request) = request {
            self.step_of_request.insert(request, step);
        }
        if let Some(invocation) = invocation {
            self.step_of_invocation.entry(invocation).or_insert(step);
        }
        Some(step)
    }

    /// Returns the handshake or the disconnect, if a line is about it: a connection has one of each.
    fn only_step(&self, line: &ParsedLine<'_>) -> Option<usize> {
        let route = line.route.as_deref().filter(|route| is_only(Some(route)))?;
        let mut steps = self.life.requests.iter();
        steps.position(|step| step.route.as_deref() == Some(route))
    }

    fn apply(
        &mut self,
        step: Option<usize>,
        entry: &LogLine,
        kind: &SourceKind,
        line: &ParsedLine<'_>,
    ) {
        if let Some(step) = step {
            let step = &mut self.life.requests[step];
            step.at = step.at.min(entry.at);
            if step.route.is_none() {
                step.route = line.route.as_deref().map(str::to_owned);
            }
            let is_integration = !matches!(kind, SourceKind::Authorizer);
            match &line.fact {
                LineFact::Access(record) => step.apply(record),
                LineFact::Report(report) if is_integration => {
                    step.function_ms = Some(report.duration_ms);
                    step.function_failed |= report.failed;
                }
                LineFact::FunctionFailed if is_integration => step.function_failed = true,
                LineFact::Status(status) if step.status.is_none() => step.status = Some(*status),
                LineFact::Connected => {
                    step.event.get_or_insert(AccessEvent::Connect);
                    step.status.get_or_insert(101);
                }
                LineFact::Closed(_) if matches!(kind, SourceKind::Execution) => {
                    step.event.get_or_insert(AccessEvent::Disconnect);
                }
                _ => {}
            }
        }
        let life = &mut self.life;
        if let LineFact::Access(record) = &line.fact
            && record.connected_at.is_some()
        {
            life.opened_at = record.connected_at;
        }
        if let LineFact::Closed(close) = &line.fact {
            let known = life.close.get_or_insert_default();
            if known.code.is_none() {
                (known.code, known.reason) = (Some(close.code), close.reason.clone().into_owned());
            }
            known.at = match known.at {
                0 => entry.at,
                at => at.min(entry.at),
            };
        }
        let is_error = line.level == Some(LineLevel::Error);
        if is_error && kind.is_function() && life.failures.len() < MAX_FAILURES {
            life.failures.push(LineFailure {
                at: entry.at,
                source: entry.source,
                message: failure_text(line),
            });
        }
    }

    fn finish(self, filter: &LifeFilter) -> ConnectionLife {
        let mut life = self.life;
        life.requests.sort_by_key(|step| step.at);
        merge_unnamed(&mut life.requests);
        if life.opened_at.is_none() {
            life.opened_at = life.handshake().map(|step| step.at);
        }
        let disconnect = life.requests.iter().find(|step| step.is_disconnect());
        if let Some(at) = disconnect.map(|step| step.at) {
            life.close.get_or_insert_default().at = at;
        }
        life.problems = find_problems(&life);
        life.selected = filter.selects(&life.id, self.passed);
        life
    }
}

impl RequestStep {
    fn apply(&mut self, record: &AccessRecord<'_>) {
        let text = |text: &Option<std::borrow::Cow<'_, str>>| text.as_deref().map(str::to_owned);
        self.is_in_access_log = true;
        self.event = record.event();
        if let Some(at) = record.request_at {
            self.at = at;
        }
        if record.route.is_some() {
            self.route = text(&record.route);
        }
        self.status = record.status;
        self.latency_ms = record.integration_latency;
        self.integration_status = record.integration_status;
        self.integration_error = text(&record.integration_error);
        self.error = text(&record.error_message);
        let authorizer = AuthorizerStep {
            status: record.authorizer_status,
            latency_ms: record.authorizer_latency,
            error: text(&record.authorizer_error),
            principal: text(&record.principal),
        };
        self.authorizer = (authorizer != AuthorizerStep::default()).then_some(authorizer);
    }
}

/// True for a route that a connection uses once.
fn is_only(route: Option<&str>) -> bool {
    matches!(route, Some("$connect" | "$disconnect"))
}

/// Merges steps without a request ID, which lines of functions created, into the requests of the access log.
fn merge_unnamed(steps: &mut Vec<RequestStep>) {
    /// Longest time between a function's line and the access log's, in milliseconds.
    const NEAR: i64 = 30_000;
    let (unnamed, mut named): (Vec<_>, Vec<_>) = std::mem::take(steps)
        .into_iter()
        .partition(|step| step.request.is_none() && !step.is_in_access_log);
    let mut left = Vec::new();
    for step in unnamed {
        let is_free = |other: &&mut RequestStep| {
            let is_near = (other.at - step.at).abs() <= NEAR;
            is_near && other.function_ms.is_none() && other.route == step.route
        };
        match named
            .iter_mut()
            .filter(is_free)
            .min_by_key(|other| (other.at - step.at).abs())
        {
            Some(other) => {
                other.function_ms = step.function_ms;
                other.function_failed |= step.function_failed;
            }
            None => left.push(step),
        }
    }
    named.extend(left);
    named.sort_by_key(|step| step.at);
    *steps = named;
}

fn failure_text(line: &ParsedLine<'_>) -> String {
    let field = |name: &str| {
        let found = line.fields.iter().find(|field| field.name == name);
        found.map(|field| field.value.as_ref())
    };
    let message = match line.message.as_ref() {
        "" => field("errorMessage").unwrap_or_default(),
        message => message,
    };
    let first = message.lines().next().unwrap_or_default();
    let detail = field("error")
        .or_else(|| field("reason"))
        .or_else(|| field("errorMessage"));
    match detail.filter(|detail| *detail != first) {
        Some(detail) => format!("{first}: {detail}"),
        None => first.to_owned(),
    }
}
