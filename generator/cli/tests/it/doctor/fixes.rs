//! `doctor --fix`: each change, confirmed and declined.

use super::emulator::Deployed;
use super::faults::{BrokenStack as _, finding_ids};
use super::local::started;
use crate::terminal::on_terminal;

fn ids<const N: usize>(ids: [&str; N]) -> std::collections::BTreeSet<String> {
    ids.map(str::to_owned).into()
}

#[test]
fn a_stale_stage_is_redeployed_only_if_that_is_confirmed() {
    let Some((dev, mut breaker)) = started("dev") else {
        return;
    };
    breaker.run("break default-missing");
    let fix = |answer: &str| {
        let mut command = dev.sandbox.process();
        command.args(["doctor", "--local", "--fix"]);
        on_terminal(command, answer)
    };
    let declined = fix("n");
    assert_eq!(declined.code, Some(3), "{declined}");
    assert!(declined.stderr.contains("[y/N]"), "{declined}");
    let found = dev.run("doctor --json");
    assert_eq!(
        finding_ids(&found),
        ids(["DR201", "DR203", "SG203"]),
        "{found}"
    );
    let confirmed = fix("y");
    assert_eq!(confirmed.code, Some(3), "{confirmed}");
    assert!(
        confirmed.stdout.contains("stage live serves deployment"),
        "{confirmed}"
    );
    assert!(confirmed.stdout.contains(", verified"), "{confirmed}");
    // What is deployed now lacks the route, as the account does.
    let fixed = dev.run("doctor --json");
    assert_eq!(finding_ids(&fixed), ids(["DR103", "SG203"]), "{fixed}");
    let nothing = fix("");
    assert!(
        nothing
            .stderr
            .contains("no finding has a change that is safe"),
        "{nothing}"
    );
}

#[test]
fn orphaned_records_are_deleted_only_if_that_is_confirmed_and_others_stay() {
    let Some(mut deployed) = Deployed::new("dev") else {
        return;
    };
    deployed.breaker.run("break orphans");
    let declined = deployed.on_terminal("doctor --fix", "no");
    assert_eq!(declined.code, Some(3), "{declined}");
    assert!(
        declined.stderr.contains(
            "delete 1 record whose connection does not exist from table Connections-dev?"
        ),
        "{declined}"
    );
    let found = deployed.run("doctor --json");
    assert_eq!(finding_ids(&found), ids(["DR405"]), "{found}");
    let confirmed = deployed.on_terminal("doctor --fix", "y");
    assert!(
        confirmed
            .stdout
            .contains("deleted 1 record of table Connections-dev"),
        "{confirmed}"
    );
    let fixed = deployed.run("doctor --json");
    assert_eq!(fixed.code, Some(0), "{fixed}");
}

#[test]
fn the_role_for_logs_is_set_only_if_that_is_confirmed() {
    let Some(mut deployed) = Deployed::new("dev") else {
        return;
    };
    deployed.breaker.run("break no-log-role");
    let role = "arn:aws:iam::000000000000:role/logs";
    let found = |deployed: &Deployed| finding_ids(&deployed.run("doctor --json"));
    let unnamed = deployed.on_terminal("doctor --fix", "");
    assert_eq!(unnamed.code, Some(3), "{unnamed}");
    assert!(
        unnamed.stderr.contains("ARN of the role (none: leave it):"),
        "{unnamed}"
    );
    let wrong = deployed.on_terminal("doctor --fix", "logs");
    assert_eq!(wrong.code, Some(2), "{wrong}");
    assert!(
        wrong.stderr.contains("\"logs\" is not the ARN of a role"),
        "{wrong}"
    );
    let declined = deployed.on_terminal(&format!("doctor --fix --log-role {role}"), "n");
    assert_eq!(declined.code, Some(3), "{declined}");
    assert_eq!(found(&deployed), ids(["DR207"]));
    let confirmed = deployed.on_terminal("doctor --fix", &format!("{role}\ny"));
    assert!(
        confirmed
            .stdout
            .contains(&format!("API Gateway writes logs as {role}")),
        "{confirmed}"
    );
    assert_eq!(found(&deployed), ids([]));
}
