//! Keys, networks, queues and event sources of functions.

use std::collections::BTreeSet;

use super::referenced::ReferencedService;
use super::{SpecChecker, words};
use crate::LocatedError;
use crate::spec::{Duration, EncryptionKeySpec, EventSourceSpec, FunctionSpec, VpcSpec};

/// Limits of the time for which a queue keeps messages.
const RETENTION: (Duration, Duration) = (
    Duration::from_millis(60_000),
    Duration::from_millis(14 * 86_400_000),
);
/// Limits of the time for which a received message is hidden.
const VISIBILITY: (Duration, Duration) = (
    Duration::from_millis(0),
    Duration::from_millis(12 * 3_600_000),
);
/// Limits of the time to wait for a full batch.
const WINDOW: (Duration, Duration) = (Duration::from_millis(0), Duration::from_millis(300_000));
/// Batches of a queue above this size need a window.
const MAX_BATCH_WITHOUT_WINDOW: u32 = 10;
const DEFAULT_TIMEOUT: Duration = Duration::from_millis(3_000);

impl SpecChecker<'_> {
    /// Checks what a function is attached to.
    pub(super) fn attachments(&mut self, name: &str, function: &FunctionSpec) {
        let path = ["functions", name, "kmsKeyArn"];
        if let Some(key) = &function.kms_key_arn {
            self.arn(&path, &key.0);
        }
        if let Some(key) = &function.logs.kms_key_arn {
            self.arn(&["functions", name, "logs", "kmsKeyArn"], &key.0);
        }
        for (index, layer) in function.layers.iter().enumerate() {
            let span = self.spans.item(&["functions", name, "layers"], index);
            let literal = layer.0.as_str();
            let wrong =
                literal.filter(|arn| !arn.contains(":layer:") || arn.split(':').count() != 8);
            if let Some(arn) = wrong {
                let error =
                    LocatedError::new(span, format!("`{arn}` is not the ARN of a layer version"));
                self.report(
                    error
                        .hint("it has the form `arn:aws:lambda:REGION:ACCOUNT:layer:NAME:VERSION`"),
                );
            }
        }
        if let Some(vpc) = &function.vpc {
            self.vpc(name, vpc);
        }
        if let Some(target) = &function.dead_letter {
            let path = ["functions", name, "deadLetter"];
            match (&target.queue, &target.topic) {
                (Some(queue), None) => {
                    let span = self
                        .spans
                        .value(&["functions", name, "deadLetter", "queue"]);
                    self.resource(span, queue, ReferencedService::QUEUE);
                }
                (None, Some(topic)) => {
                    let span = self
                        .spans
                        .value(&["functions", name, "deadLetter", "topic"]);
                    self.resource(span, topic, ReferencedService::TOPIC);
                }
                _ => {
                    let error = LocatedError::new(
                        self.spans.key(&path),
                        "a dead-letter target is one queue or one topic",
                    );
                    self.report(error.hint("write `deadLetter: { queue: failures }`"));
                }
            }
        }
        self.event_sources(name, function);
    }

    fn vpc(&mut self, name: &str, vpc: &VpcSpec) {
        for (key, prefix, ids) in [
            ("subnetIds", "subnet-", &vpc.subnet_ids),
            ("securityGroupIds", "sg-", &vpc.security_group_ids),
        ] {
            for (index, id) in ids.iter().enumerate() {
                let span = self.spans.item(&["functions", name, "vpc", key], index);
                let wrong = id.0.as_str().filter(|id| !id.starts_with(prefix));
                if let Some(id) = wrong {
                    let error = LocatedError::new(span, format!("`{id}` is not one of `{key}`"));
                    self.report(error.hint(format!(
                        "IDs begin with `{prefix}`; for a value of another stack, use `!ImportValue`"
                    )));
                }
            }
        }
    }

    fn event_sources(&mut self, name: &str, function: &FunctionSpec) {
        let mut seen = BTreeSet::new();
        for (index, source) in function.event_sources.iter().enumerate() {
            let span = self.spans.item(&["functions", name, "eventSources"], index);
            match (&source.queue, &source.table) {
                (Some(queue), None) => {
                    self.resource(span, queue, ReferencedService::QUEUE);
                    if !seen.insert(format!("{:?}", queue.0.value)) {
                        self.report(
                            LocatedError::new(span, "the function reads this queue twice")
                                .hint("remove one of the event sources"),
                        );
                    }
                }
                (None, Some(table)) => {
                    self.stream_of(name, index, table);
                    if !seen.insert(table.clone()) {
                        self.report(
                            LocatedError::new(span, "the function reads this table twice")
                                .hint("remove one of the event sources"),
                        );
                    }
                }
                _ => {
                    let error =
                        LocatedError::new(span, "an event source is one `queue` or one `table`");
                    self.report(error.hint("write `{ queue: jobs }` or `{ table: rooms }`"));
                    continue;
                }
            }
            self.source_settings(name, index, source);
        }
    }

    fn stream_of(&mut self, name: &str, index: usize, table: &str) {
        let span = self.spans.item(&["functions", name, "eventSources"], index);
        let known = self.declared("tables");
        if !known.contains(&table) {
            self.missing(span, "table", table, &known);
            return;
        }
        let tables = &self.spec.tables;
        if tables
            .get(table)
            .is_some_and(|table| table.stream.is_none())
        {
            let error = LocatedError::new(span, format!("table `{table}` has no stream"));
            let error = error.related(self.spans.key(&["tables", table]), "the table");
            self.report(error.hint("add `stream: newAndOldImages` to the table"));
        }
    }

    fn source_settings(&mut self, name: &str, index: usize, source: &EventSourceSpec) {
        let span = self.spans.item(&["functions", name, "eventSources"], index);
        let of_queue = source.queue.is_some();
        let unused = [
            (
                "maximumConcurrency",
                source.maximum_concurrency.is_some() && !of_queue,
                "queues",
            ),
            ("retries", source.retries.is_some() && of_queue, "tables"),
        ];
        for (key, _, kind) in unused.into_iter().filter(|(_, is_unused, _)| *is_unused) {
            let error = LocatedError::new(span, format!("`{key}` applies only to {kind}"));
            self.report(error.hint(match key {
                "retries" => {
                    "remove it; `deadLetter` of the queue limits how often a message is processed"
                }
                _ => "remove it",
            }));
        }
        if let Some(window) = source.batching_window {
            self.limited(span, "the batching window", window, WINDOW);
        }
        let is_large = source
            .batch_size
            .is_some_and(|size| size > MAX_BATCH_WITHOUT_WINDOW);
        if of_queue
            && is_large
            && source
                .batching_window
                .is_none_or(|window| window.millis() == 0)
        {
            let error = LocatedError::new(
                span,
                format!(
                    "a batch of a queue with more than {MAX_BATCH_WITHOUT_WINDOW} messages needs `batchingWindow`"
                ),
            );
            self.report(error.hint("add `batchingWindow: 1s`"));
        }
    }

    pub(super) fn queues(&mut self) {
        let spec = self.spec;
        for (name, queue) in &spec.queues {
            if let Some(retention) = queue.retention {
                let span = self.spans.value(&["queues", name, "retention"]);
                self.limited(span, "the retention", retention, RETENTION);
            }
            if let Some(timeout) = queue.visibility_timeout {
                let path = ["queues", name.as_str(), "visibilityTimeout"];
                let span = self.spans.value(&path);
                self.limited(span, "the visibility timeout", timeout, VISIBILITY);
                self.slow_reader(name, timeout);
            }
            let Some(redrive) = &queue.dead_letter else {
                continue;
            };
            let span = self.spans.value(&["queues", name, "deadLetter", "queue"]);
            let known = self.declared("queues");
            if redrive.queue == *name {
                let error = LocatedError::new(span, "a queue cannot be its own dead-letter queue");
                self.report(error.hint("declare another queue"));
            } else if !known.contains(&redrive.queue.as_str()) {
                self.missing(span, "queue", &redrive.queue, &known);
            }
        }
    }

    /// Reports a function that may process a message for longer than the queue hides it. Lambda refuses such an event source.
    fn slow_reader(&mut self, queue: &str, visibility: Duration) {
        let functions = self.spec.functions.iter();
        let slow = functions.filter(|(_, function)| {
            let mut sources = function.event_sources.iter();
            let reads = sources.any(|source| {
                let source = source.queue.as_ref();
                source.is_some_and(|source| source.0.as_str() == Some(queue))
            });
            reads && function.timeout.unwrap_or(DEFAULT_TIMEOUT) > visibility
        });
        let slow: Vec<_> = slow
            .map(|(name, function)| (name.clone(), function.timeout))
            .collect();
        for (name, timeout) in slow {
            let span = self.spans.value(&["queues", queue, "visibilityTimeout"]);
            let message = format!(
                "the visibility timeout is shorter than the timeout of `{name}`, which is {}",
                words(timeout.unwrap_or(DEFAULT_TIMEOUT))
            );
            self.report(
                LocatedError::new(span, message)
                    .hint("remove it: the default is six times the function's timeout"),
            );
        }
    }

    pub(super) fn encryption_key(&mut self) {
        let Some(EncryptionKeySpec::Existing(key)) = &self.spec.encryption_key else {
            return;
        };
        if key.0.as_str().is_some_and(|text| !text.starts_with("arn:")) {
            let span = self.spans.value(&["encryptionKey"]);
            let error = LocatedError::new(span, "`encryptionKey` is neither `create` nor an ARN");
            self.report(error.hint("write `encryptionKey: create`, or the ARN of a KMS key"));
        }
    }

    fn limited(
        &mut self,
        span: stackgen_cfn::Span,
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
