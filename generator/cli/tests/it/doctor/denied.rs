//! Callers that lack a permission to read: `doctor` goes on, and names it.

use std::collections::BTreeSet;

use serde_json::Value;

use super::emulator::Deployed;
use super::faults::finding_ids;
use crate::release::recorder::Recorder;

/// Faults that do not hide each other.
const FAULTS: [&str; 18] = [
    "route-added",
    "throttle-zero",
    "no-log-role",
    "verification-failed",
    "version-missing",
    "no-concurrency",
    "variable-differs",
    "endpoint-wss",
    "posting-denied",
    "private-dns",
    "no-ttl",
    "index-missing",
    "orphans",
    "bare-close",
    "integration-errors",
    "execution-errors",
    "client-errors",
    "function-errors",
];

/// Their findings.
const EXPECTED: [&str; 21] = [
    "DR104", "DR201", "DR205", "DR207", "DR209", "DR304", "DR305", "DR306", "DR309", "DR310",
    "DR311", "DR312", "DR403", "DR404", "DR405", "DR502", "DR601", "DR602", "DR603", "DR604",
    "DR605",
];

#[test]
fn without_any_one_of_its_permissions_doctor_names_it_and_no_check_that_needs_it_is_healthy() {
    let Some(mut deployed) = Deployed::new("dev") else {
        return;
    };
    for fault in FAULTS {
        deployed.breaker.run(&format!("break {fault}"));
    }
    let url = deployed.emulator.url();
    let recorder = Recorder::start(url.trim_start_matches("http://").parse().unwrap());
    let doctor = || deployed.run_at(&recorder.url(), "doctor --json");
    let broken = doctor();
    let all = finding_ids(&broken);
    assert_eq!(all, EXPECTED.map(str::to_owned).into(), "{broken}");
    let kinds: BTreeSet<_> = recorder.take().into_iter().map(|call| call.kind).collect();
    assert!(kinds.len() >= 20, "{kinds:?}");
    let mut wrong = Vec::new();
    for kind in kinds {
        // Without account and region there is nothing to examine.
        if kind.starts_with("sts:") {
            continue;
        }
        recorder.deny(Some(&kind));
        let run = doctor();
        let report: Value =
            serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{kind}: {run}"));
        let stages = report["stages"]
            .as_array()
            .unwrap_or_else(|| panic!("{kind}: {run}"));
        let of_stages = stages
            .iter()
            .flat_map(|stage| stage["unread"].as_array().unwrap());
        let unread: Vec<_> = of_stages
            .chain(report["unread"].as_array().unwrap())
            .collect();
        let service = kind.split(':').next().unwrap();
        let names_it = unread.iter().any(|one| {
            let permission = one["permission"].as_str().unwrap_or_default();
            one["reason"] == "denied" && permission.starts_with(service)
        });
        assert!(names_it, "{kind}: {run}");
        assert!(run.code == Some(0) || run.code == Some(3), "{kind}: {run}");
        let healthy = stages
            .iter()
            .flat_map(|stage| stage["healthy"].as_array().unwrap());
        let healthy: BTreeSet<_> = healthy.filter_map(|check| check["id"].as_str()).collect();
        let found = finding_ids(&run);
        // The check of a fault is not healthy without the fault's evidence.
        let lost = all
            .iter()
            .filter(|id| !found.contains(*id) && healthy.contains(id.as_str()));
        wrong.extend(lost.map(|id| format!("{id} is healthy without {kind}")));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
