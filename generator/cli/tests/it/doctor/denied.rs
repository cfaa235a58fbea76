//! Callers that lack a permission to read: `doctor` goes on, and names it.

use std::collections::BTreeSet;

use serde_json::Value;

use super::emulator::Deployed;
use crate::release::recorder::Recorder;

#[test]
fn without_any_one_of_its_permissions_doctor_finishes_and_names_it() {
    let Some(deployed) = Deployed::new("prod") else {
        return;
    };
    let url = deployed.emulator.url();
    let recorder = Recorder::start(url.trim_start_matches("http://").parse().unwrap());
    let doctor = || deployed.run_at(&recorder.url(), "doctor --json");
    let healthy = doctor();
    assert_eq!(healthy.code, Some(0), "{healthy}");
    let kinds: BTreeSet<_> = recorder.take().into_iter().map(|call| call.kind).collect();
    assert!(kinds.len() >= 20, "{kinds:?}");
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
    }
}
