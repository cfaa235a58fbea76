//! The deployments of an API, and the one that a stage serves.

use super::{BackTo, UpdatedStack};
use crate::account::ApiWiring;
use crate::wiring_diff::masked;
use crate::{CreatedBy, DeploymentId, DeploymentInfo, DeploymentState, prune};

/// The deployments of an API, and the one that a stage serves.
pub(super) struct StageDeployments {
    pub(super) all: Vec<DeploymentInfo>,
    pub(super) served_id: Option<DeploymentId>,
}

impl StageDeployments {
    fn find(&self, id: &DeploymentId) -> Option<&DeploymentInfo> {
        self.all.iter().find(|deployment| deployment.id == *id)
    }

    /// Returns the deployment that the stage serves.
    pub(super) fn served(&self) -> Option<&DeploymentInfo> {
        self.find(self.served_id.as_ref()?)
    }

    /// Returns the deployment that the stage serves if it holds this wiring, and its last verification did not fail.
    pub(super) fn current(&self, wiring: &ApiWiring) -> Option<&DeploymentInfo> {
        let is_current = |deployment: &&DeploymentInfo| {
            let metadata = deployment.metadata();
            metadata.is_some_and(|found| found.has_digest(&wiring.digest) && !found.is_failed())
        };
        self.served().filter(is_current)
    }

    /// Returns the deployment that the stage serves if a stack update created it, and it holds this wiring.
    pub(super) fn of_update(
        &self,
        update: &UpdatedStack,
        wiring: &ApiWiring,
    ) -> Option<&DeploymentInfo> {
        if masked(&update.template.snapshot) != masked(&wiring.snapshot) {
            return None;
        }
        self.served().filter(|served| {
            let metadata = served.metadata();
            let is_new = !update.before.contains(&served.id);
            is_new
                && served.status == DeploymentState::Deployed
                && served.created_by() == CreatedBy::Template
                && metadata
                    .is_some_and(|one| one.digest == update.template.digest && !one.is_failed())
        })
    }

    /// Returns the deployment to go back to: the one that the stage serves, unless a redeploy created it and it is not
    /// verified. Then it is the last one before it that [served well](prune::served_well).
    pub(super) fn back_to(&self) -> Option<&DeploymentId> {
        let served = self.served_id.as_ref()?;
        self.before_unverified(served).or(Some(served))
    }

    /// Returns the deployment to go back to from the one that the stage serves.
    pub(super) fn back_from(
        &self,
        served: &DeploymentInfo,
        back_to: &BackTo,
    ) -> Option<&DeploymentId> {
        let known = match back_to {
            BackTo::Served => None,
            BackTo::Deployment(id) => self.find(id),
            BackTo::Earlier => prune::earlier(&self.all, &served.id),
        };
        let known = known.filter(|found| found.status == DeploymentState::Deployed);
        let known = known.map(|found| &found.id).filter(|id| **id != served.id);
        known.or_else(|| self.before_unverified(&served.id))
    }

    /// Follows the chain of `previous:` from a deployment that is not verified to one that served well.
    pub(super) fn before_unverified(&self, id: &DeploymentId) -> Option<&DeploymentId> {
        let mut next = self.find(id);
        for _ in 0..self.all.len() {
            let deployment = next?;
            let is_unverified = deployment.created_by() == CreatedBy::Redeploy
                && !prune::served_well(deployment, &self.all);
            if !is_unverified {
                let can_serve = deployment.status == DeploymentState::Deployed;
                return Some(&deployment.id).filter(|found| can_serve && **found != *id);
            }
            next = self.find(&deployment.metadata()?.previous?);
        }
        None
    }
}
