//! Output of `stackgen doctor`, and bad input.

use insta::assert_snapshot;

use super::local::started;
use crate::common::Sandbox;

#[test]
fn an_unknown_symptom_and_a_fix_without_a_terminal_are_bad_input() {
    let sandbox = Sandbox::starter("echo");
    let unknown = sandbox.run("doctor --symptom sunshine");
    assert_eq!(unknown.code, Some(2), "{unknown}");
    assert!(unknown.stderr.contains("no check is about the symptom \"sunshine\""), "{unknown}");
    let fix = sandbox.run("doctor --local --fix");
    assert_eq!(fix.code, Some(2), "{fix}");
    assert!(fix.stderr.contains("run it on a terminal"), "{fix}");
    let mask = sandbox.run("doctor --local --mask");
    assert_eq!(mask.code, Some(2), "{mask}");
    let nothing = sandbox.run("doctor --local");
    assert!(nothing.stderr.contains("no local gateway runs"), "{nothing}");
}

#[test]
fn a_symptom_leads_to_its_cause_and_markdown_masks_ids() {
    let Some((dev, mut breaker)) = started("dev") else {
        return;
    };
    breaker.run("break bare-close");
    let run = dev.sandbox.run("doctor --local --symptom 1005");
    assert_eq!(run.code, Some(3), "{run}");
    let api = dev.ready["gateway"]["apis"][0]["apiId"].as_str().unwrap();
    assert_snapshot!(run.stdout.replace(api, "<api>"), @"");
    let run = dev.sandbox.run("doctor --local --symptom 1005 --markdown --mask");
    assert!(!run.stdout.contains(api), "{run}");
    assert_snapshot!(run.stdout, @"");
}
