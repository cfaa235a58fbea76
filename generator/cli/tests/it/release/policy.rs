//! `stackgen policy` allows what deploys call, and nothing else is needed.

use std::collections::BTreeSet;

use serde_json::Value;

use super::assert_done;
use super::emulator::Emulator;
use super::project::Project;
use super::recorder::{CallPermission, Recorder};
use crate::common::Run;

/// A project behind a recorder.
struct Recorded {
    _emulator: Emulator,
    project: Project,
    recorder: Recorder,
    codes: std::cell::Cell<usize>,
    environment: &'static str,
}

impl Recorded {
    /// A deployed project in a pinned environment; `None` skips the test.
    fn deployed() -> Option<Recorded> {
        let recorded = Recorded::new("prod", "")?;
        assert_done(&recorded.project.deploy(""));
        Some(recorded)
    }

    /// A project that is not deployed yet, with a function that has these properties; `None` skips the test.
    fn new(environment: &'static str, function: &str) -> Option<Recorded> {
        let emulator = Emulator::start()?;
        let mut project = Project::new(&emulator, environment);
        let architecture = "architecture: x86_64";
        project.edit(architecture, &format!("{architecture}{function}"));
        assert_done(&project.run_as("bootstrap"));
        let address = emulator.url().trim_start_matches("http://").parse();
        let recorder = Recorder::start(address.unwrap());
        project.use_endpoint(recorder.url());
        Some(Recorded {
            _emulator: emulator,
            project,
            recorder,
            codes: 0.into(),
            environment,
        })
    }

    /// Runs a command with new code.
    fn run(&self, line: &str) -> Run {
        self.codes.set(self.codes.get() + 1);
        self.project.set_code(&self.codes.get().to_string(), true);
        self.project.run(line)
    }

    /// Runs a command with new code, asserts that a policy allows all of its calls, and returns their kinds.
    fn assert_allowed(&self, line: &str, policy: &str) -> BTreeSet<String> {
        self.recorder.take();
        assert_done(&self.run(line));
        let calls = self.recorder.take();
        let denied: Vec<_> = calls.iter().filter(|call| !allows(policy, call)).collect();
        assert!(denied.is_empty(), "{denied:#?}\n{policy}");
        calls.into_iter().map(|call| call.kind).collect()
    }

    /// Denies the calls of a kind. Returns whether the run failed. Its errors and notes name the action, and no other one.
    fn fails_without(&self, kind: &str, line: &str) -> bool {
        self.recorder.deny(Some(kind));
        let run = self.run(line);
        self.recorder.deny(None);
        let action = kind.split(' ').next().unwrap();
        let named = named_actions(&run.stderr);
        assert_eq!(named, BTreeSet::from([action.to_owned()]), "{kind}: {run}");
        run.code != Some(0)
    }

    /// Denies the calls of a kind during a creation, and creates the stack again without denial. Deletes the stack afterwards.
    /// Returns whether the first run failed.
    fn creation_fails_without(&self, kind: &str, line: &str) -> bool {
        let has_failed = self.fails_without(kind, line);
        let again = self.project.run(line);
        assert_eq!(again.code, Some(0), "after a denied {kind}: {again}");
        assert_done(&self.project.run("destroy --yes"));
        has_failed
    }

    fn policy(&self, flags: &str) -> String {
        let environment = self.environment;
        let line =
            format!("policy --account 000000000000 --region us-east-1 --env {environment} {flags}");
        let run = self.project.sandbox.run(&line);
        assert_done(&run);
        run.stdout
    }
}

/// Returns the IAM actions that a text names.
fn named_actions(text: &str) -> BTreeSet<String> {
    let is_part = |char: char| char.is_ascii_alphanumeric() || matches!(char, ':' | '-');
    let words = text.split(|char| !is_part(char));
    let services = [
        "apigateway",
        "cloudformation",
        "cloudwatch",
        "cognito-idp",
        "dynamodb",
        "iam",
        "lambda",
        "logs",
        "s3",
        "sts",
    ];
    let actions = words.filter(|word| {
        let action = word.split_once(':');
        action.is_some_and(|(service, name)| services.contains(&service) && !name.is_empty())
    });
    let actions = actions.filter(|word| word.matches(':').count() == 1);
    actions.map(str::to_owned).collect()
}

/// Returns whether a policy allows a call.
pub(crate) fn allows(policy: &str, call: &CallPermission) -> bool {
    let policy: Value = serde_json::from_str(policy).unwrap();
    let statements = policy["Statement"].as_array().unwrap();
    let has = |list: &Value, value: &str| {
        let mut patterns = list.as_array().unwrap().iter();
        patterns.any(|pattern| matches(pattern.as_str().unwrap(), value))
    };
    statements.iter().any(|statement| {
        let resource = call.resource.as_deref();
        has(&statement["Action"], &call.action)
            && resource.is_none_or(|arn| has(&statement["Resource"], arn))
    })
}

/// Matches a pattern of IAM with stars.
fn matches(pattern: &str, value: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == value,
        Some((before, after)) => value.strip_prefix(before).is_some_and(|rest| {
            after.is_empty() || (0..=rest.len()).any(|end| matches(after, &rest[end..]))
        }),
    }
}

#[test]
fn the_redeploy_policy_is_complete_and_each_denied_action_is_named() {
    const REDEPLOY: &str = "deploy --redeploy-stage --keep 0 --verify-timeout 1s";
    let Some(recorded) = Recorded::deployed() else {
        return;
    };
    let policy = recorded.policy("--for redeploy");
    assert!(!policy.contains("cloudformation:"), "{policy}");
    // The second run also deletes a deployment.
    let mut kinds = recorded.assert_allowed(REDEPLOY, &policy);
    for _ in 0..2 {
        kinds.extend(recorded.assert_allowed(REDEPLOY, &policy));
    }
    let mut optional = Vec::new();
    for kind in &kinds {
        if !recorded.fails_without(kind, REDEPLOY) {
            optional.push(kind.as_str());
        }
    }
    assert_eq!(optional, OPTIONAL);
    recorded.assert_allowed(REDEPLOY, &policy);
}

/// Calls without which a redeploy goes on, with a note: recording the verification, and deleting old deployments.
const OPTIONAL: [&str; 2] = [
    "apigateway:DELETE apis/*/deployments/*",
    "apigateway:PATCH apis/*/deployments/*",
];

#[test]
fn the_deploy_policy_is_complete_and_each_denied_action_is_named() {
    const DEPLOY: &str = "deploy --no-build --capability CAPABILITY_IAM --verify-timeout 1s";
    let Some(recorded) = Recorded::deployed() else {
        return;
    };
    let role = "arn:aws:iam::000000000000:role/cloudformation";
    let policy = recorded.policy(&format!("--role-arn {role}"));
    let kinds = recorded.assert_allowed(DEPLOY, &policy);
    let of_deploy = |kind: &&String| !kind.starts_with("apigateway:");
    let mut optional = Vec::new();
    for kind in kinds.iter().filter(of_deploy) {
        if !recorded.fails_without(kind, DEPLOY) {
            optional.push(kind.as_str());
        }
    }
    // Without these, progress, warnings, and the changes in words of the API are unknown, and a note says so.
    assert_eq!(
        optional,
        [
            "cloudformation:DescribeEvents ",
            "cloudformation:DescribeStackEvents ",
            "cloudformation:GetTemplate ",
            "cloudformation:ListStackResources ",
            "lambda:GetAccountSettings ",
        ]
    );
    recorded.assert_allowed(DEPLOY, &policy);
}

const CREATE: &str = "deploy --no-build --capability CAPABILITY_IAM --verify-timeout 1s";

/// Asserts that a policy allows what a creation calls, and that a creation fails without each of these calls but for the
/// optional ones, whose lack a note names.
fn assert_creation_needs(
    recorded: &Recorded,
    line: &str,
    is_tested: impl Fn(&str) -> bool,
) -> Vec<String> {
    let role = "arn:aws:iam::000000000000:role/cloudformation";
    let policy = recorded.policy(&format!("--role-arn {role}"));
    let kinds = recorded.assert_allowed(line, &policy);
    assert_done(&recorded.project.run("destroy --yes"));
    let kinds = kinds.into_iter().filter(|kind| is_tested(kind));
    let optional: Vec<_> = kinds
        .filter(|kind| !recorded.creation_fails_without(kind, line))
        .collect();
    recorded.assert_allowed(line, &policy);
    optional
}

#[test]
fn each_action_of_a_creation_that_is_denied_is_named_and_the_next_run_creates_the_stack() {
    // A reservation makes the checks read quotas.
    let Some(recorded) = Recorded::new("prod", ", reservedConcurrency: 5") else {
        return;
    };
    let optional = assert_creation_needs(&recorded, CREATE, |_| true);
    // Without these, events, the record of the verification or a check of names or quotas is missing.
    assert_eq!(
        optional,
        [
            "apigateway:PATCH apis/*/deployments/*",
            "cloudformation:DescribeAccountLimits ",
            "cloudformation:DescribeEvents ",
            "cloudformation:DescribeStackEvents ",
            "iam:GetAccountSummary ",
            "lambda:GetAccountSettings ",
            "lambda:GetFunctionConcurrency ",
            "logs:DescribeLogGroups ",
        ]
    );
}

#[test]
fn each_action_of_a_creation_without_a_change_set_that_is_denied_is_named() {
    let Some(recorded) = Recorded::new("dev", "") else {
        return;
    };
    let line = format!("{CREATE} --method direct");
    let of_stack = |kind: &str| kind.starts_with("cloudformation:");
    let optional = assert_creation_needs(&recorded, &line, of_stack);
    assert_eq!(
        optional,
        [
            "cloudformation:DescribeAccountLimits ",
            "cloudformation:DescribeStackEvents ",
        ]
    );
}

/// Resources to which the template gives names.
const NAMED: &str = "tables:
  rooms: { partitionKey: { name: id, type: S } }

dashboard: true

alarms:
  functionErrors: { threshold: 1 }

resources:
  Files: { Type: 'AWS::S3::Bucket', Properties: { BucketName: rooms-files } }
  Deployer:
    Type: AWS::IAM::Role
    Properties:
      RoleName: rooms-deployer
      AssumeRolePolicyDocument: { Version: '2012-10-17', Statement: [] }
  Users: { Type: 'AWS::Cognito::UserPool', Properties: { UserPoolName: rooms } }
  SignIn: { Type: 'AWS::Cognito::UserPoolDomain', Properties: { Domain: rooms-users, UserPoolId: !Ref Users } }

verify:";

#[test]
fn the_names_that_are_read_are_in_the_policy_and_each_denied_read_is_named_and_skipped() {
    let Some(recorded) = Recorded::new("prod", "") else {
        return;
    };
    recorded.project.edit("verify:", NAMED);
    let line = "deploy --no-build --capability CAPABILITY_NAMED_IAM --dry-run";
    let role = "arn:aws:iam::000000000000:role/cloudformation";
    let policy = recorded.policy(&format!("--role-arn {role}"));
    let kinds = recorded.assert_allowed(line, &policy);
    let reads = [
        "cloudwatch:DescribeAlarms ",
        "cloudwatch:GetDashboard ",
        "cognito-idp:DescribeUserPoolDomain ",
        "dynamodb:DescribeTable ",
        "iam:GetRole ",
        "logs:DescribeLogGroups ",
    ];
    for read in reads {
        assert!(kinds.contains(read), "no {read} in {kinds:?}");
        assert!(!recorded.fails_without(read, line), "{read}");
    }
    // A template without such resources needs none of these rights.
    recorded.project.edit(NAMED, "verify:");
    let policy = recorded.policy(&format!("--role-arn {role}"));
    for read in &reads[..5] {
        assert!(!policy.contains(read.trim()), "{read}: {policy}");
    }
}
