//! Redeploys on a simulated account whose calls fail, with other pipelines, stack updates and changes by hand in between. A
//! seed decides everything.

mod account;
mod client;

use std::rc::Rc;
use std::time::Duration;

use stackgen_deploy::code::ReleaseMode;
use stackgen_deploy::prune::PrunePolicy;
use stackgen_deploy::redeploy::{BackTo, RedeployOutcome, RedeployRequest, redeploy};
use stackgen_deploy::{DeployError, FunctionName, Interrupt, RetryPolicy};

use crate::memory::{Memory, account_region};
use crate::seeds;
use crate::support::{built, context, request};
use account::SimulatedEvents;
use client::SimulatedClient;

/// Number of seeds of a normal run. `make simulate` runs a million.
const SEEDS: u64 = 1_000;

/// Seeds that failed once.
const FAILED: &str = include_str!("failed-seeds.txt");
const FILE: &str = "tests/engine/simulation/failed-seeds.txt";

/// Seeds that failed once in an account whose changes are visible late.
const LATE_FAILED: &str = include_str!("failed-late-seeds.txt");
const LATE_FILE: &str = "tests/engine/simulation/failed-late-seeds.txt";

/// No redeploy takes longer. A process that was killed never ends.
const LONGEST: Duration = Duration::from_secs(3600);

/// Result of a run; `None` if it was killed.
type Ended = Option<Result<RedeployOutcome, DeployError>>;

struct Simulation {
    seed: u64,
    memory: Memory,
    events: Rc<SimulatedEvents>,
    release: ReleaseMode,
}

impl Simulation {
    fn new(seed: u64, is_late: bool) -> Simulation {
        let mut random = fastrand::Rng::with_seed(seed);
        let release = match random.bool() {
            true => ReleaseMode::Pinned,
            false => ReleaseMode::Live,
        };
        let memory = Memory::holding(|state| state.pending = random.u32(0..4));
        let events = Rc::new(SimulatedEvents::new(seed, is_late));
        *memory.chaos.borrow_mut() = Some(events.clone());
        Simulation {
            seed,
            memory,
            events,
            release,
        }
    }

    fn request(&self, code: &str, run: u32) -> RedeployRequest {
        RedeployRequest {
            code: vec![built("hello", code)],
            release: Some(self.release),
            run: format!("run{run}"),
            mark: self.events.random(2) == 0,
            prune_failed: self.events.random(2) == 0,
            back_to: match self.events.random(3) {
                0 => BackTo::Earlier,
                _ => BackTo::Served,
            },
            prune: (self.events.random(4) > 0).then(|| PrunePolicy {
                keep: self.events.random(3) as usize,
                ..PrunePolicy::default()
            }),
            ..request()
        }
    }

    /// Runs a redeploy until it ends or is killed, and checks what it claims.
    async fn run(&self, request: &RedeployRequest) -> Ended {
        let (retry, interrupt) = (RetryPolicy::default(), Interrupt::never());
        let client = SimulatedClient::new(&self.memory, &self.events);
        let run = redeploy(&self.memory, &client, request, context(&retry, &interrupt));
        let changes = self.events.changes();
        let ended = tokio::time::timeout(LONGEST, run).await.ok();
        // Nobody sees a stage that moves away and back between two reads.
        let is_alone = changes.is_some() && changes == self.events.changes();
        if let Some(Ok(outcome)) = ended.as_ref().filter(|_| is_alone) {
            self.assert_verified(outcome, &client);
        }
        ended
    }

    /// Asserts that a stage which is reported as verified was: the deployment answered, or its description says so.
    fn assert_verified(&self, outcome: &RedeployOutcome, client: &SimulatedClient<'_>) {
        let (deployment, verified, evidence) = match outcome {
            RedeployOutcome::Current {
                deployment,
                verified,
                evidence,
                ..
            }
            | RedeployOutcome::Deployed {
                deployment,
                verified,
                evidence,
                ..
            } => (deployment, verified, evidence),
            RedeployOutcome::AutoDeployed { .. } => unreachable!("no stage is under AutoDeploy"),
        };
        if *verified && evidence.is_some() {
            let is_answered = client.is_answered_by(deployment);
            assert!(is_answered, "seed {}: {outcome:?}", self.seed);
        }
        if *verified && evidence.is_none() {
            let is_recorded = self.events.was_recorded(deployment);
            assert!(is_recorded, "seed {}: {outcome:?}", self.seed);
        }
    }

    /// Asserts that the stage serves what the account holds, with this code.
    fn assert_converged(&self, code: &str, outcome: &RedeployOutcome) {
        let seed = self.seed;
        let (served, snapshot) = self.memory.serves().unwrap();
        let state = self.memory.state.borrow();
        let region = account_region();
        let (serves, holds) = (snapshot.wiring(&region), state.description.wiring(&region));
        assert_eq!(serves, holds, "seed {seed}: {outcome:?}");
        let function = &state.functions[&FunctionName::new("hello")];
        assert_eq!(function.code, code, "seed {seed}");
        let called = client::code(&state, &snapshot);
        assert_eq!(called.as_deref(), Some(code), "seed {seed}: {served:?}");
    }
}

/// Redeploys several times, two at a time at times, and checks what must hold.
async fn simulate(seed: u64, is_late: bool) {
    let simulation = Simulation::new(seed, is_late);
    let events = &simulation.events;
    for step in 0..3 {
        events.settle();
        let pipelines = 1 + u32::from(events.random(3) == 0);
        events.start(pipelines);
        let code = |pipeline: u32| match events.random(4) {
            0 => format!("broken-{step}-{pipeline}"),
            _ => format!("code-{step}-{pipeline}"),
        };
        let first = simulation.request(&code(1), step * 2);
        match pipelines {
            2 => {
                let second = simulation.request(&code(2), step * 2 + 1);
                tokio::join!(simulation.run(&first), simulation.run(&second));
            }
            _ => drop(simulation.run(&first).await),
        }
    }
    // Once nothing fails any more, a rerun converges, and the next one has nothing to do.
    events.stop();
    events.settle();
    let last = RedeployRequest {
        back_to: BackTo::Served,
        ..simulation.request("code-last", 99)
    };
    let ended = simulation.run(&last).await;
    let Some(Ok(outcome)) = ended else {
        panic!("seed {seed}: {ended:?}");
    };
    simulation.assert_converged("code-last", &outcome);
    events.settle();
    let again = simulation.run(&last).await;
    let is_current = matches!(&again, Some(Ok(RedeployOutcome::Current { .. })));
    assert!(is_current, "seed {seed}: {again:?}");
}

fn block_on(work: impl Future<Output = ()>) {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let builder = builder.enable_time().start_paused(true);
    builder.build().unwrap().block_on(work);
}

#[test]
fn whatever_fails_the_stage_serves_one_complete_deployment_and_a_rerun_converges() {
    seeds::check(FILE, FAILED, SEEDS, |seed| block_on(simulate(seed, false)));
}

#[test]
fn whatever_fails_and_however_late_a_change_is_visible_a_rerun_converges() {
    seeds::check(LATE_FILE, LATE_FAILED, SEEDS, |seed| {
        block_on(simulate(seed, true));
    });
}
