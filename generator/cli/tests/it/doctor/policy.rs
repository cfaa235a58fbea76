//! `stackgen policy` for `doctor` and `logs`: complete, and only for reading.

use std::collections::BTreeSet;

use serde_json::Value;

use super::emulator::Deployed;
use crate::release::policy::allows;
use crate::release::recorder::Recorder;

/// Faults that make `doctor` read more: policies of roles, events of the stack, endpoints of a VPC, records.
const FAULTS: [&str; 4] = ["moved", "private-dns", "orphans", "bare-close"];

#[test]
fn the_policies_allow_all_calls_and_no_writing_one() {
    let Some(mut deployed) = Deployed::new("dev") else {
        return;
    };
    for fault in FAULTS {
        deployed.breaker.run(&format!("break {fault}"));
    }
    let url = deployed.emulator.url();
    let recorder = Recorder::start(url.trim_start_matches("http://").parse().unwrap());
    let policy = |task: &str| {
        let line = format!("policy --for {task} --account 000000000000 --region us-east-1");
        let run = deployed.run_offline(&line);
        assert_eq!(run.code, Some(0), "{run}");
        run.stdout
    };
    let assert_allowed = |line: &str, task: &str| -> BTreeSet<String> {
        let run = deployed.run_at(&recorder.url(), line);
        assert_ne!(run.code, Some(2), "{run}");
        let calls = recorder.take();
        let policy = policy(task);
        let denied: Vec<_> = calls.iter().filter(|call| !allows(&policy, call)).collect();
        assert!(denied.is_empty(), "{line}: {denied:#?}\n{policy}");
        calls.into_iter().map(|call| call.action).collect()
    };
    let mut of_doctor = assert_allowed("doctor --json", "doctor");
    // Without simulation, the policies of roles are read.
    recorder.deny(Some("iam:SimulatePrincipalPolicy "));
    of_doctor.extend(assert_allowed("doctor --json", "doctor"));
    recorder.deny(None);
    for action in [
        "iam:GetRolePolicy",
        "ec2:DescribeVpcEndpoints",
        "dynamodb:Scan",
        "execute-api:ManageConnections",
    ] {
        assert!(of_doctor.contains(action), "{action}: {of_doctor:?}");
    }
    assert_allowed("logs --since 1h --connections", "logs");
    let searched = assert_allowed(
        "logs --since 1h --connection close0= --insights --yes",
        "logs",
    );
    assert!(searched.contains("logs:StartQuery"), "{searched:?}");
    for task in ["doctor", "logs"] {
        assert_read_only(&policy(task));
    }
}

/// Asserts that each action of a policy reads. ManageConnections is limited to GET.
fn assert_read_only(policy: &str) {
    const READS: [&str; 9] = [
        "Get",
        "List",
        "Describe",
        "Filter",
        "Simulate",
        "Scan",
        "GET",
        "Start",
        "StopQuery",
    ];
    let policy: Value = serde_json::from_str(policy).unwrap();
    for statement in policy["Statement"].as_array().unwrap() {
        for action in statement["Action"].as_array().unwrap() {
            let (_, name) = action.as_str().unwrap().split_once(':').unwrap();
            let resources = statement["Resource"].as_array().unwrap();
            let is_get = name == "ManageConnections"
                && resources
                    .iter()
                    .all(|arn| arn.as_str().unwrap().ends_with("/GET/@connections/*"));
            assert!(
                READS.iter().any(|read| name.starts_with(read)) || is_get,
                "{action}"
            );
        }
    }
}
