//! Lambda authorizers: identity sources, both formats, simple responses and policies, cached results.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Map, Value};
use stackgen_gateway_common::invoke::{Caller, Invocation, Outcome};
use stackgen_gateway_common::{FunctionArn, Roles, Statement};

use super::super::Exchange;
use super::super::integration::unreached;
use super::super::payload::Of;
use super::super::refusal::Refusal;
use super::super::response::Version;
use super::super::route::Matched;
use super::Authorized;
use crate::apis::{Authorizer, with_variables};

/// Time that an authorizer has to answer.
const TIME: Duration = Duration::from_secs(10);

/// Maximum number of cached results. Without room, results are not cached.
const MOST: usize = 10_000;

/// Cached results of authorizers, with their expiry.
#[derive(Default)]
pub(in super::super) struct Results(Mutex<HashMap<Key, (Instant, Value)>>);

/// Cache key: the stage with the authorizer's ID and URI, and the values of the identity sources.
type Key = (String, Vec<String>);

impl Results {
    fn get(&self, key: &Key) -> Option<Value> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (until, result) = all.get(key)?;
        (*until > Instant::now()).then(|| result.clone())
    }

    fn put(&self, key: Key, time: Duration, result: Value) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if all.len() >= MOST {
            all.retain(|_, (until, _)| *until > now);
        }
        if all.len() < MOST {
            all.insert(key, (now + time, result));
        }
    }
}

impl Exchange<'_> {
    /// Calls the authorizer's function, unless a cached result is valid.
    pub(super) async fn lambda(
        &self,
        authorizer: &Authorizer,
        matched: &Matched,
    ) -> Result<Authorized, Refusal> {
        let mut identity = Vec::new();
        for source in &authorizer.identity_source {
            let Some(value) = self.identity(source, Some(matched)) else {
                let reason = format!("identity source {source} is missing or empty");
                return Err(Refusal::unauthorized(reason));
            };
            identity.push(value);
        }
        let time = authorizer.authorizer_result_ttl_in_seconds.unwrap_or(0);
        let kept = (time > 0 && !identity.is_empty()).then(|| {
            let uri = authorizer.authorizer_uri.clone().unwrap_or_default();
            // The URI may contain stage variables, so two stages may call different functions.
            let stage = &self.served.stage.stage_name;
            let id = format!("{stage} {} {uri}", authorizer.authorizer_id);
            (id, identity.clone())
        });
        if let Some(result) = kept.as_ref().and_then(|key| self.api.results.get(key)) {
            return self.judge(authorizer, matched, &result);
        }
        let result = self.ask(authorizer, matched, &identity).await?;
        let judged = self.judge(authorizer, matched, &result);
        // A malformed result is not cached.
        let understood = judged
            .as_ref()
            .err()
            .is_none_or(|refusal| refusal.status != 500);
        if let Some(key) = kept.filter(|_| understood) {
            let time = Duration::from_secs(time);
            self.api.results.put(key, time, result);
        }
        judged
    }

    async fn ask(
        &self,
        authorizer: &Authorizer,
        matched: &Matched,
        identity: &[String],
    ) -> Result<Value, Refusal> {
        let uri = authorizer.authorizer_uri.as_deref().unwrap_or_default();
        let uri = with_variables(uri, &self.served.stage.stage_variables);
        let function = FunctionArn::of_uri(&uri);
        let function = function.ok_or_else(|| fault("its URI does not name a function"))?;
        let of = Of {
            exchange: self,
            matched,
        };
        let version = authorizer.authorizer_payload_format_version.as_deref();
        let event = match Version::of(version) {
            Version::V1 => of.authorizer_v1(identity),
            Version::V2 => of.authorizer_v2(identity),
        };
        let invocation = Invocation {
            function,
            payload: Value::Object(event).to_string().into(),
            caller: match &authorizer.authorizer_credentials_arn {
                Some(role) => Caller::Role(role.clone()),
                None => Caller::ApiGateway {
                    source_arn: self.authorizer_arn(authorizer),
                },
            },
            trace_id: self.request.trace_id.clone(),
        };
        let outcome = self.api.plane.functions.invoke(invocation);
        let outcome = tokio::time::timeout(TIME, outcome).await;
        let outcome = outcome.map_err(|_| fault("it took over 10 s"))?;
        let outcome = outcome.map_err(|error| unreached(error).by_authorizer())?;
        if outcome.failed {
            return Err(failed(&outcome));
        }
        serde_json::from_slice(&outcome.payload).map_err(|_| fault("it did not return JSON"))
    }

    /// Returns the source ARN of the call (row A16).
    fn authorizer_arn(&self, authorizer: &Authorizer) -> String {
        let place = &self.api.plane.settings.place;
        let (api, id) = (&self.api.api, &authorizer.authorizer_id);
        place.execute_api(format_args!("{api}/authorizers/{id}"))
    }

    fn judge(
        &self,
        authorizer: &Authorizer,
        matched: &Matched,
        result: &Value,
    ) -> Result<Authorized, Refusal> {
        let context = context(result)?;
        if authorizer.enable_simple_responses == Some(true) {
            return match result.get("isAuthorized") {
                Some(Value::Bool(true)) => Ok(Authorized::Lambda {
                    principal: None,
                    context,
                }),
                Some(Value::Bool(false)) => Err(Refusal::forbidden(
                    "the authorizer returned isAuthorized false",
                )),
                _ => Err(fault(
                    "it returned no isAuthorized, which simple responses need",
                )),
            };
        }
        let principal = result.get("principalId").and_then(Value::as_str);
        let statements = result.get("policyDocument").map(Statement::of_policy);
        let Some(Ok(statements)) = statements else {
            return Err(fault("it returned no valid policyDocument"));
        };
        let policy = Roles::default();
        policy.declare("policy", statements);
        let arn = Of {
            exchange: self,
            matched,
        }
        .route_arn();
        if !policy.allows("policy", "execute-api:Invoke", &arn) {
            let reason =
                format!("the authorizer's policy does not allow execute-api:Invoke on {arn}");
            return Err(Refusal::forbidden(reason));
        }
        Ok(Authorized::Lambda {
            principal: principal.map(str::to_owned),
            context,
        })
    }
}

fn context(result: &Value) -> Result<Option<Map<String, Value>>, Refusal> {
    match result.get("context") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(context)) => Ok(Some(context.clone())),
        Some(_) => Err(fault("its context is not an object")),
    }
}

fn fault(problem: &str) -> Refusal {
    Refusal::internal(format!("the authorizer cannot be used: {problem}")).by_authorizer()
}

/// Maps the error of a failed authorizer: exactly `Unauthorized` becomes 401 (row A6), all others 500.
fn failed(outcome: &Outcome) -> Refusal {
    let error: Option<Value> = serde_json::from_slice(&outcome.payload).ok();
    let message = error
        .as_ref()
        .and_then(|error| error["errorMessage"].as_str());
    match message {
        Some("Unauthorized") => Refusal::unauthorized("the authorizer failed with Unauthorized"),
        _ => fault("the function failed"),
    }
}
