//! `stackgen bootstrap`, `deploy`, `cancel` and `destroy` against an emulator that is not ours.

mod drift;
mod emulator;
mod project;

use serde_json::json;

use crate::common::Run;
use emulator::Emulator;
use project::Project;

/// Starts an emulator with a bucket, and a project; `None` skips the test.
fn started(environment: &'static str) -> Option<(Emulator, Project)> {
    let emulator = Emulator::start()?;
    let project = Project::new(&emulator, environment);
    assert_done(&project.run_as("bootstrap"));
    Some((emulator, project))
}

fn assert_done(run: &Run) {
    assert_eq!(run.code, Some(0), "{run}");
}

fn assert_failed<'a>(run: &Run, texts: impl IntoIterator<Item = &'a str>) {
    assert_eq!(run.code, Some(1), "{run}");
    for text in texts {
        assert!(run.stderr.contains(text), "no {text:?} in {run}");
    }
}

fn assert_says(run: &Run, text: &str) {
    assert!(run.stdout.contains(text), "no {text:?} in {run}");
}

#[test]
fn bootstrap_creates_the_bucket_once() {
    let Some(emulator) = Emulator::start() else {
        return;
    };
    let project = Project::new(&emulator, "dev");
    assert_says(
        &project.run_as("bootstrap"),
        "bucket stackgen-artifacts-000000000000-us-east-1 is ready\n",
    );
    assert_says(&project.run_as("bootstrap"), "is ready; nothing changed");
}

#[test]
fn a_deploy_without_a_bucket_changes_nothing_and_names_bootstrap() {
    let Some(emulator) = Emulator::start() else {
        return;
    };
    let project = Project::new(&emulator, "dev");
    let run = project.deploy("");
    assert_failed(&run, ["there is no bucket", "stackgen bootstrap"]);
    let status = project.run("status");
    assert!(status.stderr.contains("there is no API"), "{status}");
}

#[test]
fn all_problems_are_reported_before_anything_changes() {
    let Some(emulator) = Emulator::start() else {
        return;
    };
    let project = Project::new(&emulator, "dev");
    let run = project.run("deploy --no-build --parameter Size=5");
    assert_eq!(run.code, Some(2), "{run}");
    for text in ["no bucket", "no parameter Size", "CAPABILITY_IAM"] {
        assert!(run.stderr.contains(text), "no {text:?} in {run}");
    }
}

#[test]
fn a_stack_is_created_updated_and_destroyed() {
    for environment in ["dev", "prod"] {
        let Some((_emulator, project)) = started(environment) else {
            return;
        };
        let created = project.deploy("");
        assert_done(&created);
        assert_says(&created, "create stack rooms-");
        assert_says(&created, "verified");
        let again = project.deploy("");
        assert_done(&again);
        assert_says(&again, "is up to date");
        project.edit("    ping:", "    pong: { function: rooms }\n    ping:");
        let updated = project.deploy("");
        assert_done(&updated);
        assert_says(&updated, "update stack rooms-");
        assert_says(&updated, "PongRoute");
        project.set_code("second", true);
        assert_done(&project.deploy(""));
        assert_done(&project.run("status --allow-unverified"));
        let destroyed = project.run("destroy --yes");
        assert_done(&destroyed);
        assert_says(&destroyed, "deleted stack");
    }
}

#[test]
fn a_release_that_is_not_verified_goes_back() {
    let Some((_emulator, project)) = started("prod") else {
        return;
    };
    assert_done(&project.deploy(""));
    project.set_code("broken", false);
    let run = project.deploy("");
    assert_failed(&run, ["is not verified", "is restored"]);
    let rerun = project.deploy("");
    assert_failed(&rerun, ["is not verified", "is restored"]);
    project.set_code("mended", true);
    assert_done(&project.deploy(""));
}

#[test]
fn a_failed_update_names_its_first_cause() {
    let Some((emulator, project)) = started("dev") else {
        return;
    };
    assert_done(&project.deploy(""));
    emulator.fail(json!([
        {"resource": "RoomsFunction", "on": "update", "times": 1, "reason": "the role is not ready"}
    ]));
    project.set_code("second", true);
    let cause = "RoomsFunction (AWS::Lambda::Function): UPDATE_FAILED: the role is not ready";
    assert_failed(&project.deploy(""), [cause]);
    assert_says(&project.run("deploy --diagnose"), cause);
    emulator.fail_nothing();
    assert_done(&project.deploy(""));
}

#[test]
fn a_failed_creation_leaves_no_stack_behind() {
    let Some((emulator, project)) = started("dev") else {
        return;
    };
    emulator.fail(json!([
        {"resource": "RoomsFunction", "on": "create", "times": 1, "reason": "no such runtime"}
    ]));
    let run = project.deploy("");
    assert_failed(&run, ["no such runtime", "the stack is deleted"]);
    assert_says(&project.run("deploy --diagnose"), "no such runtime");
    emulator.fail_nothing();
    assert_done(&project.deploy(""));
}

#[test]
fn redeploys_and_full_deploys_follow_each_other() {
    for environment in ["dev", "prod"] {
        let Some((_emulator, project)) = started(environment) else {
            return;
        };
        assert_done(&project.deploy(""));
        for label in ["second", "third"] {
            project.set_code(label, true);
            assert_done(&project.run("deploy --redeploy-stage"));
            assert_done(&project.deploy(""));
        }
        // The template is what the stack has already, and the code is not.
        project.set_code("third", true);
        assert_done(&project.run("deploy --redeploy-stage"));
        assert_done(&project.deploy(""));
    }
}

#[test]
fn a_plan_runs_as_it_was_reviewed_or_not_at_all() {
    let Some((_emulator, project)) = started("dev") else {
        return;
    };
    assert_done(&project.deploy("--plan-out plan.json"));
    assert_done(&project.run("deploy --plan plan.json"));
    assert_failed(
        &project.run("deploy --plan plan.json"),
        ["does not apply any more"],
    );
}

#[test]
fn a_dry_run_leaves_no_stack_and_no_change_set() {
    let Some((_emulator, project)) = started("dev") else {
        return;
    };
    let run = project.deploy("--dry-run");
    assert_done(&run);
    assert_says(&run, "create stack rooms-dev");
    let destroy = project.run("destroy --yes");
    assert_failed(&destroy, ["there is no stack rooms-dev"]);
}
