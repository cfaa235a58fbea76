//! Deployments.

use std::sync::{Arc, PoisonError};

use serde::{Deserialize, Serialize};
use stackgen_gateway_common::{ApiId, DeploymentId, EpochMillis};

use super::check::{optional_length, set_text};
use super::types::iso8601;
use super::{ApiError, Apis, DeploymentInput, Snapshot};

/// Status of a deployment (row D3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum StoredDeploymentStatus {
    /// The deployment is being created.
    Pending,
    /// The deployment failed.
    Failed,
    /// The deployment can be served.
    Deployed,
}

/// A deployment: an immutable snapshot of an API (row D1).
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredDeployment {
    /// Deployment ID.
    pub deployment_id: DeploymentId,
    /// Status.
    pub deployment_status: StoredDeploymentStatus,
    /// Reason for the status `FAILED`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deployment_status_message: Option<String>,
    /// Description.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// AutoDeploy created the deployment (row D4).
    pub auto_deployed: bool,
    /// Time of creation.
    #[serde(serialize_with = "iso8601")]
    pub created_date: EpochMillis,
    /// Snapshot that stages serve.
    #[serde(skip)]
    pub snapshot: Arc<Snapshot>,
}

impl Apis {
    /// Creates a deployment of the current wiring (rows D1, D3), and points the stage at it if the input names one.
    ///
    /// # Errors
    ///
    /// If the API has no route, or the stage does not exist or has AutoDeploy (row D5).
    pub fn create_deployment(
        &self,
        api: &ApiId,
        id: Option<DeploymentId>,
        input: DeploymentInput,
    ) -> Result<Arc<StoredDeployment>, ApiError> {
        optional_length("description", input.description.as_ref(), 1024)?;
        let deployment = self.change(api, |state| {
            if let Some(id) = id.as_ref().filter(|id| state.deployments.contains_key(*id)) {
                return Err(ApiError::conflict(format!(
                    "Deployment {id} already exists"
                )));
            }
            let description = input.description.filter(|text| !text.is_empty());
            let deployment = state.deploy(id, description, false)?;
            if let Some(stage) = input.stage_name.filter(|name| !name.as_str().is_empty()) {
                state.activate(stage.as_str(), &deployment.deployment_id)?;
            }
            Ok(deployment)
        })?;
        Ok(self.with_pending_status(deployment))
    }

    /// Returns the deployment with this ID.
    ///
    /// # Errors
    ///
    /// If the API or the deployment does not exist.
    pub fn get_deployment(
        &self,
        api: &ApiId,
        id: &DeploymentId,
    ) -> Result<Arc<StoredDeployment>, ApiError> {
        let deployment = self.read(api, |state| state.deployment(id).cloned())?;
        Ok(self.with_pending_status(deployment))
    }

    /// Returns all deployments in the order of creation.
    ///
    /// # Errors
    ///
    /// If the API does not exist.
    pub fn list_deployments(&self, api: &ApiId) -> Result<Vec<Arc<StoredDeployment>>, ApiError> {
        let all: Vec<_> = self.read(api, |state| {
            Ok(state.deployments.values().cloned().collect())
        })?;
        Ok(all
            .into_iter()
            .map(|one| self.with_pending_status(one))
            .collect())
    }

    /// Updates the description of a deployment. Its snapshot never changes.
    ///
    /// # Errors
    ///
    /// If the deployment does not exist.
    pub fn update_deployment(
        &self,
        api: &ApiId,
        id: &DeploymentId,
        input: DeploymentInput,
    ) -> Result<Arc<StoredDeployment>, ApiError> {
        optional_length("description", input.description.as_ref(), 1024)?;
        let deployment = self.change(api, |state| {
            state.deployment(id)?;
            // The deployment exists: the line above checked that.
            let deployment = state.deployments.get_mut(id).map(Arc::make_mut);
            if let Some(deployment) = deployment {
                set_text(&mut deployment.description, input.description);
            }
            state.deployment(id).cloned()
        })?;
        Ok(self.with_pending_status(deployment))
    }

    /// Deletes a deployment.
    ///
    /// # Errors
    ///
    /// If it does not exist, or a stage points at it (row D6).
    pub fn delete_deployment(&self, api: &ApiId, id: &DeploymentId) -> Result<(), ApiError> {
        self.change(api, |state| {
            state.deployment(id)?;
            let used = |stage: &Arc<super::StoredStage>| stage.deployment_id.as_ref() == Some(id);
            if state.stages.values().any(used) {
                return Err(ApiError::bad_request(
                    "Active stages pointing to this deployment must be moved or deleted",
                ));
            }
            state.deployments.shift_remove(id);
            Ok(())
        })
    }

    /// Returns the deployment for an answer. If the settings ask for it, the first answers have the status `PENDING`.
    fn with_pending_status(&self, deployment: Arc<StoredDeployment>) -> Arc<StoredDeployment> {
        if self.pending == 0 {
            return deployment;
        }
        let mut answers = self
            .pending_answers
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let answers = answers.entry(deployment.deployment_id.clone()).or_default();
        if *answers >= self.pending {
            return deployment;
        }
        *answers += 1;
        Arc::new(StoredDeployment {
            deployment_status: StoredDeploymentStatus::Pending,
            ..StoredDeployment::clone(&deployment)
        })
    }
}
