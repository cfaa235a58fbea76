//! Events of functions: HTTP APIs, queues, streams, topics, rules and schedules.

use stackgen_cfn::{Map, Node, get_att, sub};

use super::{Expander, Source, Target, copy, map, permission_of};

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
                (Some("Schedule" | "EventBridgeRule" | "CloudWatchEvent"), _) => {
                    self.rule_event(source, &event, target);
                }
                (Some("ScheduleV2"), _) => self.schedule_event(source, &event, target),
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

/// Properties of events that a rule has, too, with their names in the rule.
const RULE: &[(&str, &str)] = &[
    ("Schedule", "ScheduleExpression"),
    ("Pattern", "EventPattern"),
    ("EventBusName", "EventBusName"),
    ("Description", "Description"),
    ("Name", "Name"),
    ("RuleName", "Name"),
    ("State", "State"),
];

/// Properties of events that the target of a rule has, too.
const TARGET: &[&str] = &["Input", "InputPath", "InputTransformer", "RetryPolicy"];

/// Properties of events that a schedule has, too.
const SCHEDULE: &[&str] = &[
    "Description",
    "EndDate",
    "FlexibleTimeWindow",
    "GroupName",
    "KmsKeyArn",
    "Name",
    "ScheduleExpression",
    "ScheduleExpressionTimezone",
    "StartDate",
    "State",
];

impl Expander<'_> {
    /// Adds the rule of an event, and its permission to invoke the function.
    fn rule_event(&mut self, source: &Source, event: &FunctionEvent, target: &Target) {
        let id = event.id(source);
        let mut rule = Map::new();
        // A schedule names its rule with `Name`, and ignores `RuleName`.
        let unused = match event.property("Schedule") {
            Some(_) => "RuleName",
            None => "Name",
        };
        for (from, to) in RULE.iter().filter(|(from, _)| *from != unused) {
            if let Some(value) = event.property(from) {
                rule.insert(*to, value.clone());
            }
        }
        match event.property("Enabled").and_then(Node::as_bool) {
            Some(true) => rule.insert("State", "ENABLED"),
            Some(false) => rule.insert("State", "DISABLED"),
            None => None,
        };
        let mut receiver = Map::new();
        receiver.insert("Arn", target.arn());
        let name = event.property("Target").and_then(|target| target.get("Id"));
        let name = name.cloned();
        receiver.insert(
            "Id",
            name.unwrap_or_else(|| format!("{id}LambdaTarget").into()),
        );
        if let Some(properties) = event.properties {
            copy(properties, &mut receiver, TARGET);
        }
        rule.insert("Targets", Node::from(vec![Node::from(receiver)]));
        let arn = get_att(&id, "Arn");
        let permission = permission_of("events.amazonaws.com", target.name(), arn);
        let span = event.node.span;
        let kind = "AWS::Lambda::Permission";
        self.generated(source, format!("{id}Permission"), kind, permission, span);
        self.generated(source, id, "AWS::Events::Rule", rule, span);
    }

    /// Adds the schedule of an event, and its role unless the event names one.
    fn schedule_event(&mut self, source: &Source, event: &FunctionEvent, target: &Target) {
        let id = event.id(source);
        let span = event.node.span;
        let mut schedule = Map::new();
        if event.property("OmitName").and_then(Node::as_bool) != Some(true) {
            schedule.insert("Name", id.as_str());
        }
        schedule.insert("FlexibleTimeWindow", map([("Mode", "OFF".into())]));
        if let Some(properties) = event.properties {
            copy(properties, &mut schedule, SCHEDULE);
        }
        let role = match event.property("RoleArn") {
            Some(role) => role.clone(),
            None => {
                let role = format!("{id}Role");
                let properties = invoke_role(&id, target.arn());
                self.generated(source, role.clone(), "AWS::IAM::Role", properties, span);
                get_att(&role, "Arn")
            }
        };
        let mut receiver = Map::new();
        receiver.insert("Arn", target.arn());
        receiver.insert("RoleArn", role);
        if let Some(properties) = event.properties {
            copy(properties, &mut receiver, &["Input", "RetryPolicy"]);
        }
        schedule.insert("Target", receiver);
        self.generated(source, id, "AWS::Scheduler::Schedule", schedule, span);
    }
}

/// Returns the role with which EventBridge Scheduler invokes a function.
fn invoke_role(id: &str, function: Node) -> Map {
    let statement = |entries: Vec<(&'static str, Node)>| {
        let statement = map(entries);
        map([
            ("Version", "2012-10-17".into()),
            ("Statement", Node::from(vec![statement])),
        ])
    };
    let trust = statement(vec![
        ("Effect", "Allow".into()),
        ("Action", "sts:AssumeRole".into()),
        (
            "Principal",
            map([("Service", "scheduler.amazonaws.com".into())]),
        ),
    ]);
    let invoke = statement(vec![
        ("Effect", "Allow".into()),
        ("Action", "lambda:InvokeFunction".into()),
        ("Resource", function),
    ]);
    let policy = map([
        ("PolicyName", format!("{id}LambdaPolicy").into()),
        ("PolicyDocument", invoke),
    ]);
    let mut role = Map::new();
    role.insert("AssumeRolePolicyDocument", trust);
    role.insert("Policies", Node::from(vec![policy]));
    role
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
