//! Destinations of events that functions failed to process.

use stackgen_cfn::{Node, get_att};

use super::backend;
use super::context::RenderContext;
use super::function_ids::FunctionIds;
use super::policy::{allow, invocable};
use crate::spec::{FailureDestination, FunctionSpec};

/// Returns the ARN of a destination. A function has no version, so that old settings do not name one that is deleted.
pub(super) fn arn(destination: FailureDestination<'_>) -> Node {
    match destination {
        FailureDestination::Queue(queue) => backend::arn(queue),
        FailureDestination::Topic(topic) => backend::reference(topic),
        FailureDestination::EventBus(bus) => backend::arn(bus),
        FailureDestination::Function(name) => get_att(FunctionIds::new(name).function, "Arn"),
    }
}

/// Returns the statements that allow a function's role to send failed events to their destination.
pub(super) fn statements(context: &RenderContext<'_>, function: &FunctionSpec) -> Vec<Node> {
    let destination = function
        .async_invoke
        .iter()
        .filter_map(|invoke| invoke.on_failure.as_ref());
    let mut all = destination.flat_map(|destination| destination.destinations());
    let Some(destination) = all.next() else {
        return Vec::new();
    };
    let (action, resources) = match destination {
        FailureDestination::Queue(_) => ("sqs:SendMessage", vec![arn(destination)]),
        FailureDestination::Topic(_) => ("sns:Publish", vec![arn(destination)]),
        FailureDestination::EventBus(_) => ("events:PutEvents", vec![arn(destination)]),
        // By name: functions can be each other's destinations.
        FailureDestination::Function(name) => (
            "lambda:InvokeFunction",
            Vec::from(invocable(&context.name(name))),
        ),
    };
    vec![allow([action.to_owned()], resources)]
}
