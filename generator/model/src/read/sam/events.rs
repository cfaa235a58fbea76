//! Events of functions: HTTP APIs, queues, streams and topics.

use stackgen_cfn::{Map, Node, sub};

use super::{Expander, Source, Target, copy, permission_of};

/// Properties of events that an event source mapping has, too.
const MAPPING: &[&str] = &[
    "BatchSize",
    "BisectBatchOnFunctionError",
    "DestinationConfig",
    "Enabled",
    "FilterCriteria",
    "FunctionResponseTypes",
    "KmsKeyArn",
    "LoggingConfig",
    "MaximumBatchingWindowInSeconds",
    "MaximumRecordAgeInSeconds",
    "MaximumRetryAttempts",
    "MetricsConfig",
    "ParallelizationFactor",
    "ProvisionedPollerConfig",
    "ScalingConfig",
    "StartingPosition",
    "StartingPositionTimestamp",
    "TumblingWindowInSeconds",
];

/// An event whose source Lambda polls: its type, the property with the source's ARN, and the policy that the function needs.
struct PolledEvent {
    kind: &'static str,
    source: &'static str,
    policy: &'static str,
}

const POLLED: [PolledEvent; 3] = [
    PolledEvent {
        kind: "DynamoDB",
        source: "Stream",
        policy: "AWSLambdaDynamoDBExecutionRole",
    },
    PolledEvent {
        kind: "Kinesis",
        source: "Stream",
        policy: "AWSLambdaKinesisExecutionRole",
    },
    PolledEvent {
        kind: "SQS",
        source: "Queue",
        policy: "AWSLambdaSQSQueueExecutionRole",
    },
];

/// An event of a function.
struct FunctionEvent<'a> {
    name: &'a str,
    node: &'a Node,
    properties: Option<&'a Node>,
}

impl PolledEvent {
    fn of(event: &Node) -> Option<&'static PolledEvent> {
        let kind = event.get("Type").and_then(Node::as_str)?;
        POLLED.iter().find(|polled| polled.kind == kind)
    }
}

impl Expander<'_> {
    pub(super) fn events(&mut self, source: &Source, target: &Target) {
        let Some(events) = source.properties.get("Events").and_then(Node::as_map) else {
            return;
        };
        for (name, node) in events.iter() {
            let event = FunctionEvent {
                name,
                node,
                properties: node.get("Properties"),
            };
            let kind = node.get("Type").and_then(Node::as_str);
            match (kind, PolledEvent::of(node)) {
                (Some("HttpApi"), _) => self.http_event(source, name, node, target),
                (_, Some(polled)) => self.polled_event(source, &event, polled, target),
                (Some("SNS"), _) if event.property("SqsSubscription").is_none() => {
                    self.topic_event(source, &event, target);
                }
                (kind, _) => {
                    let kind = kind.unwrap_or("no known type");
                    self.unrelated_gap(
                        format!("event {name} of {} ({kind}) is not in the model", source.id),
                        node.span,
                    );
                }
            }
        }
    }

    fn polled_event(
        &mut self,
        source: &Source,
        event: &FunctionEvent,
        polled: &PolledEvent,
        target: &Target,
    ) {
        let mut mapping = Map::new();
        mapping.insert("FunctionName", target.name());
        if let Some(arn) = event.property(polled.source) {
            mapping.insert("EventSourceArn", arn.clone());
        }
        if let Some(properties) = event.properties {
            copy(properties, &mut mapping, MAPPING);
        }
        let id = event.id(source);
        let kind = "AWS::Lambda::EventSourceMapping";
        self.generated(source, id, kind, mapping, event.node.span);
    }

    fn topic_event(&mut self, source: &Source, event: &FunctionEvent, target: &Target) {
        let Some(topic) = event.property("Topic") else {
            return;
        };
        let mut subscription = Map::new();
        subscription.insert("Protocol", "lambda");
        subscription.insert("Endpoint", target.arn());
        subscription.insert("TopicArn", topic.clone());
        if let Some(properties) = event.properties {
            let same = [
                "Region",
                "FilterPolicy",
                "FilterPolicyScope",
                "RedrivePolicy",
            ];
            copy(properties, &mut subscription, &same);
        }
        let id = event.id(source);
        let permission = permission_of("sns.amazonaws.com", target.name(), topic.clone());
        let span = event.node.span;
        self.generated(
            source,
            format!("{id}Permission"),
            "AWS::Lambda::Permission",
            permission,
            span,
        );
        self.generated(source, id, "AWS::SNS::Subscription", subscription, span);
    }
}

impl FunctionEvent<'_> {
    fn property(&self, name: &str) -> Option<&Node> {
        self.properties?.get(name)
    }

    /// Returns the logical ID that SAM gives to the resource of the event.
    fn id(&self, source: &Source) -> String {
        format!("{}{}", source.id, self.name)
    }
}

/// Returns the managed policies that SAM adds for the events of a function, each once.
pub(super) fn managed_policies(properties: &Node) -> Vec<Node> {
    let events = properties.get("Events").and_then(Node::as_map);
    let events = events.into_iter().flat_map(Map::iter);
    let mut names: Vec<&str> = Vec::new();
    for polled in events.filter_map(|(_, event)| PolledEvent::of(event)) {
        if !names.contains(&polled.policy) {
            names.push(polled.policy);
        }
    }
    let arn = |name| {
        sub(format!(
            "arn:${{AWS::Partition}}:iam::aws:policy/service-role/{name}"
        ))
    };
    names.into_iter().map(arn).collect()
}
