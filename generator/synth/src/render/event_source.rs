//! Event sources: queues and streams of tables that invoke functions.

use stackgen_cfn::{Node, get_att, json, list, map, r#ref};

use super::backend;
use super::context::RenderContext;
use super::function::published_version;
use super::function_ids::FunctionIds;
use super::template::{ResourceBuilder, TemplateBuilder};
use crate::digest::short_digest;
use crate::names::pascal_case;
use crate::spec::{EventSourceSpec, FunctionSpec};

/// Adds the event sources of a function. In a pinned environment they invoke its published version.
pub(super) fn render(
    context: &RenderContext<'_>,
    name: &str,
    function: &FunctionSpec,
    template: &mut TemplateBuilder,
) {
    let origin = ["functions", name, "eventSources"];
    for source in &function.event_sources {
        let Some((suffix, arn)) = identified(context, source) else {
            continue;
        };
        let id = format!("{}{suffix}EventSource", pascal_case(name));
        template.add(&id, &origin, || {
            mapping(context, name, function, source, arn)
        });
    }
}

/// Returns the part of the logical ID that names a source, and the source's ARN.
fn identified(context: &RenderContext<'_>, source: &EventSourceSpec) -> Option<(String, Node)> {
    match (&source.queue, &source.table) {
        (Some(queue), _) => {
            let suffix = match backend::logical_id(queue) {
                Some(id) => pascal_case(id),
                None => {
                    let text = json::to_json(&queue.0).to_string();
                    format!("Queue{}", short_digest(&text))
                }
            };
            Some((suffix, backend::queue_arn(context, queue)))
        }
        (None, Some(table)) => {
            let id = format!("{}Table", pascal_case(table));
            Some((id.clone(), get_att(id, "StreamArn")))
        }
        (None, None) => None,
    }
}

fn mapping(
    context: &RenderContext<'_>,
    name: &str,
    function: &FunctionSpec,
    source: &EventSourceSpec,
    arn: Node,
) -> ResourceBuilder {
    let target = match published_version(context, name, function) {
        Some(version) => r#ref(version),
        None => get_att(FunctionIds::new(name).function, "Arn"),
    };
    let window = source.batching_window.and_then(|window| window.seconds());
    let filters = source
        .filters
        .iter()
        .map(|filter| map([("Pattern", Node::from(filter.sorted().to_string()))]));
    let filters: Vec<Node> = filters.collect();
    ResourceBuilder::new("AWS::Lambda::EventSourceMapping")
        .set("EventSourceArn", arn)
        .set("FunctionName", target)
        .set_some(
            "StartingPosition",
            source.table.is_some().then_some("LATEST"),
        )
        .set_some("BatchSize", source.batch_size)
        .set_some(
            "MaximumBatchingWindowInSeconds",
            window.and_then(|window| i64::try_from(window).ok()),
        )
        .set_some(
            "FunctionResponseTypes",
            source
                .report_item_failures
                .then(|| list(["ReportBatchItemFailures"])),
        )
        .set_some(
            "ScalingConfig",
            source
                .maximum_concurrency
                .map(|maximum| map([("MaximumConcurrency", Node::from(maximum))])),
        )
        .set_some("MaximumRetryAttempts", source.retries)
        .set_some(
            "FilterCriteria",
            (!filters.is_empty()).then(|| map([("Filters", list(filters))])),
        )
        .set_some("Tags", context.tag_list())
}
