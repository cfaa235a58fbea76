//! Faults, delays and changes by others that calls of the simulated account meet, and the invariants after each call.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::time::Duration;

use stackgen_deploy::account::ApiDescription;
use stackgen_deploy::{
    AccountErrorKind, CreatedBy, DeploymentId, DeploymentInfo, DeploymentMetadata, DeploymentState,
    prune,
};

use crate::memory::{Chaos, Fault, MemoryState, PlannedCall, account_region, by_hand, route};

/// The largest number of calls for which a change is not visible.
const MOST_LATE: usize = 3;

/// A change that may not be visible yet.
struct LateChange {
    /// Number of the call that made it.
    call: usize,
    /// The account before it.
    before: MemoryState,
}

/// Faults, delays and changes by others, as a seed decides.
pub(super) struct SimulatedEvents {
    seed: u64,
    /// True if a change may become visible some calls later.
    is_late: bool,
    /// Number of calls.
    calls: Cell<usize>,
    late: RefCell<Vec<LateChange>>,
    random: RefCell<fastrand::Rng>,
    happens: Cell<bool>,
    /// Number of pipelines that run.
    pipelines: Cell<u32>,
    /// Number of changes by others.
    changes: Cell<u32>,
    /// That number when the stages were last listed.
    changes_when_listed: Cell<u32>,
    /// Deployments before the last call.
    before: RefCell<Vec<DeploymentInfo>>,
    /// Deployments whose description recorded a verification once.
    recorded: RefCell<BTreeSet<DeploymentId>>,
    /// The last deployment that was found complete.
    complete: RefCell<Option<DeploymentId>>,
}

impl SimulatedEvents {
    pub(super) fn new(seed: u64, is_late: bool) -> SimulatedEvents {
        SimulatedEvents {
            seed,
            is_late,
            calls: Cell::new(0),
            late: RefCell::default(),
            random: RefCell::new(fastrand::Rng::with_seed(!seed)),
            happens: Cell::new(false),
            pipelines: Cell::new(0),
            changes: Cell::new(0),
            changes_when_listed: Cell::new(0),
            before: RefCell::default(),
            recorded: RefCell::default(),
            complete: RefCell::default(),
        }
    }

    /// Lets things happen from now on, while so many pipelines run.
    pub(super) fn start(&self, pipelines: u32) {
        self.happens.set(true);
        self.pipelines.set(pipelines);
    }

    /// Number of changes by others so far; `None` while two pipelines run.
    pub(super) fn changes(&self) -> Option<u32> {
        (self.pipelines.get() == 1).then(|| self.changes.get())
    }

    /// Lets nothing happen any more.
    pub(super) fn stop(&self) {
        self.happens.set(false);
        self.pipelines.set(1);
    }

    /// Returns a number below `end`.
    pub(super) fn random(&self, end: u32) -> u32 {
        self.random.borrow_mut().u32(0..end)
    }

    /// True if the description of a deployment recorded a verification that passed.
    pub(super) fn was_recorded(&self, deployment: &DeploymentId) -> bool {
        self.recorded.borrow().contains(deployment)
    }

    /// Returns how long a call or an answer takes.
    pub(super) fn delay(&self) -> Duration {
        match self.random(4) {
            0 => Duration::from_millis(self.random(2_000).into()),
            _ => Duration::ZERO,
        }
    }

    fn fault(&self) -> Option<Fault> {
        use AccountErrorKind::{AccessDenied, Conflict, TooManyRequests};
        match self.random(120) {
            0 => Some(Fault::Refused(TooManyRequests)),
            1 => Some(Fault::Refused(Conflict)),
            2 => Some(Fault::LostBefore),
            3 | 4 => Some(Fault::LostAfter),
            5 => Some(Fault::Slow),
            6 => Some(Fault::EndsBefore),
            7 => Some(Fault::EndsAfter),
            8 => Some(Fault::Refused(AccessDenied)),
            _ => None,
        }
    }

    /// Makes all changes visible, as they are after a while.
    pub(super) fn settle(&self) {
        self.late.borrow_mut().clear();
    }

    /// Returns the earlier state that a call sees, if any, and remembers the state before a call that changes something.
    fn earlier(&self, operation: &str, state: &MemoryState) -> Option<MemoryState> {
        if !self.is_late {
            return None;
        }
        let call = self.calls.get() + 1;
        self.calls.set(call);
        let mut late = self.late.borrow_mut();
        late.retain(|change| change.call + MOST_LATE >= call);
        if !operation.starts_with("Get") {
            let before = state.clone();
            late.push(LateChange { call, before });
            return None;
        }
        if late.is_empty() {
            return None;
        }
        let age = self.random(u32::try_from(MOST_LATE).unwrap() + 1) as usize;
        let unseen = late.iter().find(|change| change.call + age >= call);
        unseen.map(|change| change.before.clone())
    }

    /// Changes the account as others do. Their changes are visible at once: they may have been made a while ago.
    fn interfere(&self, state: &mut MemoryState) {
        self.settle();
        let number = self.changes.get() + 1;
        self.changes.set(number);
        match self.random(3) {
            0 => self.move_stage(state),
            1 => add_route(state, &format!("hand{number}")),
            _ => update_stack(state, number),
        }
    }

    /// Moves the stage by hand to a deployment that can be served. A run that was killed right after CreateDeployment may
    /// leave one behind whose digest it could not check.
    fn move_stage(&self, state: &mut MemoryState) {
        let deployed: Vec<_> = state
            .deployments
            .iter()
            .filter(|(one, snapshot)| {
                one.status == DeploymentState::Deployed && has_its_digest(one, snapshot)
            })
            .map(|(one, _)| one.id.clone())
            .collect();
        let index = self.random(u32::try_from(deployed.len()).unwrap());
        state.stage.deployment = Some(deployed[index as usize].clone());
    }

    /// Checks that the stage serves one complete deployment.
    fn assert_complete(&self, operation: &str, state: &MemoryState) {
        let seed = self.seed;
        let served = state.stage.deployment.as_ref().unwrap();
        if self.complete.borrow().as_ref() == Some(served) {
            let is_there = state.deployments.iter().any(|(one, _)| one.id == *served);
            assert!(is_there, "seed {seed}, {operation}: {served} is gone");
            return;
        }
        let mut deployments = state.deployments.iter();
        let (found, snapshot) = deployments
            .find(|(one, _)| one.id == *served)
            .unwrap_or_else(|| panic!("seed {seed}, {operation}: {served} is gone"));
        assert_eq!(
            found.status,
            DeploymentState::Deployed,
            "seed {seed}, {operation}: {found:?}"
        );
        let is_honest = has_its_digest(found, snapshot);
        assert!(is_honest, "seed {seed}, {operation}: {found:?}");
        *self.complete.borrow_mut() = Some(served.clone());
    }

    /// Checks that nothing was deleted that the stage could go back to. Nobody can know what others changed since the stages
    /// were listed.
    fn assert_kept(&self, operation: &str, state: &MemoryState) {
        if self.changes() != Some(self.changes_when_listed.get()) {
            return;
        }
        let before = self.before.borrow();
        let is_there = |id: &DeploymentId| state.deployments.iter().any(|(one, _)| one.id == *id);
        let served = state.stage.deployment.as_ref().unwrap();
        let back_to = prune::earlier(&before, served);
        if let Some(back_to) = back_to {
            let seed = self.seed;
            assert!(
                is_there(&back_to.id),
                "seed {seed}, {operation}: {served} could go back to {back_to:?}"
            );
        }
    }
}

impl Chaos for SimulatedEvents {
    fn before(&self, operation: &'static str, state: &mut MemoryState) -> PlannedCall {
        if !self.happens.get() {
            return PlannedCall {
                sees: self.earlier(operation, state),
                ..PlannedCall::default()
            };
        }
        if self.random(80) == 0 {
            self.interfere(state);
        }
        PlannedCall {
            delay: self.delay(),
            fault: self.fault(),
            sees: self.earlier(operation, state),
        }
    }

    fn after(&self, operation: &'static str, state: &MemoryState) {
        self.assert_complete(operation, state);
        // Pruning lists the stages first.
        if operation == "GetStages" {
            self.changes_when_listed.set(self.changes.get());
        }
        if operation == "DeleteDeployment" {
            self.assert_kept(operation, state);
        }
        let deployments = state.deployments.iter().map(|(one, _)| one.clone());
        *self.before.borrow_mut() = deployments.collect();
        if operation == "UpdateDeployment" {
            let verified = state.deployments.iter().map(|(one, _)| one);
            let verified = verified.filter(|one| one.metadata().is_some_and(|it| it.is_verified()));
            let verified = verified.map(|one| one.id.clone());
            self.recorded.borrow_mut().extend(verified);
        }
    }
}

/// True for a deployment whose description names no digest, or that of its snapshot.
fn has_its_digest(deployment: &DeploymentInfo, snapshot: &ApiDescription) -> bool {
    let metadata = deployment.metadata();
    metadata.is_none_or(|found| found.digest == snapshot.wiring(&account_region()).digest)
}

fn add_route(state: &mut MemoryState, key: &str) {
    state.description.parts.push(route(key));
}

/// Updates the stack: a new route, a deployment of the template, and the stage serves it.
fn update_stack(state: &mut MemoryState, number: u32) {
    add_route(state, &format!("stack{number}"));
    let digest = state.description.wiring(&account_region()).digest;
    let newest = state.deployments.iter().map(|(one, _)| one.created).max();
    let deployment = DeploymentInfo {
        id: DeploymentId::new(format!("stack{number}")),
        description: Some(DeploymentMetadata::new(digest).to_string()),
        created: newest.unwrap(),
        ..by_hand("", 0)
    };
    assert_eq!(deployment.created_by(), CreatedBy::Template);
    state.stage.deployment = Some(deployment.id.clone());
    state
        .deployments
        .push((deployment, state.description.clone()));
}
