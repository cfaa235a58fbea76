//! CloudWatch alarms.

use stackgen_cfn::{Node, list, map, r#ref};

use super::api_names::ApiNames;
use super::context::RenderContext;
use super::function_ids::FunctionIds;
use super::template::{ResourceBuilder, TemplateBuilder};
use crate::names::pascal_case;
use crate::spec::{AlarmSpec, AlarmsSpec, Duration, Spec};

const DEFAULT_PERIOD: Duration = Duration::from_millis(300_000);

/// What an alarm watches.
struct AlarmMetric {
    /// The alarm's logical id, without `Alarm`.
    id: String,
    /// The last part of the alarm's name.
    name: String,
    namespace: &'static str,
    /// Those that are added up.
    metrics: &'static [&'static str],
    dimensions: Vec<(&'static str, Node)>,
}

/// Adds the alarms that the stack's file names.
pub(super) fn render(
    context: &RenderContext<'_>,
    alarms: &AlarmsSpec,
    template: &mut TemplateBuilder,
) {
    let functions = context
        .spec
        .functions
        .keys()
        .flat_map(|name| of_function(context.spec, name, alarms));
    let websocket = context
        .websocket()
        .map(|api| of_websocket(api.stage_name(), alarms));
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
type Entry = (&'static str, Option<AlarmSpec>, AlarmMetric);

fn of_function(spec: &Spec, name: &str, alarms: &AlarmsSpec) -> [Entry; 2] {
    let watched = |word: &str, metrics: &'static [&'static str; 1]| AlarmMetric {
        id: format!("{}Function{}", pascal_case(name), metrics[0]),
        name: format!("{name}-{word}"),
        namespace: "AWS/Lambda",
        metrics,
        dimensions: vec![("FunctionName", r#ref(FunctionIds::new(name).function))],
    };
    [
        (
            "functionErrors",
            alarms
                .function_errors
                .filter(|_| !only_authorizes(spec, name)),
            watched("errors", &["Errors"]),
        ),
        (
            "functionThrottles",
            alarms.function_throttles,
            watched("throttles", &["Throttles"]),
        ),
    ]
}

/// Whether a function is the authorizer and nothing else. It has to fail to answer 401 (row A6), and Lambda counts that
/// as an error, so that anybody with an expired token would set an alarm off.
fn only_authorizes(spec: &Spec, name: &str) -> bool {
    let is_authorizer = spec.authorizer().is_some_and(|it| it.function == name);
    let mut websocket = spec.websocket.iter().flat_map(|api| api.routes.values());
    let mut http = spec.http.iter().flat_map(|api| api.routes.values());
    let mut others = spec.functions.iter().filter(|(other, _)| *other != name);
    let serves = websocket.any(|entry| entry.route().function == name)
        || http.any(|route| route.function == name)
        || others.any(|(_, other)| other.invoke.contains(name));
    is_authorizer && !serves
}

fn of_websocket(stage: &str, alarms: &AlarmsSpec) -> [Entry; 3] {
    let watched = |word: &str, metrics: &'static [&'static str; 1]| AlarmMetric {
        id: format!("WebSocket{}", metrics[0]),
        name: format!("websocket-{word}"),
        namespace: "AWS/ApiGateway",
        metrics,
        dimensions: vec![
            ("ApiId", r#ref(ApiNames::WEBSOCKET.id)),
            ("Stage", stage.into()),
        ],
    };
    [
        (
            "websocketIntegrationErrors",
            alarms.websocket_integration_errors,
            watched("integration-errors", &["IntegrationError"]),
        ),
        (
            "websocketExecutionErrors",
            alarms.websocket_execution_errors,
            watched("execution-errors", &["ExecutionError"]),
        ),
        (
            "websocketClientErrors",
            alarms.websocket_client_errors,
            watched("client-errors", &["ClientError"]),
        ),
    ]
}

fn of_http(alarms: &AlarmsSpec) -> Entry {
    let watched = AlarmMetric {
        id: "HttpServerError".to_owned(),
        name: "http-server-errors".to_owned(),
        namespace: "AWS/ApiGateway",
        metrics: &["5xx"],
        dimensions: vec![("ApiId", r#ref(ApiNames::HTTP.id))],
    };
    ("httpServerErrors", alarms.http_server_errors, watched)
}

fn of_table(name: &str, alarms: &AlarmsSpec) -> Entry {
    let watched = AlarmMetric {
        id: format!("{}TableThrottles", pascal_case(name)),
        name: format!("{name}-throttles"),
        namespace: "AWS/DynamoDB",
        // ThrottledRequests is counted by operation: for the table as a whole it has no data.
        metrics: &["ReadThrottleEvents", "WriteThrottleEvents"],
        dimensions: vec![("TableName", r#ref(format!("{}Table", pascal_case(name))))],
    };
    ("tableThrottles", alarms.table_throttles, watched)
}

fn resource(
    context: &RenderContext<'_>,
    alarm: AlarmSpec,
    watched: AlarmMetric,
) -> ResourceBuilder {
    let actions = context
        .spec
        .alarms
        .as_ref()
        .map_or(&[][..], |alarms| &alarms.actions);
    let actions =
        (!actions.is_empty()).then(|| list(actions.iter().map(|action| action.0.clone())));
    let name = format!("{}-{}", context.stack_name(), watched.name);
    measured(&watched, alarm.period.unwrap_or(DEFAULT_PERIOD))
        .into_iter()
        .fold(
            ResourceBuilder::new("AWS::CloudWatch::Alarm").set("AlarmName", name),
            |resource, (key, value)| resource.set(key, value),
        )
        .set("EvaluationPeriods", alarm.evaluation_periods.unwrap_or(1))
        .set("Threshold", alarm.threshold)
        .set("ComparisonOperator", "GreaterThanOrEqualToThreshold")
        .set("TreatMissingData", "notBreaching")
        .set_some("AlarmActions", actions)
        .set_some("Tags", context.tag_list())
}

/// What an alarm compares with its threshold: the sum of one metric, or of several added up.
fn measured(watched: &AlarmMetric, period: Duration) -> Vec<(&'static str, Node)> {
    let seconds = i64::try_from(period.millis() / 1000).unwrap_or(i64::MAX);
    let dimensions = || {
        let each = watched.dimensions.iter();
        list(each.map(|(name, value)| map([("Name", (*name).into()), ("Value", value.clone())])))
    };
    if let [metric] = watched.metrics {
        return vec![
            ("Namespace", watched.namespace.into()),
            ("MetricName", (*metric).into()),
            ("Dimensions", dimensions()),
            ("Statistic", "Sum".into()),
            ("Period", seconds.into()),
        ];
    }
    let ids: Vec<_> = (1..=watched.metrics.len())
        .map(|n| format!("m{n}"))
        .collect();
    let filled: Vec<_> = ids.iter().map(|id| format!("FILL({id}, 0)")).collect();
    let sum = map([
        ("Id", Node::from("sum")),
        ("Expression", filled.join(" + ").into()),
    ]);
    let summands = ids.iter().zip(watched.metrics).map(|(id, metric)| {
        let metric = map([
            ("Namespace", Node::from(watched.namespace)),
            ("MetricName", (*metric).into()),
            ("Dimensions", dimensions()),
        ]);
        let statistic = map([
            ("Metric", metric),
            ("Period", seconds.into()),
            ("Stat", "Sum".into()),
        ]);
        map([
            ("Id", Node::from(id.as_str())),
            ("MetricStat", statistic),
            ("ReturnData", false.into()),
        ])
    });
    vec![("Metrics", list(std::iter::once(sum).chain(summands)))]
}
