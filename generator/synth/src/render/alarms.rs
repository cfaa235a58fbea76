//! CloudWatch alarms.

use stackgen_cfn::{Node, list, map, r#ref};

use super::context::Context;
use super::function::FunctionIds;
use super::template::{Resource, Template};
use super::{http, websocket};
use crate::names::pascal;
use crate::spec::{Alarm, Alarms, Duration};

const DEFAULT_PERIOD: Duration = Duration::from_millis(300_000);

/// What an alarm watches.
struct Watched {
    /// The alarm's logical id, without `Alarm`.
    id: String,
    /// The last part of the alarm's name.
    name: String,
    namespace: &'static str,
    metric: &'static str,
    dimensions: Vec<(&'static str, Node)>,
}

/// Adds the alarms that the stack's file names.
pub(super) fn render(context: &Context<'_>, alarms: &Alarms, template: &mut Template) {
    let functions = context
        .spec
        .functions
        .keys()
        .flat_map(|name| of_function(name, alarms));
    let websocket = context
        .websocket()
        .map(|api| of_websocket(websocket::stage_name(api), alarms));
    let http = context.spec.http.as_ref().map(|_| of_http(alarms));
    let tables = context
        .spec
        .tables
        .keys()
        .map(|name| of_table(name, alarms));
    let all = functions
        .chain(websocket.into_iter().flatten())
        .chain(http)
        .chain(tables);
    for (key, alarm, watched) in all {
        if let Some(alarm) = alarm {
            let id = format!("{}Alarm", watched.id);
            template.add(&id, &["alarms", key], || resource(context, alarm, watched));
        }
    }
}

/// The key of stackgen.yaml, what it says, and what is to be watched.
type Entry = (&'static str, Option<Alarm>, Watched);

fn of_function(name: &str, alarms: &Alarms) -> [Entry; 2] {
    let watched = |word: &str, metric| Watched {
        id: format!("{}Function{metric}", pascal(name)),
        name: format!("{name}-{word}"),
        namespace: "AWS/Lambda",
        metric,
        dimensions: vec![("FunctionName", r#ref(FunctionIds::new(name).function))],
    };
    [
        (
            "functionErrors",
            alarms.function_errors,
            watched("errors", "Errors"),
        ),
        (
            "functionThrottles",
            alarms.function_throttles,
            watched("throttles", "Throttles"),
        ),
    ]
}

fn of_websocket(stage: &str, alarms: &Alarms) -> [Entry; 3] {
    let watched = |word: &str, metric| Watched {
        id: format!("WebSocket{metric}"),
        name: format!("websocket-{word}"),
        namespace: "AWS/ApiGateway",
        metric,
        dimensions: vec![("ApiId", r#ref(websocket::API)), ("Stage", stage.into())],
    };
    [
        (
            "websocketIntegrationErrors",
            alarms.websocket_integration_errors,
            watched("integration-errors", "IntegrationError"),
        ),
        (
            "websocketExecutionErrors",
            alarms.websocket_execution_errors,
            watched("execution-errors", "ExecutionError"),
        ),
        (
            "websocketClientErrors",
            alarms.websocket_client_errors,
            watched("client-errors", "ClientError"),
        ),
    ]
}

fn of_http(alarms: &Alarms) -> Entry {
    let watched = Watched {
        id: "HttpServerError".to_owned(),
        name: "http-server-errors".to_owned(),
        namespace: "AWS/ApiGateway",
        metric: "5xx",
        dimensions: vec![("ApiId", r#ref(http::NAMES.id))],
    };
    ("httpServerErrors", alarms.http_server_errors, watched)
}

fn of_table(name: &str, alarms: &Alarms) -> Entry {
    let watched = Watched {
        id: format!("{}TableThrottled", pascal(name)),
        name: format!("{name}-throttles"),
        namespace: "AWS/DynamoDB",
        metric: "ThrottledRequests",
        dimensions: vec![("TableName", r#ref(format!("{}Table", pascal(name))))],
    };
    ("tableThrottles", alarms.table_throttles, watched)
}

fn resource(context: &Context<'_>, alarm: Alarm, watched: Watched) -> Resource {
    let actions = context
        .spec
        .alarms
        .as_ref()
        .map_or(&[][..], |alarms| &alarms.actions);
    let actions =
        (!actions.is_empty()).then(|| list(actions.iter().map(|action| action.0.clone())));
    let dimensions = watched
        .dimensions
        .into_iter()
        .map(|(name, value)| map([("Name", name.into()), ("Value", value)]));
    let seconds = alarm.period.unwrap_or(DEFAULT_PERIOD).millis() / 1000;
    Resource::new("AWS::CloudWatch::Alarm")
        .set(
            "AlarmName",
            format!("{}-{}", context.stack_name(), watched.name),
        )
        .set("Namespace", watched.namespace)
        .set("MetricName", watched.metric)
        .set("Dimensions", list(dimensions))
        .set("Statistic", "Sum")
        .set("Period", i64::try_from(seconds).unwrap_or(i64::MAX))
        .set("EvaluationPeriods", alarm.evaluation_periods.unwrap_or(1))
        .set("Threshold", alarm.threshold)
        .set("ComparisonOperator", "GreaterThanOrEqualToThreshold")
        .set("TreatMissingData", "notBreaching")
        .set_some("AlarmActions", actions)
        .set_some("Tags", context.tag_list())
}
