//! What AWS would refuse for its length, its number or its form.

use insta::assert_snapshot;

use super::{load, problems};

#[test]
fn tags_and_the_description_keep_to_their_limits() {
    let tags: String = (0..49).map(|n| format!(", t{n}: x")).collect();
    let (long, value) = ("k".repeat(129), "v".repeat(257));
    let text = format!(
        "name: a\ndescription: {}\ntags: {{ 'aws:x': y, {long}: x, k: {value}{tags} }}\nfunctions: {{ f: {{ binary: f }} }}\n",
        "é".repeat(513)
    );
    assert_snapshot!(problems(&text).replace(&long, "kkk…"), @"");
}

#[test]
fn alarms_keep_to_their_limits_and_watch_what_is_there() {
    assert_snapshot!(problems(
        "name: a
websocket: { name: x, routes: { $default: f } }
functions: { f: { binary: f } }
alarms:
  actions: [a, b, c, d, e, f]
  functionErrors: { threshold: 1, period: 5m, evaluationPeriods: 289 }
  functionThrottles: { threshold: 1, period: 1h, evaluationPeriods: 168 }
  websocketClientErrors: { threshold: 1, period: 1h, evaluationPeriods: 169 }
  tableThrottles: { threshold: 1 }
"
    ), @"");
    assert_snapshot!(problems("name: a\nresources: { T: { Type: 'AWS::SNS::Topic' } }\nalarms: { functionErrors: { threshold: 1 } }\n"), @"");
}

#[test]
fn tables_keep_to_their_limits() {
    let indexes: String = (0..21)
        .map(|n| format!("      by-{n}: {{ partitionKey: {{ name: k, type: S }} }}\n"))
        .collect();
    assert_snapshot!(problems(&format!(
        "name: a\ntables:\n  T:\n    partitionKey: {{ name: k, type: S }}\n    encryption: awsOwned\n    kmsKeyArn: alias/x\n    indexes:\n{indexes}  U:\n    partitionKey: {{ name: k, type: S }}\n    indexes: {{ ab: {{ partitionKey: {{ name: k, type: S }} }} }}\n"
    )), @"");
}

#[test]
fn a_domain_is_one_that_api_gateway_takes() {
    assert_snapshot!(problems(
        "name: a
functions: { f: { binary: f } }
websocket:
  name: x
  routes: { $default: f }
  domain: { name: 'https://WS.example.com', certificateArn: 1234, mappingKey: /v1 }
http:
  name: y
  routes: { $default: { function: f, auth: none } }
  domain: { name: localhost, certificateArn: !Ref Certificate, mappingKey: v 1 }
parameters: { Certificate: { Type: String } }
"
    ), @"");
}

#[test]
fn a_policy_statement_is_one_that_iam_reads() {
    assert_snapshot!(problems(
        "name: a
functions:
  f:
    binary: f
    policyStatements:
      - { Effect: allow, Action: 's:x', Resource: '*' }
      - { Effect: Deny, NotAction: 's:x', Action: 's:y' }
      - { Actions: 's:x', NotResource: '*' }
"
    ), @"");
}

#[test]
fn an_environment_whose_name_is_too_long_is_the_one_error_of_its_functions() {
    assert_snapshot!(problems(
        "name: a\nfunctions: { a-function-with-quite-a-long-name-of-fifty-letters: { binary: f } }\nenvironments:\n  a-very-long-name-of-an-environment: {}\n"
    ), @"");
}

#[test]
fn a_quota_that_aws_raises_on_request_is_no_error() {
    let routes: String = (0..301).map(|n| format!("    r{n}: f\n")).collect();
    load(&format!(
        "name: a\nrelease: pinned\nfunctions: {{ f: {{ binary: f }} }}\nwebsocket:\n  name: x\n  routes:\n{routes}"
    ));
}
