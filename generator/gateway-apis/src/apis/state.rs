//! State of one API.

use std::collections::HashMap;
use std::sync::Arc;

use indexmap::IndexMap;
use stackgen_gateway_common::{
    AuthorizerId, DeploymentId, EpochMillis, IntegrationId, IntegrationResponseId, ModelId,
    RouteId, RouteResponseId, StageName, resource_id,
};

use super::{
    ApiError, ServedStage, Snapshot, StoredApi, StoredAuthorizer, StoredDeployment,
    StoredDeploymentStatus, StoredIntegration, StoredIntegrationResponse, StoredModel, StoredRoute,
    StoredRouteResponse, StoredStage,
};

/// An API: its wiring, which deployments snapshot, its deployments and its stages.
#[derive(Clone, Debug)]
pub(super) struct ApiState {
    pub(super) wiring: StoredWiring,
    pub(super) deployments: IndexMap<DeploymentId, Arc<StoredDeployment>>,
    pub(super) stages: IndexMap<StageName, Arc<StoredStage>>,
}

/// Everything that a deployment snapshots (row D1), in the order of creation.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct StoredWiring {
    pub(super) api: Arc<StoredApi>,
    pub(super) routes: IndexMap<RouteId, Arc<StoredRoute>>,
    pub(super) integrations: IndexMap<IntegrationId, Arc<StoredIntegration>>,
    pub(super) integration_responses:
        HashMap<IntegrationId, IndexMap<IntegrationResponseId, Arc<StoredIntegrationResponse>>>,
    pub(super) route_responses:
        HashMap<RouteId, IndexMap<RouteResponseId, Arc<StoredRouteResponse>>>,
    pub(super) authorizers: IndexMap<AuthorizerId, Arc<StoredAuthorizer>>,
    pub(super) models: IndexMap<ModelId, Arc<StoredModel>>,
}

impl StoredWiring {
    /// Returns a snapshot of the current wiring.
    pub(super) fn snapshot(&self) -> Snapshot {
        let list = |responses: &IndexMap<_, Arc<_>>| responses.values().cloned().collect();
        Snapshot {
            api: self.api.clone(),
            routes: by(&self.routes, |route: &StoredRoute| route.route_key.clone()),
            integrations: by(&self.integrations, |one: &StoredIntegration| {
                one.integration_id.clone()
            }),
            integration_responses: self
                .integration_responses
                .iter()
                .map(|(id, responses)| (id.clone(), responses.values().cloned().collect()))
                .collect(),
            route_responses: self
                .route_responses
                .iter()
                .map(|(id, responses)| (id.clone(), list(responses)))
                .collect(),
            authorizers: by(&self.authorizers, |one: &StoredAuthorizer| {
                one.authorizer_id.clone()
            }),
            models: by(&self.models, |model: &StoredModel| model.name.clone()),
        }
    }
}

fn by<Id, T, K: std::hash::Hash + Eq>(
    all: &IndexMap<Id, Arc<T>>,
    key: impl Fn(&T) -> K,
) -> HashMap<K, Arc<T>> {
    all.values().map(|one| (key(one), one.clone())).collect()
}

impl ApiState {
    pub(super) fn new(api: StoredApi) -> Self {
        ApiState {
            wiring: StoredWiring {
                api: Arc::new(api),
                routes: IndexMap::new(),
                integrations: IndexMap::new(),
                integration_responses: HashMap::new(),
                route_responses: HashMap::new(),
                authorizers: IndexMap::new(),
                models: IndexMap::new(),
            },
            deployments: IndexMap::new(),
            stages: IndexMap::new(),
        }
    }

    /// Creates a deployment of the current wiring (rows D1, D3).
    ///
    /// # Errors
    ///
    /// If the API has no route.
    pub(super) fn deploy(
        &mut self,
        id: Option<DeploymentId>,
        description: Option<String>,
        auto_deployed: bool,
    ) -> Result<Arc<StoredDeployment>, ApiError> {
        if self.wiring.routes.is_empty() {
            return Err(ApiError::bad_request(
                "At least one route is required before deploying the Api.",
            ));
        }
        let deployment = Arc::new(StoredDeployment {
            deployment_id: id.unwrap_or_else(|| DeploymentId::new(resource_id(6))),
            deployment_status: StoredDeploymentStatus::Deployed,
            deployment_status_message: None,
            description,
            auto_deployed,
            created_date: EpochMillis::now(),
            snapshot: Arc::new(self.wiring.snapshot()),
        });
        self.deployments
            .insert(deployment.deployment_id.clone(), deployment.clone());
        Ok(deployment)
    }

    /// Creates a deployment and points all stages with AutoDeploy at it (rows D4, D5). A failure is recorded in the
    /// stage's status message.
    pub(super) fn auto_deploy(&mut self) {
        let auto = |stage: &&Arc<StoredStage>| stage.auto_deploy;
        let names: Vec<StageName> = (self.stages.values().filter(auto))
            .map(|stage| stage.stage_name.clone())
            .collect();
        if names.is_empty() {
            return;
        }
        let description =
            Some("Automatic deployment triggered by changes to the Api configuration");
        let deployed = self.deploy(None, description.map(str::to_owned), true);
        for name in names {
            let Some(stage) = self.stages.get_mut(&name).map(Arc::make_mut) else {
                continue;
            };
            stage.last_deployment_status_message = Some(match &deployed {
                Ok(deployment) => {
                    let id = &deployment.deployment_id;
                    stage.deployment_id = Some(id.clone());
                    format!("Successfully deployed stage with deployment ID '{id}'")
                }
                Err(refusal) => format!("Deployment attempt failed: {}", refusal.message),
            });
        }
    }

    /// Returns true if a stage has a deployment.
    pub(super) fn has_deployed_stage(&self) -> bool {
        self.serving_deployments().next().is_some()
    }

    /// Returns true if the wiring differs from `before` and a stage serves other wiring. Stages with AutoDeploy are
    /// current by then, unless their deployment failed.
    pub(super) fn makes_stages_stale(&self, before: &Snapshot) -> bool {
        let wiring = self.wiring.snapshot();
        !wiring.has_same_wiring(before)
            && (self.serving_deployments())
                .any(|deployment| !deployment.snapshot.has_same_wiring(&wiring))
    }

    /// Returns the deployments that stages point at.
    fn serving_deployments(&self) -> impl Iterator<Item = &Arc<StoredDeployment>> {
        (self.stages.values())
            .filter_map(|stage| self.deployments.get(stage.deployment_id.as_ref()?))
    }

    /// Returns what each stage serves.
    pub(super) fn served_stages(&self) -> HashMap<StageName, Arc<ServedStage>> {
        let served = |stage: &Arc<StoredStage>| ServedStage {
            stage: stage.clone(),
            snapshot: stage
                .deployment_id
                .as_ref()
                .and_then(|id| self.deployments.get(id))
                .map(|deployment| deployment.snapshot.clone()),
        };
        self.stages
            .iter()
            .map(|(name, stage)| (name.clone(), Arc::new(served(stage))))
            .collect()
    }
}
