//! CloudWatch dashboard: one row of graphs per API, one for the functions and one for the tables.

use serde_json::{Value, json};
use stackgen_cfn::sub;

use super::api_names::ApiNames;
use super::context::RenderContext;
use super::function_ids::FunctionIds;
use super::template::{ResourceBuilder, TemplateBuilder};
use crate::names::pascal_case;

const WIDTH: usize = 8;
const HEIGHT: usize = 6;

/// Adds the dashboard.
pub(super) fn render(context: &RenderContext<'_>, template: &mut TemplateBuilder) {
    template.add("Dashboard", &["dashboard"], || {
        ResourceBuilder::new("AWS::CloudWatch::Dashboard")
            .set("DashboardName", context.stack_name())
            .set("DashboardBody", sub(body(&widgets(rows(context)))))
            .set_some("Tags", context.tag_list())
    });
}

fn rows(context: &RenderContext<'_>) -> Vec<Vec<Value>> {
    let mut rows: Vec<Vec<Value>> = Vec::new();
    if let Some(api) = context.websocket() {
        rows.push(websocket_row(api.stage_name()));
    }
    if context.spec.http.is_some() {
        rows.push(http_row());
    }
    if !context.spec.functions.is_empty() {
        let functions: Vec<_> = context
            .spec
            .functions
            .keys()
            .map(|name| FunctionIds::new(name).function)
            .collect();
        let of = |metric: &str, statistic: &str| {
            graph(
                &format!("Functions: {metric}"),
                statistic,
                each("AWS/Lambda", metric, "FunctionName", &functions),
            )
        };
        rows.push(vec![
            of("Invocations", "Sum"),
            of("Errors", "Sum"),
            of("Duration", "p99"),
        ]);
    }
    if !context.spec.tables.is_empty() {
        let tables: Vec<_> = context
            .spec
            .tables
            .keys()
            .map(|name| format!("{}Table", pascal_case(name)))
            .collect();
        let of = |title: &str, metrics: &[&str]| {
            let of_tables = |metric: &&str| each("AWS/DynamoDB", metric, "TableName", &tables);
            let metrics = metrics.iter().flat_map(of_tables).collect();
            graph(&format!("Tables: {title}"), "Sum", metrics)
        };
        rows.push(vec![
            of("consumed read capacity", &["ConsumedReadCapacityUnits"]),
            of("consumed write capacity", &["ConsumedWriteCapacityUnits"]),
            // ThrottledRequests has data only per operation, not for the whole table.
            of("throttles", &["ReadThrottleEvents", "WriteThrottleEvents"]),
        ]);
    }
    rows
}

/// Returns the graphs with their positions.
fn widgets(rows: Vec<Vec<Value>>) -> Vec<Value> {
    let mut widgets = Vec::new();
    for (y, row) in rows.into_iter().enumerate() {
        for (x, properties) in row.into_iter().enumerate() {
            widgets.push(json!({
                "type": "metric", "x": x * WIDTH, "y": y * HEIGHT, "width": WIDTH, "height": HEIGHT, "properties": properties,
            }));
        }
    }
    widgets
}

/// Returns the dashboard's JSON with one widget per line, so that a diff shows which widgets changed.
fn body(widgets: &[Value]) -> String {
    let lines: Vec<_> = widgets.iter().map(|widget| format!("  {widget}")).collect();
    format!("{{\"widgets\": [\n{}\n]}}\n", lines.join(",\n"))
}

fn websocket_row(stage: &str) -> Vec<Value> {
    let metric = |name: &str| {
        json!([
            "AWS/ApiGateway",
            name,
            "ApiId",
            format!("${{{}}}", ApiNames::WEBSOCKET.id),
            "Stage",
            stage
        ])
    };
    vec![
        graph(
            "WebSocket: connects and messages",
            "Sum",
            vec![metric("ConnectCount"), metric("MessageCount")],
        ),
        graph(
            "WebSocket: errors",
            "Sum",
            vec![
                metric("ClientError"),
                metric("ExecutionError"),
                metric("IntegrationError"),
            ],
        ),
        graph(
            "WebSocket: integration latency",
            "p99",
            vec![metric("IntegrationLatency")],
        ),
    ]
}

fn http_row() -> Vec<Value> {
    let metric = |name: &str| {
        json!([
            "AWS/ApiGateway",
            name,
            "ApiId",
            format!("${{{}}}", ApiNames::HTTP.id)
        ])
    };
    vec![
        graph("HTTP: requests", "Sum", vec![metric("Count")]),
        graph("HTTP: errors", "Sum", vec![metric("4xx"), metric("5xx")]),
        graph("HTTP: latency", "p99", vec![metric("Latency")]),
    ]
}

fn each(namespace: &str, metric: &str, dimension: &str, ids: &[String]) -> Vec<Value> {
    ids.iter()
        .map(|id| json!([namespace, metric, dimension, format!("${{{id}}}")]))
        .collect()
}

fn graph(title: &str, statistic: &str, metrics: Vec<Value>) -> Value {
    json!({ "title": title, "region": "${AWS::Region}", "stat": statistic, "period": 300, "metrics": metrics })
}
