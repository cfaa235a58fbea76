//! Keys, networks, queues and event sources of functions.

use std::collections::BTreeSet;

use super::referenced::ReferencedService;
use super::{NameQuota, SpecChecker, words};
use crate::LocatedError;
use crate::spec::{
    Duration, EncryptionKeySpec, EventSourceSpec, Expression, FunctionSpec, QueueSpec, VpcSpec,
};

/// Limits of the time for which a queue keeps messages.
const RETENTION: (Duration, Duration) = (
    Duration::from_millis(60_000),
    Duration::from_millis(14 * 86_400_000),
);
/// Limits of the time for which a received message is hidden.
const VISIBILITY: (Duration, Duration) = (Duration::from_millis(0), QueueSpec::MAX_VISIBILITY);
/// Limits of the time to wait for a full batch.
const WINDOW: (Duration, Duration) = (Duration::from_millis(0), Duration::from_millis(300_000));
const QUEUE_NAME: NameQuota = NameQuota {
    subject: "queue",
    service: "SQS",
    length: 80,
};
/// Batches of a queue above this size need a window.
const MAX_BATCH_WITHOUT_WINDOW: u32 = 10;

impl SpecChecker<'_> {
    /// Checks what a function is attached to.
    pub(super) fn attachments(&mut self, name: &str, function: &FunctionSpec) {
        let path = ["functions", name, "kmsKeyArn"];
        self.kms_key(&path, function.kms_key_arn.as_ref());
        let path = ["functions", name, "logs", "kmsKeyArn"];
        self.kms_key(&path, function.logs.kms_key_arn.as_ref());
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
                _ => self.ambiguous_dead_letter(name),
            }
        }
        self.event_sources(name, function);
    }

    /// Reports a dead-letter target that is not exactly one resource. A function's `deadLetter` is merged over that of
    /// `functionDefaults`.
    fn ambiguous_dead_letter(&mut self, name: &str) {
        let document = self.document;
        let span = |path: &[&str]| document.at_path(path).map(|node| node.span);
        let is_inherited = |key: &str| {
            let default = span(&["functionDefaults", "deadLetter", key]);
            default.is_some() && default == span(&["functions", name, "deadLetter", key])
        };
        let keys = ["queue", "topic"];
        let keys = keys.into_iter().filter(|key| {
            let path = ["functions", name, "deadLetter", key];
            span(&path).is_some()
        });
        let (inherited, own): (Vec<_>, Vec<_>) = keys.partition(|key| is_inherited(key));
        // The key `deadLetter` is that of `functionDefaults`, if both have it.
        let span = match own.last() {
            Some(key) => self.spans.value(&["functions", name, "deadLetter", key]),
            None => self.spans.key(&["functions", name, "deadLetter"]),
        };
        let error = LocatedError::new(span, "a dead-letter target is one queue or one topic");
        self.report(match (inherited.as_slice(), own.as_slice()) {
            ([inherited], [_]) => {
                let default = ["functionDefaults", "deadLetter", inherited];
                error
                    .related(
                        self.spans.key(&default),
                        format!("`{inherited}` is set here"),
                    )
                    .hint(format!(
                        "add `{inherited}: null`, because `functionDefaults` sets it"
                    ))
            }
            _ => error.hint("write `deadLetter: { queue: failures }`"),
        });
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
            let span = self.spans.key(&["queues", name]);
            self.physical_name(span, name, QUEUE_NAME);
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
            reads && function.timeout() > visibility
        });
        let slow: Vec<_> = slow
            .map(|(name, function)| (name.clone(), function.timeout()))
            .collect();
        for (name, timeout) in slow {
            let span = self.spans.value(&["queues", queue, "visibilityTimeout"]);
            let message = format!(
                "the visibility timeout is shorter than the timeout of `{name}`, which is {}",
                words(timeout)
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
        self.kms_key(&["encryptionKey"], Some(key));
    }

    /// Checks that a literal value is the ARN of a KMS key. IAM evaluates rights to use a key by the key's ARN, and
    /// CloudWatch Logs takes no alias.
    pub(super) fn kms_key(&mut self, path: &[&str], key: Option<&Expression>) {
        let Some(key) = key else {
            return;
        };
        let fits = match key.0.as_str() {
            Some(text) => is_kms_key_arn(text),
            None => key.0.as_call().is_some(),
        };
        if fits {
            return;
        }
        let message = match path {
            ["encryptionKey"] => {
                "`encryptionKey` is neither `create` nor the ARN of a KMS key".to_owned()
            }
            _ => format!(
                "`{}` is not the ARN of a KMS key",
                path.last().copied().unwrap_or_default()
            ),
        };
        let is_alias = key.0.as_str().is_some_and(|text| text.contains("alias/"));
        let hint = match is_alias {
            true => {
                "an alias is not accepted: write the ARN of its key, which `aws kms describe-key --key-id` shows"
            }
            false => {
                "it has the form `arn:aws:kms:REGION:ACCOUNT:key/ID`; an intrinsic function such as `!GetAtt Key.Arn` \
                 can give it"
            }
        };
        self.report(LocatedError::new(self.spans.value(path), message).hint(hint));
    }
}

fn is_kms_key_arn(text: &str) -> bool {
    let parts: Vec<_> = text.split(':').collect();
    match parts.as_slice() {
        ["arn", partition, "kms", region, account, key] => {
            let id = key.strip_prefix("key/").unwrap_or_default();
            [*partition, *region, *account, id]
                .iter()
                .all(|part| !part.is_empty())
        }
        _ => false,
    }
}
