//! `stackgen deploy --redeploy-stage` on APIs that other tools deployed, without a project file.

use super::emulator::Emulator;
use super::{assert_done, assert_failed, assert_says};
use crate::common::{Run, Sandbox};

/// An API that another tool deployed.
struct ForeignApi {
    emulator: Emulator,
    sandbox: Sandbox,
    tool: &'static str,
    id: String,
}

impl ForeignApi {
    /// Deploys the tool's template; `None` skips the test.
    fn create(tool: &'static str) -> Option<ForeignApi> {
        // Its functions run on Node.
        stackgen_test_tools::on_path("node")?;
        let emulator = Emulator::start()?;
        Some(ForeignApi {
            id: emulator.stacks(&["create", tool]),
            sandbox: Sandbox::new(),
            emulator,
            tool,
        })
    }

    fn run(&self, line: &str) -> Run {
        let mut command = self.sandbox.command();
        command.args(line.split_whitespace());
        command.args(["--api-id", &self.id, "--stage-name", "prod"]);
        command.args(["--endpoint-url", &self.emulator.url()]);
        Run::of(command.env("AWS_REGION", "us-east-1").output().unwrap())
    }

    fn redeploy(&self, flags: &str) -> Run {
        self.run(&format!(
            "deploy --redeploy-stage --verify-query token=text:guest --verify-timeout 1s {flags}"
        ))
    }

    /// Returns the IDs of the deployments, newest first. The one that the stage serves has a star.
    fn deployments(&self) -> Vec<String> {
        let run = self.run("deployments list");
        assert_done(&run);
        let lines = run.stdout.lines().skip(1);
        let served = |line: &str| {
            let star = if line.starts_with('*') { "*" } else { "" };
            let id = line.trim_start_matches('*').split_whitespace().next();
            format!("{star}{}", id.unwrap_or_default())
        };
        lines.map(served).collect()
    }

    /// Switches AutoDeploy off: the emulator never deploys by itself.
    fn leaves_auto_deploy(&self) {
        self.emulator.stacks(&["disable-auto-deploy", &self.id]);
    }

    /// Redeploys a stale stage, a current one, and one whose functions fail.
    fn is_redeployed_and_restored(&self) {
        let redeployed = self.redeploy("");
        assert_done(&redeployed);
        assert_says(&redeployed, ", verified\n");
        let first = self.deployments();
        let again = self.redeploy("");
        assert_done(&again);
        assert_says(&again, "is current");
        assert_eq!(self.deployments(), first);
        let probed = self.run("probe --query token=guest --send hello --expect pong");
        assert_done(&probed);

        self.emulator.stacks(&["add-route", &self.id]);
        let status = self.run("status");
        assert_eq!(status.code, Some(3), "{status}");
        assert_says(&status, "stage prod: stale");
        assert_done(&self.redeploy(""));
        let second = self.deployments();
        assert_eq!(second.len(), first.len() + 1);

        self.emulator.stacks(&["break-code", self.tool]);
        let broken = self.redeploy("--force --prune-failed");
        let served = second[0].trim_start_matches('*');
        let restored = format!("{served} is restored");
        assert_failed(&broken, ["could not be verified", &restored]);
        assert_eq!(self.deployments(), second);
    }
}

#[test]
fn an_api_of_cdk_is_redeployed_verified_and_restored() {
    let Some(api) = ForeignApi::create("cdk") else {
        return;
    };
    api.leaves_auto_deploy();
    api.is_redeployed_and_restored();
}

#[test]
fn an_api_of_sam_is_redeployed_verified_and_restored() {
    let Some(api) = ForeignApi::create("sam") else {
        return;
    };
    api.leaves_auto_deploy();
    api.is_redeployed_and_restored();
}

#[test]
fn an_api_of_the_serverless_framework_is_redeployed_verified_and_restored() {
    let Some(api) = ForeignApi::create("serverless") else {
        return;
    };
    // The emulator records nothing, so its silence must prove nothing.
    let status = api.run("status --json").json();
    let trail = &status["stages"][0]["cloudTrail"]["unavailable"]["reason"];
    let reason = "CloudTrail does not have the creation of the deployment";
    assert_eq!(*trail, reason, "{status}");
    api.is_redeployed_and_restored();
}
