//! Private routes for the command line, under `/_stackgen/` of the control endpoint: apply a template, read the state,
//! mint tokens, follow events, look up failures. The token issuer is there, too; any process on this machine and the
//! stack's web page may use it.
//!
//! All routes except the issuer's require the gateway's key in a header. No web page can send that header without a
//! preflight request, and no other process knows the key. The console's page has a cookie in place of the key, for the
//! routes that it needs. The control endpoint itself checks that the Host is loopback's.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, State as Shares};
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::StatusCode;
use serde_json::json;
use stackgen_gateway_common::FailureRecord;
use stackgen_gateway_stack::{StackTemplate, UserPool};

use super::access::{with_key, with_key_or_cookie};
use super::answer::error;
use super::requests::{FailureLookup, KeyRotation, ScheduleRun, TokenRequest};
use super::{GatewayState, Shared, console, event_stream};
use crate::control::ISSUER_PATH;
use crate::identity::{IssuerError, KeyRetirement, SignIn, Token, TokenUse};

/// Maximum size of a template with its file names, in bytes.
const MAX_TEMPLATE_BYTES: usize = 16 * 1024 * 1024;

pub(super) fn routes(shared: Arc<Shared>) -> Router {
    let private = Router::new()
        .route("/_stackgen/apply", post(apply))
        .route("/_stackgen/failures", post(failures))
        .route("/_stackgen/keys", post(rotate))
        .route("/_stackgen/schedules", post(run_schedule))
        .route("/_stackgen/state", get(state))
        .layer(DefaultBodyLimit::max(MAX_TEMPLATE_BYTES))
        .layer(middleware::from_fn_with_state(shared.clone(), with_key))
        .with_state(shared.clone());
    let of_console = Router::new()
        .route("/_stackgen/events", get(event_stream::events))
        .route("/_stackgen/tokens", post(mint))
        .layer(middleware::from_fn_with_state(
            shared.clone(),
            with_key_or_cookie,
        ))
        .with_state(shared.clone());
    Router::new()
        .nest(
            ISSUER_PATH,
            SignIn::routes(shared.issuer.clone(), shared.clone()),
        )
        .merge(private)
        .merge(of_console)
        .merge(console::routes(&shared))
}

async fn apply(
    Shares(shared): Shares<Arc<Shared>>,
    Json(template): Json<StackTemplate>,
) -> Response {
    // A separate task, so that a client that disconnects does not leave a stack half applied.
    let applied = tokio::spawn(async move { shared.stack.apply(template).await });
    let applied = match applied.await {
        Ok(applied) => applied,
        Err(wrong) => return error(StatusCode::INTERNAL_SERVER_ERROR, &wrong.to_string()),
    };
    match applied {
        Ok(applied) => Json(applied).into_response(),
        Err(problems) => {
            let body = Json(json!({ "problems": problems }));
            (StatusCode::UNPROCESSABLE_ENTITY, body).into_response()
        }
    }
}

async fn state(Shares(shared): Shares<Arc<Shared>>) -> Json<GatewayState> {
    Json(shared.state().await)
}

async fn mint(Shares(shared): Shares<Arc<Shared>>, Json(input): Json<TokenRequest>) -> Response {
    match shared.mint(input).await {
        Ok(token) => Json(json!({ "token": token })).into_response(),
        Err(wrong) => error(StatusCode::INTERNAL_SERVER_ERROR, &wrong.to_string()),
    }
}

async fn rotate(Shares(shared): Shares<Arc<Shared>>, Json(input): Json<KeyRotation>) -> Response {
    let retire = match input.at_once {
        true => KeyRetirement::Immediately,
        false => KeyRetirement::default(),
    };
    match shared.issuer.rotate(retire).await {
        Ok(id) => Json(json!({ "keyId": id })).into_response(),
        Err(wrong) => error(StatusCode::INTERNAL_SERVER_ERROR, &wrong.to_string()),
    }
}

/// Runs a schedule now.
async fn run_schedule(
    Shares(shared): Shares<Arc<Shared>>,
    Json(input): Json<ScheduleRun>,
) -> Response {
    let name = &input.name;
    match shared.schedules.run_now(name) || shared.triggers.run_now(name) {
        true => Json(json!({})).into_response(),
        false => error(
            StatusCode::NOT_FOUND,
            &format!("there is no schedule {name}"),
        ),
    }
}

/// Returns the failures of a request or a connection.
async fn failures(
    Shares(shared): Shares<Arc<Shared>>,
    Json(input): Json<FailureLookup>,
) -> Json<Vec<FailureRecord>> {
    Json(shared.plane.failures.find(&input.id))
}

impl Shared {
    /// Mints a token, by default for an audience that the stack accepts.
    pub(super) async fn mint(&self, input: TokenRequest) -> Result<String, IssuerError> {
        let known = self.declared_audiences();
        // Only authorizers in functions know the issuer of a user pool; that of JWT authorizers is replaced by the local one.
        let pool = match known.is_empty() {
            true => self.only_user_pool().await,
            false => None,
        };
        let client = pool.as_ref().and_then(|pool| pool.clients.first().cloned());
        let audience = input.audience.or(client).or(known.into_iter().next());
        let mut token = Token::new(input.subject, audience.unwrap_or_default());
        if let Some(pool) = pool {
            token.claims.insert("iss".to_owned(), pool.issuer.into());
        }
        if input.access {
            token.token_use = TokenUse::Access;
        }
        if let Some(seconds) = input.lifetime_seconds {
            token.lifetime = Duration::from_secs(seconds);
        }
        token.claims.extend(input.claims);
        self.issuer.mint(token).await
    }

    async fn identity_pools(&self) -> Vec<String> {
        let pools = self.stack.identity_pools().await;
        pools.into_iter().map(|pool| pool.id).collect()
    }

    /// Returns the user pool of the template, unless it has none or several.
    async fn only_user_pool(&self) -> Option<UserPool> {
        let mut pools = self.stack.user_pools().await;
        (pools.len() == 1).then(|| pools.remove(0))
    }

    /// Returns the audiences of tokens: those of JWT authorizers, and the functions' `JWT_AUDIENCE`.
    pub(super) fn declared_audiences(&self) -> Vec<String> {
        let apis = &self.account.apis;
        let authorizers = apis.list_apis().into_iter().flat_map(|api| {
            let authorizers = apis.list_authorizers(&api.api_id);
            authorizers.unwrap_or_default()
        });
        let mut audiences: Vec<String> = authorizers
            .filter_map(|authorizer| authorizer.jwt_configuration.clone())
            .flat_map(|configuration| configuration.audience)
            .collect();
        for function in self.account.functions.list() {
            let audience = function.configuration.environment.get("JWT_AUDIENCE");
            audiences.extend(audience.cloned());
        }
        let mut seen = std::collections::HashSet::new();
        audiences.retain(|audience| seen.insert(audience.clone()));
        audiences
    }

    /// Returns the audiences of tokens. Without declared ones they are the clients of the only user pool.
    pub(super) async fn audiences(&self) -> Vec<String> {
        let declared = self.declared_audiences();
        match declared.is_empty() {
            true => self
                .only_user_pool()
                .await
                .map_or(declared, |it| it.clients),
            false => declared,
        }
    }

    /// Returns the schedules, and the rules with a schedule.
    fn schedules_by_name(&self) -> Vec<super::ScheduleState> {
        let mut schedules = self.schedules.states();
        schedules.extend(self.triggers.schedules());
        schedules.sort_by(|a, b| a.name.cmp(&b.name));
        schedules
    }

    /// Returns the API keys that open connections to the stages of WebSocket APIs.
    fn api_keys(&self) -> Vec<super::UsableApiKey> {
        let apis = &self.account.apis;
        let mut usable = Vec::new();
        for api in apis.list_apis() {
            for stage in apis.list_stages(&api.api_id).unwrap_or_default() {
                let keys = apis.keys().of_stage(&api.api_id, stage.stage_name.as_str());
                usable.extend(keys.into_iter().map(|key| super::UsableApiKey {
                    value: key.generated.then_some(key.value),
                    name: key.name,
                    api: api.name.clone(),
                    stage: stage.stage_name.clone(),
                }));
            }
        }
        usable
    }

    pub(super) async fn state(&self) -> GatewayState {
        let (apis, scope) = (&self.account.apis, &self.account.scope);
        let apis = apis.list_apis().into_iter().map(|api| {
            let stages = apis.list_stages(&api.api_id).unwrap_or_default();
            let stages = stages.iter().map(|stage| super::StageEndpoint {
                name: stage.stage_name.clone(),
                url: api.stage_url(&stage.stage_name),
                deployment_id: stage.deployment_id.clone(),
            });
            super::ApiEndpoint {
                api_id: api.api_id.clone(),
                name: api.name.clone(),
                protocol_type: api.protocol_type,
                stages: stages.collect(),
                endpoint: api.api_endpoint.clone().unwrap_or_default(),
            }
        });
        GatewayState {
            apis: apis.collect(),
            identity_pools: self.identity_pools().await,
            schedules: self.schedules_by_name(),
            api_keys: self.api_keys(),
            stack: self.stack.name().await,
            endpoint: self.endpoint.clone(),
            issuer: self.issuer.url().to_owned(),
            page: self.page.url(),
            audiences: self.audiences().await,
            certificate: self.tls.certificate().to_owned(),
            dynamodb: self.tables.endpoint(),
            services: self.others.url().map(ToString::to_string),
            aws: self.others.account(),
            partition: scope.partition.clone(),
            region: scope.region.clone(),
            account: scope.account.clone(),
        }
    }
}
