//! Targets of schedules.

use std::fmt;

use serde_json::Value as Json;
use stackgen_gateway_common::{ArnScope, FunctionArn};

/// Receiver of what a schedule sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScheduleTarget {
    /// A function, with its qualifier.
    Function(FunctionArn),
    /// A queue of SQS.
    Queue {
        /// Name.
        name: String,
        /// Message group, for a FIFO queue.
        group: Option<String>,
    },
    /// A topic of SNS.
    Topic {
        /// ARN.
        arn: String,
    },
    /// An event bus.
    Bus {
        /// Name.
        name: String,
        /// `detail-type` of the events.
        detail_type: String,
        /// `source` of the events.
        source: String,
    },
    /// A state machine.
    StateMachine {
        /// ARN.
        arn: String,
    },
    /// A stream of Kinesis.
    Stream {
        /// Name.
        name: String,
        /// Partition key of the records.
        partition_key: String,
    },
}

impl ScheduleTarget {
    /// Reads the resolved target of a schedule of this account and region.
    ///
    /// # Errors
    ///
    /// If the target does not run here. The text says what it is.
    pub(super) fn read(target: &Json, scope: &ArnScope) -> Result<Self, &'static str> {
        let text = |path: &str| target.pointer(path).and_then(Json::as_str);
        let member = |path: &str| text(path).unwrap_or_default().to_owned();
        let arn = text("/Arn").unwrap_or_default();
        if let Some(function) = FunctionArn::parse(arn) {
            return match function.scope == *scope {
                true => Ok(ScheduleTarget::Function(function)),
                false => Err("a function of another account or region"),
            };
        }
        let here = |service: &str| arn.strip_prefix(&scope.resource(service, ""));
        let name = |service: &str, kind: &str| Some(here(service)?.strip_prefix(kind)?.to_owned());
        if let Some(name) = name("events", "event-bus/") {
            return Ok(ScheduleTarget::Bus {
                name,
                detail_type: member("/EventBridgeParameters/DetailType"),
                source: member("/EventBridgeParameters/Source"),
            });
        }
        if let Some(name) = name("kinesis", "stream/") {
            return Ok(ScheduleTarget::Stream {
                name,
                partition_key: member("/KinesisParameters/PartitionKey"),
            });
        }
        if let Some(name) = name("sqs", "") {
            return Ok(ScheduleTarget::Queue {
                name,
                group: text("/SqsParameters/MessageGroupId").map(str::to_owned),
            });
        }
        let arn = arn.to_owned();
        match (here("sns"), name("states", "stateMachine:")) {
            (Some(_), _) => Ok(ScheduleTarget::Topic { arn }),
            (_, Some(_)) => Ok(ScheduleTarget::StateMachine { arn }),
            _ => Err(
                "neither a function nor a queue, topic, event bus, state machine or stream of this account and region",
            ),
        }
    }

    /// Returns the service of a target that has none here.
    pub(super) fn service_elsewhere(&self) -> Option<&'static str> {
        match self {
            ScheduleTarget::Queue { .. } => Some("sqs"),
            ScheduleTarget::StateMachine { .. } => Some("states"),
            ScheduleTarget::Stream { .. } => Some("kinesis"),
            // The gateway has topics and event buses with functions.
            ScheduleTarget::Function(_)
            | ScheduleTarget::Topic { .. }
            | ScheduleTarget::Bus { .. } => None,
        }
    }
}

impl fmt::Display for ScheduleTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let last = |arn: &str| arn.rsplit(':').next().unwrap_or(arn).to_owned();
        match self {
            ScheduleTarget::Function(function) => f.write_str(&function.name),
            ScheduleTarget::Queue { name, .. } => write!(f, "queue {name}"),
            ScheduleTarget::Topic { arn } => write!(f, "topic {}", last(arn)),
            ScheduleTarget::Bus { name, .. } => write!(f, "event bus {name}"),
            ScheduleTarget::StateMachine { arn } => write!(f, "state machine {}", last(arn)),
            ScheduleTarget::Stream { name, .. } => write!(f, "stream {name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_targets_of_this_account_are_read() {
        let arn = |service: &str, resource: &str| ArnScope::default().resource(service, resource);
        let read = |arn: String| {
            let target = json!({
                "Arn": arn,
                "SqsParameters": { "MessageGroupId": "g" },
                "EventBridgeParameters": { "DetailType": "d", "Source": "s" },
                "KinesisParameters": { "PartitionKey": "k" },
            });
            match ScheduleTarget::read(&target, &ArnScope::default()) {
                Ok(target) => target.to_string(),
                Err(reason) => reason.to_owned(),
            }
        };
        for (service, resource, expected) in [
            ("lambda", "function:work:live", "work"),
            ("sqs", "jobs", "queue jobs"),
            ("sns", "news", "topic news"),
            ("events", "event-bus/shop", "event bus shop"),
            ("states", "stateMachine:m", "state machine m"),
            ("kinesis", "stream/records", "stream records"),
        ] {
            assert_eq!(read(arn(service, resource)), expected);
        }
        let elsewhere = "arn:aws:lambda:us-east-1:111122223333:function:f".to_owned();
        assert_eq!(read(elsewhere), "a function of another account or region");
        for other in [
            arn("ecs", "cluster/c"),
            "arn:aws:scheduler:::aws-sdk:dynamodb:putItem".to_owned(),
            "arn:aws:sqs:us-east-1:111122223333:jobs".to_owned(),
        ] {
            assert!(read(other).starts_with("neither a function"));
        }
    }
}
