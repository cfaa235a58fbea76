//! SQS queues.

use stackgen_cfn::{get_att, map};

use super::backend::queue_id;
use super::context::RenderContext;
use super::keys;
use super::template::{ResourceBuilder, TemplateBuilder};
use crate::spec::{Duration, Expression, FunctionSpec, QueueSpec};

const DEFAULT_RETENTION: Duration = Duration::from_millis(14 * 24 * 3_600_000);
const DEFAULT_VISIBILITY: Duration = Duration::from_millis(30_000);
const DEFAULT_RECEIVES: u32 = 5;

/// Adds a queue.
pub(super) fn render(
    context: &RenderContext<'_>,
    name: &str,
    queue: &QueueSpec,
    template: &mut TemplateBuilder,
) {
    let seconds = |duration: Duration| i64::try_from(duration.millis() / 1000).unwrap_or(i64::MAX);
    let key = keys::stack_key(context);
    let redrive = queue.dead_letter.as_ref().map(|redrive| {
        map([
            (
                "deadLetterTargetArn",
                get_att(queue_id(&redrive.queue), "Arn"),
            ),
            (
                "maxReceiveCount",
                redrive.max_receives.unwrap_or(DEFAULT_RECEIVES).into(),
            ),
        ])
    });
    let retention = queue.retention.unwrap_or(DEFAULT_RETENTION);
    let visibility = queue
        .visibility_timeout
        .unwrap_or_else(|| default_visibility(context, name));
    template.add(&queue_id(name), &["queues", name], || {
        ResourceBuilder::new("AWS::SQS::Queue")
            .set("QueueName", context.name(name))
            .set("MessageRetentionPeriod", seconds(retention))
            .set("VisibilityTimeout", seconds(visibility))
            .set_some("RedrivePolicy", redrive)
            .set_some("SqsManagedSseEnabled", key.is_none().then_some(true))
            .set_some("KmsMasterKeyId", key)
            .set_some("Tags", context.tag_list())
    });
}

/// Returns six times the longest timeout of the functions that read a queue, as Lambda recommends.
fn default_visibility(context: &RenderContext<'_>, name: &str) -> Duration {
    let functions = context.spec.functions.values();
    let readers = functions.filter(|function| {
        let mut sources = function.event_sources.iter();
        sources.any(|source| {
            source
                .queue
                .as_ref()
                .is_some_and(|queue| names(queue, name))
        })
    });
    let longest = readers.map(FunctionSpec::timeout).max();
    longest.map_or(DEFAULT_VISIBILITY, |timeout| {
        Duration::from_millis(timeout.millis() * 6).min(QueueSpec::MAX_VISIBILITY)
    })
}

fn names(queue: &Expression, name: &str) -> bool {
    queue.0.as_str() == Some(name)
}
