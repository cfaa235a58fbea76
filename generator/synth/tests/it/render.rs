//! Rendered templates as text.

use insta::{assert_debug_snapshot, assert_snapshot};
use stackgen_cfn::emit;

use super::{Artifacts, Dialect, RenderOptions, STARTERS, load, render};

#[test]
fn the_smallest_stack_as_text() {
    assert_snapshot!(emit::yaml(&render(STARTERS[2].1, "dev")));
}

#[test]
fn sam_differs_only_in_the_functions() {
    let stack = load(STARTERS[2].1);
    let artifacts = Artifacts::new();
    let of = |dialect| {
        let options = RenderOptions {
            environment: "dev",
            dialect,
            project_path: "../..",
            artifacts: &artifacts,
        };
        emit::yaml(&stack.render(&options).unwrap().template)
    };
    let (cloudformation, sam) = (of(Dialect::CloudFormation), of(Dialect::Sam));
    let lines = |text: &str, other: &str| -> Vec<String> {
        text.lines()
            .filter(|line| !other.lines().any(|known| known == *line))
            .map(str::to_owned)
            .collect()
    };
    assert_debug_snapshot!(lines(&cloudformation, &sam), @r#"
    [
        "  cfn-lint:",
        "    config:",
        "      ignore_checks:",
        "        - W3002",
        "    Type: AWS::Lambda::Function",
        "      Code: '../../target/lambda/echo/bootstrap.zip'",
    ]
    "#);
    assert_debug_snapshot!(lines(&sam, &cloudformation), @r#"
    [
        "Transform: AWS::Serverless-2016-10-31",
        "    Type: AWS::Serverless::Function",
        "    Metadata:",
        "      BuildMethod: rust-cargolambda",
        "      BuildProperties:",
        "        Binary: echo",
        "      CodeUri: '../../'",
    ]
    "#);
}

#[test]
fn every_key_renders() {
    assert_snapshot!(emit::yaml(&render(include_str!("everything.yaml"), "prod")));
}

#[test]
fn notices_of_a_template() {
    let stack = load(STARTERS[0].1);
    let artifacts = Artifacts::new();
    let told = |environment| {
        let options = RenderOptions {
            environment,
            dialect: Dialect::CloudFormation,
            project_path: ".",
            artifacts: &artifacts,
        };
        let notices = stack.render(&options).unwrap().notices;
        notices
            .iter()
            .map(|notice| format!("{}: {}\n", notice.code, notice.message))
            .collect::<String>()
    };
    assert_snapshot!(told("dev"), @"account-role: logs need API Gateway's CloudWatch role, which is set once per account and region");
    assert_snapshot!(told("prod"), @"
    not-built: no function is built: changes to code will not publish new versions
    account-role: logs need API Gateway's CloudWatch role, which is set once per account and region
    ");
}
