//! Locations in stackgen.yaml of what resources are made for.

use stackgen_synth::{Artifacts, Dialect, ProjectFile, RenderOptions};

use super::load;

const STACK: &str = "\
name: s
functions:
  chat: { binary: chat }
tables:
  rooms: { partitionKey: { name: id, type: S } }
websocket:
  name: api
  routes:
    $default: chat
    ping: { function: chat, twoWay: true }
resources:
  Topic: { Type: AWS::SNS::Topic }
environments:
  dev: {}
  prod: {}
";

/// Returns the line of the entry behind a resource.
fn line(project: &ProjectFile, environment: &str, logical_id: &str) -> Option<u32> {
    project
        .origin(environment, logical_id)
        .map(|span| span.line)
}

#[test]
fn a_resource_comes_from_the_entry_that_it_is_made_for() {
    let project = load(STACK);
    let lines = [
        ("ChatFunction", 3),
        ("ChatRole", 3),
        ("RoomsTable", 5),
        ("WebSocketApi", 6),
        ("PingRoute", 10),
        ("Topic", 12),
    ];
    for (id, expected) in lines {
        assert_eq!(line(&project, "dev", id), Some(expected), "{id}");
    }
    assert_eq!(line(&project, "dev", "Nothing"), None);
    assert_eq!(line(&project, "none", "ChatFunction"), None);
}

#[test]
fn every_resource_of_a_template_with_code_has_an_origin() {
    let project = load(STACK);
    for environment in project.environments() {
        let path = "target/lambda/chat/bootstrap.zip".to_owned();
        let artifacts = Artifacts::from([(path, "ab".repeat(32))]);
        let rendered = project.render(&RenderOptions {
            environment,
            dialect: Dialect::CloudFormation,
            project_path: ".",
            artifacts: &artifacts,
        });
        let template = rendered.unwrap().template;
        let resources = template.get("Resources").unwrap().as_map().unwrap();
        for (id, _) in resources.iter() {
            assert!(project.origin(environment, id).is_some(), "{id}");
        }
    }
}
