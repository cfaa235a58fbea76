//! APIs with their routes, deployments and stages, and the rules by which they change.
//!
//! Changes are made one at a time, completely or not at all. API Gateway refuses a change while another change of the
//! same API is in progress (row D13); here the second change waits, so this error never occurs.

mod api;
mod authorizer;
mod check;
mod deployment;
mod difference;
mod error;
mod import;
mod input;
mod integration;
mod keys;
mod listener;
mod model;
mod response;
mod route;
mod snapshot;
mod stage;
mod state;
mod types;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use indexmap::IndexMap;
use stackgen_gateway_common::{ApiId, ArnScope, DeploymentId, Event, Events, StageName};

pub use deployment::{StoredDeployment, StoredDeploymentStatus};
pub use difference::{UndeployedChange, UndeployedChangeKind};
pub use error::{ApiError, ApiErrorKind};
pub use input::{
    ApiInput, AuthorizerInput, DeploymentInput, IntegrationInput, IntegrationResponseInput,
    ModelInput, RouteInput, RouteResponseInput, StageInput,
};
pub use keys::{ApiKeyError, ApiKeys, PlanStage, StoredApiKey};
pub use listener::ApiListener;
pub use snapshot::Snapshot;
pub(crate) use stage::substitute_variables;
pub use types::{
    AccessLogSettings, Cors, JwtConfiguration, Pairs, ParameterConstraints, ProtocolType,
    RouteSettings, StoredApi, StoredAuthorizer, StoredIntegration, StoredIntegrationResponse,
    StoredModel, StoredRoute, StoredRouteResponse, StoredStage, TlsConfig,
};

use state::ApiState;

/// A stage with the snapshot that it serves. The data plane reads it for every handshake and every message, so open
/// connections follow when the stage is pointed at another deployment.
#[derive(Clone, Debug, PartialEq)]
pub struct ServedStage {
    /// The stage with its settings, which take effect without a deployment (row D2).
    pub stage: Arc<StoredStage>,
    /// Snapshot of the stage's deployment (row D1); `None` if the stage has no deployment (row C3).
    pub snapshot: Option<Arc<Snapshot>>,
}

/// All apis.
#[derive(Debug, Default)]
pub struct Apis {
    scope: ArnScope,
    events: Events,
    /// Number of answers in which a new deployment is `PENDING`.
    pending: u32,
    /// Number of such answers given, per deployment.
    pending_answers: Mutex<HashMap<DeploymentId, u32>>,
    all: Mutex<IndexMap<ApiId, ApiState>>,
    /// Every change writes it, every message reads it.
    served: RwLock<HashMap<ApiId, HashMap<StageName, Arc<ServedStage>>>>,
    listen: RwLock<Option<Arc<dyn ApiListener>>>,
    keys: ApiKeys,
    /// Stages to which the root of a custom domain is mapped.
    root_stages: RwLock<HashMap<ApiId, StageName>>,
}

impl Apis {
    /// Creates an empty collection for an account and region. Changes are reported to `events`.
    pub fn new(scope: ArnScope, events: Events) -> Self {
        Apis {
            scope,
            events,
            ..Apis::default()
        }
    }

    /// Sets the number of answers in which a new deployment has the status `PENDING`, as on API Gateway for a moment
    /// (row D3). The deployment is served from the start all the same.
    #[must_use]
    pub fn with_pending_deployments(self, answers: u32) -> Self {
        Apis {
            pending: answers,
            ..self
        }
    }

    /// Returns the API keys and usage plans.
    pub fn keys(&self) -> &ApiKeys {
        &self.keys
    }

    /// Returns what a stage serves; `None` if the stage does not exist.
    pub fn served(&self, api: &ApiId, stage: &str) -> Option<Arc<ServedStage>> {
        let served = self.served.read().unwrap_or_else(PoisonError::into_inner);
        served.get(api)?.get(stage).cloned()
    }

    /// Replaces what a stage serves, without any checks. Tests of the data plane start from here.
    pub fn serve(&self, api: &ApiId, served: ServedStage) {
        let mut all = self.served.write().unwrap_or_else(PoisonError::into_inner);
        let stage = served.stage.stage_name.clone();
        all.entry(api.clone())
            .or_default()
            .insert(stage, Arc::new(served));
    }

    /// Sets the stages to which the root of a custom domain is mapped.
    pub fn set_root_stages(&self, stages: HashMap<ApiId, StageName>) {
        let all = self.root_stages.write();
        *all.unwrap_or_else(PoisonError::into_inner) = stages;
    }

    /// Returns the stage to which the root of a custom domain is mapped.
    pub fn root_stage(&self, api: &ApiId) -> Option<StageName> {
        let stages = self.root_stages.read();
        let stages = stages.unwrap_or_else(PoisonError::into_inner);
        stages.get(api).cloned()
    }

    fn all(&self) -> MutexGuard<'_, IndexMap<ApiId, ApiState>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn no_such_api(&self, api: &ApiId) -> ApiError {
        let account = &self.scope.account;
        ApiError::not_found(format!("Invalid API identifier specified {account}:{api}"))
    }

    /// Reads an API.
    fn read<T>(
        &self,
        api: &ApiId,
        read: impl FnOnce(&ApiState) -> Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        let all = self.all();
        read(all.get(api).ok_or_else(|| self.no_such_api(api))?)
    }

    /// Changes an API, completely or not at all, and serves the result.
    fn change<T>(
        &self,
        api: &ApiId,
        change: impl FnOnce(&mut ApiState) -> Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        let mut all = self.all();
        let before = all.get_mut(api).ok_or_else(|| self.no_such_api(api))?;
        let mut after = before.clone();
        let result = change(&mut after)?;
        self.publish(api, Some(&after));
        self.report_changes(api, before, &after);
        *before = after;
        Ok(result)
    }

    /// Changes the wiring of an API. Stages with AutoDeploy serve the change at once (rows D4, D5). If another stage
    /// does not, an event reports the changed part, which `change` returns with its result.
    fn change_wiring<T>(
        &self,
        api: &ApiId,
        change: impl FnOnce(&mut ApiState) -> Result<(T, String), ApiError>,
    ) -> Result<T, ApiError> {
        let mut undeployed = None;
        let result = self.change(api, |state| {
            let before = state.has_deployed_stage().then(|| state.wiring.snapshot());
            let (result, subject) = change(state)?;
            state.auto_deploy();
            if before.is_some_and(|before| state.makes_stages_stale(&before)) {
                undeployed = Some(subject);
            }
            Ok(result)
        })?;
        if let Some(subject) = undeployed {
            self.events.send(Event::Undeployed {
                api: api.clone(),
                what: subject,
            });
        }
        Ok(result)
    }

    fn publish(&self, api: &ApiId, state: Option<&ApiState>) {
        let mut served = self.served.write().unwrap_or_else(PoisonError::into_inner);
        match state {
            Some(state) => served.insert(api.clone(), state.served_stages()),
            None => served.remove(api),
        };
    }

    /// Reports new deployments and stages that were pointed at another deployment.
    fn report_changes(&self, api: &ApiId, before: &ApiState, after: &ApiState) {
        for (id, deployment) in &after.deployments {
            if !before.deployments.contains_key(id) {
                self.events.send(Event::Deployed {
                    api: api.clone(),
                    deployment: id.clone(),
                    description: deployment.description.clone(),
                });
            }
        }
        for (name, stage) in &after.stages {
            let previous = before
                .stages
                .get(name)
                .and_then(|stage| stage.deployment_id.clone());
            if previous != stage.deployment_id {
                self.events.send(Event::Activated {
                    api: api.clone(),
                    stage: name.clone(),
                    previous,
                    deployment: stage.deployment_id.clone(),
                });
            }
        }
    }
}
