//! Checks that a schema cannot express: names that must exist, limits that depend on other values, and contradictions
//! between intent and wiring.

use stackgen_cfn::{Node, Span};

mod access;
mod alarms;
mod domain;
mod function;
mod http;
mod invocation;
mod invoke;
mod load;
mod referenced;
mod route;
mod stack;
mod table;
mod verify;
mod websocket;

use crate::LocatedError;
use crate::check::format;
use crate::names::physical_name;
use crate::spans::DocumentSpans;
use crate::spec::{Duration, Spec, StageSpec};
use crate::wording::{join_or, nearest, use_one_of};

/// Limits of a Lambda timeout.
const FUNCTION_TIMEOUT: (Duration, Duration) =
    (Duration::from_millis(1000), Duration::from_millis(900_000));
/// Limits of a WebSocket integration's timeout (row C8).
const WEBSOCKET_TIMEOUT: (Duration, Duration) =
    (Duration::from_millis(50), Duration::from_millis(29_000));
/// Limits of an HTTP integration's timeout.
const HTTP_TIMEOUT: (Duration, Duration) =
    (Duration::from_millis(50), Duration::from_millis(30_000));

/// Checks the values of one environment and adds errors to `errors`. Returns true if published versions invoke each
/// other in a cycle.
pub(crate) fn check(
    spec: &Spec,
    environment: &str,
    document: &Node,
    errors: &mut Vec<LocatedError>,
) -> bool {
    let mut checker = SpecChecker {
        spec,
        environment,
        document,
        spans: DocumentSpans(document),
        errors,
    };
    for (name, function) in &spec.functions {
        checker.function(name, function);
    }
    for (name, table) in &spec.tables {
        checker.table(name, table);
    }
    checker.queues();
    checker.encryption_key();
    if let Some(websocket) = &spec.websocket {
        checker.websocket(websocket);
    }
    if let Some(http) = &spec.http {
        checker.http(http);
    }
    checker.alarms();
    checker.verify();
    checker.load();
    checker.stack();
    checker.require_content();
    checker.report_version_cycle()
}

/// Quota on the length of names, which end in the environment.
#[derive(Clone, Copy)]
struct NameQuota {
    subject: &'static str,
    service: &'static str,
    length: usize,
}

struct SpecChecker<'a> {
    spec: &'a Spec,
    environment: &'a str,
    document: &'a Node,
    spans: DocumentSpans<'a>,
    errors: &'a mut Vec<LocatedError>,
}

impl<'a> SpecChecker<'a> {
    fn report(&mut self, error: LocatedError) {
        self.errors.push(error);
    }

    fn stage(&mut self, api: &str, stage: &StageSpec) {
        if let Some(logs) = &stage.access_logs {
            let path = [api, "stage", "accessLogs", "kmsKeyArn"];
            self.kms_key(&path, logs.kms_key_arn.as_ref());
        }
        for (name, value) in &stage.variables {
            let fits =
                name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && !value.is_empty();
            if !fits {
                let span = self.spans.key(&[api, "stage", "variables", name]);
                let error =
                    LocatedError::new(span, format!("`{name}` is not a valid stage variable"));
                self.report(error.hint("use letters, digits and `_` in its name, and give it a value: API Gateway \
                    removes a variable subject value is empty").row("D12"));
            }
        }
    }

    /// Returns true if the file has a section that is not empty, with or without errors.
    fn has(&self, section: &str) -> bool {
        let node = self.document.get(section);
        node.is_some_and(|node| node.as_map().is_none_or(|map| !map.is_empty()))
    }

    fn require_content(&mut self) {
        let sections = [
            "functions",
            "websocket",
            "http",
            "tables",
            "queues",
            "resources",
        ];
        if !sections.iter().any(|section| self.has(section)) {
            let error = LocatedError::new(self.spans.key(&["name"]), "the stack is empty");
            let hint = format!(
                "add {}; run `stackgen init echo` for an example",
                join_or(&sections)
            );
            self.report(error.hint(hint));
        }
    }

    /// Checks the length of a name in the account.
    fn physical_name(&mut self, span: Span, name: &str, quota: NameQuota) {
        let length = physical_name(name, self.environment).len();
        // A name of the environment that is too long is reported once, not once per resource.
        let fits = format::check("environment-name", self.environment).is_none();
        if length > quota.length && fits {
            let message = format!(
                "the {}'s name with `-{}` has {length} characters; {} allows {}",
                quota.subject, self.environment, quota.service, quota.length
            );
            self.report(LocatedError::new(span, message));
        }
    }

    fn has_function(&mut self, span: Span, name: &str) {
        let known = self.declared("functions");
        if !known.contains(&name) {
            self.missing(span, "function", name, &known);
        }
    }

    /// Returns the names that a section of the file declares, including those of entries with errors.
    fn declared(&self, section: &str) -> Vec<&'a str> {
        let map = self.document.get(section).and_then(Node::as_map);
        map.into_iter().flat_map(|map| map.keys()).collect()
    }

    fn missing(&mut self, span: Span, kind: &str, name: &str, known: &[&str]) {
        let error = LocatedError::new(span, format!("there is no {kind} `{name}`"));
        self.report(match nearest(name, known.iter().copied()) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None if known.is_empty() => error.hint(format!("declare it under `{kind}s`")),
            None => error.hint(use_one_of(known)),
        });
    }

    fn timeout(
        &mut self,
        span: Span,
        subject: &str,
        timeout: Duration,
        limits: (Duration, Duration),
        row: Option<&'static str>,
    ) {
        if (limits.0..=limits.1).contains(&timeout) {
            return;
        }
        let (least, most) = (words(limits.0), words(limits.1));
        let message = format!(
            "{subject} timeout must be {least} to {most}, not {}",
            words(timeout)
        );
        self.report(LocatedError {
            row,
            ..LocatedError::new(span, message)
        });
    }

    /// Checks that a time is in whole seconds and within limits.
    fn limited(
        &mut self,
        span: Span,
        subject: &str,
        value: Duration,
        limits: (Duration, Duration),
    ) {
        let (least, most) = limits;
        if (least..=most).contains(&value) && value.seconds().is_some() {
            return;
        }
        let message = format!(
            "{subject} must be {} to {} in whole seconds, not {}",
            words(least),
            words(most),
            words(value)
        );
        self.report(LocatedError::new(span, message));
    }
}

fn words(duration: Duration) -> String {
    match duration.seconds() {
        Some(seconds) => format!("{seconds} s"),
        None => format!("{} ms", duration.millis()),
    }
}
