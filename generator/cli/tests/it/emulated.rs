//! Resources of a template that `stackgen dev --services` creates in an emulator.

use std::path::Path;

use serde_json::{Value, json};

use crate::common::{Sandbox, root};
use crate::release::emulator::Emulator;
use crate::running::Dev;
use crate::services::virtual_environment;

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    let files = root().join("generator/cli/tests/it");
    for (name, of) in [
        ("template.yaml", "emulated.yaml"),
        ("greeting.asl.json", "emulated.asl.json"),
    ] {
        sandbox.write(name, std::fs::read(files.join(of)).unwrap());
    }
    sandbox
}

/// Starts the template with an endpoint. Functions find boto3 in a virtual environment.
fn started(sandbox: Sandbox, environment: &Path, url: &str) -> Dev {
    let arguments = ["template.yaml", "--json", "--no-watch", "--services", url];
    let mut dev = Dev::spawn(sandbox, &arguments, &[("VIRTUAL_ENV", environment)]);
    dev.ready = dev.event("ready");
    dev
}

/// Returns types and names of the resources that were created.
fn created(dev: &Dev) -> Vec<(String, String)> {
    let all = dev.ready["emulated"].as_array().unwrap().iter();
    let text = |one: &Value, key: &str| one[key].as_str().unwrap().to_owned();
    all.map(|one| (text(one, "logicalId"), text(one, "name")))
        .collect()
}

/// Returns the reasons why resources do not run, with their logical IDs.
fn not_run(dev: &Dev) -> Vec<String> {
    let all = dev.ready["notRun"].as_array().unwrap().iter();
    let all = all.map(|one| format!("{}: {}", one["logicalId"], one["reason"]).replace('"', ""));
    all.collect()
}

#[test]
fn resources_of_the_template_are_created_in_an_emulator_and_references_lead_to_them() {
    let Some((environment, emulator)) = virtual_environment().zip(Emulator::start()) else {
        return;
    };
    let mut dev = started(sandbox(), &environment, &emulator.url());
    let names: Vec<String> = created(&dev)
        .into_iter()
        .map(|(id, name)| format!("{id} {name}"))
        .collect();
    insta::assert_snapshot!(names.join("\n"), @r"
    Dead dead.fifo
    Inbox template-Inbox-ISNQ4E80NJ6G
    News news
    NewsInbox template-NewsInbox-O6FS6HP1UCSG
    Files template-files-wdpe9ne6qg5l
    Password template-Password-XK5R3LL92STD
    Setting /app/setting
    Records records
    Bus bus
    BusInbox inbox
    Person person
    Greeting template-Greeting-53NKER5RWE4B
    Jobs template-Jobs-0WV7474G0VES.fifo
    ");
    insta::assert_snapshot!(not_run(&dev).join("\n"), @r"
    Files: its WebsiteConfiguration has no effect in the emulator
    NoBucket: it is not created in the emulator: cannot call s3: /no bucket is not a path
    Unknown: it is not created in the emulator: its SecretString is not known: parameter Unset has no default and no value was given
    ");
    let found = json!({
        "jobs": ["true", "7", "arn:aws:sqs:us-east-1:000000000000:dead.fifo"],
        "inbox": "good",
        "event": "by event",
        "files": "Enabled",
        "secret": ["ada", 20],
        "setting": true,
        "records": "records",
        "bus": "bus",
        "person": "person",
    });
    let python = |value: &Value| value.to_string();
    for (member, value) in found.as_object().unwrap() {
        let expected = format!("\"{member}\": {}", python(value)).replace(',', ", ");
        dev.answers(r#"{"action":"show"}"#, &expected);
    }
    // Everything exists already at the next start, and is the same.
    let before = created(&dev);
    dev.interrupt();
    assert_eq!(dev.ended(), Some(0));
    let dev = started(dev.into_sandbox(), &environment, &emulator.url());
    assert_eq!(created(&dev), before);
    dev.answers(r#"{"action":"show"}"#, r#""inbox": "good""#);
}

#[test]
fn tasks_of_a_state_machine_reach_functions_tables_and_connections() {
    let Some((environment, emulator)) = virtual_environment().zip(Emulator::start()) else {
        return;
    };
    let dev = started(sandbox(), &environment, &emulator.url());
    for (name, said) in [
        ("ada", "hello ada"),
        // The table has an item of this name.
        ("ada", "we met"),
        // The function fails with an error that the state machine catches.
        ("eve", "silence"),
    ] {
        let message = json!({ "action": "greet", "name": name });
        dev.answers(&message.to_string(), &format!(r#"{{"said": "{said}"}}"#));
    }
}

#[test]
fn an_action_of_s3_reaches_the_buckets_of_an_emulator() {
    let Some((environment, emulator)) = virtual_environment().zip(Emulator::start()) else {
        return;
    };
    let dev = started(sandbox(), &environment, &emulator.url());
    let (_, bucket) = created(&dev)
        .into_iter()
        .find(|(id, _)| id == "Files")
        .unwrap();
    dev.answers(r#"{"action":"list"}"#, &bucket);
}

#[test]
fn the_start_lists_what_was_created() {
    let Some(emulator) = Emulator::start() else {
        return;
    };
    let sandbox = sandbox();
    let url = emulator.url();
    let dev = Dev::spawn(sandbox, &["template.yaml", "--services", &url], &[]);
    dev.line(&format!("Created at {url}, where they stay:"));
    let queues = dev.line("AWS::SQS::Queue");
    assert!(queues.contains("dead.fifo"), "{queues}");
    let unknown = dev.line("Unknown: ");
    insta::assert_snapshot!(unknown.trim(), @"Unknown: it is not created in the emulator: its SecretString is not known: parameter Unset has no default and no value was given");
}

#[test]
fn an_endpoint_that_does_not_answer_is_the_reason_of_all_resources() {
    let dev = {
        let arguments = ["template.yaml", "--json", "--no-watch"];
        let closed = ["--services", "http://127.0.0.1:9"];
        let mut dev = Dev::spawn(sandbox(), &[&arguments[..], &closed].concat(), &[]);
        dev.ready = dev.event("ready");
        dev
    };
    assert_eq!(created(&dev), []);
    let reasons = not_run(&dev);
    let reason = "it is not created in the emulator: sqs cannot be reached: --services http://127.0.0.1:9: Connection refused";
    for id in ["Jobs", "Bus", "Greeting"] {
        let expected = format!("{id}: {reason}");
        assert!(
            reasons.iter().any(|one| one.starts_with(&expected)),
            "{id}: {reasons:#?}"
        );
    }
}
