//! Lambda authorizers: identity sources, both formats, simple responses and policies, cached results.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Map, Value};
use stackgen_gateway_common::invoke::{Invocation, InvocationCaller, InvocationOutcome};
use stackgen_gateway_common::{FunctionArn, PolicyStatement, RoleStore};

use super::super::Exchange;
use super::super::authorization::RequestAuthorization;
use super::super::events::EventBuilder;
use super::super::integration::from_invoke_error;
use super::super::refusal::HttpRefusal;
use super::super::response::PayloadVersion;
use super::super::route::RouteMatch;
use crate::apis::{StoredAuthorizer, substitute_variables};

/// Time that an authorizer has to answer.
const AUTHORIZER_TIMEOUT: Duration = Duration::from_secs(10);

/// Maximum number of cached results. Without room, results are not cached.
const MAX_RESULTS: usize = 10_000;

/// Cached results of authorizers, with their expiry.
#[derive(Default)]
pub(in super::super) struct AuthorizerCache(Mutex<HashMap<CacheKey, (Instant, Value)>>);

/// Cache key: the stage with the authorizer's ID and URI, and the values of the identity sources.
type CacheKey = (String, Vec<String>);

impl AuthorizerCache {
    fn get(&self, key: &CacheKey) -> Option<Value> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (until, result) = all.get(key)?;
        (*until > Instant::now()).then(|| result.clone())
    }

    fn put(&self, key: CacheKey, time: Duration, result: Value) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if all.len() >= MAX_RESULTS {
            all.retain(|_, (until, _)| *until > now);
        }
        if all.len() < MAX_RESULTS {
            all.insert(key, (now + time, result));
        }
    }
}

impl Exchange<'_> {
    /// Calls the authorizer's function, unless a cached result is valid.
    pub(super) async fn authorize_with_lambda(
        &self,
        authorizer: &StoredAuthorizer,
        matched: &RouteMatch,
    ) -> Result<RequestAuthorization, HttpRefusal> {
        let mut identity = Vec::new();
        for source in &authorizer.identity_source {
            let Some(value) = self.identity_value(source, Some(matched)) else {
                let reason = format!("identity source {source} is missing or empty");
                return Err(HttpRefusal::unauthorized(reason));
            };
            identity.push(value);
        }
        let time = authorizer.authorizer_result_ttl_in_seconds.unwrap_or(0);
        let cached = (time > 0 && !identity.is_empty()).then(|| {
            let uri = authorizer.authorizer_uri.clone().unwrap_or_default();
            // The URI may contain stage variables, so two stages may call different functions.
            let stage = &self.served.stage.stage_name;
            let id = format!("{stage} {} {uri}", authorizer.authorizer_id);
            (id, identity.clone())
        });
        if let Some(result) = cached.as_ref().and_then(|key| self.api.results.get(key)) {
            return self.evaluate(authorizer, matched, &result);
        }
        let result = self.call_authorizer(authorizer, matched, &identity).await?;
        let evaluated = self.evaluate(authorizer, matched, &result);
        // A malformed result is not cached.
        let is_valid = evaluated
            .as_ref()
            .err()
            .is_none_or(|refusal| refusal.status != 500);
        if let Some(key) = cached.filter(|_| is_valid) {
            let time = Duration::from_secs(time);
            self.api.results.put(key, time, result);
        }
        evaluated
    }

    async fn call_authorizer(
        &self,
        authorizer: &StoredAuthorizer,
        matched: &RouteMatch,
        identity: &[String],
    ) -> Result<Value, HttpRefusal> {
        let uri = authorizer.authorizer_uri.as_deref().unwrap_or_default();
        let uri = substitute_variables(uri, &self.served.stage.stage_variables);
        let function = FunctionArn::from_uri(&uri);
        let function = function.ok_or_else(|| unusable("its URI does not name a function"))?;
        let builder = EventBuilder {
            exchange: self,
            matched,
        };
        let version = authorizer.authorizer_payload_format_version.as_deref();
        let event = match PayloadVersion::parse(version) {
            PayloadVersion::V1 => builder.authorizer_v1(identity),
            PayloadVersion::V2 => builder.authorizer_v2(identity),
        };
        let invocation = Invocation {
            function,
            payload: Value::Object(event).to_string().into(),
            caller: match &authorizer.authorizer_credentials_arn {
                Some(role) => InvocationCaller::Role(role.clone()),
                None => InvocationCaller::ApiGateway {
                    source_arn: self.authorizer_arn(authorizer),
                },
            },
            trace_id: self.request.trace_id.clone(),
            log: None,
        };
        let outcome = self.api.plane.functions.invoke(invocation);
        let outcome = tokio::time::timeout(AUTHORIZER_TIMEOUT, outcome).await;
        let outcome = outcome.map_err(|_| unusable("it took over 10 s"))?;
        let outcome = outcome.map_err(|error| from_invoke_error(error).by_authorizer())?;
        if outcome.failed {
            return Err(failed(&outcome));
        }
        serde_json::from_slice(&outcome.payload).map_err(|_| unusable("it did not return JSON"))
    }

    /// Returns the source ARN of the call (row A16).
    fn authorizer_arn(&self, authorizer: &StoredAuthorizer) -> String {
        let scope = &self.api.plane.settings.scope;
        let (api, id) = (&self.api.api, &authorizer.authorizer_id);
        scope.execute_api(format_args!("{api}/authorizers/{id}"))
    }

    fn evaluate(
        &self,
        authorizer: &StoredAuthorizer,
        matched: &RouteMatch,
        result: &Value,
    ) -> Result<RequestAuthorization, HttpRefusal> {
        let context = context(result)?;
        if authorizer.enable_simple_responses == Some(true) {
            return match result.get("isAuthorized") {
                Some(Value::Bool(true)) => Ok(RequestAuthorization::Lambda {
                    principal: None,
                    context,
                }),
                Some(Value::Bool(false)) => Err(HttpRefusal::forbidden(
                    "the authorizer returned isAuthorized false",
                )),
                _ => Err(unusable(
                    "it returned no isAuthorized, which simple responses need",
                )),
            };
        }
        let principal = result.get("principalId").and_then(Value::as_str);
        let statements = result
            .get("policyDocument")
            .map(PolicyStatement::parse_policy);
        let Some(Ok(statements)) = statements else {
            return Err(unusable("it returned no valid policyDocument"));
        };
        let policy = RoleStore::default();
        policy.declare("policy", statements);
        let arn = EventBuilder {
            exchange: self,
            matched,
        }
        .route_arn();
        if !policy.allows("policy", "execute-api:Invoke", &arn) {
            let reason =
                format!("the authorizer's policy does not allow execute-api:Invoke on {arn}");
            return Err(HttpRefusal::forbidden(reason));
        }
        Ok(RequestAuthorization::Lambda {
            principal: principal.map(str::to_owned),
            context,
        })
    }
}

fn context(result: &Value) -> Result<Option<Map<String, Value>>, HttpRefusal> {
    match result.get("context") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(context)) => Ok(Some(context.clone())),
        Some(_) => Err(unusable("its context is not an object")),
    }
}

fn unusable(problem: &str) -> HttpRefusal {
    HttpRefusal::internal(format!("the authorizer cannot be used: {problem}")).by_authorizer()
}

/// Maps the error of a failed authorizer: exactly `Unauthorized` becomes 401 (row A6), all others 500.
fn failed(outcome: &InvocationOutcome) -> HttpRefusal {
    let error: Option<Value> = serde_json::from_slice(&outcome.payload).ok();
    let message = error
        .as_ref()
        .and_then(|error| error["errorMessage"].as_str());
    match message {
        Some("Unauthorized") => {
            HttpRefusal::unauthorized("the authorizer failed with Unauthorized")
        }
        _ => unusable("the function failed"),
    }
}
