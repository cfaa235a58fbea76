//! Deploys that are ended by SIGKILL at a call, and run again.

use super::assert_done;
use super::emulator::Emulator;
use super::project::Project;
use super::recorder::{KillMoment, KillPoint, RecordedCall, Recorder};

/// Duration of every change to a resource, in seconds, so that a deploy also ends while its stack operation runs.
const RESOURCE_DELAY: &str = "0.05";

const DEPLOY: &str = "deploy --no-build --capability CAPABILITY_IAM --verify-timeout 20s";
const REDEPLOY: &str = "deploy --redeploy-stage --verify-timeout 20s";

/// The release that is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Release {
    /// A new stack.
    Create,
    /// A new route or one route less, and new code.
    Update,
    /// New code, without CloudFormation.
    Redeploy,
}

impl Release {
    fn line(self) -> &'static str {
        match self {
            Release::Create | Release::Update => DEPLOY,
            Release::Redeploy => REDEPLOY,
        }
    }
}

/// A project behind a proxy that ends deploys.
struct Killer {
    _emulator: Emulator,
    project: Project,
    recorder: Recorder,
    /// Releases so far: each answers with its number.
    releases: std::cell::Cell<usize>,
}

impl Killer {
    /// Deploys the starter `echo`, or the pinned environment of another project; `None` skips the test.
    fn start(is_pinned: bool) -> Option<Killer> {
        let emulator = Emulator::start_with_delay(RESOURCE_DELAY)?;
        let mut project = match is_pinned {
            true => Project::new(&emulator, "prod"),
            false => Project::starter("echo", &["echo"], &emulator, "dev"),
        };
        assert_done(&project.run_as("bootstrap"));
        let address = emulator.url().trim_start_matches("http://").parse();
        let recorder = Recorder::start(address.unwrap());
        project.use_endpoint(recorder.url());
        let killer = Killer {
            _emulator: emulator,
            project,
            recorder,
            releases: 0.into(),
        };
        killer.change(Release::Create);
        assert_done(&killer.project.run(DEPLOY));
        Some(killer)
    }

    /// Changes the project or its stack so that there is something to release.
    fn change(&self, release: Release) {
        let number = self.releases.get() + 1;
        self.releases.set(number);
        self.project.set_answer(&format!("answer-{number}"));
        match release {
            Release::Create if number > 1 => assert_done(&self.project.run("destroy --yes")),
            Release::Update => self.toggle_route(),
            Release::Create | Release::Redeploy => {}
        }
        self.recorder.take_calls();
    }

    /// Adds the route `extra`, or removes it.
    fn toggle_route(&self) {
        let route = "  routes:\n    extra: { function: FUNCTION }\n";
        let spec = self.project.sandbox.read("stackgen.yaml");
        let function = if spec.contains("name: echo\n") {
            "echo"
        } else {
            "rooms"
        };
        let route = route.replace("FUNCTION", function);
        match spec.contains(&route) {
            true => self.project.edit(&route, "  routes:\n"),
            false => self.project.edit("  routes:\n", &route),
        }
    }

    /// Returns the number of calls of a release that nobody ends.
    fn count(&self, release: Release) -> usize {
        self.change(release);
        assert_done(&self.project.run(release.line()));
        let calls = self.recorder.take_calls();
        assert_verified_as_recorded(&calls, release, None);
        calls.len()
    }

    /// Ends a release at a call and releases again. Returns whether the release got as far as the call.
    fn check(&self, release: Release, point: KillPoint) -> bool {
        self.change(release);
        let mut process = self.project.start(release.line());
        self.recorder.kill_at(point, process.id());
        let is_killed = process.wait().unwrap().code().is_none();
        let mut calls = self.recorder.take_calls();
        let context = format!("{release:?} ended {point}");
        let again = self.project.run(release.line());
        calls.extend(self.recorder.take_calls());
        assert_eq!(
            again.code,
            Some(0),
            "{context}, and again: {again}\n{calls:#?}"
        );
        assert_verified_as_recorded(&calls, release, Some(point));
        let status = self.project.run("status");
        assert_eq!(
            status.code,
            Some(0),
            "{context}, and again: {again}\n{status}\n{calls:#?}"
        );
        if release != Release::Redeploy {
            let diff = self.project.run("diff --against deployed --exit-code");
            assert_eq!(diff.code, Some(0), "{context}, and again: {diff}");
        }
        is_killed
    }

    /// Ends releases at some of their calls, evenly spread, before and after the effect.
    fn check_some(&self, release: Release, points: usize) {
        let calls = self.count(release);
        let mut killed = 0;
        for index in 0..points {
            let point = KillPoint {
                call: calls * index / points,
                moment: match index % 2 {
                    0 => KillMoment::AfterEffect,
                    _ => KillMoment::BeforeEffect,
                },
            };
            killed += usize::from(self.check(release, point));
        }
        assert_eq!(killed, points, "{release:?} makes {calls} calls");
    }

    /// Ends releases at each of their calls, before and after the effect.
    fn check_all(&self, release: Release) {
        let calls = self.count(release);
        for call in 0..calls {
            for moment in [KillMoment::BeforeEffect, KillMoment::AfterEffect] {
                // How often a running operation is read depends on time, so the last calls may not come.
                self.check(release, KillPoint { call, moment });
            }
        }
    }
}

/// Asserts that a verification is recorded only after a handshake with the deployment that the stage serves, and that AWS
/// would take every call.
fn assert_verified_as_recorded(calls: &[RecordedCall], release: Release, point: Option<KillPoint>) {
    let mut is_verified = false;
    for call in calls {
        // AWS refuses empty values; the emulator ignores them.
        assert!(!call.body.contains("=&"), "{}", call.body);
        is_verified = (is_verified || call.is_handshake()) && !call.moves_stage();
        assert!(
            is_verified || !call.records_verification(),
            "{release:?}, {point:?}: recorded without a handshake: {calls:#?}"
        );
    }
    assert!(
        is_verified,
        "{release:?}, {point:?}: no handshake: {calls:#?}"
    );
}

#[test]
fn a_killed_deploy_of_echo_is_completed_by_the_next_one() {
    let Some(killer) = Killer::start(false) else {
        return;
    };
    killer.check_some(Release::Update, 3);
    killer.check_some(Release::Create, 3);
}

#[test]
fn a_killed_pinned_deploy_is_completed_by_the_next_one() {
    let Some(killer) = Killer::start(true) else {
        return;
    };
    killer.check_some(Release::Update, 3);
    killer.check_some(Release::Redeploy, 2);
}

#[test]
#[ignore = "takes long: `make faults` runs it"]
fn a_deploy_of_echo_killed_at_any_call_is_completed_by_the_next_one() {
    let Some(killer) = Killer::start(false) else {
        return;
    };
    for release in [Release::Update, Release::Create, Release::Redeploy] {
        killer.check_all(release);
    }
}

#[test]
#[ignore = "takes long: `make faults` runs it"]
fn a_pinned_deploy_killed_at_any_call_is_completed_by_the_next_one() {
    let Some(killer) = Killer::start(true) else {
        return;
    };
    for release in [Release::Update, Release::Create, Release::Redeploy] {
        killer.check_all(release);
    }
}
