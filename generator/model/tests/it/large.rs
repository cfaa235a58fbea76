//! Parts that stand once in a template and apply in very many places are read up to a limit. What exceeds it is
//! reported as too large. Names are found without a scan, with the same result.

use std::fmt::Write;

use stackgen_cfn::{Sources, parse};
use stackgen_model::{Inputs, Link, LogicalId, Model, Qualifier, Resolved, UnknownReason};

fn model(text: impl Into<String>) -> Model {
    let node = parse(Sources::new().add("template.yaml", text)).expect("it parses");
    Model::from_template(&node, &Inputs::none())
}

/// A template with repeated parts after `head`.
fn repeated(head: &str, count: usize, part: impl Fn(usize) -> String) -> String {
    let mut text = head.to_owned();
    for number in 0..count {
        writeln!(text, "{}", part(number)).expect("writing to a String cannot fail");
    }
    text
}

fn is_too_large(value: Option<&Resolved>) -> bool {
    matches!(value, Some(Resolved::Unknown(unknown)) if unknown.reason == UnknownReason::TooLarge)
}

#[test]
fn a_long_parameter_is_not_copied_without_bound() {
    let list = "a,".repeat(2_000);
    let head = format!(
        "Parameters: {{List: {{Type: CommaDelimitedList, Default: '{list}'}}}}\nResources:\n"
    );
    let model = model(repeated(&head, 2_000, |number| {
        format!("  R{number}: {{Type: A, Properties: {{List: !Ref List}}}}")
    }));
    let value = |number: usize| model.resources[number].properties.get("List");
    assert!(matches!(value(0), Some(Resolved::List(items)) if items.len() == 2_001));
    assert!(is_too_large(value(1_999)));
}

#[test]
fn a_large_mapping_is_not_copied_without_bound() {
    let list = "a,".repeat(2_000);
    let head = format!("Mappings: {{M: {{a: {{b: [{list}]}}}}}}\nResources:\n");
    let model = model(repeated(&head, 2_000, |number| {
        format!(
            "  R{number}: {{Type: A, Properties: {{First: !Select [0, !FindInMap [M, a, b]]}}}}"
        )
    }));
    let value = |number: usize| model.resources[number].properties.get("First");
    assert_eq!(value(0), Some(&Resolved::literal("a")));
    assert!(is_too_large(value(1_999)));
}

#[test]
fn a_policy_of_very_many_roles_is_not_copied_without_bound() {
    let statement = "{Effect: Allow, Action: 'a:b', Resource: '*'},".repeat(500);
    let names: Vec<_> = (0..500).map(|number| format!("!Ref R{number}")).collect();
    let head = format!(
        "Resources:\n  Policy: {{Type: AWS::IAM::Policy, Properties: {{Roles: [{}], PolicyDocument: {{Statement: [{statement}]}}}}}}\n",
        names.join(", ")
    );
    let model = model(repeated(&head, 500, |number| {
        format!("  R{number}: {{Type: AWS::IAM::Role}}")
    }));
    let [first, .., last] = model.roles.as_slice() else {
        panic!("there are 500 roles");
    };
    assert_eq!((first.grants.len(), first.unknown.len()), (500, 0));
    assert_eq!((last.grants.len(), last.unknown.len()), (0, 1));
    assert_eq!(last.unknown[0].reason, UnknownReason::TooLarge);
}

#[test]
fn large_globals_are_not_copied_without_bound() {
    let variables = repeated("", 1_000, |number| format!("        V{number}: a"));
    let head = format!(
        "Transform: AWS::Serverless-2016-10-31\nGlobals:\n  Function:\n    Environment:\n      Variables:\n{variables}Resources:\n"
    );
    let function = |number| {
        format!("  F{number}: {{Type: AWS::Serverless::Function, Properties: {{Handler: a}}}}")
    };
    let few = model(repeated(&head, 3, function));
    assert_eq!(few.gaps, []);
    let many = model(repeated(&head, 300, function));
    assert_eq!(many.gaps.len(), 1);
    assert!(many.gaps[0].message.contains("too large"));
    let variables = |number: usize| {
        many.functions[number]
            .environment
            .value()
            .map(|map| map.len())
    };
    assert_eq!((variables(0), variables(299)), (Some(1_000), None));
}

#[test]
fn the_first_of_two_resources_with_one_name_is_linked() {
    let model = model(
        r#"
Parameters: {P: {Type: String}}
Conditions: {A: !Equals [!Ref P, a], B: !Equals [!Ref P, a]}
Resources:
  First: {Type: AWS::Lambda::Function, Properties: {FunctionName: same}}
  Second: {Type: AWS::Lambda::Function, Properties: {FunctionName: same}}
  Live: {Type: AWS::Lambda::Alias, Properties: {FunctionName: !Ref Second, Name: live, FunctionVersion: '1'}}
  Older: {Type: AWS::Lambda::Alias, Properties: {FunctionName: !Ref First, Name: live, FunctionVersion: '1'}}
  Later: {Type: AWS::Lambda::Alias, Properties: {FunctionName: !Ref First, Name: live, FunctionVersion: '2'}}
  Named: {Type: AWS::Lambda::Permission, Properties: {FunctionName: same, Principal: a}}
  ByAlias: {Type: AWS::Lambda::Permission, Properties: {FunctionName: !Sub '${First}:live', Principal: a}}
  RouteA: {Type: AWS::ApiGatewayV2::Route, Properties: {ApiId: !If [A, x, y], RouteKey: a}}
  RouteB: {Type: AWS::ApiGatewayV2::Route, Properties: {ApiId: !If [B, x, y], RouteKey: b}}
  RouteC: {Type: AWS::ApiGatewayV2::Route, Properties: {ApiId: !If [A, x, y], RouteKey: c}}
"#,
    );
    let function = |number: usize| model.permissions[number].function.function.clone();
    assert_eq!(function(0), Link::To(LogicalId::new("First")));
    assert_eq!(
        model.permissions[1].function.qualifier,
        Some(Qualifier::Alias(LogicalId::new("Older")))
    );
    let keys = |number: usize| {
        let routes = model.apis[number].routes.iter();
        routes.map(|route| route.key.as_str()).collect::<Vec<_>>()
    };
    // The conditions are equal, but two.
    assert_eq!((keys(0), keys(1)), (vec!["a", "c"], vec!["b"]));
}
