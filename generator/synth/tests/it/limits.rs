//! Limits of AWS on lengths, numbers and formats.

use insta::assert_snapshot;

use super::{errors, load};

#[test]
fn limits_of_tags_and_of_the_description() {
    let tags: String = (0..49).map(|n| format!(", t{n}: x")).collect();
    let (long, value) = ("k".repeat(129), "v".repeat(257));
    let text = format!(
        "name: a\ndescription: {}\ntags: {{ 'aws:x': y, {long}: x, k: {value}{tags} }}\nfunctions: {{ f: {{ binary: f }} }}\n",
        "é".repeat(513)
    );
    assert_snapshot!(errors(&text).replace(&long, "kkk…"), @"
    2:14 the description has 1026 bytes; CloudFormation allows 1024
        help: shorten it; put details in a comment
    3:1 52 tags; a resource can have at most 50
        help: remove some of them
    3:9 `aws:x` is not a valid tag key
        help: use 1 to 128 characters, and do not begin with `aws:`, which AWS reserves
    3:21 `kkk…` is not a valid tag key
        help: use 1 to 128 characters, and do not begin with `aws:`, which AWS reserves
    3:158 the tag's value has 257 characters; the limit is 256
        help: shorten it
    ");
}

#[test]
fn limits_of_alarms_and_alarms_for_missing_resources() {
    assert_snapshot!(errors(
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
    ), @"
    5:3 6 actions; an alarm can have at most 5
        help: use one SNS topic with many subscribers
    6:3 289 periods of 300 s are longer than an alarm can evaluate
        help: keep `period` times `evaluationPeriods` within one day, or within seven days if the period is an hour or more
    8:3 169 periods of 3600 s are longer than an alarm can evaluate
        help: keep `period` times `evaluationPeriods` within one day, or within seven days if the period is an hour or more
    9:3 `tableThrottles` monitors tables that the stack does not have
        help: remove it, or add `tables`
    ");
    assert_snapshot!(errors("name: a\nresources: { T: { Type: 'AWS::SNS::Topic' } }\nalarms: { functionErrors: { threshold: 1 } }\n"), @"
    3:11 `functionErrors` monitors functions that the stack does not have
        help: remove it, or add `functions`
    ");
}

#[test]
fn limits_of_tables() {
    let indexes: String = (0..21)
        .map(|n| format!("      by-{n}: {{ partitionKey: {{ name: k, type: S }} }}\n"))
        .collect();
    assert_snapshot!(errors(&format!(
        "name: a\ntables:\n  T:\n    partitionKey: {{ name: k, type: S }}\n    encryption: awsOwned\n    kmsKeyArn: alias/x\n    indexes:\n{indexes}  U:\n    partitionKey: {{ name: k, type: S }}\n    indexes: {{ ab: {{ partitionKey: {{ name: k, type: S }} }} }}\n"
    )), @"
    6:5 `kmsKeyArn` and `encryption` are mutually exclusive
        5:5 `encryption` is here
        help: remove one of them: your own key replaces AWS's
    6:16 `kmsKeyArn` is not the ARN of a KMS key
        help: an alias is not accepted: write the ARN of its key, which `aws kms describe-key --key-id` shows
    7:5 21 indexes; a table can have at most 20
        help: give an index generic keys, so that it serves several queries
    31:16 `ab` is not a valid index name
        help: use 3 to 255 letters, digits, `-`, `_` and `.`
    ");
}

#[test]
fn an_index_includes_attributes_that_it_does_not_have_anyway() {
    assert_snapshot!(errors("\
name: a
tables:
  T:
    partitionKey: { name: k, type: S }
    indexes:
      by-user: { partitionKey: { name: user, type: S }, projection: keysOnly, include: [color] }
      by-color: { partitionKey: { name: color, type: S }, include: [k, size] }
      by-size: { partitionKey: { name: size, type: S }, include: [color] }
"), @"
    6:79 `include` and `projection` are mutually exclusive
        6:57 `projection` is here
        help: remove one of them
    7:59 `k` is a key
        help: remove it: an index always contains its keys and those of the table
    ");
}

#[test]
fn a_domain_that_exists_has_no_certificate_and_others_have_one() {
    assert_snapshot!(errors("\
name: s
functions: { f: { binary: f } }
websocket:
  name: api
  routes: { $default: f }
  domain: { name: ws.example.com, existing: true, certificateArn: 'arn:aws:acm:1', hostedZoneId: Z1 }
http:
  name: web
  routes: { GET /: { function: f } }
  domain: { name: web.example.com }
"), @"
    6:51 `certificateArn` cannot be used with `existing: true`
        help: remove the key: whoever created the domain name has its certificate and DNS record
    6:84 `hostedZoneId` cannot be used with `existing: true`
        help: remove the key: whoever created the domain name has its certificate and DNS record
    9:13 `GET /` lacks `auth`
        help: `auth`: `jwt` requires a token that the API's authorizer accepts; `none` allows every caller
    10:3 `domain` has no `certificateArn`
        help: add the ARN of an ACM certificate in this region, or `existing: true` if the domain name exists already
    ");
}

#[test]
fn domains_that_api_gateway_refuses_are_errors() {
    assert_snapshot!(errors(
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
    ), @"
    6:19 `https://WS.example.com` is not a valid domain name
        help: use lower-case letters, digits and `-`, separated by dots, such as `ws.example.com`
    6:61 `certificateArn` is not an ARN
        help: begin with `arn:`, or use an intrinsic function such as `!GetAtt Key.Arn`
    6:79 `/v1` is not a valid mapping key
        help: write the path under the domain without a leading `/`, with letters, digits and `$-_.+!*'()/`, such as `v1`
    10:19 `localhost` is not a valid domain name
        help: use lower-case letters, digits and `-`, separated by dots, such as `ws.example.com`
    10:76 `v 1` is not a valid mapping key
        help: write the path under the domain without a leading `/`, with letters, digits and `$-_.+!*'()/`, such as `v1`
    ");
}

#[test]
fn policy_statements_that_iam_refuses_are_errors() {
    assert_snapshot!(errors(
        "name: a
functions:
  f:
    binary: f
    policyStatements:
      - { Effect: allow, Action: 's:x', Resource: '*' }
      - { Effect: Deny, NotAction: 's:x', Action: 's:y' }
      - { Actions: 's:x', NotResource: '*' }
"
    ), @"
    6:19 `Effect` must be `Allow` or `Deny`
        help: begin with a capital letter
    7:9 the statement lacks `Resource`
        help: write `Resource`, or `NotResource` for everything except its values
    7:36 `Action` and `NotAction` are mutually exclusive
        help: remove one of them
    8:9 the statement lacks `Effect`
        help: write `Effect: Allow` or `Effect: Deny`
    8:9 the statement lacks `Action`
        help: write `Action`, or `NotAction` for everything except its values
    8:11 unknown key `Actions` in a policy statement
        help: did you mean `Action`?
    ");
}

#[test]
fn an_environment_name_that_is_too_long_is_reported_once() {
    assert_snapshot!(errors(
        "name: a\nfunctions: { a-function-with-quite-a-long-name-of-fifty-letters: { binary: f } }\nenvironments:\n  a-very-long-name-of-an-environment: {}\n"
    ), @"
    4:3 `a-very-long-name-of-an-environment` is not a valid environment name
        help: use lower-case letters, digits and `-`, begin with a letter, at most 20 characters: every name ends in it
    ");
}

#[test]
fn adjustable_quotas_are_not_checked() {
    let routes: String = (0..301).map(|n| format!("    r{n}: f\n")).collect();
    load(&format!(
        "name: a\nrelease: pinned\nfunctions: {{ f: {{ binary: f }} }}\nwebsocket:\n  name: x\n  routes:\n{routes}"
    ));
}

#[test]
fn environments_that_are_too_large_together_are_refused() {
    let variables: String = (0..9_000).map(|n| format!("V{n}: x, ")).collect();
    let environments: String = (0..4_000).map(|n| format!("  e{n}: {{}}\n")).collect();
    let text = format!(
        "name: a\nfunctions: {{ f: {{ binary: f, environment: {{ {variables} }} }} }}\nenvironments:\n{environments}"
    );
    assert_snapshot!(errors(&text), @"
    3:1 4000 environments with 9006 values each exceed the limit of 30000000 values per file
        help: move some environments to a stackgen.yaml of their own
    ");
}

#[test]
fn an_error_of_many_environments_names_some_of_them() {
    let environments: String = (0..200)
        .map(|n| format!("  e{n:03}: {{ functions: {{ f: {{ timeout: 20s }} }} }}\n"))
        .collect();
    let text = format!(
        "name: a\nfunctions: {{ f: {{ binary: f, timeout: 10s }} }}\nwebsocket: {{ name: x, routes: {{ $default: g }} }}\nenvironments:\n  first: {{ websocket: null }}\n{environments}"
    );
    assert_snapshot!(errors(&text), @"
    3:43 there is no function `g` (in `e000`, `e001`, `e002`, `e003`, `e004`, `e005`, `e006`, `e007`, `e008`, `e009`, `e010`, `e011`, `e012`, `e013`, `e014`, `e015`, `e016`, `e017`, `e018`, `e019` and 180 more)
        help: use `f`
    ");
}

#[test]
fn times_of_a_load_are_more_than_zero() {
    let text = |join: &str, connection: &str| {
        format!(
            "name: a
functions: {{ f: {{ binary: f }} }}
websocket: {{ name: x, routes: {{ $default: f }} }}
load: {{ route: $default, joinWithin: {join}, connectionTime: {connection} }}
"
        )
    };
    assert_snapshot!(errors(&text("0s", "0ms")), @"
    4:38 `joinWithin` must be more than 0
        help: write a time such as `1m`, or remove it
    4:58 `connectionTime` must be more than 0
        help: write a time such as `1m`, or remove it
    ");
    assert_eq!(errors(&text("1ms", "1ms")), "");
}
