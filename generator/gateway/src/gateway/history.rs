//! Records of deployments: the digest of their snapshot, and the commit of the project when they were created.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use stackgen_gateway_apis::apis::StoredDeployment;
use stackgen_gateway_common::{ApiId, DeploymentId, Event, EventReceiver};
use tokio::sync::broadcast::error::RecvError;

use super::{ConsoleProject, DeploymentRecord, Shared};

/// Time to collect events: a wake-up per event would cost more than the event.
const PAUSE: Duration = Duration::from_millis(50);

/// Records of deployments by API and ID.
#[derive(Default)]
pub(super) struct DeploymentHistory(Mutex<HashMap<ApiId, HashMap<DeploymentId, DeploymentRecord>>>);

impl DeploymentHistory {
    /// Returns the record of a deployment. What its description says counts first: a redeploy knows its commit itself.
    pub(super) fn record(
        &self,
        project: Option<&dyn ConsoleProject>,
        api: &ApiId,
        deployment: &StoredDeployment,
    ) -> DeploymentRecord {
        let known = self
            .lock()
            .get(api)
            .and_then(|all| all.get(&deployment.deployment_id))
            .cloned();
        let known = known.unwrap_or_default();
        let description = deployment.description.as_deref();
        let written = project
            .zip(description)
            .and_then(|(project, text)| project.record(text));
        let written = written.unwrap_or_default();
        DeploymentRecord {
            digest: written.digest.or(known.digest),
            commit: written.commit.or(known.commit),
            verification: written.verification,
        }
    }

    fn has(&self, api: &ApiId, deployment: &StoredDeployment) -> bool {
        let all = self.lock();
        all.get(api)
            .is_some_and(|of_api| of_api.contains_key(&deployment.deployment_id))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ApiId, HashMap<DeploymentId, DeploymentRecord>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Records every deployment from now on, until the gateway stops.
pub(super) fn record_deployments(shared: &Arc<Shared>) {
    let Some(project) = shared.console.project.clone() else {
        return;
    };
    let (shared, events) = (shared.clone(), shared.plane.events.subscribe());
    let stop = shared.stop.clone();
    tokio::spawn(async move {
        stop.run_until_cancelled(record_each(shared, project, events))
            .await
    });
}

async fn record_each(
    shared: Arc<Shared>,
    project: Arc<dyn ConsoleProject>,
    mut events: EventReceiver,
) {
    loop {
        let event = match events.recv_recorded().await {
            Ok(event) => event,
            Err(RecvError::Lagged(_)) => continue,
            Err(RecvError::Closed) => return,
        };
        record_event(&shared, &project, &event.event).await;
        while let Ok(event) = events.try_recv_recorded() {
            record_event(&shared, &project, &event.event).await;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn record_event(shared: &Shared, project: &Arc<dyn ConsoleProject>, event: &Event) {
    let Event::Deployed {
        api, deployment, ..
    } = event
    else {
        return;
    };
    let Ok(stored) = shared.account.apis.get_deployment(api, deployment) else {
        return;
    };
    record(shared, project, api, stored).await;
}

/// Records the deployments whose events were not handled yet, so that nobody sees them without their digest and commit.
pub(super) async fn record_missing(shared: &Shared) {
    let Some(project) = &shared.console.project else {
        return;
    };
    let apis = &shared.account.apis;
    for api in apis.list_apis() {
        // An API that is deleted meanwhile has no deployments.
        let deployments = apis.list_deployments(&api.api_id).unwrap_or_default();
        for stored in deployments {
            if !shared.console.history.has(&api.api_id, &stored) {
                record(shared, project, &api.api_id, stored).await;
            }
        }
    }
}

async fn record(
    shared: &Shared,
    project: &Arc<dyn ConsoleProject>,
    api: &ApiId,
    stored: Arc<StoredDeployment>,
) {
    let id = stored.deployment_id.clone();
    let (project, scope) = (project.clone(), shared.account.scope.clone());
    let recorded = tokio::task::spawn_blocking(move || DeploymentRecord {
        digest: Some(project.digest(&stored.snapshot, &scope)),
        commit: project.commit(),
        verification: None,
    });
    if let Ok(record) = recorded.await {
        let mut all = shared.console.history.lock();
        let of_api = all.entry(api.clone()).or_default();
        // The first record is the nearest to the creation.
        of_api.entry(id).or_insert(record);
    }
}
