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
    for name in context.spec.functions.keys() {
        let of_function = |word: &str, metric| Watched {
            id: format!("{}Function{metric}", pascal(name)),
            name: format!("{name}-{word}"),
            namespace: "AWS/Lambda",
            metric,
            dimensions: vec![("FunctionName", r#ref(FunctionIds::new(name).function))],
        };
        add(context, "functionErrors", alarms.function_errors, of_function("errors", "Errors"), template);
        add(context, "functionThrottles", alarms.function_throttles, of_function("throttles", "Throttles"), template);
    }
    if let Some(api) = context.websocket() {
        let of_api = |word: &str, metric| Watched {
            id: format!("WebSocket{metric}"),
            name: format!("websocket-{word}"),
            namespace: "AWS/ApiGateway",
            metric,
            dimensions: vec![("ApiId", r#ref(websocket::API)), ("Stage", websocket::stage_name(api).into())],
        };
        let watched = [
            ("websocketIntegrationErrors", alarms.websocket_integration_errors, of_api("integration-errors", "IntegrationError")),
            ("websocketExecutionErrors", alarms.websocket_execution_errors, of_api("execution-errors", "ExecutionError")),
            ("websocketClientErrors", alarms.websocket_client_errors, of_api("client-errors", "ClientError")),
        ];
        for (key, alarm, watched) in watched {
            add(context, key, alarm, watched, template);
        }
    }
    if context.spec.http.is_some() {
        let watched = Watched {
            id: "HttpServerError".to_owned(),
            name: "http-server-errors".to_owned(),
            namespace: "AWS/ApiGateway",
            metric: "5xx",
            dimensions: vec![("ApiId", r#ref(http::NAMES.id))],
        };
        add(context, "httpServerErrors", alarms.http_server_errors, watched, template);
    }
    for name in context.spec.tables.keys() {
        let watched = Watched {
            id: format!("{}TableThrottled", pascal(name)),
            name: format!("{name}-throttles"),
            namespace: "AWS/DynamoDB",
            metric: "ThrottledRequests",
            dimensions: vec![("TableName", r#ref(format!("{}Table", pascal(name))))],
        };
        add(context, "tableThrottles", alarms.table_throttles, watched, template);
    }
}

fn add(context: &Context<'_>, key: &str, alarm: Option<Alarm>, watched: Watched, template: &mut Template) {
    let Some(alarm) = alarm else {
        return;
    };
    let actions = context.spec.alarms.as_ref().map_or(&[][..], |alarms| &alarms.actions);
    let actions = (!actions.is_empty()).then(|| list(actions.iter().map(|action| action.0.clone())));
    let dimensions = watched.dimensions.into_iter().map(|(name, value)| map([("Name", name.into()), ("Value", value)]));
    let seconds = alarm.period.unwrap_or(DEFAULT_PERIOD).millis() / 1000;
    let resource = Resource::new("AWS::CloudWatch::Alarm")
        .set("AlarmName", format!("{}-{}", context.stack_name(), watched.name))
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
        .set_some("Tags", context.tag_list());
    template.add(&format!("{}Alarm", watched.id), &["alarms", key], resource);
}
