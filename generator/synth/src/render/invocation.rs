//! Asynchronous invocations of functions: schedules, retries, and destinations of what failed.

use stackgen_cfn::{Map, Node, get_att, map, r#ref, sub};

use super::context::RenderContext;
use super::destination;
use super::function::published_version;
use super::function_ids::FunctionIds;
use super::policy::{allow, assumed_if, policy};
use super::template::{ResourceBuilder, TemplateBuilder};
use crate::spec::{AsyncInvokeSpec, FunctionSpec, ScheduleSpec};

const SCHEDULER: &str = "scheduler.amazonaws.com";
const DEFAULT_TIMEZONE: &str = "UTC";

/// Adds the schedule of a function with its role, and the settings of its asynchronous invocations.
pub(super) fn render(
    context: &RenderContext<'_>,
    name: &str,
    function: &FunctionSpec,
    template: &mut TemplateBuilder,
) {
    let ids = FunctionIds::new(name);
    if let Some(schedule) = &function.schedule {
        let origin = ["functions", name, "schedule"];
        template.add(&format!("{}Role", ids.schedule), &origin, || {
            schedule_role(context, &ids)
        });
        template.add(&ids.schedule, &origin, || {
            self::schedule(context, name, function, &schedule.schedule())
        });
    }
    if let Some(invoke) = &function.async_invoke {
        let origin = ["functions", name, "asyncInvoke"];
        template.add(&ids.async_invoke, &origin, || {
            async_invoke(context, name, function, invoke)
        });
    }
}

/// Role with which EventBridge Scheduler invokes a function. In a pinned environment it covers all versions, so that the
/// old schedule works until it names the new version.
fn schedule_role(context: &RenderContext<'_>, ids: &FunctionIds) -> ResourceBuilder {
    let function = match context.pinned() {
        true => sub(format!("${{{}.Arn}}:*", ids.function)),
        false => get_att(&ids.function, "Arn"),
    };
    // The source ARN of a schedule is that of its group.
    let group = sub(
        "arn:${AWS::Partition}:scheduler:${AWS::Region}:${AWS::AccountId}:schedule-group/default",
    );
    let condition = map([(
        "StringEquals",
        map([
            ("aws:SourceAccount", r#ref("AWS::AccountId")),
            ("aws:SourceArn", group),
        ]),
    )]);
    let statement = allow(["lambda:InvokeFunction".to_owned()], vec![function]);
    assumed_if(SCHEDULER, Some(condition))
        .set("Policies", policy("invoke", vec![statement]))
        .set_some("Tags", context.tag_list())
}

fn schedule(
    context: &RenderContext<'_>,
    name: &str,
    function: &FunctionSpec,
    schedule: &ScheduleSpec,
) -> ResourceBuilder {
    let ids = FunctionIds::new(name);
    let target = match published_version(context, name, function) {
        Some(version) => r#ref(version),
        None => get_att(&ids.function, "Arn"),
    };
    let timezone = schedule.timezone.as_deref().unwrap_or(DEFAULT_TIMEZONE);
    ResourceBuilder::new("AWS::Scheduler::Schedule")
        .set("Name", context.name(name))
        .set("ScheduleExpression", schedule.expression.as_str())
        .set("ScheduleExpressionTimezone", timezone)
        .set("FlexibleTimeWindow", map([("Mode", Node::from("OFF"))]))
        .set(
            "Target",
            map([
                ("Arn", target),
                ("RoleArn", get_att(format!("{}Role", ids.schedule), "Arn")),
            ]),
        )
}

/// Settings of asynchronous invocations. Lambda has them by version, and an earlier version that a rollback activates must
/// keep its own: CloudFormation replaces them when the version changes, and keeps the old ones.
fn async_invoke(
    context: &RenderContext<'_>,
    name: &str,
    function: &FunctionSpec,
    invoke: &AsyncInvokeSpec,
) -> ResourceBuilder {
    let resource = ResourceBuilder::new("AWS::Lambda::EventInvokeConfig")
        .set("FunctionName", r#ref(FunctionIds::new(name).function));
    let resource = match published_version(context, name, function) {
        Some(version) => resource
            .kept_on_replacement()
            .set("Qualifier", get_att(version, "Version")),
        None => resource.set("Qualifier", "$LATEST"),
    };
    let age = invoke.maximum_age.and_then(|age| age.seconds());
    resource
        .set_some("MaximumRetryAttempts", invoke.retries)
        .set_some(
            "MaximumEventAgeInSeconds",
            age.and_then(|age| i64::try_from(age).ok()),
        )
        .set_some("DestinationConfig", on_failure(context, invoke))
}

fn on_failure(context: &RenderContext<'_>, invoke: &AsyncInvokeSpec) -> Option<Map> {
    let destination = invoke
        .on_failure
        .as_ref()?
        .destinations()
        .first()
        .copied()?;
    let target = map([("Destination", destination::arn(context, destination))]);
    let mut config = Map::new();
    config.insert("OnFailure", target);
    Some(config)
}
