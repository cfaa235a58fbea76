//! State of one API.

use std::collections::HashMap;
use std::sync::Arc;

use indexmap::IndexMap;
use stackgen_gateway_common::{
    AuthorizerId, DeploymentId, IntegrationId, IntegrationResponseId, ModelId, RouteId,
    RouteResponseId, StageName, Timestamp, resource_id,
};

use super::{
    Api, ApiError, Authorizer, Deployment, DeploymentStatus, Integration, IntegrationResponse,
    Model, Route, RouteResponse, Served, Snapshot, Stage,
};

/// An API: its wiring, which deployments snapshot, its deployments and its stages.
#[derive(Clone, Debug)]
pub(super) struct ApiState {
    pub(super) wiring: Wiring,
    pub(super) deployments: IndexMap<DeploymentId, Arc<Deployment>>,
    pub(super) stages: IndexMap<StageName, Arc<Stage>>,
}

/// Everything that a deployment snapshots (row D1), in the order of creation.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Wiring {
    pub(super) api: Arc<Api>,
    pub(super) routes: IndexMap<RouteId, Arc<Route>>,
    pub(super) integrations: IndexMap<IntegrationId, Arc<Integration>>,
    pub(super) integration_responses:
        HashMap<IntegrationId, IndexMap<IntegrationResponseId, Arc<IntegrationResponse>>>,
    pub(super) route_responses: HashMap<RouteId, IndexMap<RouteResponseId, Arc<RouteResponse>>>,
    pub(super) authorizers: IndexMap<AuthorizerId, Arc<Authorizer>>,
    pub(super) models: IndexMap<ModelId, Arc<Model>>,
}

impl Wiring {
    /// Returns a snapshot of the current wiring.
    pub(super) fn freeze(&self) -> Snapshot {
        let list = |responses: &IndexMap<_, Arc<_>>| responses.values().cloned().collect();
        Snapshot {
            api: self.api.clone(),
            routes: by(&self.routes, |route: &Route| route.route_key.clone()),
            integrations: by(&self.integrations, |one: &Integration| {
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
            authorizers: by(&self.authorizers, |one: &Authorizer| {
                one.authorizer_id.clone()
            }),
            models: by(&self.models, |model: &Model| model.name.clone()),
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
    pub(super) fn new(api: Api) -> Self {
        ApiState {
            wiring: Wiring {
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
    ) -> Result<Arc<Deployment>, ApiError> {
        if self.wiring.routes.is_empty() {
            return Err(ApiError::bad_request(
                "At least one route is required before deploying the Api.",
            ));
        }
        let deployment = Arc::new(Deployment {
            deployment_id: id.unwrap_or_else(|| DeploymentId::new(resource_id(6))),
            deployment_status: DeploymentStatus::Deployed,
            deployment_status_message: None,
            description,
            auto_deployed,
            created_date: Timestamp::now(),
            snapshot: Arc::new(self.wiring.freeze()),
        });
        self.deployments
            .insert(deployment.deployment_id.clone(), deployment.clone());
        Ok(deployment)
    }

    /// Creates a deployment and points all stages with AutoDeploy at it (rows D4, D5). A failure is recorded in the
    /// stage's status message.
    pub(super) fn auto_deploy(&mut self) {
        let auto = |stage: &&Arc<Stage>| stage.auto_deploy;
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
    pub(super) fn serves(&self) -> bool {
        self.serving_deployments().next().is_some()
    }

    /// Returns true if the wiring differs from `before` and a stage serves other wiring. Stages with AutoDeploy are
    /// current by then, unless their deployment failed.
    pub(super) fn leaves_stages_behind(&self, before: &Snapshot) -> bool {
        let wiring = self.wiring.freeze();
        !wiring.carries_what(before)
            && (self.serving_deployments())
                .any(|deployment| !deployment.snapshot.carries_what(&wiring))
    }

    /// Returns the deployments that stages point at.
    fn serving_deployments(&self) -> impl Iterator<Item = &Arc<Deployment>> {
        (self.stages.values())
            .filter_map(|stage| self.deployments.get(stage.deployment_id.as_ref()?))
    }

    /// Returns what each stage serves.
    pub(super) fn serving(&self) -> HashMap<StageName, Arc<Served>> {
        let served = |stage: &Arc<Stage>| Served {
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
