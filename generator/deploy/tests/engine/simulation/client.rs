//! Client of the simulated stage: it answers as the code that the served deployment calls.

use std::cell::RefCell;
use std::collections::BTreeSet;

use stackgen_deploy::account::{ApiDescription, ApiPartKind};
use stackgen_deploy::{ApiProtocol, CallerProfile, DeploymentId, HandshakeAnswer, StageClient};

use super::account::SimulatedEvents;
use crate::memory::{Memory, MemoryState};

pub(super) struct SimulatedClient<'a> {
    memory: &'a Memory,
    events: &'a SimulatedEvents,
    /// Deployments that answered well.
    answered: RefCell<BTreeSet<DeploymentId>>,
}

impl<'a> SimulatedClient<'a> {
    pub(super) fn new(memory: &'a Memory, events: &'a SimulatedEvents) -> Self {
        SimulatedClient {
            memory,
            events,
            answered: RefCell::default(),
        }
    }

    pub(super) fn is_answered_by(&self, deployment: &DeploymentId) -> bool {
        self.answered.borrow().contains(deployment)
    }
}

/// Returns the code that `$connect` of a snapshot runs.
pub(super) fn code(state: &MemoryState, snapshot: &ApiDescription) -> Option<String> {
    let mut parts = snapshot.parts.iter();
    let integration = parts.find(|part| part.kind == ApiPartKind::Integration)?;
    let invocation = integration.invocation()?;
    let function = state.functions.get(&invocation.function)?;
    match invocation.version() {
        None => Some(function.code.clone()),
        Some(version) => {
            let number: usize = version.as_str().parse().ok()?;
            let (code, _) = function.versions.get(number.checked_sub(1)?)?;
            Some(code.clone())
        }
    }
}

impl StageClient for SimulatedClient<'_> {
    async fn attempt(&self, _: &str, _: ApiProtocol, _: &CallerProfile) -> HandshakeAnswer {
        tokio::time::sleep(self.events.delay()).await;
        let Some((deployment, snapshot)) = self.memory.serves() else {
            return HandshakeAnswer::Answered(403);
        };
        let code = code(&self.memory.state.borrow(), &snapshot);
        if code.is_none_or(|code| code.starts_with("broken")) {
            return HandshakeAnswer::Answered(502);
        }
        self.answered.borrow_mut().insert(deployment.id);
        HandshakeAnswer::Answered(101)
    }
}
