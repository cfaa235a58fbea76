//! Functions that invoke functions.

use insta::assert_snapshot;
use stackgen_cfn::{Node, emit};

use super::{STARTERS, errors, render, resource};

/// Returns the statement that allows a role to invoke functions.
fn statement(template: &Node, role: &str) -> String {
    let policy = resource(template, role)
        .at_path(&["Properties", "Policies"])
        .and_then(Node::as_list)
        .unwrap();
    let statements = policy[0].at_path(&["PolicyDocument", "Statement"]);
    let invoking = statements.and_then(Node::as_list).unwrap().iter();
    let invoking: Vec<_> = invoking
        .filter(|statement| emit::json(statement).contains("lambda:InvokeFunction"))
        .collect();
    assert_eq!(invoking.len(), 1);
    emit::yaml(invoking[0])
}

fn variable(template: &Node, function: &str, name: &str) -> Option<String> {
    let variables =
        resource(template, function).at_path(&["Properties", "Environment", "Variables"]);
    variables?.get(name).map(emit::yaml)
}

#[test]
fn a_function_that_invokes_itself_gets_no_variable() {
    for environment in ["dev", "prod"] {
        let template = render(STARTERS[0].1, environment);
        let role = statement(&template, "SessionAudioHandlerRole");
        let allowed = role.replace(environment, "ENV");
        insta::allow_duplicates! {
            assert_snapshot!(allowed, @"
            Effect: Allow
            Action:
              - lambda:InvokeFunction
            Resource:
              - !Sub 'arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:session-audio-handler-ENV'
              - !Sub 'arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:session-audio-handler-ENV:*'
            ");
        }
        let function = "SessionAudioHandlerFunction";
        assert_eq!(
            variable(&template, function, "SESSION_AUDIO_HANDLER_FUNCTION"),
            None
        );
    }
}

const TWO: &str = "name: s
functions:
  front: { binary: front, invoke: [back-office] }
  back-office: { binary: back }
environments: { dev: {}, prod: {} }
";

#[test]
fn an_invoked_function_is_a_name_or_in_a_pinned_release_a_version() {
    let variable = |environment| {
        variable(
            &render(TWO, environment),
            "FrontFunction",
            "BACK_OFFICE_FUNCTION",
        )
        .unwrap()
    };
    assert_snapshot!(variable("dev"), @"back-office-dev");
    let version = variable("prod");
    let version = version.trim().strip_prefix("!Ref ").unwrap();
    assert!(version.starts_with("BackOfficeVersion"), "{version}");
    let template = render(TWO, "prod");
    let kind = resource(&template, version)
        .get("Type")
        .and_then(Node::as_str);
    assert_eq!(kind, Some("AWS::Lambda::Version"));
}

#[test]
fn a_new_version_of_a_function_changes_the_versions_of_its_invokers() {
    let version = |text: &str| {
        let template = render(text, "prod");
        let versions = super::resources_of_type(&template, "AWS::Lambda::Version");
        let ids = versions.iter().map(|(id, _)| (*id).to_owned());
        ids.into_iter().find(|id| id.starts_with("Front")).unwrap()
    };
    let changed = TWO.replace("binary: back", "binary: back, memory: 256");
    assert_ne!(version(TWO), version(&changed));
}

#[test]
fn invoke_names_functions_of_the_stack_and_reserves_their_variables() {
    assert_snapshot!(errors(
        "name: s
functions:
  front:
    binary: front
    invoke: [front, bakc, back]
    environment: { BACK_FUNCTION: x, FRONT_FUNCTION: mine }
  back: { binary: back, invoke: back }
"
    ), @"
    5:21 there is no function `bakc`
        help: did you mean `back`?
    6:20 `BACK_FUNCTION` cannot be set here: stackgen sets it because of `invoke`
        help: remove the variable
    7:33 `invoke` must be a list, not a string
    ");
}

#[test]
fn versions_cannot_invoke_each_other_in_a_cycle_and_functions_can() {
    let circle = "name: s
functions:
  a: { binary: a, invoke: [a, b] }
  b: { binary: b, invoke: [c] }
  c: { binary: c, invoke: [b, d] }
  d: { binary: d, invoke: [d] }
environments: { dev: {}, prod: {} }
";
    assert_snapshot!(errors(circle), @"
    4:28 published versions invoke each other in a cycle: b, c, b (in `prod`)
        help: remove one of them from `invoke`, or write `release: live`: in a pinned environment, a version can invoke only versions that are published before it
    ");
    let live = circle.replace("prod: {}", "prod: { release: live }");
    assert_eq!(errors(&live), "");
}
