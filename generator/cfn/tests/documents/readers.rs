//! A YAML 1.1 parser (PyYAML) and a YAML 1.2 parser (`serde_yaml`) read written documents as the same values.

use std::path::Path;
use std::process::Command;

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::Value as Json;
use serde_yaml::Value as Yaml;
use stackgen_cfn::json::to_json;
use stackgen_cfn::{Intrinsic, Node, emit};

use crate::{generate, read};

/// Returns a short-form call in its long form.
fn long_form(tag: &str, argument: Json) -> Json {
    let function = Intrinsic::from_tag(tag.trim_start_matches('!'))
        .expect("only functions are written as tags");
    let argument = match argument.as_str().and_then(|text| text.split_once('.')) {
        Some((id, attribute)) if function == Intrinsic::GetAtt => {
            Json::from([id, attribute].as_slice())
        }
        _ => argument,
    };
    Json::Object(std::iter::once((function.long_name().to_owned(), argument)).collect())
}

fn to_long_form(value: Yaml) -> Json {
    match value {
        Yaml::Null => Json::Null,
        Yaml::Bool(value) => value.into(),
        Yaml::Number(number) => match number.as_i64() {
            Some(whole) => whole.into(),
            None => number.as_f64().into(),
        },
        Yaml::String(text) => text.into(),
        Yaml::Sequence(items) => items.into_iter().map(to_long_form).collect(),
        Yaml::Mapping(map) => map
            .into_iter()
            .map(|(key, value)| match key {
                Yaml::String(key) => (key, to_long_form(value)),
                other => panic!("the key {other:?} is not a string"),
            })
            .collect(),
        Yaml::Tagged(tagged) => long_form(&tagged.tag.to_string(), to_long_form(tagged.value)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn serde_yaml_reads_written_documents(node in generate::node()) {
        let text = emit::yaml(&node);
        let value = serde_yaml::from_str::<Yaml>(&text).map_err(|e| TestCaseError::fail(format!("{e}\n{text}")))?;
        prop_assert_eq!(to_long_form(value).to_string(), to_json(&node).to_string(), "{}", text);
    }
}

#[test]
fn pyyaml_reads_written_documents() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let Some(python) = stackgen_test_tools::installed("venv/bin/python") else {
        return;
    };
    let mut runner = TestRunner::deterministic();
    let strategy = generate::node();
    let nodes: Vec<Node> = (0..400)
        .map(|_| {
            strategy
                .new_tree(&mut runner)
                .expect("the strategy rejects nothing")
                .current()
        })
        .collect();
    let documents: Vec<String> = nodes.iter().map(emit::yaml).collect();
    let file = std::env::temp_dir().join(format!("stackgen-cfn-{}.json", std::process::id()));
    std::fs::write(&file, Json::from(documents.clone()).to_string())
        .expect("the temporary directory is writable");
    let output = Command::new(python)
        .arg(root.join("tests/documents/pyyaml.py"))
        .arg(&file)
        .output()
        .expect("python runs");
    std::fs::remove_file(&file).expect("the file was written above");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let lines = String::from_utf8(output.stdout).expect("JSON in ASCII");
    assert_eq!(lines.lines().count(), nodes.len());
    for ((line, node), document) in lines.lines().zip(&nodes).zip(documents) {
        // Parsed with our own JSON parser, which keeps the last bit of a float.
        assert_eq!(
            emit::json(&read(line).get("Root").cloned().unwrap_or_default()),
            emit::json(node),
            "{document}"
        );
    }
}
