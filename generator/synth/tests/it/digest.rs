//! Rows D1 and D7: the logical ID of a Deployment changes exactly when its snapshot does.

use proptest::prelude::*;
use stackgen_cfn::{Node, emit};
use stackgen_synth::{Artifacts, Dialect, RenderOptions};

use super::generate::{CHANGES, spec};
use super::{STARTERS, load, options, render, resources_of_type};

fn deployment(template: &Node) -> String {
    match resources_of_type(template, "AWS::ApiGatewayV2::Deployment").as_slice() {
        [(id, _)] => (*id).to_owned(),
        other => panic!("{} deployments", other.len()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn d1_a_deployment_gets_a_new_id_exactly_when_its_snapshot_changes(spec in spec()) {
        let before = deployment(&render(&spec.yaml(), "dev"));
        for change in CHANGES {
            let Some(changed) = change.apply(&spec) else { continue };
            let after = deployment(&render(&changed.yaml(), "dev"));
            prop_assert_eq!(before != after, change.is_snapshotted(&spec), "{:?}", change);
        }
    }

    #[test]
    fn d7_a_deployment_depends_on_everything_that_it_snapshots(spec in spec()) {
        let template = render(&spec.yaml(), "dev");
        let (_, deployment) = resources_of_type(&template, "AWS::ApiGatewayV2::Deployment")[0];
        let waits: Vec<_> = deployment.get("DependsOn").and_then(Node::as_list).unwrap().iter().filter_map(Node::as_str).collect();
        for kind in ["Route", "RouteResponse", "Integration", "Authorizer"] {
            for (id, _) in resources_of_type(&template, &format!("AWS::ApiGatewayV2::{kind}")) {
                prop_assert!(waits.contains(&id), "not {}", id);
            }
        }
    }
}

#[test]
fn a_raw_route_or_model_is_part_of_the_snapshot() {
    // Without the model of its own, which makes all models count.
    let base = &include_str!("everything.yaml").replace(", model: message", "");
    let with = |from: &str, to: &str| deployment_of(&base.replace(from, to));
    let before = deployment_of(base);
    assert_ne!(before, with("RouteKey: chat/ping", "RouteKey: chat/pong"));
    let model = "  M: { Type: 'AWS::ApiGatewayV2::Model', Properties: { ApiId: !Ref WebSocketApi, Name: M, ContentType: application/json, Schema: { type: object } } }\n  Topic:";
    // A model counts if a route or a response names it.
    assert_eq!(before, with("  Topic:", model));
    let named = "RouteKey: chat/ping\n      RequestModels: { chat: !Ref M }";
    let named = |model: &str| {
        let base = base.replace("RouteKey: chat/ping", named);
        deployment_of(&base.replace("  Topic:", model))
    };
    assert_ne!(before, named(model));
    assert_ne!(named(model), named(&model.replace("object", "array")));
    assert_eq!(before, with("name: everything }", "name: other }"));
}

/// Returns the WebSocket API's deployment in a stack that also has an HTTP API.
fn deployment_of(text: &str) -> String {
    let template = render(text, "prod");
    let ids = resources_of_type(&template, "AWS::ApiGatewayV2::Deployment");
    ids.into_iter()
        .map(|(id, _)| id.to_owned())
        .find(|id| id.starts_with("WebSocket"))
        .unwrap()
}

#[test]
fn a_deployment_has_the_digest_of_its_templates_model() {
    for (name, text) in STARTERS {
        for environment in load(text).environments() {
            let template = render(text, environment);
            let model = stackgen_model::Model::from_template(&template, &Default::default());
            assert!(!model.apis.is_empty());
            for api in &model.apis {
                let told = format!(
                    "stackgen sha256:{} env:{environment}",
                    api.snapshot_digest(&model)
                );
                let deployment = &api.deployments[0].resource.properties;
                let description = deployment.text("Description").unwrap();
                assert_eq!(description.as_literal(), Some(told.as_str()), "{name}");
            }
        }
    }
}

#[test]
fn both_dialects_render_the_same_deployments_and_versions() {
    for (name, text) in STARTERS {
        let stack = load(text);
        let artifacts = Artifacts::new();
        for environment in stack.environments() {
            let ids = |dialect| {
                let options = RenderOptions {
                    environment,
                    dialect,
                    project_path: "../..",
                    artifacts: &artifacts,
                };
                let template = stack.render(&options).unwrap().template;
                let deployments = resources_of_type(&template, "AWS::ApiGatewayV2::Deployment");
                let versions = resources_of_type(&template, "AWS::Lambda::Version");
                deployments
                    .iter()
                    .chain(&versions)
                    .map(|(id, _)| (*id).to_owned())
                    .collect::<Vec<_>>()
            };
            assert_eq!(
                ids(Dialect::CloudFormation),
                ids(Dialect::Sam),
                "{name} {environment}"
            );
        }
    }
}

#[test]
fn d17_code_and_configuration_change_the_version_and_the_deployment() {
    let stack = load(STARTERS[1].1);
    let path = "target/lambda/chat-handler/bootstrap.zip".to_owned();
    assert!(stack.artifact_paths("prod").contains(&path));
    assert!(stack.artifact_paths("dev").is_empty());
    let ids = |artifacts: &Artifacts, text: &str| {
        let template = load(text)
            .render(&options("prod", artifacts))
            .unwrap()
            .template;
        let versions = resources_of_type(&template, "AWS::Lambda::Version");
        let version = versions
            .iter()
            .map(|(id, _)| (*id).to_owned())
            .find(|id| id.starts_with("ChatHandler"))
            .unwrap();
        (version, deployment(&template))
    };
    let text = STARTERS[1].1;
    let first = ids(&Artifacts::from([(path.clone(), "1".repeat(64))]), text);
    let second = ids(&Artifacts::from([(path.clone(), "2".repeat(64))]), text);
    assert_ne!(first.0, second.0);
    assert_ne!(first.1, second.1);
    let slower = ids(
        &Artifacts::from([(path.clone(), "1".repeat(64))]),
        &text.replace("timeout: 10s", "timeout: 11s"),
    );
    assert_ne!(first, slower);
    // A version does not freeze tags and reserved concurrency.
    let tagged = ids(
        &Artifacts::from([(path, "1".repeat(64))]),
        &format!("tags: {{ A: b }}\n{text}"),
    );
    assert_eq!(first, tagged);
}

#[test]
fn a_version_depends_only_on_parameters_conditions_and_mappings_that_it_uses() {
    let text = "name: s
release: pinned
parameters:
  Issuer: { Type: String, Default: one }
  Size: { Type: String, Default: small }
  Other: { Type: String, Default: one }
conditions:
  IsLarge: !Equals [!Ref Size, large]
  IsSpecial: !And [!Condition IsLarge, !Equals [a, b]]
  IsOther: !Equals [!Ref Other, x]
mappings:
  Names: { topic: { name: first, unused: first } }
functions:
  f:
    binary: f
    environment:
      ISSUER: !Sub 'https://${Issuer}'
      SPECIAL: !If [IsSpecial, aa, bb]
      OWN: !Sub ['${Other}', { Other: text }]
      TOPIC: !FindInMap [Names, topic, name]
websocket: { name: api, routes: { $default: f } }
environments: { prod: {} }
";
    let version = |text: &str| {
        let template = render(text, "prod");
        resources_of_type(&template, "AWS::Lambda::Version")[0]
            .0
            .to_owned()
    };
    let before = version(text);
    let changed = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        version(&text.replacen(from, to, 1)) != before
    };
    assert!(changed("Default: one }\n  Size", "Default: two }\n  Size"));
    assert!(changed("Default: small", "Default: large"));
    assert!(changed("!Ref Size, large", "!Ref Size, huge"));
    assert!(changed("[a, b]", "[a, a]"));
    assert!(changed("name: first", "name: second"));
    assert!(!changed("unused: first", "unused: second"));
    assert!(!changed("!Ref Other, x", "!Ref Other, y"));
    assert!(!changed(
        "Other: { Type: String, Default: one",
        "Other: { Type: String, Default: two"
    ));
    let stack = load(text);
    let notices = stack
        .render(&options("prod", &Artifacts::new()))
        .unwrap()
        .notices;
    let notice = notices.iter().find(|it| it.code == "frozen-parameter");
    let message = &notice.unwrap().message;
    let expected = "deployments snapshot the values of `Issuer` and `Size`:";
    assert!(message.starts_with(expected), "{message}");
}

#[test]
fn rendering_twice_gives_the_same_bytes() {
    for (_, text) in STARTERS {
        for environment in load(text).environments() {
            assert_eq!(
                emit::yaml(&render(text, environment)),
                emit::yaml(&render(text, environment))
            );
        }
    }
}

/// Golden values. If they change, every stack of a user deploys again, and publishing versions with unchanged content
/// fails (row D17). If a change cannot be avoided, raise [`SnapshotDigest::VERSION`] and record it in the changelog.
///
/// [`SnapshotDigest::VERSION`]: stackgen_model::SnapshotDigest::VERSION
#[test]
fn an_upgrade_of_stackgen_keeps_the_digests_of_deployments_and_versions() {
    assert_eq!(stackgen_model::SnapshotDigest::VERSION, 1);
    let mut golden = String::new();
    for (starter, text) in STARTERS {
        for environment in load(text).environments() {
            let template = render(text, environment);
            for kind in ["AWS::ApiGatewayV2::Deployment", "AWS::Lambda::Version"] {
                for (id, _) in resources_of_type(&template, kind) {
                    golden.push_str(&format!("{starter} {environment} {id}\n"));
                }
            }
        }
    }
    insta::assert_snapshot!(golden, @"
    live-session dev WebSocketDeployment6D33EFD704
    live-session dev HttpDeploymentC250091A1D
    live-session prod WebSocketDeployment00BEC10020
    live-session prod HttpDeployment4ABDACA947
    live-session prod SessionAudioHandlerVersion7170dbffe2
    live-session prod SessionAuthorizerVersion9612bf5629
    live-session prod SessionConnectionHandlerVersion3bdba864cb
    live-session prod SessionDisconnectHandlerVersionbca2f49c79
    live-session prod SessionHttpHandlerVersion70cbd81caa
    live-session prod SessionReconcilerVersionb551637c0c
    live-session prod-hardened WebSocketDeployment1E9BC5A288
    live-session prod-hardened HttpDeployment9A60373B4E
    live-session prod-hardened SessionAudioHandlerVersion78deb4e0ae
    live-session prod-hardened SessionAuthorizerVersion402eda9953
    live-session prod-hardened SessionConnectionHandlerVersion7f240522c7
    live-session prod-hardened SessionDisconnectHandlerVersion8be3b02205
    live-session prod-hardened SessionHttpHandlerVersion0e6036fba7
    live-session prod-hardened SessionReconcilerVersion8b508cb875
    chat dev WebSocketDeployment98920A42A0
    chat prod WebSocketDeployment6F9AA0937B
    chat prod ChatAuthorizerVersion1860eae60c
    chat prod ChatHandlerVersion35504c1b5d
    echo dev WebSocketDeployment22F91CB4DB
    ");
}
