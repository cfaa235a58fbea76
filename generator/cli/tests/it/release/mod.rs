//! `stackgen bootstrap`, `deploy`, `cancel` and `destroy` against an emulator that is not ours.

mod blue_green;
mod drift;
pub(crate) mod emulator;
mod injected;
mod kills;
mod other_tools;
pub(crate) mod policy;
mod preflight;
mod project;
pub(crate) mod recorder;
mod resumed;
mod starters;
mod template;

use serde_json::json;

use crate::build;
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
fn the_bucket_of_another_tool_is_used_on_request() {
    let Some(emulator) = Emulator::start() else {
        return;
    };
    let project = Project::new(&emulator, "dev");
    let missing = project.deploy("--bucket-of sam");
    assert_failed(&missing, ["aws-sam-cli-managed-default", "--resolve-s3"]);
    for tool in ["cdk", "sam"] {
        emulator.stacks(&["create-bucket", tool]);
        assert_done(&project.deploy(&format!("--no-verify --bucket-of {tool}")));
        project.set_code(tool, true);
    }
}

#[test]
fn all_problems_are_reported_before_anything_changes() {
    let Some(emulator) = Emulator::start() else {
        return;
    };
    let project = Project::new(&emulator, "dev");
    project.edit(
        "architecture: x86_64",
        "architecture: x86_64, reservedConcurrency: 5000",
    );
    project.edit(
        "stage: { name: live }",
        "stage: { name: live, accessLogs: { retentionInDays: 30 } }",
    );
    let run = project.run("deploy --no-build --parameter Size=5");
    assert_eq!(run.code, Some(2), "{run}");
    let texts = [
        "no bucket",
        "no parameter Size",
        "CAPABILITY_IAM",
        "the functions reserve 5000 concurrent executions",
        "API Gateway has no role for CloudWatch Logs",
    ];
    for text in texts {
        assert!(run.stderr.contains(text), "no {text:?} in {run}");
    }
    emulator.stacks(&["set-log-role"]);
    let run = project.run("deploy --no-build --parameter Size=5");
    assert_eq!(run.code, Some(2), "{run}");
    assert!(!run.stderr.contains("CloudWatch"), "{run}");
}

#[test]
fn an_environment_of_another_account_or_region_is_refused() {
    let Some(emulator) = Emulator::start() else {
        return;
    };
    let project = Project::new(&emulator, "dev");
    let elsewhere = "  dev: { account: '111122223333', region: eu-central-1 }";
    project.edit("  dev: {}", elsewhere);
    let lines = [
        "deploy",
        "deploy --redeploy-stage",
        "deploy --code-only",
        "status",
        "destroy --yes",
    ];
    for line in lines {
        let run = project.run(line);
        assert_eq!(run.code, Some(2), "{run}");
        for text in ["belongs to account 111122223333", "--region eu-central-1"] {
            assert!(run.stderr.contains(text), "no {text:?} in {run}");
        }
    }
    project.edit("111122223333", "000000000000");
    let run = project.run_anywhere("bootstrap --region eu-central-1");
    assert_done(&run);
    let run = project.run_anywhere("deploy --capability CAPABILITY_IAM --env dev");
    assert_done(&run);
    assert_says(&run, "verified");
}

#[test]
fn a_deploy_builds_the_functions_first() {
    let Some(emulator) = Emulator::start() else {
        return;
    };
    let sandbox = build::project(build::architecture());
    let deploy = |line: &str| {
        let mut command = sandbox.command();
        command.envs(build::variables(&build::path()));
        command.env("AWS_REGION", "us-east-1");
        command.args(line.split_whitespace());
        command.args(["--endpoint-url", &emulator.url()]);
        Run::of(command.output().unwrap())
    };
    assert_done(&deploy("bootstrap"));
    let line = "deploy --env dev --capability CAPABILITY_IAM --no-verify";
    let unbuilt = deploy(&format!("{line} --no-build"));
    assert_eq!(unbuilt.code, Some(2), "{unbuilt}");
    assert!(unbuilt.stderr.contains("stackgen build"), "{unbuilt}");
    let created = deploy(line);
    assert_done(&created);
    assert_says(&created, "create stack greetings-dev");
    let again = deploy(line);
    assert_done(&again);
    assert_says(&again, "is up to date");
    sandbox.write("src/bin/world.rs", "fn main() { println!(\"all\"); }\n");
    let redeployed = deploy("deploy --env dev --redeploy-stage --build --no-verify");
    assert_done(&redeployed);
    assert!(redeployed.stderr.contains("world-dev"), "{redeployed}");
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
        let diff = project.run("diff --against deployed --exit-code");
        assert_done(&diff);
        assert_says(&diff, "nothing changes");
        project.edit("    ping:", "    pong: { function: rooms }\n    ping:");
        let route = "+ route pong";
        let diff = project.run("diff --against deployed --exit-code");
        assert_eq!(diff.code, Some(3), "{diff}");
        assert_says(&diff, route);
        let updated = project.deploy("");
        assert_done(&updated);
        assert_says(&updated, route);
        assert_says(&updated, "update stack rooms-");
        assert_says(&updated, "PongRoute");
        project.set_code("second", true);
        assert_done(&project.deploy(""));
        assert_done(&project.run("status"));
        let destroyed = project.run("destroy --yes");
        assert_done(&destroyed);
        assert_says(&destroyed, "deleted stack");
    }
}

#[test]
fn pruning_deletes_the_function_versions_that_no_deployment_calls() {
    let Some((_emulator, project)) = started("prod") else {
        return;
    };
    for label in ["first", "second", "third", "fourth"] {
        project.set_code(label, true);
        assert_done(&project.deploy(""));
    }
    let prune = |flags: &str| project.run(&format!("deployments prune {flags} --yes"));
    let planned = prune("--templates --keep 0 --dry-run");
    assert_says(&planned, "- versions of rooms-prod: 1, 2\n");
    assert_says(&planned, "0 of 4 deployments");
    assert_says(&planned, "0 of 2 unused function versions");
    // Without `--templates` all deployments remain, and each names what it calls.
    assert!(!prune("--keep 0").stdout.contains("versions of"));
    assert_says(
        &prune("--templates --keep 0 --keep-versions"),
        "2 of 4 deployments",
    );
    assert_says(&prune("--keep 0"), "2 of 2 unused function versions");
    assert!(!prune("--templates --keep 0").stdout.contains("versions of"));
    assert_done(&project.run("deployments rollback --yes"));
    let rolled_back = project.run("status --allow-unverified --json");
    assert_says(&rolled_back, "calls:rooms-prod:3");
    project.set_code("fifth", true);
    assert_done(&project.deploy(""));
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
    let place = "RoomsFunction comes from stackgen.yaml:5:3";
    assert_failed(&project.deploy(""), [cause, place]);
    let diagnosed = project.run("deploy --diagnose");
    assert_says(&diagnosed, cause);
    assert_says(&diagnosed, place);
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
    let reviewed = project.deploy("--plan-out plan.json");
    assert_done(&reviewed);
    let deployed = project.run("deploy --plan plan.json");
    assert_done(&deployed);
    for plan in [reviewed, deployed] {
        assert_says(&plan, "create stack rooms-dev\n  + 1 api, 2 routes");
    }
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

#[test]
fn an_issuer_without_a_discovery_document_is_refused() {
    let Some((emulator, project)) = started("dev") else {
        return;
    };
    // The emulator answers 404 or worse to this path.
    let http = format!(
        "http:\n  name: rooms-http\n  authorizer: {{ issuer: '{}/nobody', audience: [rooms] }}\n  routes:\n    \
         GET /rooms: {{ function: rooms, auth: jwt }}\n\nverify:",
        emulator.url()
    );
    project.edit("verify:", &http);
    let run = project.deploy("");
    assert_eq!(run.code, Some(2), "{run}");
    assert!(run.stderr.contains("has no discovery document"), "{run}");
}

#[test]
fn a_direct_update_creates_updates_and_removes_routes_without_a_plan() {
    let Some((emulator, project)) = started("dev") else {
        return;
    };
    project.sandbox.write("policy.json", "{\"Statement\": []}");
    let direct = || project.deploy("--method direct --stack-policy policy.json");
    let created = direct();
    assert_done(&created);
    assert!(
        !created.stdout.contains("actions of CloudFormation"),
        "{created}"
    );
    assert_says(&created, "verified");
    let again = direct();
    assert_done(&again);
    assert_says(&again, "is up to date");
    project.edit("    ping:", "    pong: { function: rooms }\n    ping:");
    assert_done(&direct());
    project.edit("    pong: { function: rooms }\n", "");
    let removed = direct();
    assert_done(&removed);
    // The deployment of the template still has the route (row D20).
    assert!(removed.stderr.contains("created"), "{removed}");
    emulator.fail(json!([
        {"resource": "RoomsFunction", "on": "update", "times": 1, "reason": "the role is not ready"}
    ]));
    project.set_code("second", true);
    assert_failed(&direct(), ["the role is not ready", "stackgen.yaml:5:3"]);
}

#[test]
fn a_pinned_environment_is_updated_neither_directly_nor_in_express_mode() {
    let Some(emulator) = Emulator::start() else {
        return;
    };
    let project = Project::new(&emulator, "prod");
    for flag in ["--method direct", "--express"] {
        let run = project.deploy(flag);
        assert_eq!(run.code, Some(2), "{run}");
        let refusal = format!("environment prod is pinned, and `{flag}` is for");
        assert!(run.stderr.contains(&refusal), "{run}");
    }
}
