//! Names that others have, and credentials that expire, are found before anything is uploaded.

use std::process::Command;

use serde_json::{Value, json};

use super::{assert_done, assert_failed, started};
use crate::common::Run;

/// Resources to which the template gives names.
const NAMED: &str = "tables:
  rooms: { partitionKey: { name: id, type: S } }

dashboard: true

alarms:
  functionErrors: { threshold: 1 }

resources:
  Files: { Type: 'AWS::S3::Bucket', Properties: { BucketName: rooms-files } }
  Users: { Type: 'AWS::Cognito::UserPool', Properties: { UserPoolName: rooms } }
  SignIn: { Type: 'AWS::Cognito::UserPoolDomain', Properties: { Domain: rooms-users, UserPoolId: !Ref Users } }

verify:";

#[test]
fn names_of_another_stack_are_reported_at_once_before_anything_is_uploaded() {
    let Some((_emulator, project)) = started("dev") else {
        return;
    };
    project.edit("verify:", NAMED);
    assert_done(&project.deploy("--no-verify --stack-name other"));
    project.set_code("second", true);
    let run = project.deploy("--no-verify");
    assert_failed(
        &run,
        [
            "exist already outside of stack rooms-dev",
            "give the environment or the resources another name",
        ],
    );
    let names = [
        "API rooms-api-dev",
        "function rooms-dev",
        "table rooms-dev",
        "log group /aws/lambda/rooms-dev",
        "bucket rooms-files",
        "domain rooms-users of a user pool",
        "alarm rooms-dev",
        "dashboard rooms-dev",
    ];
    for name in names {
        assert!(run.stderr.contains(name), "no {name:?} in {run}");
    }
    assert!(!run.stderr.contains("uploaded"), "{run}");
    // The names of the stack itself are no problem.
    assert_done(&project.deploy("--no-verify --stack-name other"));
    assert_done(&project.run_as("destroy --yes --stack-name other"));
}

#[test]
fn an_update_that_adds_a_resource_whose_name_is_taken_changes_nothing() {
    let Some((emulator, project)) = started("dev") else {
        return;
    };
    assert_done(&project.deploy(""));
    emulator.stacks(&["create-bucket", "cdk"]);
    let bucket = "cdk-hnb659fds-assets-000000000000-us-east-1";
    let resources = format!(
        "resources:\n  Files: {{ Type: 'AWS::S3::Bucket', Properties: {{ BucketName: {bucket} }} }}\n\nverify:"
    );
    project.edit("verify:", &resources);
    let taken = format!("bucket {bucket} exists already outside of stack rooms-dev");
    assert_failed(&project.deploy(""), [taken.as_str()]);
    project.edit(bucket, "rooms-files");
    assert_done(&project.deploy(""));
    // Now the bucket is the stack's.
    project.set_code("second", true);
    assert_done(&project.deploy(""));
}

#[test]
fn a_path_of_a_domain_that_leads_to_another_api_is_taken() {
    let Some((_emulator, project)) = started("dev") else {
        return;
    };
    let stage = "stage: { name: live }";
    let domain = |rest: &str| format!("{stage}\n  domain: {{ name: ws.example.com, {rest} }}");
    let own = domain("certificateArn: 'arn:aws:acm:us-east-1:000000000000:certificate/1'");
    project.edit(stage, &own);
    assert_done(&project.deploy("--no-verify"));
    project.edit(&own, &domain("existing: true"));
    let deploy =
        || project.run_as("deploy --no-build --capability CAPABILITY_IAM --no-verify --env prod");
    let taken =
        "a mapping of ws.example.com without a path exists already outside of stack rooms-prod";
    assert_failed(&deploy(), [taken]);
    project.edit("existing: true", "existing: true, mappingKey: lobby");
    assert_done(&deploy());
    assert_done(&deploy());
}

/// Runs a dry run with credentials that expire so much later.
fn run_with_session(lifetime: &str, flags: &str) -> Option<(Run, String)> {
    let (_emulator, project) = started("dev")?;
    let mut date = Command::new("date");
    date.args(["-u", "+%Y-%m-%dT%H:%M:%SZ", "-d", lifetime]);
    let expires = String::from_utf8(date.output().unwrap().stdout).unwrap();
    let expires = expires.trim().to_owned();
    let process = json!({
        "Version": 1, "AccessKeyId": "AKID", "SecretAccessKey": "secret", "SessionToken": "token",
        "Expiration": expires,
    });
    project.sandbox.write("process.json", process.to_string());
    let config = "[profile session]\ncredential_process = cat process.json\n";
    project.sandbox.write("config", config);
    let line = format!("deploy --no-build --capability CAPABILITY_IAM --dry-run {flags}");
    let variables = [("AWS_CONFIG_FILE", "config"), ("AWS_PROFILE", "session")];
    Some((project.run_with(&line, &variables), expires))
}

#[test]
fn credentials_that_expire_during_the_deploy_are_reported_with_the_time_left() {
    let Some((run, _)) = run_with_session("570 seconds", "") else {
        return;
    };
    assert_done(&run);
    for text in [
        "note: the credentials of `credential_process` expire in ",
        " minutes, at ",
        "sign in again",
    ] {
        assert!(run.stderr.contains(text), "no {text:?} in {run}");
    }
    let (run, expires) = run_with_session("570 seconds", "--json").unwrap();
    let report: Value = run.json();
    let found = &report["expiringCredentials"];
    assert_eq!(found["source"], "`credential_process`");
    assert_eq!(found["expires"], expires);
    assert!(found["secondsLeft"].as_i64().unwrap() <= 570);
}

#[test]
fn credentials_that_last_are_not_mentioned_and_expired_ones_end_the_deploy() {
    let Some((run, _)) = run_with_session("1 hour", "--json") else {
        return;
    };
    assert_done(&run);
    assert!(!run.stderr.contains("credentials"), "{run}");
    assert_eq!(run.json()["expiringCredentials"], Value::Null);
    let (run, _) = run_with_session("-60 seconds", "").unwrap();
    assert_failed(&run, ["expired"]);
    assert!(!run.stderr.contains("uploaded"), "{run}");
}
