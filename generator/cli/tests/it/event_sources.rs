//! Queues and streams that invoke functions.

use std::path::Path;

use serde_json::{Value, json};

use crate::common::{Sandbox, root};
use crate::release::emulator::Emulator;
use crate::running::Dev;
use crate::services::{services, virtual_environment};

/// Starts the template with flags. Functions find boto3 in a virtual environment.
fn started(environment: &Path, flags: &[&str]) -> Dev {
    let sandbox = Sandbox::new();
    let template = root().join("generator/cli/tests/it/event_sources.yaml");
    sandbox.write("template.yaml", std::fs::read(template).unwrap());
    let arguments = [&["template.yaml", "--json", "--no-watch"], flags].concat();
    let mut dev = Dev::spawn(sandbox, &arguments, &[("VIRTUAL_ENV", environment)]);
    dev.ready = dev.event("ready");
    dev
}

/// Returns the reasons why resources do not run, by logical ID.
fn not_run(dev: &Dev) -> Vec<(String, String)> {
    let all = dev.ready["notRun"].as_array().unwrap().iter();
    let text = |one: &Value, key: &str| one[key].as_str().unwrap().to_owned();
    let all = all.map(|one| (text(one, "logicalId"), text(one, "reason")));
    all.filter(|(id, _)| id.starts_with("Worker")).collect()
}

/// Sends a message and waits for an answer, also on a machine that takes long to start a function.
fn answers(dev: &Dev, send: &str, expect: &str) {
    let mut probe = dev.sandbox.command();
    probe.args(["probe", dev.url(), "--timeout", "60s"]);
    let output = probe.args(["--send", send, "--expect", expect]).output();
    let output = output.unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
}

/// Sends messages, waits for an answer, and returns everything that was received.
fn received(dev: &Dev, sends: [&str; 2], expect: &str) -> String {
    let mut probe = dev.sandbox.command();
    probe.args(["probe", dev.url(), "--timeout", "60s", "--expect", expect]);
    for send in sends {
        probe.args(["--send", send]);
    }
    let output = probe.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
    text.into_owned()
}

/// Returns source, number of records and number of failed records of the next batch.
fn batch(dev: &Dev) -> Value {
    let batch = dev.event("batch");
    json!([batch["source"], batch["records"], batch["failed"]])
}

#[test]
fn messages_of_an_emulators_queue_invoke_a_function() {
    let Some((environment, emulator)) = virtual_environment().zip(Emulator::start()) else {
        return;
    };
    services(
        &emulator,
        &["create-queue", "jobs", "--visible-after", "10"],
    );
    let dev = started(&environment, &["--services", &emulator.url()]);
    let kafka = "records of kafka invoke no function: the local gateway reads queues, streams of Kinesis and streams of its tables";
    assert_eq!(
        not_run(&dev),
        [("WorkerTopic".to_owned(), kafka.to_owned())]
    );
    answers(
        &dev,
        r#"{"action":"send","text":"a & b"}"#,
        r#"\"text\":\"a & b\""#,
    );
    assert_eq!(batch(&dev), json!(["jobs", 1, 0]));
    // A message that no filter accepts invokes nothing, and is deleted.
    let dropped = r#"{"action":"send","text":"dropped"}"#;
    let next = r#"{"action":"send","text":"next"}"#;
    received(&dev, [dropped, next], "next");
    assert_eq!(batch(&dev), json!(["jobs", 1, 0]));
    // The function reports a failure. The message arrives again after its visibility timeout.
    answers(
        &dev,
        r#"{"action":"send","text":"fail"}"#,
        r#""ApproximateReceiveCount": "2""#,
    );
    let failed = dev.event("batch");
    assert_eq!(failed["failed"], 1);
    assert_eq!(failed["reason"], "the function returned batchItemFailures");
    assert_eq!(failed["evidence"]["log"], json!(["not yet"]));
    assert_eq!(batch(&dev), json!(["jobs", 1, 0]));
    let left = services(&emulator, &["count", "jobs"]);
    assert_eq!(left, 0);
}

#[test]
fn records_of_an_emulators_stream_invoke_a_function() {
    let Some((environment, emulator)) = virtual_environment().zip(Emulator::start()) else {
        return;
    };
    let dev = started(&environment, &["--services", &emulator.url()]);
    for text in ["one", "two"] {
        let message = json!({ "action": "record", "text": text });
        answers(
            &dev,
            &message.to_string(),
            &format!(r#""data": {{"action": "record", "text": "{text}"}}"#),
        );
        assert_eq!(batch(&dev), json!(["records", 1, 0]));
    }
    // A record that no filter accepts invokes nothing. The next one comes after it, in the same shard.
    let dropped = r#"{"action":"record","text":"dropped"}"#;
    let next = r#"{"action":"record","text":"next"}"#;
    let posted = received(&dev, [dropped, next], r#""text": "next""#);
    assert!(!posted.contains(r#""text": "dropped""#), "{posted}");
    assert_eq!(batch(&dev), json!(["records", 1, 0]));
    // Both shards are split, so that the next record is in a new one.
    let listed = services(
        &emulator,
        &[
            "call",
            "kinesis",
            "list_shards",
            r#"{"StreamName":"records"}"#,
        ],
    );
    for shard in listed["Shards"].as_array().unwrap() {
        let range = &shard["HashKeyRange"];
        let key = |name: &str| range[name].as_str().unwrap().parse::<u128>().unwrap();
        let middle = key("StartingHashKey") / 2 + key("EndingHashKey") / 2;
        let split = json!({ "StreamName": "records", "ShardToSplit": shard["ShardId"], "NewStartingHashKey": middle.to_string() });
        services(
            &emulator,
            &["call", "kinesis", "split_shard", &split.to_string()],
        );
    }
    answers(
        &dev,
        r#"{"action":"record","text":"after"}"#,
        r#""text": "after""#,
    );
}

#[test]
fn a_queue_of_the_template_is_created_and_a_missing_one_is_reported_with_the_command_that_creates_it()
 {
    let Some((environment, emulator)) = virtual_environment().zip(Emulator::start()) else {
        return;
    };
    let dev = started(&environment, &["--services", &emulator.url()]);
    let reported = dev.event("serviceNotRun");
    let reason = reported["reason"].as_str().unwrap();
    let command = format!(
        "create it: `aws sqs create-queue --queue-name elsewhere --endpoint-url {}`",
        emulator.url()
    );
    assert!(reason.contains(&command), "{reason}");
    answers(&dev, r#"{"action":"send","text":"late"}"#, "late");
}

#[test]
fn changes_of_a_table_invoke_a_function_and_a_queue_needs_an_emulator() {
    let Some(environment) = virtual_environment() else {
        return;
    };
    let dev = started(&environment, &[]);
    let (id, reason) = &not_run(&dev)[0];
    assert_eq!(id, "WorkerJob");
    assert!(
        reason.contains("start `stackgen dev` with --services URL"),
        "{reason}"
    );
    answers(
        &dev,
        r#"{"action":"put","text":"hello"}"#,
        r#""eventName": "INSERT""#,
    );
    assert_eq!(batch(&dev), json!(["notes", 1, 0]));
    // A record that failed is delivered again.
    answers(&dev, r#"{"action":"put","text":"fail"}"#, r#""S": "fail""#);
    assert_eq!(batch(&dev), json!(["notes", 1, 1]));
    assert_eq!(batch(&dev), json!(["notes", 1, 0]));
}
