//! Changes of a template whose resources `stackgen dev --services` creates in an emulator.

use serde_json::{Value, json};

use crate::common::Sandbox;
use crate::release::emulator::Emulator;
use crate::running::Dev;
use crate::services::services;

const TEMPLATE: &str = r"
Resources:
  Inbox: { Type: AWS::SQS::Queue, Properties: { QueueName: inbox, VisibilityTimeout: 7 } }
  Other: { Type: AWS::SQS::Queue, Properties: { QueueName: other } }
  News: { Type: AWS::SNS::Topic, Properties: { TopicName: news, DisplayName: News, Subscription: [{ Protocol: sqs, Endpoint: !GetAtt Other.Arn }] } }
  NewsInbox: { Type: AWS::SNS::Subscription, Properties: { TopicArn: !Ref News, Protocol: sqs, Endpoint: !GetAtt Inbox.Arn, RawMessageDelivery: true, FilterPolicyScope: MessageBody, FilterPolicy: { a: { b: [c] } } } }
  People: { Type: AWS::Events::Rule, Properties: { Name: people, State: DISABLED, EventPattern: { source: [app] }, Targets: [{ Id: inbox, Arn: !GetAtt Inbox.Arn }, { Id: other, Arn: !GetAtt Other.Arn }] } }
  Password: { Type: AWS::SecretsManager::Secret, Properties: { Name: password, SecretString: first } }
  Setting: { Type: AWS::SSM::Parameter, Properties: { Name: setting, Type: String, Value: first } }
  Thing: { Type: AWS::SQS::Queue, Properties: { QueueName: thing } }
  ThingName: { Type: AWS::SSM::Parameter, Properties: { Name: thing, Type: String, Value: !Ref Thing } }
  Api: { Type: AWS::ApiGatewayV2::Api, Properties: { Name: changing, ProtocolType: WEBSOCKET, RouteSelectionExpression: $request.body.action } }
";

const TOPIC: &str = "arn:aws:sns:us-east-1:000000000000:news";

/// An emulator, and the template in it.
struct Emulated {
    emulator: Emulator,
    dev: Dev,
}

impl Emulated {
    /// Starts the template with an emulator; `None` skips the test.
    fn start() -> Option<Self> {
        let emulator = Emulator::start()?;
        let sandbox = Sandbox::new();
        sandbox.write("template.yaml", TEMPLATE);
        let dev = Dev::of_template(sandbox, &["--services", &emulator.url()]);
        Some(Emulated { emulator, dev })
    }

    /// Ends the process and starts another one.
    fn start_again(self) -> Self {
        let Emulated { emulator, mut dev } = self;
        dev.interrupt();
        assert_eq!(dev.ended(), Some(0));
        let dev = Dev::of_template(dev.into_sandbox(), &["--services", &emulator.url()]);
        Emulated { emulator, dev }
    }

    /// Writes the template, and waits until it is applied. Returns the changes.
    fn apply(&self, template: &str) -> Vec<String> {
        self.dev.sandbox.write("template.yaml", template);
        let applied = self.dev.event("applied");
        let changes = applied["changes"].as_array().unwrap().iter();
        let changes = changes.map(|one| format!("{} {}", one["what"], one["logicalId"]));
        changes.map(|one| one.replace('"', "")).collect()
    }

    /// Calls an operation of the emulator.
    fn call(&self, [service, operation]: [&str; 2], parameters: &Value) -> Value {
        let parameters = parameters.to_string();
        services(&self.emulator, &["call", service, operation, &parameters])
    }

    /// Returns the subscriptions of the topic with their attributes.
    fn subscriptions(&self) -> String {
        let of = json!({ "TopicArn": TOPIC });
        let all = self.call(["sns", "list_subscriptions_by_topic"], &of);
        let all = all["Subscriptions"].as_array().unwrap().iter();
        let all = all.map(|one| {
            let of = json!({ "SubscriptionArn": one["SubscriptionArn"] });
            let found = self.call(["sns", "get_subscription_attributes"], &of);
            let names = ["RawMessageDelivery", "FilterPolicyScope", "FilterPolicy"];
            let values = names.map(|name| found["Attributes"][name].to_string());
            let endpoint = one["Endpoint"].as_str().unwrap().rsplit(':').next();
            format!("{} {}", endpoint.unwrap(), values.join(" "))
        });
        let mut all: Vec<String> = all.collect();
        all.sort();
        all.join("\n")
    }

    /// Returns the rules with their states and the IDs of their targets.
    fn rules(&self) -> Vec<String> {
        let all = self.call(["events", "list_rules"], &json!({}));
        let all = all["Rules"].as_array().unwrap().iter();
        let all = all.map(|rule| {
            let of = json!({ "Rule": rule["Name"] });
            let targets = self.call(["events", "list_targets_by_rule"], &of);
            let targets = targets["Targets"].as_array().unwrap().iter();
            let targets: Vec<String> = targets.map(|one| one["Id"].to_string()).collect();
            format!("{} {} {}", rule["Name"], rule["State"], targets.join(" ")).replace('"', "")
        });
        all.collect()
    }

    /// Returns the attributes of a queue.
    fn queue(&self, name: &str) -> Value {
        let url = format!("{}/000000000000/{name}", self.emulator.url());
        let of = json!({ "QueueUrl": url, "AttributeNames": ["All"] });
        self.call(["sqs", "get_queue_attributes"], &of)["Attributes"].clone()
    }

    /// Returns the visibility timeout of the queue and the display name of the topic.
    fn attributes(&self) -> Value {
        let queue = self.queue("inbox");
        let topic = self.call(
            ["sns", "get_topic_attributes"],
            &json!({ "TopicArn": TOPIC }),
        );
        json!([
            queue["VisibilityTimeout"],
            topic["Attributes"]["DisplayName"]
        ])
    }

    /// Returns the value of the secret.
    fn secret(&self) -> Value {
        let of = json!({ "SecretId": "password" });
        self.call(["secretsmanager", "get_secret_value"], &of)["SecretString"].clone()
    }

    /// Returns the value of a parameter.
    fn parameter(&self, name: &str) -> Value {
        let answer = self.call(["ssm", "get_parameter"], &json!({ "Name": name }));
        answer["Parameter"]["Value"].clone()
    }
}

#[test]
fn attributes_targets_and_subscriptions_that_leave_the_template_leave_the_emulator() {
    let Some(emulated) = Emulated::start() else {
        return;
    };
    insta::assert_snapshot!(emulated.subscriptions(), @r#"
    inbox "true" "MessageBody" "{\"a\":{\"b\":[\"c\"]}}"
    other "false" null null
    "#);
    assert_eq!(emulated.rules(), ["people DISABLED inbox other"]);
    assert_eq!(emulated.attributes(), json!(["7", "News"]));
    let without = TEMPLATE
        .replace(", VisibilityTimeout: 7", "")
        .replace(", DisplayName: News", "")
        .replace(", Subscription: [{ Protocol: sqs, Endpoint: !GetAtt Other.Arn }]", "")
        .replace(", RawMessageDelivery: true, FilterPolicyScope: MessageBody, FilterPolicy: { a: { b: [c] } }", "")
        .replace("State: DISABLED, ", "")
        .replace(", { Id: other, Arn: !GetAtt Other.Arn }", "");
    let changes = emulated.apply(&without);
    assert_eq!(
        changes,
        [
            "updated Inbox",
            "updated News",
            "updated NewsInbox",
            "updated People"
        ]
    );
    insta::assert_snapshot!(emulated.subscriptions(), @r#"inbox "false" "MessageAttributes" "{}""#);
    assert_eq!(emulated.rules(), ["people ENABLED inbox"]);
    assert_eq!(emulated.attributes(), json!(["30", ""]));
    let moved = without
        .replace("Endpoint: !GetAtt Inbox.Arn", "Endpoint: !GetAtt Other.Arn")
        .replace("Name: people", "Name: friends");
    emulated.apply(&moved);
    insta::assert_snapshot!(emulated.subscriptions(), @r#"other "false" null null"#);
    assert_eq!(emulated.rules(), ["friends ENABLED inbox"]);
    // Queues and topics may contain data, and stay.
    let left = moved.lines().filter(|line| {
        !["NewsInbox:", "People:", "News:", "Inbox:"]
            .iter()
            .any(|id| line.contains(id))
    });
    let left: Vec<&str> = left.collect();
    emulated.apply(&left.join("\n"));
    assert_eq!(
        (emulated.rules(), emulated.subscriptions()),
        (vec![], String::new())
    );
    assert_eq!(emulated.attributes(), json!(["30", ""]));
}

#[test]
fn attributes_of_a_queue_that_leave_the_template_get_their_defaults() {
    let Some(emulated) = Emulated::start() else {
        return;
    };
    let attributes = [
        ("DelaySeconds", "3"),
        ("MaximumMessageSize", "2048"),
        ("MessageRetentionPeriod", "90"),
        ("ReceiveMessageWaitTimeSeconds", "4"),
        ("VisibilityTimeout", "5"),
    ];
    let values = |queue: &str| {
        let queue = emulated.queue(queue);
        attributes.map(|(name, _)| queue[name].clone())
    };
    let properties = attributes.map(|(name, value)| format!(", {name}: {value}"));
    let named = "QueueName: thing";
    let changed = TEMPLATE.replace(named, &format!("{named}{}", properties.concat()));
    assert_eq!(emulated.apply(&changed), ["updated Thing"]);
    assert_eq!(values("thing"), attributes.map(|(_, value)| json!(value)));
    assert_eq!(emulated.apply(TEMPLATE), ["updated Thing"]);
    // This queue never had another value.
    assert_eq!(values("thing"), values("other"));
}

#[test]
fn what_an_emulator_lost_is_created_again_at_the_next_change() {
    let Some(emulated) = Emulated::start() else {
        return;
    };
    let url = format!("{}/000000000000/inbox", emulated.emulator.url());
    emulated.call(["sqs", "delete_queue"], &json!({ "QueueUrl": url }));
    let changes = emulated.apply(&format!("# saved{TEMPLATE}"));
    assert_eq!(changes, Vec::<String>::new());
    assert_eq!(emulated.attributes(), json!(["7", "News"]));
}

#[test]
fn a_value_that_the_user_sets_in_the_emulator_stays_until_the_template_has_another_one() {
    let Some(emulated) = Emulated::start() else {
        return;
    };
    assert_eq!(
        (emulated.secret(), emulated.parameter("setting")),
        (json!("first"), json!("first"))
    );
    let secret = json!({ "SecretId": "password", "SecretString": "mine" });
    emulated.call(["secretsmanager", "put_secret_value"], &secret);
    let parameter = json!({ "Name": "setting", "Value": "mine", "Overwrite": true });
    emulated.call(["ssm", "put_parameter"], &parameter);
    let emulated = emulated.start_again();
    assert_eq!(
        (emulated.secret(), emulated.parameter("setting")),
        (json!("mine"), json!("mine"))
    );
    let notes = emulated.dev.ready["notRun"].as_array().unwrap().iter();
    let notes = notes.map(|one| format!("{}: {}", one["logicalId"], one["reason"]));
    insta::assert_snapshot!(notes.collect::<Vec<_>>().join("\n").replace('"', ""), @r"
    Password: it keeps its value in the emulator, which is not the SecretString of the template: delete it there to get that one
    Setting: it keeps its value in the emulator, which is not the Value of the template: delete it there to get that one
    ");
    emulated.apply(&TEMPLATE.replace("first", "second"));
    assert_eq!(
        (emulated.secret(), emulated.parameter("setting")),
        (json!("second"), json!("second"))
    );
}

#[test]
fn references_follow_a_logical_id_that_gets_another_type() {
    let Some(emulated) = Emulated::start() else {
        return;
    };
    let queue = emulated.parameter("thing");
    assert!(queue.as_str().unwrap().ends_with("/thing"), "{queue}");
    let table = "Thing: { Type: AWS::DynamoDB::Table, Properties: { TableName: things, BillingMode: PAY_PER_REQUEST, AttributeDefinitions: [{ AttributeName: id, AttributeType: S }], KeySchema: [{ AttributeName: id, KeyType: HASH }] } }";
    let changed = TEMPLATE.replace(
        "Thing: { Type: AWS::SQS::Queue, Properties: { QueueName: thing } }",
        table,
    );
    assert_eq!(
        emulated.apply(&changed),
        ["updated ThingName", "created Thing"]
    );
    assert_eq!(emulated.parameter("thing"), json!("things"));
}
