//! `stackgen rule`

use insta::assert_snapshot;

use crate::common::Sandbox;

#[test]
fn a_rule_is_explained() {
    let run = Sandbox::new().run("rule SG113");
    assert_snapshot!(run, @"
    exit 0
    --- stdout
    SG113 http-api-identity-source
    Error, confidence high, fixable with `--fix`

    An identity source has the syntax of HTTP APIs or REST APIs.

    Why it hurts

    A WebSocket API reads `route.request.header.X` and `route.request.querystring.X`
    (row A3). `$request.header.X` is the syntax of HTTP APIs and
    `method.request.header.X` that of REST APIs. API Gateway refuses the authorizer
    with `Invalid request identity source expression: $request.header.X`, and the
    stack rolls back.

    How to fix it

    Write `route.request.` before `header.X` or `querystring.X`, and write
    `context.X` and `stageVariables.X` without a dollar sign, as `--fix` does.

    Example

           AuthorizerType: REQUEST
           AuthorizerUri: !Sub arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${AuthorizerFunction.Arn}/invocations
           IdentitySource:
    -        - $request.querystring.token
    +        - route.request.querystring.token
       AuthorizerPermission:
         Type: AWS::Lambda::Permission
         Properties:

    API Gateway reference: row A3
    https://github.com/stackgen/stackgen/blob/main/docs/rules/SG113-http-api-identity-source.md
    ");
    let by_name = Sandbox::new().run("rule http-api-identity-source");
    assert_eq!(by_name.stdout, run.stdout);
}

#[test]
fn rules_are_listed_by_group() {
    let all = Sandbox::new().run("rule").stdout;
    let group = Sandbox::new().run("rule sg1").stdout;
    assert!(all.contains(&group) && all.len() > group.len());
    assert!(group.starts_with("Authorizers and authorization of `$connect`\nSG101  "));
    assert!(
        group.contains("\nSG102  error         connect-open-beside-authorizer\n"),
        "{group}"
    );
    assert!(
        group.contains("\nSG113  error    fix  http-api-identity-source\n"),
        "{group}"
    );
}

#[test]
fn json_has_the_whole_page() {
    let rules = Sandbox::new().run("rule SG113 --json").json();
    let rule = &rules["rules"][0];
    for key in [
        "id",
        "name",
        "group",
        "title",
        "severity",
        "confidence",
        "fixable",
        "rows",
        "doc",
        "example",
        "url",
    ] {
        assert!(!rule[key].is_null(), "{key}");
    }
    assert_eq!(rules["rules"].as_array().unwrap().len(), 1);
    let all = Sandbox::new().run("rule --json").json();
    assert!(all["rules"].as_array().unwrap().len() > 20);
}

#[test]
fn an_unknown_rule_is_bad_usage() {
    assert_snapshot!(Sandbox::new().run("rule SG1l3"), @r#"
    exit 2
    --- stderr
    error: there is no rule "SG1l3"
    help: did you mean SG103 authorizer-id-without-custom? list all rules with `stackgen rule`
    look up a rule: stackgen explain SG103
    "#);
    assert_snapshot!(Sandbox::new().run("rule http-identity-source"), @r#"
    exit 2
    --- stderr
    error: there is no rule "http-identity-source"
    help: did you mean SG113 http-api-identity-source? list all rules with `stackgen rule`
    look up a rule: stackgen explain SG113
    "#);
}
