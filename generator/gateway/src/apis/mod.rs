//! What API Gateway keeps: apis with their routes, deployments and stages, and the rules by which they change.

mod error;
mod snapshot;
mod types;

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

pub use error::{ApiError, ApiErrorKind};
pub use snapshot::Snapshot;
pub use types::{
    AccessLogSettings, Api, Authorizer, Cors, Deployment, DeploymentStatus, Integration,
    IntegrationResponse, JwtConfiguration, Model, Pairs, ParameterConstraints, ProtocolType, Route,
    RouteResponse, RouteSettings, Stage,
};

use crate::{ApiId, StageName};

/// What a stage serves at this moment. The data plane reads it anew for every handshake and every message: a stage
/// that moves to another deployment does so for connections that are open, too.
#[derive(Clone, Debug, PartialEq)]
pub struct Served {
    /// The stage with its settings, which are live at once (row D2).
    pub stage: Arc<Stage>,
    /// What its deployment froze (row D1); `None` when it has none (row C3).
    pub snapshot: Option<Arc<Snapshot>>,
}

/// All apis.
#[derive(Debug, Default)]
pub struct Apis {
    /// Written by every change, read by every message.
    served: RwLock<HashMap<ApiId, HashMap<StageName, Arc<Served>>>>,
}

impl Apis {
    /// What a stage serves; `None` when there is no such stage.
    pub fn served(&self, api: &ApiId, stage: &str) -> Option<Arc<Served>> {
        let served = self.served.read().unwrap_or_else(PoisonError::into_inner);
        served.get(api)?.get(stage).cloned()
    }

    /// Serves exactly this, past all rules: what the rules come to, and what tests of the data plane start from.
    pub fn serve(&self, api: &ApiId, served: Served) {
        let mut all = self.served.write().unwrap_or_else(PoisonError::into_inner);
        let stage = served.stage.stage_name.clone();
        all.entry(api.clone())
            .or_default()
            .insert(stage, Arc::new(served));
    }
}
