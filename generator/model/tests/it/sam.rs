//! SAM templates, held against what AWS's translator makes of them.

use std::fs;
use std::path::Path;

use stackgen_cfn::{Node, Sources, parse};
use stackgen_model::{Inputs, Model, Pseudo};

fn read(name: &str) -> Node {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/sam")
        .join(name);
    let text = fs::read_to_string(&path).expect("the fixture is there");
    parse(Sources::new().add(name, text)).expect("the fixture parses")
}

fn model(name: &str) -> Model {
    // The translator writes the partition of its own region into managed policies.
    Model::from_template(
        &read(name),
        &Inputs::none().with_pseudo(Pseudo::Partition, "aws"),
    )
}

fn assert_same(name: &str) {
    let (ours, theirs) = (
        model(&format!("{name}.yaml")),
        model(&format!("{name}.translated.json")),
    );
    assert_eq!(theirs.problems, []);
    let (ours, theirs) = (ours.meaning().to_string(), theirs.meaning().to_string());
    if ours != theirs {
        let (left, right) = (ours.lines(), theirs.lines());
        let different = left
            .zip(right)
            .position(|(left, right)| left != right)
            .unwrap_or_default();
        let near = |text: &str| {
            let lines = text.lines().skip(different.saturating_sub(12)).take(24);
            lines.collect::<Vec<_>>().join("\n")
        };
        panic!(
            "at line {different}\n--- ours\n{}\n--- theirs\n{}",
            near(&ours),
            near(&theirs)
        );
    }
}

#[test]
fn a_websocket_api_means_what_its_translation_means() {
    assert_same("websocket");
    let model = model("websocket.yaml");
    assert_eq!((model.problems, model.gaps), (vec![], vec![]));
}

#[test]
fn http_apis_and_events_mean_what_their_translation_means() {
    assert_same("http");
}

#[test]
fn routes_that_differ_in_case_or_dollar_alone_are_reported_and_the_later_one_is_modelled() {
    assert_same("collision");
    let problems = model("collision.yaml").problems;
    let messages: Vec<&str> = problems
        .iter()
        .map(|problem| problem.message.as_str())
        .collect();
    assert_eq!(
        messages,
        [
            "SAM makes SocketConnectRoute of both routes $connect and connect; $connect is silently lost",
            "SAM makes SocketJoinsessionRoute of both routes joinSession and joinsession; joinSession is silently lost",
        ]
    );
}
