//! Properties of rules and subscriptions.

use serde_json::{Map, Value as Json};
use stackgen_gateway_common::{ArnScope, EventPattern, FunctionArn};
use stackgen_model::ScheduleExpression;

use super::resource_error::ResourceError;
use super::trigger::{
    EVENT_RULE, FilterScope, SUBSCRIPTION, TargetInput, Trigger, TriggerReceiver, TriggerSource,
    TriggerTarget,
};

/// Returns true for types of triggers.
pub(super) fn is_trigger(kind: &str) -> bool {
    [EVENT_RULE, SUBSCRIPTION].contains(&kind)
}

/// Returns the properties of triggers that the gateway uses.
pub(super) fn used_properties(kind: &str) -> &'static [&'static str] {
    match kind {
        EVENT_RULE => &[
            "EventBusName",
            "EventPattern",
            "Name",
            "ScheduleExpression",
            "State",
            "Targets",
        ],
        SUBSCRIPTION => &[
            "Endpoint",
            "FilterPolicy",
            "FilterPolicyScope",
            "Protocol",
            "TopicArn",
        ],
        _ => &[],
    }
}

/// A trigger with the reasons why parts of it do nothing here.
#[derive(Debug, PartialEq)]
pub(super) struct ReadTrigger {
    /// `None` if nothing of it works here.
    pub(super) trigger: Option<Trigger>,
    pub(super) notes: Vec<String>,
    /// Notes on what only the endpoint for services that do not run here reaches.
    pub(super) elsewhere: Vec<String>,
}

/// Reader of the resolved properties of a trigger.
struct TriggerReader<'a> {
    properties: &'a Map<String, Json>,
    scope: &'a ArnScope,
    notes: Vec<String>,
    elsewhere: Vec<String>,
}

/// Reads the resolved properties of a trigger with this physical ID.
///
/// # Errors
///
/// If AWS would refuse them.
pub(super) fn read(
    kind: &str,
    id: &str,
    properties: &Map<String, Json>,
    scope: &ArnScope,
) -> Result<ReadTrigger, ResourceError> {
    let mut reader = TriggerReader {
        properties,
        scope,
        notes: Vec::new(),
        elsewhere: Vec::new(),
    };
    let trigger = match kind {
        EVENT_RULE => reader.rule(id)?,
        _ => reader.subscription(id)?,
    };
    Ok(ReadTrigger {
        trigger,
        notes: reader.notes,
        elsewhere: reader.elsewhere,
    })
}

impl TriggerReader<'_> {
    fn text(&self, name: &str) -> Option<&str> {
        self.properties.get(name).and_then(Json::as_str)
    }

    fn is_enabled(&self) -> bool {
        self.text("State") != Some("DISABLED")
    }

    fn times(&self, text: &str) -> Result<TriggerSource, ResourceError> {
        let expression = ScheduleExpression::parse(text).map_err(|error| {
            ResourceError::new(format!(
                "EventBridge rejects the schedule `{text}`: {error}"
            ))
        })?;
        Ok(TriggerSource::Times {
            text: text.to_owned(),
            expression,
        })
    }

    fn rule(&mut self, id: &str) -> Result<Option<Trigger>, ResourceError> {
        let bus = bus_name(self.text("EventBusName").unwrap_or("default")).to_owned();
        let source = match (
            self.text("ScheduleExpression"),
            self.properties.get("EventPattern"),
        ) {
            (Some(schedule), _) => self.times(schedule)?,
            (None, Some(pattern)) => match pattern_of(pattern) {
                Ok(pattern) => TriggerSource::Bus {
                    bus: bus.clone(),
                    pattern,
                },
                Err(reason) => {
                    self.notes.push(format!("it invokes nothing: {reason}"));
                    return Ok(None);
                }
            },
            (None, None) => {
                return Err(ResourceError::new(
                    "EventBridge rejects it: a rule has an EventPattern or a ScheduleExpression",
                ));
            }
        };
        let targets = self.properties.get("Targets").and_then(Json::as_array);
        let targets = targets.map(Vec::as_slice).unwrap_or_default();
        let targets = targets.iter().filter_map(|target| self.rule_target(target));
        let targets = targets.collect();
        let name = self.text("Name").unwrap_or(id);
        Ok(Some(Trigger {
            name: name.to_owned(),
            arn: rule_arn(self.scope, &rule_path(&bus, name)),
            source,
            enabled: self.is_enabled(),
            targets,
        }))
    }

    fn rule_target(&mut self, target: &Json) -> Option<TriggerTarget> {
        let receiver = self.receiver(target)?;
        let text = |name: &str| target.get(name).and_then(Json::as_str).map(str::to_owned);
        let input = match (
            text("Input"),
            text("InputPath"),
            target.get("InputTransformer"),
        ) {
            (Some(input), ..) => TargetInput::Constant(input),
            (None, Some(path), _) => TargetInput::Path(path),
            (None, None, Some(transformer)) => transformed(transformer),
            (None, None, None) => TargetInput::Event,
        };
        Some(TriggerTarget { receiver, input })
    }

    /// Returns the receiver of a target's ARN, or notes that it gets nothing here.
    fn receiver(&mut self, target: &Json) -> Option<TriggerReceiver> {
        let arn = target.get("Arn").and_then(Json::as_str).unwrap_or_default();
        if let Some(function) = FunctionArn::parse(arn)
            && function.scope == *self.scope
        {
            return Some(TriggerReceiver::Function(function));
        }
        let bus = self.scope.resource("events", "event-bus/");
        if let Some(name) = arn.strip_prefix(&bus) {
            return Some(TriggerReceiver::Bus(name.to_owned()));
        }
        self.elsewhere.push(format!(
            "its target {arn} gets nothing: rules reach the functions and the event buses of this stack, and others with --services"
        ));
        None
    }

    fn subscription(&mut self, id: &str) -> Result<Option<Trigger>, ResourceError> {
        let protocol = self.text("Protocol").unwrap_or_default();
        let function = self.text("Endpoint").and_then(FunctionArn::parse);
        if let Some(function) = &function
            && function.scope != *self.scope
        {
            self.notes.push(format!(
                "{function} gets no messages here: it is of another account or region"
            ));
            return Ok(None);
        }
        let (Some(function), "lambda") = (function, protocol) else {
            let note = format!(
                "{protocol} gets no messages here: start `stackgen dev` with --services URL"
            );
            self.elsewhere.push(note);
            return Ok(None);
        };
        let scope = match self.text("FilterPolicyScope") {
            Some("MessageBody") => FilterScope::Body,
            _ => FilterScope::Attributes,
        };
        let filter = match self.properties.get("FilterPolicy") {
            None | Some(Json::Null) => None,
            Some(policy) => match pattern_of(policy) {
                Ok(pattern) => Some((pattern, scope)),
                Err(reason) => {
                    self.notes.push(format!("it delivers nothing: {reason}"));
                    return Ok(None);
                }
            },
        };
        let topic = self.text("TopicArn").unwrap_or_default().to_owned();
        Ok(Some(Trigger {
            name: id.to_owned(),
            arn: format!("{topic}:{id}"),
            source: TriggerSource::Topic { topic, filter },
            enabled: true,
            targets: vec![TriggerTarget {
                receiver: TriggerReceiver::Function(function),
                input: TargetInput::Event,
            }],
        }))
    }
}

/// Returns the name of an event bus from its name or its ARN.
pub fn bus_name(text: &str) -> &str {
    text.rsplit_once(":event-bus/")
        .map_or(text, |(_, name)| name)
}

/// Returns the name of a rule with its bus, unless it is the default one.
pub(super) fn rule_path(bus: &str, name: &str) -> String {
    match bus_name(bus) {
        "" | "default" => name.to_owned(),
        bus => format!("{bus}/{name}"),
    }
}

/// Returns the ARN of a rule.
pub(super) fn rule_arn(scope: &ArnScope, path: &str) -> String {
    scope.resource("events", format_args!("rule/{path}"))
}

/// Reads a pattern, which a template writes as an object or as JSON text.
fn pattern_of(value: &Json) -> Result<EventPattern, String> {
    let text = match value {
        Json::String(text) => text.clone(),
        value => value.to_string(),
    };
    EventPattern::parse(&text).map_err(|error| format!("its pattern is not understood: {error}"))
}

fn transformed(transformer: &Json) -> TargetInput {
    let paths = transformer.get("InputPathsMap").and_then(Json::as_object);
    let paths = paths.into_iter().flatten();
    let paths = paths.filter_map(|(name, path)| Some((name.clone(), path.as_str()?.to_owned())));
    let template = transformer.get("InputTemplate").and_then(Json::as_str);
    TargetInput::Template {
        paths: paths.collect(),
        template: template.unwrap_or_default().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const FUNCTION: &str = "arn:aws:lambda:us-east-1:000000000000:function:work";

    fn trigger(kind: &str, properties: Json) -> Result<ReadTrigger, ResourceError> {
        let Json::Object(properties) = properties else {
            panic!("properties");
        };
        read(kind, "one", &properties, &ArnScope::default())
    }

    #[test]
    fn a_rule_calls_functions_and_buses_and_notes_other_targets() {
        let bus = "arn:aws:events:us-east-1:000000000000:event-bus/other";
        let elsewhere = "arn:aws:events:eu-west-1:000000000000:event-bus/other";
        let read = trigger(
            EVENT_RULE,
            json!({
                "EventBusName": "arn:aws:events:us-east-1:000000000000:event-bus/chat",
                "EventPattern": { "source": ["app"] },
                "Targets": [{ "Arn": FUNCTION, "InputPath": "$.detail" }, { "Arn": bus }, { "Arn": elsewhere }],
            }),
        );
        let read = read.unwrap();
        insta::assert_snapshot!(read.elsewhere.join("\n"), @"its target arn:aws:events:eu-west-1:000000000000:event-bus/other gets nothing: rules reach the functions and the event buses of this stack, and others with --services");
        let rule = read.trigger.unwrap();
        assert_eq!(
            rule.arn,
            "arn:aws:events:us-east-1:000000000000:rule/chat/one"
        );
        assert!(matches!(&rule.source, TriggerSource::Bus { bus, .. } if bus == "chat"));
        assert_eq!(rule.targets.len(), 2);
        assert_eq!(
            rule.targets[0].input,
            TargetInput::Path("$.detail".to_owned())
        );
        assert_eq!(
            rule.targets[1].receiver,
            TriggerReceiver::Bus("other".to_owned())
        );
    }

    #[test]
    fn a_rule_with_a_schedule_is_read() {
        let rule = trigger(
            EVENT_RULE,
            json!({ "ScheduleExpression": "rate(5 minutes)", "State": "DISABLED", "Targets": [{ "Arn": FUNCTION }] }),
        );
        let rule = rule.unwrap().trigger.unwrap();
        assert!(!rule.enabled && matches!(rule.source, TriggerSource::Times { .. }));
    }

    #[test]
    fn what_aws_refuses_is_an_error_and_what_is_not_understood_is_a_note() {
        let wrong = trigger(EVENT_RULE, json!({ "ScheduleExpression": "every day" }));
        insta::assert_snapshot!(wrong.unwrap_err().message, @"EventBridge rejects the schedule `every day`: it is neither `rate(…)` nor `cron(…)`");
        let none = trigger(EVENT_RULE, json!({}));
        insta::assert_snapshot!(none.unwrap_err().message, @"EventBridge rejects it: a rule has an EventPattern or a ScheduleExpression");
        let unknown = trigger(
            EVENT_RULE,
            json!({ "EventPattern": { "a": [{ "cidr": "10.0.0.0/8" }] } }),
        );
        let unknown = unknown.unwrap();
        assert_eq!(unknown.trigger, None);
        insta::assert_snapshot!(unknown.notes.join("\n"), @r#"it invokes nothing: its pattern is not understood: `a` has an operator that event filters do not know: {"cidr":"10.0.0.0/8"}"#);
    }

    #[test]
    fn only_functions_are_subscribed_to_topics() {
        let topic = "arn:aws:sns:us-east-1:000000000000:t";
        let mail = trigger(
            SUBSCRIPTION,
            json!({ "Protocol": "email", "Endpoint": "a@b.c", "TopicArn": topic }),
        );
        let mail = mail.unwrap();
        assert_eq!(mail.trigger, None);
        let elsewhere = FUNCTION.replace("us-east-1", "eu-west-1");
        let elsewhere = trigger(
            SUBSCRIPTION,
            json!({ "Protocol": "lambda", "Endpoint": elsewhere, "TopicArn": topic }),
        );
        let elsewhere = elsewhere.unwrap();
        assert_eq!(elsewhere.trigger, None);
        insta::assert_snapshot!(elsewhere.notes.join("\n"), @"arn:aws:lambda:eu-west-1:000000000000:function:work gets no messages here: it is of another account or region");
        insta::assert_snapshot!(mail.elsewhere.join("\n"), @"email gets no messages here: start `stackgen dev` with --services URL");
        let function = trigger(
            SUBSCRIPTION,
            json!({
                "Protocol": "lambda", "Endpoint": FUNCTION, "TopicArn": topic,
                "FilterPolicy": { "kind": ["a"] }, "FilterPolicyScope": "MessageBody",
            }),
        );
        let function = function.unwrap().trigger.unwrap();
        assert!(matches!(
            function.source,
            TriggerSource::Topic {
                filter: Some((_, FilterScope::Body)),
                ..
            }
        ));
    }
}
