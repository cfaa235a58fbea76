//! `stackgen policy` allows what deploys call, and nothing else is needed.

use std::collections::BTreeSet;

use serde_json::Value;

use super::assert_done;
use super::emulator::Emulator;
use super::project::Project;
use super::recorder::{CallPermission, Recorder};
use crate::common::Run;

/// A deployed project in a pinned environment, behind a recorder.
struct Recorded {
    _emulator: Emulator,
    project: Project,
    recorder: Recorder,
    codes: std::cell::Cell<usize>,
}

impl Recorded {
    /// Deploys the project; `None` skips the test.
    fn deployed() -> Option<Recorded> {
        let emulator = Emulator::start()?;
        let mut project = Project::new(&emulator, "prod");
        assert_done(&project.run_as("bootstrap"));
        assert_done(&project.deploy(""));
        let address = emulator.url().trim_start_matches("http://").parse();
        let recorder = Recorder::start(address.unwrap());
        project.use_endpoint(recorder.url());
        Some(Recorded {
            _emulator: emulator,
            project,
            recorder,
            codes: 0.into(),
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

    /// Denies the calls of a kind. Returns whether the run failed; then its error names the action.
    fn fails_without(&self, kind: &str, line: &str) -> bool {
        self.recorder.deny(Some(kind));
        let run = self.run(line);
        self.recorder.deny(None);
        let action = kind.split(' ').next().unwrap();
        assert!(run.stderr.contains(action), "{kind}: {run}");
        run.code != Some(0)
    }

    fn policy(&self, flags: &str) -> String {
        let line = format!("policy --account 000000000000 --region us-east-1 --env prod {flags}");
        let run = self.project.sandbox.run(&line);
        assert_done(&run);
        run.stdout
    }
}

/// Returns whether a policy allows a call.
fn allows(policy: &str, call: &CallPermission) -> bool {
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
        ]
    );
    recorded.assert_allowed(DEPLOY, &policy);
}
