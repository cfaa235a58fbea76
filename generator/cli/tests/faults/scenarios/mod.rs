//! Scenarios, each with the behaviour as its name. Broken means that every handshake is answered with 502.

mod answers;
mod moves;
mod parallel;
mod rollback;
mod signals;

use stackgen_gateway::DeploymentId;

use crate::case::Health;
use crate::fault::{Kill, Moment, StopSignal};
use crate::operation::Operation;
use crate::run::Run;
use crate::subject::Subject;
use crate::world::{Label, World};

const DEPLOY: &str = "deploy --redeploy-stage";

/// An API whose stage serves the old function, with the new one behind `$connect` but not deployed yet.
fn changed(world: &World, health: Health) -> Subject<'_> {
    let subject = Subject::live(world);
    subject.must(DEPLOY);
    subject.change();
    if health == Health::Broken {
        subject.break_connect(Label::New);
    }
    subject
}

/// Fails unless the run ended with exit code 1 and an error.
fn assert_fails(run: &Run, context: &str) {
    assert_eq!(run.code(), Some(1), "{context}: {run}");
    assert!(run.stderr.contains("error:"), "{context}: {run}");
}

/// Runs again without any fault: red and back on a deployment if it is broken, green and verified if it is not.
fn assert_rerun(subject: &Subject<'_>, health: Health, back: &DeploymentId, context: &str) {
    let rerun = subject.run(DEPLOY);
    match health {
        Health::Broken => {
            assert_fails(&rerun, context);
            assert_eq!(subject.served().as_ref(), Some(back), "{context}: {rerun}");
        }
        Health::Healthy => {
            assert!(rerun.is_green(), "{context}: {rerun}");
            assert!(subject.is_proven(), "{context}: {rerun}");
            assert!(subject.is_current(), "{context}: {rerun}");
        }
    }
}

/// The description of the deployment that the stage serves.
fn served_description(subject: &Subject<'_>) -> String {
    let served = subject.served();
    let all = subject.deployments();
    let found = all
        .iter()
        .find(|one| Some(&one.deployment_id) == served.as_ref());
    found.unwrap().description.clone().unwrap_or_default()
}

/// The number of calls of an operation before the first UpdateStage.
fn calls_before_move(calls: &[Operation], operation: &str) -> usize {
    let before = calls
        .iter()
        .take_while(|call| call.as_str() != "UpdateStage");
    before.filter(|call| call.as_str() == operation).count()
}

fn kill(signal: StopSignal, twice: bool) -> Kill {
    Kill {
        signal,
        moment: Moment::After,
        twice,
    }
}
