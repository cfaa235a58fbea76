//! Event sources and destinations of failed events of functions, with the rights to use them.

use stackgen_cfn::{Node, get_att, sub};

use super::backend;
use super::context::RenderContext;
use super::function_ids::FunctionIds;
use super::keys;
use super::policy::{allow, invocable};
use crate::names::pascal_case;
use crate::spec::{DeadLetterSpec, EventSourceSpec, FailureDestination, FunctionSpec};

/// Returns the ARN of a destination. A function has no version, so that old settings do not name one that is deleted.
pub(super) fn arn(context: &RenderContext<'_>, destination: FailureDestination<'_>) -> Node {
    match destination {
        FailureDestination::Queue(queue) => backend::queue_arn(context, queue),
        FailureDestination::Topic(topic) => backend::reference(topic),
        FailureDestination::EventBus(bus) => backend::arn(bus),
        FailureDestination::Function(name) => get_att(FunctionIds::new(name).function, "Arn"),
    }
}

/// Returns the ARN of a dead-letter target.
pub(super) fn dead_letter_arn(
    context: &RenderContext<'_>,
    target: &DeadLetterSpec,
) -> Option<Node> {
    let target = dead_letter(target)?;
    Some(arn(context, target))
}

fn dead_letter(target: &DeadLetterSpec) -> Option<FailureDestination<'_>> {
    let queue = target.queue.as_ref().map(FailureDestination::Queue);
    queue.or_else(|| target.topic.as_ref().map(FailureDestination::Topic))
}

/// Returns the statements that allow a function's role to send failed events, and to read event sources.
pub(super) fn statements(context: &RenderContext<'_>, function: &FunctionSpec) -> Vec<Node> {
    let invoke = function.async_invoke.as_ref();
    let on_failure = invoke.and_then(|invoke| invoke.on_failure.as_ref());
    let on_failure = on_failure.and_then(|spec| spec.destinations().first().copied());
    let dead_letter = function.dead_letter.as_ref().and_then(dead_letter);
    let mut statements = Vec::new();
    for destination in on_failure.into_iter().chain(dead_letter) {
        for statement in send(context, destination) {
            // Both can be the same queue.
            if !statements.contains(&statement) {
                statements.push(statement);
            }
        }
    }
    let sources = function.event_sources.iter();
    for statement in sources.flat_map(|source| read(context, source)) {
        if !statements.contains(&statement) {
            statements.push(statement);
        }
    }
    statements
}

fn send(context: &RenderContext<'_>, destination: FailureDestination<'_>) -> Vec<Node> {
    let on_arn = |action: &str| allow([action.to_owned()], vec![arn(context, destination)]);
    match destination {
        FailureDestination::Queue(queue) => {
            let key = keys::queue_key(context, queue).map(keys::allow_send);
            std::iter::once(on_arn("sqs:SendMessage"))
                .chain(key)
                .collect()
        }
        FailureDestination::Topic(_) => vec![on_arn("sns:Publish")],
        FailureDestination::EventBus(_) => vec![on_arn("events:PutEvents")],
        // By name: functions can be each other's destinations.
        FailureDestination::Function(name) => {
            let resources = Vec::from(invocable(&context.name(name)));
            vec![allow(["lambda:InvokeFunction".to_owned()], resources)]
        }
    }
}

fn read(context: &RenderContext<'_>, source: &EventSourceSpec) -> Vec<Node> {
    if let Some(queue) = &source.queue {
        let actions = [
            "sqs:DeleteMessage",
            "sqs:GetQueueAttributes",
            "sqs:ReceiveMessage",
        ]
        .map(str::to_owned);
        let messages = allow(actions, vec![backend::queue_arn(context, queue)]);
        let key = keys::queue_key(context, queue).map(keys::allow_decrypt);
        return std::iter::once(messages).chain(key).collect();
    }
    let Some(name) = &source.table else {
        return Vec::new();
    };
    let id = format!("{}Table", pascal_case(name));
    let streams = sub(format!("${{{id}.Arn}}/stream/*"));
    let stream = get_att(id, "StreamArn");
    let actions = [
        "dynamodb:DescribeStream",
        "dynamodb:GetRecords",
        "dynamodb:GetShardIterator",
    ]
    .map(str::to_owned);
    let table = context.spec.tables.get(name);
    let key = table.and_then(|table| keys::table_key(context, table));
    let records = allow(actions, vec![stream]);
    // Lambda lists the streams of the table before it reads one.
    let list = allow(["dynamodb:ListStreams".to_owned()], vec![streams]);
    [records, list]
        .into_iter()
        .chain(key.map(keys::allow_decrypt))
        .collect()
}
