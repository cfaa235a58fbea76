//! APIs as the console shows them: stages, what they serve, what the account holds, and how to connect.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use stackgen_gateway_apis::apis::{
    ApiError, Apis, DeploymentInput, ProtocolType, Snapshot, StageInput, StoredApi,
    StoredDeployment, StoredStage, UndeployedChange,
};
use stackgen_gateway_common::{ApiId, DeploymentId, FunctionArn, RouteKey, StageName};

use crate::gateway::answer::error;
use crate::gateway::history::record_missing;
use crate::gateway::{
    DeploymentRecord, Shared, StageRedeploy, StageToken, TokenPlace, TokenRequest,
};

/// Description of deployments that users create in the console.
const DESCRIPTION: &str = "created in the console";

/// All APIs.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ApiList {
    /// Stack that was applied last.
    stack: Option<String>,
    /// Audiences that the stack accepts.
    audiences: Vec<String>,
    apis: Vec<ApiView>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ApiView {
    api_id: ApiId,
    name: String,
    protocol_type: ProtocolType,
    stages: Vec<StageView>,
    /// In the order of creation.
    deployments: Vec<DeploymentView>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct StageView {
    name: StageName,
    url: String,
    deployment_id: Option<DeploymentId>,
    auto_deploy: bool,
    /// Changes that a deployment would bring (row D1). Empty if the stage is current.
    changes: Vec<UndeployedChange>,
    /// Snapshot of the deployment, for connecting and sending; `None` if the stage serves nothing.
    served: Option<ServedView>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ServedView {
    route_selection_expression: String,
    routes: Vec<RouteView>,
    /// True if `$connect` has an authorizer, which may have no identity source.
    has_authorizer: bool,
    /// Identity sources of the authorizer of `$connect`.
    identity_source: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RouteView {
    key: RouteKey,
    /// Function that the route calls, with its qualifier.
    function: Option<String>,
    /// True if the client gets the function's answer.
    two_way: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DeploymentView {
    id: DeploymentId,
    description: Option<String>,
    /// Milliseconds since 1970.
    created_at: u64,
    /// Digest of the snapshot.
    digest: Option<String>,
    /// Commit of the project when the deployment was created; `None` if it is unknown.
    commit: Option<String>,
    /// The last verification in words.
    verification: Option<String>,
}

/// A change of a stage.
#[derive(Deserialize)]
#[serde(
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    tag = "action"
)]
pub(super) enum StageChange {
    /// Creates a deployment of what the account holds, activates it and verifies the stage. Without a project, it is not verified.
    Redeploy {
        api_id: ApiId,
        stage: StageName,
        /// Caller of the verification, besides the declared ones.
        caller: Option<CallerInput>,
    },
    /// Activates a deployment, newer or older.
    Activate {
        api_id: ApiId,
        stage: StageName,
        deployment_id: DeploymentId,
    },
}

/// A caller for whom a token is minted.
#[derive(Deserialize)]
pub(super) struct CallerInput {
    subject: String,
    place: TokenPlace,
}

/// Returns all APIs.
pub(super) async fn list(State(shared): State<Arc<Shared>>) -> Response {
    Json(view(&shared).await).into_response()
}

/// Changes a stage by the operations of API Gateway, and returns all APIs.
pub(super) async fn change(
    State(shared): State<Arc<Shared>>,
    Json(change): Json<StageChange>,
) -> Response {
    match apply(&shared, change).await {
        Ok(()) => Json(view(&shared).await).into_response(),
        Err(message) => error(StatusCode::BAD_REQUEST, &message),
    }
}

async fn apply(shared: &Shared, change: StageChange) -> Result<(), String> {
    let apis = &shared.account.apis;
    let changed = match change {
        StageChange::Redeploy {
            api_id,
            stage,
            caller,
        } => match shared.console.project.clone() {
            Some(project) => {
                let request = StageRedeploy {
                    api_id,
                    stage,
                    caller: token_of(shared, caller).await?,
                };
                let redeployed = tokio::task::spawn_blocking(move || project.redeploy(&request));
                return redeployed.await.map_err(|wrong| wrong.to_string())?;
            }
            None => {
                let input = DeploymentInput {
                    description: Some(DESCRIPTION.to_owned()),
                    stage_name: Some(stage),
                };
                apis.create_deployment(&api_id, None, input).map(|_| ())
            }
        },
        StageChange::Activate {
            api_id,
            stage,
            deployment_id,
        } => {
            let input = StageInput {
                deployment_id: Some(deployment_id),
                ..StageInput::default()
            };
            apis.update_stage(&api_id, stage.as_str(), input)
                .map(|_| ())
        }
    };
    changed.map_err(|wrong: ApiError| wrong.message)
}

/// Mints the token of a caller.
async fn token_of(
    shared: &Shared,
    caller: Option<CallerInput>,
) -> Result<Option<StageToken>, String> {
    let Some(CallerInput { subject, place }) = caller else {
        return Ok(None);
    };
    let request = TokenRequest {
        subject,
        ..TokenRequest::default()
    };
    let token = shared.mint(request).await;
    let token = token.map_err(|wrong| wrong.to_string())?;
    Ok(Some(StageToken { place, token }))
}

async fn view(shared: &Shared) -> ApiList {
    record_missing(shared).await;
    let apis = &shared.account.apis;
    ApiList {
        stack: shared.stack.name().await,
        audiences: shared.audiences().await,
        apis: apis
            .list_apis()
            .iter()
            .map(|api| api_view(shared, api))
            .collect(),
    }
}

fn api_view(shared: &Shared, api: &StoredApi) -> ApiView {
    let (apis, id) = (&*shared.account.apis, &api.api_id);
    let (project, history) = (shared.console.project.as_deref(), &shared.console.history);
    // An API that is deleted meanwhile has no stages.
    let stages = apis.list_stages(id).unwrap_or_default();
    let deployments = apis.list_deployments(id).unwrap_or_default();
    ApiView {
        api_id: id.clone(),
        name: api.name.clone(),
        protocol_type: api.protocol_type,
        stages: stages
            .iter()
            .map(|stage| stage_view(apis, api, stage))
            .collect(),
        deployments: deployments
            .iter()
            .map(|one| deployment_view(one, history.record(project, id, one)))
            .collect(),
    }
}

fn deployment_view(deployment: &StoredDeployment, record: DeploymentRecord) -> DeploymentView {
    DeploymentView {
        id: deployment.deployment_id.clone(),
        description: deployment.description.clone(),
        created_at: deployment.created_date.as_millis(),
        digest: record.digest,
        commit: record.commit,
        verification: record.verification,
    }
}

fn stage_view(apis: &Apis, api: &StoredApi, stage: &StoredStage) -> StageView {
    let name = stage.stage_name.as_str();
    let served = apis.served(&api.api_id, name);
    let snapshot = served
        .as_deref()
        .and_then(|served| served.snapshot.as_deref());
    StageView {
        name: stage.stage_name.clone(),
        url: api.stage_url(&stage.stage_name),
        deployment_id: stage.deployment_id.clone(),
        auto_deploy: stage.auto_deploy,
        changes: apis
            .undeployed_changes(&api.api_id, name)
            .unwrap_or_default(),
        served: snapshot.map(served_view),
    }
}

fn served_view(snapshot: &Snapshot) -> ServedView {
    let connect = snapshot.route(RouteKey::CONNECT);
    let authorizer = connect.and_then(|route| snapshot.authorizer(route));
    let routes: BTreeMap<_, _> = snapshot.routes.iter().collect();
    let routes = routes.into_iter().map(|(key, route)| {
        let integration = snapshot.integration(route);
        let uri = integration.and_then(|it| it.integration_uri.as_deref());
        RouteView {
            key: key.clone(),
            function: uri
                .and_then(FunctionArn::from_uri)
                .map(|function| function.qualified_name()),
            two_way: snapshot.is_two_way(route),
        }
    });
    ServedView {
        route_selection_expression: snapshot.api.route_selection_expression.clone(),
        routes: routes.collect(),
        has_authorizer: authorizer.is_some(),
        identity_source: authorizer.map_or_else(Vec::new, |it| it.identity_source.clone()),
    }
}
