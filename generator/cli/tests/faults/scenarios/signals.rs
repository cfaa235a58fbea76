//! Signals, and runs that hang.

use super::{DEPLOY, assert_fails, assert_rerun, changed, kill};
use crate::case::Health;
use crate::fault::StopSignal;
use crate::matrix::in_parallel;
use crate::proxy::{Action, Rule};
use crate::run::Ending;
use crate::subject::KillInVerification;
use crate::world::{Label, World};

#[test]
fn a_run_that_a_signal_ends_right_after_the_move_is_verified_by_the_next() {
    if stackgen_test_tools::on_path("python3").is_none() {
        return;
    }
    let mut cases = Vec::new();
    for signal in StopSignal::ALL {
        cases.extend([Health::Healthy, Health::Broken].map(|health| (signal, health)));
    }
    in_parallel(&cases, |world, &(signal, health)| {
        let context = format!("{signal:?}, {health:?}");
        let subject = changed(world, health);
        let old = subject.served().unwrap();
        let killed = Rule::new("UpdateStage", 1..=1, Action::Kill(kill(signal, false)));
        let report = subject.run_with(DEPLOY, vec![killed]);
        match signal {
            StopSignal::Kill => assert_eq!(report.run.ending, Ending::Signal(9)),
            _ => assert_fails(&report.run, &context),
        }
        assert_ne!(subject.served(), Some(old.clone()), "{context}");
        assert_rerun(&subject, health, &old, &context);
    });
}

#[test]
fn a_run_that_a_signal_ends_while_trying_is_verified_by_the_next() {
    if stackgen_test_tools::on_path("python3").is_none() {
        return;
    }
    let mut cases = Vec::new();
    for signal in StopSignal::ALL {
        cases.extend([Health::Healthy, Health::Broken].map(|health| (signal, health)));
    }
    in_parallel(&cases, |world, &(signal, health)| {
        let context = format!("{signal:?}, {health:?}");
        let subject = changed(world, health);
        let old = subject.served().unwrap();
        let in_verification = KillInVerification {
            kill: kill(signal, false),
            label: Label::New,
        };
        let report = subject.run_killed(DEPLOY, in_verification);
        assert_eq!(report.rules_met, 1, "{context}: {}", report.run);
        assert!(!report.run.is_green(), "{context}: {}", report.run);
        if signal != StopSignal::Kill {
            assert_fails(&report.run, &context);
            let served = subject.served().unwrap();
            let says = report.run.stderr.contains(served.as_str());
            assert!(says, "{context}: {}", report.run);
        }
        assert_rerun(&subject, health, &old, &context);
    });
}

#[test]
fn one_signal_ends_a_run_that_hangs_in_a_read() {
    if stackgen_test_tools::on_path("python3").is_none() {
        return;
    }
    let mut cases = Vec::new();
    for signal in [StopSignal::Int, StopSignal::Term, StopSignal::Hup] {
        for operation in ["GetApi", "GetStage", "GetRoutes", "GetDeployments"] {
            cases.push((signal, operation));
        }
    }
    in_parallel(&cases, |world, &(signal, operation)| {
        let context = format!("{signal:?}, {operation}");
        let subject = changed(world, Health::Healthy);
        let before = subject.deployment_ids();
        let hangs = Action::KillAndHang(kill(signal, false));
        // What explains the interruption reads the stage once more.
        let hangs = Rule::new(operation, 1..=1, hangs);
        let report = subject.run_with(DEPLOY, vec![hangs]);
        assert_eq!(report.rules_met, 1, "{context}: {}", report.run);
        assert_fails(&report.run, &context);
        assert!(
            report.run.stderr.contains("interrupted"),
            "{context}: {}",
            report.run
        );
        assert_eq!(subject.deployment_ids(), before, "{context}");
    });
}

#[test]
fn a_second_signal_during_a_hanging_move_ends_at_once() {
    if stackgen_test_tools::on_path("python3").is_none() {
        return;
    }
    let signals = [
        (StopSignal::Int, 130),
        (StopSignal::Term, 143),
        (StopSignal::Hup, 129),
    ];
    in_parallel(&signals, |world: &World, &(signal, code)| {
        let subject = changed(world, Health::Healthy);
        let old = subject.served().unwrap();
        let hangs = Action::KillAndHang(kill(signal, true));
        let report = subject.run_with(DEPLOY, vec![Rule::new("UpdateStage", 1..=1, hangs)]);
        assert_eq!(report.run.code(), Some(code), "{}", report.run);
        assert_rerun(&subject, Health::Healthy, &old, "rerun");
    });
}
