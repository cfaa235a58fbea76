//! Values that come from `NoEcho` parameters: compared, and never shown.

use stackgen_cfn::{Sources, parse};
use stackgen_model::diff::{Diff, diff};
use stackgen_model::{Inputs, Model};

const SECRET: &str = "hunter2-correct-horse";
const NEW_SECRET: &str = "battery-staple-9";

/// A function with one variable, and the parameters that it may refer to.
fn template(secret: &str, no_echo: &str, variable: &str) -> Model {
    let yaml = format!(
        "Parameters:
  Password: {{ Type: String, NoEcho: {no_echo}, Default: {secret} }}
  Passwords: {{ Type: CommaDelimitedList, NoEcho: {no_echo}, Default: '{secret},b' }}
  Stored: {{ Type: 'AWS::SSM::Parameter::Value<String>', NoEcho: {no_echo}, Default: {secret} }}
  User: {{ Type: String, Default: ada }}
  Kind: {{ Type: String }}
Conditions:
  IsProd: !Equals [!Ref Kind, prod]
  IsSecret: !Equals [!Ref Kind, !Ref Password]
Resources:
  Worker:
    Type: AWS::Lambda::Function
    Properties:
      FunctionName: worker
      Environment: {{ Variables: {{ VALUE: {variable} }} }}
"
    );
    model(&yaml, &Inputs::none())
}

fn model(yaml: &str, inputs: &Inputs) -> Model {
    let mut sources = Sources::new();
    let node = parse(sources.add("t.yaml", yaml)).unwrap_or_else(|errors| panic!("{errors:?}"));
    Model::from_template(&node, inputs)
}

/// Everything that a diff can print.
fn output(diff: &Diff) -> String {
    let json = serde_json::to_value(diff).unwrap_or_default();
    format!("{}{json}", diff.human())
}

/// Expressions that put a secret into a variable.
const WAYS: [&str; 12] = [
    "!Ref Password",
    "!Sub 'postgres://app:${Password}@db'",
    "!Sub ['x${P}', { P: !Ref Password }]",
    "!Join [':', [a, !Ref Password]]",
    "!Join [':', !Ref Passwords]",
    "!Select [0, !Ref Passwords]",
    "!Select [0, !Split ['~', !Ref Password]]",
    "{ 'Fn::Base64': !Ref Password }",
    "!If [IsSecret, a, b]",
    "!Ref Stored",
    "!If [IsProd, !Ref Password, none]",
    "!Sub '{{resolve:ssm:${Password}}}'",
];

#[test]
fn a_secret_is_masked_in_every_change_and_the_change_is_reported() {
    for way in WAYS {
        let changed = diff(
            &template(SECRET, "true", way),
            &template(NEW_SECRET, "true", way),
        );
        let text = output(&changed);
        for secret in [SECRET, NEW_SECRET] {
            assert!(!text.contains(secret), "{way} shows it:\n{text}");
        }
        let human = changed.human();
        let of = |start: &str| human.lines().find(|line| line.starts_with(start));
        let variable = of("~ function worker: Environment.Variables.VALUE");
        assert!(
            variable.is_some_and(|line| line.contains("****")),
            "{human}"
        );
        let default = of("~ parameter Password: Value.Default is now **** (was ****)");
        assert!(default.is_some(), "{human}");
    }
}

#[test]
fn an_added_or_removed_variable_with_a_secret_is_masked() {
    for way in WAYS {
        let without = model(
            "Resources: { Worker: { Type: AWS::Lambda::Function, Properties: { FunctionName: worker } } }",
            &Inputs::none(),
        );
        let with = template(SECRET, "true", way);
        for changed in [diff(&without, &with), diff(&with, &without)] {
            let text = output(&changed);
            assert!(text.contains("****") && !text.contains(SECRET), "{text}");
        }
    }
}

#[test]
fn every_value_of_no_echo_hides_except_false() {
    for (no_echo, hides) in [
        ("true", true),
        ("'true'", true),
        ("yes", true),
        ("'True'", true),
        ("1", true),
        ("false", false),
        ("'false'", false),
    ] {
        let of = |secret| template(secret, no_echo, "!Ref Password");
        let text = output(&diff(&of(SECRET), &of(NEW_SECRET)));
        assert_eq!(!text.contains(SECRET), hides, "{no_echo}: {text}");
    }
}

#[test]
fn a_value_that_becomes_hidden_is_unchanged() {
    let diff = diff(
        &template(SECRET, "false", "!Ref Password"),
        &template(SECRET, "true", "!Ref Password"),
    );
    insta::assert_snapshot!(diff.human(), @"
    ~ parameter Password: Value.NoEcho is now true (was false)    live with the update
    ~ parameter Passwords: Value.NoEcho is now true (was false)   live with the update
    ~ parameter Stored: Value.NoEcho is now true (was false)      live with the update
    ");
}

#[test]
fn a_secret_that_is_no_longer_hidden_is_still_masked_in_the_old_value() {
    let changed = diff(
        &template(SECRET, "true", "!Ref Password"),
        &template(NEW_SECRET, "false", "!Ref Password"),
    );
    let text = output(&changed);
    assert!(
        !text.contains(SECRET) && !text.contains(NEW_SECRET),
        "{text}"
    );
}

#[test]
fn a_given_value_is_hidden_like_a_default() {
    let yaml = "Parameters: { Password: { Type: String, NoEcho: true } }
Resources:
  Worker: { Type: AWS::Lambda::Function, Properties: { Description: !Ref Password } }";
    let given = |value| model(yaml, &Inputs::none().with_parameter("Password", value));
    let diff = diff(&given(SECRET), &given(NEW_SECRET));
    insta::assert_snapshot!(diff.human(), @"~ function Worker: Description is now **** (was ****)   code, live with the update");
}

#[test]
fn values_beside_a_secret_are_shown() {
    let old = template(SECRET, "true", "!Ref User");
    let new = template(SECRET, "true", "!Sub '${User}-2'");
    insta::assert_snapshot!(diff(&old, &new).human(), @"~ function worker: Environment.Variables.VALUE is now ada-2 (was ada)   code, live with the update");
}

#[test]
fn no_template_can_forge_a_mask() {
    let of = |value: &str| template(SECRET, "true", &format!("'{value}'"));
    let diff = diff(&of("plain"), &of("${****}other"));
    insta::assert_snapshot!(diff.human(), @"~ function worker: Environment.Variables.VALUE is now ${!****}other (was plain)   code, live with the update");
}

#[test]
fn digests_cover_the_hidden_values() {
    let yaml = |no_echo: &str, default: &str| {
        format!(
            "Parameters: {{ Key: {{ Type: String, NoEcho: {no_echo}, Default: {default} }} }}
Resources:
  Api: {{ Type: AWS::ApiGatewayV2::Api, Properties: {{ Name: chat, ProtocolType: WEBSOCKET }} }}
  To: {{ Type: AWS::ApiGatewayV2::Integration, Properties: {{ ApiId: !Ref Api, IntegrationType: HTTP_PROXY,
    IntegrationUri: !Sub 'https://example.org/${{Key}}', IntegrationMethod: POST }} }}
  Send: {{ Type: AWS::ApiGatewayV2::Route, Properties: {{ ApiId: !Ref Api, RouteKey: send,
    Target: !Sub 'integrations/${{To}}' }} }}"
        )
    };
    let digest = |yaml: &str| {
        let model = model(yaml, &Inputs::none());
        model.apis[0].snapshot_digest(&model).to_string()
    };
    assert_eq!(digest(&yaml("true", "a")), digest(&yaml("false", "a")));
    assert_ne!(digest(&yaml("true", "a")), digest(&yaml("true", "b")));
    let of = |default| model(&yaml("true", default), &Inputs::none());
    let changed = diff(&of("secret-one"), &of("secret-two"));
    assert!(changed.apis[0].wiring_changed);
    assert!(
        !output(&changed).contains("secret-"),
        "{}",
        output(&changed)
    );
}

#[test]
fn a_value_cannot_forge_or_reverse_a_line() {
    let of = |value: &str| template(SECRET, "true", value);
    let old = of("plain");
    let new = of(r#""a\n+ route $connect\r\u202Egnp.exe\x1b[2J""#);
    let human = diff(&old, &new).human();
    assert_eq!(human.lines().count(), 1, "{human:?}");
    assert!(
        !human
            .trim_end()
            .contains(stackgen_cfn::terminal::needs_escape)
    );
    insta::assert_snapshot!(human, @r"~ function worker: Environment.Variables.VALUE is now a\n+ route $connect\r\u{202e}gnp.exe\u{1b}[2J (was plain)   code, live with the update");
}

#[test]
fn a_name_cannot_forge_a_line() {
    let of = |name: &str| {
        let yaml = format!("Resources:\n  \"A{name}\": {{ Type: \"Custom::X{name}\" }}");
        model(&yaml, &Inputs::none())
    };
    let human = diff(&of("1"), &of(r"2\n- table sessions\u202e")).human();
    assert_eq!(human.lines().count(), 2, "{human:?}");
}
