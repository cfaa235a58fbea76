//! API keys and usage plans of a template (row A15).

use serde_json::{Value, json};

use crate::common::{Run, Sandbox};
use crate::running::Dev;

const TEMPLATE: &str = include_str!("api_keys.yaml");

fn started(template: &str) -> Dev {
    let sandbox = Sandbox::new();
    sandbox.write("template.yaml", template);
    Dev::of_template(sandbox, &["--no-watch"])
}

/// Opens a connection with a key, and expects this status.
fn connect(dev: &Dev, key: Option<&str>, status: &str) {
    let header = key.map(|key| format!("x-api-key: {key}"));
    let header = header.iter().flat_map(|header| ["--header", header]);
    let mut probe = dev.sandbox.command();
    probe
        .args(["probe", dev.url(), "--expect-status", status])
        .args(header);
    let probe = Run::of(probe.output().unwrap());
    assert_eq!(probe.code, Some(0), "{key:?}: {probe}");
}

#[test]
fn only_enabled_keys_in_a_usage_plan_of_the_stage_connect() {
    let mut dev = started(TEMPLATE);
    let keys = dev.ready["gateway"]["apiKeys"].as_array().unwrap().clone();
    assert_eq!(keys.len(), 2, "{keys:?}");
    let key = |name: &str| keys.iter().find(|key| key["name"] == name).unwrap();
    // A value of the template may be a secret.
    assert_eq!(
        key("own"),
        &json!({"name": "own", "value": null, "api": "chat", "stage": "prod"})
    );
    let generated = key("Generated")["value"].as_str().unwrap();
    assert_eq!(generated.len(), 40);
    connect(&dev, Some("own-value-of-twenty-letters"), "101");
    connect(&dev, Some(generated), "101");
    connect(&dev, None, "403");
    connect(&dev, Some("unknown-value"), "403");
    connect(&dev, Some("disabled-value-of-twenty-letters"), "403");
    dev.interrupt();
    assert_eq!(dev.ended(), Some(0));
}

#[test]
fn the_start_explains_how_to_connect() {
    let sandbox = Sandbox::new();
    sandbox.write("template.yaml", TEMPLATE);
    let dev = Dev::spawn(sandbox, &["template.yaml", "--no-watch"], &[]);
    let lines = [dev.line("API key"), dev.line("API key")];
    assert!(
        lines.iter().any(|line| line.contains("x-api-key: ")),
        "{lines:?}"
    );
    let own = "own for chat/prod   its value is in the template";
    assert!(lines.iter().any(|line| line.contains(own)), "{lines:?}");
    let limits = dev.line("Plan");
    assert!(limits.contains("its quota is not enforced"), "{limits}");
}

#[test]
fn a_template_without_usable_keys_is_noted() {
    let without = |from: &str| {
        let lines = TEMPLATE.lines().filter(|line| !line.contains(from));
        lines.map(|line| format!("{line}\n")).collect::<String>()
    };
    let notes = |dev: &Dev| -> Vec<Value> { dev.ready["notes"].as_array().unwrap().clone() };
    let none = started(&without("API_KEY"));
    insta::assert_snapshot!(notes(&none)[0].as_str().unwrap(), @"chat requires an API key, and no enabled key is in a usage plan with the stage prod: every handshake gets 403 (row A15)");
    connect(&none, Some("own-value-of-twenty-letters"), "403");
    let keyless = without("API_KEY");
    let keyless: String = keyless
        .lines()
        .filter(|line| !line.contains("ApiKey,"))
        .map(|line| format!("{line}\n"))
        .collect();
    let any = started(&keyless);
    insta::assert_snapshot!(notes(&any)[0].as_str().unwrap(), @"chat requires an API key and the template declares none: here every key is good; on AWS only keys in a usage plan of the stage (row A15)");
    connect(&any, Some("whatever"), "101");
    connect(&any, None, "403");
}
