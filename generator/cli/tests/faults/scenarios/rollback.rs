//! `stackgen deployments rollback`.

use super::{DEPLOY, assert_fails, changed, kill};
use crate::case::Health;
use crate::fault::StopSignal;
use crate::proxy::{Action, Rule};
use crate::run::Ending;
use crate::subject::Subject;
use crate::world::{Label, World};

const ROLLBACK: &str = "deployments rollback --yes";

#[test]
fn a_rollback_never_goes_to_what_a_killed_run_left_behind() {
    if stackgen_test_tools::on_path("python3").is_none() {
        return;
    }
    let world = World::start();
    for operation in ["CreateDeployment", "UpdateStage"] {
        let subject = changed(&world, Health::Broken);
        let old = subject.served().unwrap();
        let killed = Rule::new(
            operation,
            1..=1,
            Action::Kill(kill(StopSignal::Kill, false)),
        );
        let report = subject.run_with(DEPLOY, vec![killed]);
        assert!(
            matches!(report.run.ending, Ending::Signal(9)),
            "{}",
            report.run
        );
        let left = subject.deployment_ids().pop().unwrap();
        assert_ne!(left, old, "{operation} left nothing behind");
        // Something else is deployed on top, with `--force` so that it is a deployment of its own.
        subject.mend_connect(Label::New);
        subject.must("deploy --redeploy-stage --force");
        assert_ne!(subject.served(), Some(left.clone()), "{operation}");
        subject.must(ROLLBACK);
        assert_eq!(subject.served(), Some(old), "{operation}: not {left}");
    }
}

#[test]
fn a_rollback_to_a_broken_deployment_goes_forward_again() {
    if stackgen_test_tools::on_path("python3").is_none() {
        return;
    }
    let world = World::start();
    let subject = changed(&world, Health::Healthy);
    let old = subject.served().unwrap();
    subject.must(DEPLOY);
    let new = subject.served().unwrap();
    subject.break_connect(Label::Old);
    for line in [ROLLBACK.to_owned(), format!("{ROLLBACK} --to {old}")] {
        let run = subject.run(&line);
        assert_fails(&run, &line);
        assert_eq!(subject.served().as_ref(), Some(&new), "{line}: {run}");
    }
    subject.must(DEPLOY);
    assert_eq!(subject.served(), Some(new));
}

#[test]
fn a_rollback_without_an_earlier_deployment_that_served_fails() {
    if stackgen_test_tools::on_path("python3").is_none() {
        return;
    }
    let world = World::start();
    let subject = Subject::live(&world);
    subject.must(DEPLOY);
    let run = subject.run(ROLLBACK);
    assert_fails(&run, "nothing earlier");
}
