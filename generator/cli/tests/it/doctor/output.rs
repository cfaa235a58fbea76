//! Output of `stackgen doctor`, and bad input.

use insta::assert_snapshot;

use super::local::started;
use crate::common::Sandbox;

#[test]
fn an_unknown_symptom_and_a_fix_without_a_terminal_are_bad_input() {
    let sandbox = Sandbox::starter("echo");
    let unknown = sandbox.run("doctor --symptom sunshine");
    assert_eq!(unknown.code, Some(2), "{unknown}");
    assert!(
        unknown
            .stderr
            .contains("no check is about the symptom \"sunshine\""),
        "{unknown}"
    );
    let fix = sandbox.run("doctor --local --fix");
    assert_eq!(fix.code, Some(2), "{fix}");
    assert!(fix.stderr.contains("run it on a terminal"), "{fix}");
    let mask = sandbox.run("doctor --local --mask");
    assert_eq!(mask.code, Some(2), "{mask}");
    let nothing = sandbox.run("doctor --local");
    assert!(
        nothing.stderr.contains("no local gateway runs"),
        "{nothing}"
    );
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
    assert_snapshot!(run.stdout.replace(api, "<api>"), @r"
    rooms-api-dev (<api>), stage live: 1 warning
      symptom    1005 (rows X1, M16): the client called `close()` without a code; no server sends it

    warning DR502 Clients close their connections without a code (certain) (rows X1, M16)
      looked at  logs of `$disconnect`
      found      5 of the last 5 connections closed with 1005, at an age of 1 s; 5 of them within 5 s
      next       give each close() of the client its own code, such as close(4001): the clean-up of a React effect, a reconnect loop, a test that ends

    healthy      1 check: DR501
    ");
    let run = dev
        .sandbox
        .run("doctor --local --symptom 1005 --markdown --mask");
    assert!(!run.stdout.contains(api), "{run}");
    assert_snapshot!(run.stdout, @r"
    ## stackgen doctor: rooms-api-dev, stage live

    Symptom: **1005**: the client called `close()` without a code; no server sends it.

    | | Finding | Looked at | Found | Confidence | Next step |
    |---|---|---|---|---|---|
    | warning | **DR502** Clients close their connections without a code | logs of `$disconnect` | 5 of the last 5 connections closed with 1005, at an age of 1 s; 5 of them within 5 s | certain | give each close() of the client its own code, such as close(4001): the clean-up of a React effect, a reconnect loop, a test that ends |

    Healthy: DR501
    ");
}
