//! CloudWatch alarms.

use stackgen_cfn::{Node, list, map, r#ref};

use super::api_names::ApiNames;
use super::context::RenderContext;
use super::function_ids::FunctionIds;
use super::template::{ResourceBuilder, TemplateBuilder};
use crate::names::pascal_case;
use crate::spec::{AlarmSpec, AlarmsSpec, Duration, FunctionSpec, MetricAlarmSpec, Spec};

const DEFAULT_PERIOD: Duration = Duration::from_millis(300_000);

/// Metric that an alarm monitors.
struct AlarmMetric {
    /// Logical ID of the alarm, without `Alarm`.
    id: String,
    /// Last part of the alarm's name.
    name: String,
    namespace: &'static str,
    /// Metrics to add up.
    metrics: &'static [&'static str],
    dimensions: Vec<(&'static str, Node)>,
}

/// Adds the alarms that the file lists.
pub(super) fn render(
    context: &RenderContext<'_>,
    alarms: &AlarmsSpec,
    template: &mut TemplateBuilder,
) {
    for (key, alarm, monitored) in built_in(context.spec, alarms) {
        if let Some(alarm) = alarm {
            let id = format!("{}Alarm", monitored.id);
            template.add(&id, &["alarms", key], || {
                resource(context, alarm, monitored)
            });
        }
    }
    for (name, alarm) in &alarms.metrics {
        let id = format!("{}MetricAlarm", pascal_case(name));
        template.add(&id, &["alarms", "metrics", name], || {
            metric_alarm(context, name, alarm)
        });
    }
}

/// Returns the last parts of the names of alarms on metrics of AWS, each with the key under `alarms` that declares it.
pub(crate) fn built_in_names(spec: &Spec, alarms: &AlarmsSpec) -> Vec<(String, &'static str)> {
    let alarms = built_in(spec, alarms).filter(|(_, alarm, _)| alarm.is_some());
    alarms
        .map(|(key, _, monitored)| (monitored.name, key))
        .collect()
}

/// Returns the alarms on metrics of AWS that the stack can have.
fn built_in<'a>(spec: &'a Spec, alarms: &'a AlarmsSpec) -> impl Iterator<Item = AlarmEntry> + 'a {
    let functions = spec.functions.keys();
    let functions = functions.flat_map(move |name| function_alarms(spec, name, alarms));
    let websocket = spec.websocket.iter();
    let websocket = websocket.flat_map(move |api| websocket_alarms(api.stage_name(), alarms));
    let http = spec.http.iter().map(move |_| http_alarm(alarms));
    let tables = spec
        .tables
        .keys()
        .map(move |name| table_alarm(name, alarms));
    functions.chain(websocket).chain(http).chain(tables)
}

/// Alarm on a metric that a function publishes.
fn metric_alarm(
    context: &RenderContext<'_>,
    name: &str,
    alarm: &MetricAlarmSpec,
) -> ResourceBuilder {
    let function = alarm.function.as_deref().map(|function| {
        let name = r#ref(FunctionIds::new(function).function);
        map([("Name", "FunctionName".into()), ("Value", name)])
    });
    let others = alarm.dimensions.iter();
    let others = others
        .map(|(name, value)| map([("Name", name.as_str().into()), ("Value", value.0.clone())]));
    let dimensions: Vec<Node> = function.into_iter().chain(others).collect();
    let period = alarm.period.unwrap_or(DEFAULT_PERIOD);
    let resource = named(context, name)
        .set_some("AlarmDescription", alarm.description.as_deref())
        .set("Namespace", alarm.namespace.as_str())
        .set("MetricName", alarm.metric.as_str())
        .set_some(
            "Dimensions",
            (!dimensions.is_empty()).then(|| list(dimensions)),
        )
        .set("Statistic", alarm.statistic.name())
        .set("Period", seconds(period));
    let threshold = threshold(alarm.threshold);
    compared(context, resource, alarm.evaluation_periods, threshold)
}

/// Alarm of a name that ends in `name`.
fn named(context: &RenderContext<'_>, name: &str) -> ResourceBuilder {
    let name = format!("{}-{name}", context.stack_name());
    ResourceBuilder::new("AWS::CloudWatch::Alarm").set("AlarmName", name)
}

/// Adds to an alarm on a value the comparison with the threshold, and the actions.
fn compared(
    context: &RenderContext<'_>,
    alarm: ResourceBuilder,
    periods: Option<u32>,
    threshold: Node,
) -> ResourceBuilder {
    alarm
        .set("EvaluationPeriods", periods.unwrap_or(1))
        .set("Threshold", threshold)
        .set("ComparisonOperator", "GreaterThanOrEqualToThreshold")
        .set("TreatMissingData", "notBreaching")
        .set_some("AlarmActions", actions(context))
        .set_some("Tags", context.tag_list())
}

/// Returns a threshold as it is usually written: whole numbers without a fraction.
fn threshold(value: f64) -> Node {
    #[allow(
        clippy::cast_possible_truncation,
        reason = "the value is a whole number below 2^53"
    )]
    match value.fract() == 0.0 && value.abs() < 9e15 {
        true => Node::from(value as i64),
        false => Node::from(value),
    }
}

fn seconds(period: Duration) -> i64 {
    i64::try_from(period.millis() / 1000).unwrap_or(i64::MAX)
}

/// Returns the actions of every alarm, if there are any.
fn actions(context: &RenderContext<'_>) -> Option<Node> {
    let alarms = context.spec.alarms.as_ref()?;
    let actions = &alarms.actions;
    (!actions.is_empty()).then(|| list(actions.iter().map(|action| action.0.clone())))
}

/// Entry of stackgen.yaml with the metric that its alarm monitors.
type AlarmEntry = (&'static str, Option<AlarmSpec>, AlarmMetric);

fn function_alarms(spec: &Spec, name: &str, alarms: &AlarmsSpec) -> [AlarmEntry; 2] {
    let monitored = |word: &str, metrics: &'static [&'static str; 1]| AlarmMetric {
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
            monitored("errors", &["Errors"]),
        ),
        (
            "functionThrottles",
            alarms.function_throttles,
            monitored("throttles", &["Throttles"]),
        ),
    ]
}

/// Returns true if a function is only the WebSocket API's authorizer. It must fail to answer 401 (row A6), and Lambda
/// counts that as an error, so any caller with an expired token would trigger the alarm.
fn only_authorizes(spec: &Spec, name: &str) -> bool {
    let is_authorizer = spec.authorizer().is_some_and(|it| it.function == name);
    let mut websocket = spec.websocket.iter().flat_map(|api| api.routes.values());
    let mut http = spec.http.iter().flat_map(|api| api.routes.values());
    let mut others = spec.functions.iter().filter(|(other, _)| *other != name);
    let is_invoked_by_events = spec
        .functions
        .get(name)
        .is_some_and(|function| function.schedule.is_some() || !function.event_sources.is_empty());
    let serves = is_invoked_by_events
        || websocket.any(|entry| entry.function() == Some(name))
        || http.any(|route| route.function == name)
        || others.any(|(_, other)| other.invoke.contains(name) || gets_failed_events(other, name));
    is_authorizer && !serves
}

/// Returns true if a function gets the events that another one failed to process.
fn gets_failed_events(other: &FunctionSpec, name: &str) -> bool {
    let invoke = other.async_invoke.as_ref();
    let destination = invoke.and_then(|invoke| invoke.on_failure.as_ref());
    destination.is_some_and(|destination| destination.function.as_deref() == Some(name))
}

fn websocket_alarms(stage: &str, alarms: &AlarmsSpec) -> [AlarmEntry; 3] {
    let monitored = |word: &str, metrics: &'static [&'static str; 1]| AlarmMetric {
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
            monitored("integration-errors", &["IntegrationError"]),
        ),
        (
            "websocketExecutionErrors",
            alarms.websocket_execution_errors,
            monitored("execution-errors", &["ExecutionError"]),
        ),
        (
            "websocketClientErrors",
            alarms.websocket_client_errors,
            monitored("client-errors", &["ClientError"]),
        ),
    ]
}

fn http_alarm(alarms: &AlarmsSpec) -> AlarmEntry {
    let monitored = AlarmMetric {
        id: "HttpServerError".to_owned(),
        name: "http-server-errors".to_owned(),
        namespace: "AWS/ApiGateway",
        metrics: &["5xx"],
        dimensions: vec![("ApiId", r#ref(ApiNames::HTTP.id))],
    };
    ("httpServerErrors", alarms.http_server_errors, monitored)
}

fn table_alarm(name: &str, alarms: &AlarmsSpec) -> AlarmEntry {
    let monitored = AlarmMetric {
        id: format!("{}TableThrottles", pascal_case(name)),
        name: format!("{name}-throttles"),
        namespace: "AWS/DynamoDB",
        // ThrottledRequests has data only per operation, not for the whole table.
        metrics: &["ReadThrottleEvents", "WriteThrottleEvents"],
        dimensions: vec![("TableName", r#ref(format!("{}Table", pascal_case(name))))],
    };
    ("tableThrottles", alarms.table_throttles, monitored)
}

fn resource(
    context: &RenderContext<'_>,
    alarm: AlarmSpec,
    monitored: AlarmMetric,
) -> ResourceBuilder {
    let value = metric_properties(&monitored, alarm.period.unwrap_or(DEFAULT_PERIOD));
    let resource = value
        .into_iter()
        .fold(named(context, &monitored.name), |resource, (key, value)| {
            resource.set(key, value)
        });
    let threshold = alarm.threshold.into();
    compared(context, resource, alarm.evaluation_periods, threshold)
}

/// Returns the properties of the value that an alarm compares with its threshold: the sum of one metric, or of several
/// metrics.
fn metric_properties(monitored: &AlarmMetric, period: Duration) -> Vec<(&'static str, Node)> {
    let seconds = seconds(period);
    let dimensions = || {
        let each = monitored.dimensions.iter();
        list(each.map(|(name, value)| map([("Name", (*name).into()), ("Value", value.clone())])))
    };
    if let [metric] = monitored.metrics {
        return vec![
            ("Namespace", monitored.namespace.into()),
            ("MetricName", (*metric).into()),
            ("Dimensions", dimensions()),
            ("Statistic", "Sum".into()),
            ("Period", seconds.into()),
        ];
    }
    let ids: Vec<_> = (1..=monitored.metrics.len())
        .map(|n| format!("m{n}"))
        .collect();
    let filled: Vec<_> = ids.iter().map(|id| format!("FILL({id}, 0)")).collect();
    let sum = map([
        ("Id", Node::from("sum")),
        ("Expression", filled.join(" + ").into()),
    ]);
    let summands = ids.iter().zip(monitored.metrics).map(|(id, metric)| {
        let metric = map([
            ("Namespace", Node::from(monitored.namespace)),
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
