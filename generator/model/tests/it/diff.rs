//! Differences between two templates, as text.

use proptest::prelude::*;
use stackgen_cfn::{Node, get_att, map, r#ref};
use stackgen_model::diff::{ChangeKind, Diff, diff};
use stackgen_model::{ChangeEffect, Inputs, Model};

use crate::support::{Route, Stack, resource, stacks, with};

fn between(old: &Stack, new: &Stack) -> Diff {
    diff(&old.model(), &new.model())
}

#[test]
fn wiring_code_and_settings_are_distinguished() {
    let old = Stack::small();
    let mut new = Stack {
        memory: 512,
        throttle: 7,
        deployment: "DeploymentB".to_owned(),
        ..old.clone()
    };
    new.routes[1].function = 2;
    new.routes.push(Route {
        key: "leave".to_owned(),
        function: 1,
        two_way: true,
    });
    insta::assert_snapshot!(between(&old, &new).human(), @"
    + route leave                                                               needs a deployment
    ~ route send: integration now calls f2 (was f1)                             needs a deployment
    ~ stage dev: DefaultRouteSettings.ThrottlingBurstLimit is now 7 (was 100)   live with the update
    ~ function f0: MemorySize is now 512 (was 256)                              code, live with the update
    ~ function f1: MemorySize is now 512 (was 256)                              code, live with the update
    ~ function f2: MemorySize is now 512 (was 256)                              code, live with the update
    = api chat: a new deployment serves the new wiring
    ");
}

#[test]
fn changed_wiring_behind_an_unchanged_deployment_is_stale() {
    let old = Stack::small();
    let mut new = old.clone();
    new.routes[1].function = 2;
    let diff = between(&old, &new);
    assert_eq!(diff.apis[0].stale_stages, ["dev"]);
    insta::assert_snapshot!(diff.human(), @"
    ~ route send: integration now calls f2 (was f1)   needs a deployment
    ! api chat: stage dev keeps its deployment and will serve the old wiring (row D7)
    ");
}

#[test]
fn under_auto_deploy_nothing_is_stale() {
    let stage = || {
        let properties = map([
            ("ApiId", r#ref("Api")),
            ("StageName", "dev".into()),
            ("AutoDeploy", true.into()),
            ("DeploymentId", r#ref("DeploymentA")),
        ]);
        vec![resource("Stage", "AWS::ApiGatewayV2::Stage", properties)]
    };
    let old = Stack::small();
    let new = Stack {
        timeout: 1_000,
        ..old.clone()
    };
    let diff = diff(&with(&old, stage()), &with(&new, stage()));
    assert!(diff.apis[0].wiring_changed && !diff.apis[0].is_stale());
}

#[test]
fn a_new_version_of_a_function_is_one_change() {
    let version = |id: &str| {
        vec![resource(
            id,
            "AWS::Lambda::Version",
            map([("FunctionName", r#ref("Function1"))]),
        )]
    };
    let stack = Stack::small();
    let diff = diff(
        &with(&stack, version("VersionA")),
        &with(&stack, version("VersionB")),
    );
    insta::assert_snapshot!(diff.human(), @"~ version of f1: code or configuration is now VersionB (was VersionA)   code, live with the update");
    assert_eq!(diff.changes[0].effect, ChangeEffect::Code);
}

#[test]
fn resources_of_unknown_types_are_compared_too() {
    let alarm = |threshold: i64| {
        let properties = map([
            ("AlarmName", Node::from("errors")),
            ("Threshold", threshold.into()),
        ]);
        let mut alarm = resource("Alarm", "AWS::CloudWatch::Alarm", properties);
        let attributes = alarm.1.as_map_mut().expect("a map");
        attributes.insert(
            "DeletionPolicy",
            if threshold > 1 { "Retain" } else { "Delete" },
        );
        vec![alarm]
    };
    let stack = Stack::small();
    let diff = diff(&with(&stack, alarm(1)), &with(&stack, alarm(5)));
    insta::assert_snapshot!(diff.human(), @"
    ~ AWS::CloudWatch::Alarm errors: Threshold is now 5 (was 1)   live with the update
    ~ resource Alarm: DeletionPolicy is now Retain (was Delete)   live with the update
    ");
}

#[test]
fn a_named_function_with_another_logical_id_is_the_same_function() {
    let function = |id: &str| {
        let properties = map([
            ("FunctionName", Node::from("extra")),
            ("Role", get_att("Role", "Arn")),
        ]);
        vec![resource(id, "AWS::Lambda::Function", properties)]
    };
    let stack = Stack::small();
    let diff = diff(
        &with(&stack, function("One")),
        &with(&stack, function("Two")),
    );
    insta::assert_snapshot!(diff.human(), @"~ function extra: logical id is now Two (was One)   replaces the resource");
}

#[test]
fn grants_are_compared_as_statements() {
    let policy = |action: &str| {
        let statement = map([
            ("Effect", Node::from("Allow")),
            ("Action", action.into()),
            ("Resource", get_att("Function1", "Arn")),
        ]);
        let document = map([("Statement", Node::from(vec![statement]))]);
        let policy = map([
            ("PolicyName", Node::from("own")),
            ("PolicyDocument", document),
        ]);
        let properties = map([
            ("RoleName", Node::from("chat")),
            ("Policies", vec![policy].into()),
        ]);
        vec![resource("Role", "AWS::IAM::Role", properties)]
    };
    let stack = Stack::small();
    let diff = diff(
        &with(&stack, policy("lambda:InvokeFunction")),
        &with(&stack, policy("lambda:*")),
    );
    insta::assert_snapshot!(diff.human(), @"
    ~ role chat: grant Allow lambda:InvokeFunction on ${function f1.Arn} is gone   live with the update
    ~ role chat: grant Allow lambda:* on ${function f1.Arn} is new                 live with the update
    ");
}

#[test]
fn a_deletion_policy_alone_is_a_change() {
    let topic = |policy: Option<&str>| {
        let mut topic = resource("Topic", "AWS::SNS::Topic", map::<&str>([]));
        if let Some(policy) = policy {
            let attributes = topic.1.as_map_mut().expect("a map");
            attributes.insert("DeletionPolicy", policy);
        }
        vec![topic]
    };
    let stack = Stack::small();
    let diff = diff(
        &with(&stack, topic(None)),
        &with(&stack, topic(Some("Retain"))),
    );
    insta::assert_snapshot!(diff.human(), @"~ resource Topic: DeletionPolicy Retain is new   live with the update");
}

#[test]
fn a_diff_as_json_has_the_same_changes() {
    let old = Stack::small();
    let mut new = old.clone();
    new.routes[1].function = 2;
    let mut json = serde_json::to_value(between(&old, &new)).expect("it can be written");
    // Other tests cover the digests.
    for key in ["before", "after"] {
        json["apis"][0][key] = "…".into();
    }
    insta::assert_snapshot!(serde_json::to_string_pretty(&json).expect("it can be written"), @r#"
    {
      "changes": [
        {
          "subject": {
            "kind": "route",
            "name": "send",
            "api": "chat"
          },
          "what": "changed",
          "field": "Target.IntegrationUri.Function",
          "before": "f1",
          "after": "f2",
          "effect": "wiring"
        }
      ],
      "apis": [
        {
          "api": "chat",
          "before": "…",
          "after": "…",
          "wiringChanged": true,
          "staleStages": [
            "dev"
          ],
          "lingering": []
        }
      ]
    }
    "#);
}

#[test]
fn a_create_only_property_replaces() {
    let table = |name: &str| {
        vec![resource(
            "Table",
            "AWS::DynamoDB::Table",
            map([("TableName", Node::from(name))]),
        )]
    };
    let stack = Stack::small();
    let diff = diff(&with(&stack, table("a")), &with(&stack, table("b")));
    assert_eq!(diff.changes[0].effect, ChangeEffect::Replaces);
    let expected = ChangeKind::Changed {
        field: "TableName".into(),
        before: Some("a".into()),
        after: Some("b".into()),
    };
    assert_eq!(diff.changes[0].kind, expected);
}

proptest! {
    #[test]
    fn a_model_does_not_differ_from_itself(stack in stacks()) {
        let reordered = Model::from_template(&stack.template("", true), &Inputs::none());
        let diff = diff(&stack.model(), &reordered);
        prop_assert!(diff.is_empty(), "{}", diff.human());
    }

    #[test]
    fn stacks_that_differ_have_a_diff(old in stacks(), new in stacks()) {
        prop_assert_eq!(between(&old, &new).is_empty(), old == new);
    }
}

fn model_of(text: &str) -> Model {
    let mut sources = stackgen_cfn::Sources::new();
    let template = stackgen_cfn::parse(sources.add("template.yaml", text)).expect("a template");
    Model::from_template(&template, &Inputs::none())
}

#[test]
fn cdk_metadata_statements_and_unknown_values_are_readable() {
    let template = |path: &str, action: &str, table: &str| {
        format!(
            "
Parameters: {{ Stage: {{ Type: String }} }}
Resources:
  Bucket:
    Type: AWS::S3::Bucket
    Metadata: {{ 'aws:cdk:path': {path}/Bucket }}
  Policy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref Bucket
      PolicyDocument:
        Statement:
          - {{ Effect: Allow, Action: '{action}', Resource: !GetAtt Bucket.Arn, Principal: {{ AWS: !ImportValue {table} }} }}
  Queue:
    Type: AWS::SQS::Queue
    Properties: {{ QueueName: !Sub '${{Stage}}-{table}', KmsMasterKeyId: !ImportValue {table} }}
"
        )
    };
    let old = model_of(&template("One", "s3:GetObject", "jobs"));
    let new = model_of(&template("Two", "s3:PutObject", "work"));
    insta::assert_snapshot!(diff(&old, &new).human(), @"
    ~ AWS::S3::BucketPolicy Policy: PolicyDocument.Statement Allow s3:GetObject on ${bucket Bucket.Arn} to ${ImportValue jobs} is gone   live with the update
    ~ AWS::S3::BucketPolicy Policy: PolicyDocument.Statement Allow s3:PutObject on ${bucket Bucket.Arn} to ${ImportValue work} is new   live with the update
    ~ AWS::SQS::Queue Queue: KmsMasterKeyId is now ${ImportValue work} (was ${ImportValue jobs})   live with the update
    ~ AWS::SQS::Queue Queue: QueueName is now ${Stage}-work (was ${Stage}-jobs)   replaces the resource
    ");
    let json = serde_json::to_string(&diff(&old, &new)).unwrap();
    assert!(!json.contains("Unknown"), "{json}");
}
