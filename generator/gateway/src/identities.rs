//! Identities of Cognito's identity pools: `GetId` and `GetCredentialsForIdentity` for the pools of the stack. The credentials
//! sign handshakes and requests, with the role that the pool gives. All other calls are those of a service that does not run
//! here.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Json as JsonBody;
use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};
use stackgen_gateway_common::{ArnScope, EpochMillis, FederatedCaller, body, uuid, uuid_of_digest};
use stackgen_gateway_stack::IdentityPool;

use crate::outbound::OtherServices;
use crate::outbound::actions::TARGET;
use crate::outbound::errors::WireProtocol;

/// Maximum size of a request in bytes: identifiers and tokens.
const MAX_BODY: usize = 256 * 1024;

/// Maximum number of identities, and of credentials, that are kept. The oldest ones are not missed on a laptop.
const MAX_KEPT: usize = 10_000;

/// Lifetime of credentials, as in Cognito.
const LIFETIME: Duration = Duration::from_secs(3600);

/// Identities and their credentials.
#[derive(Debug)]
pub(crate) struct Identities {
    scope: ArnScope,
    pools: Mutex<Vec<IdentityPool>>,
    issued: Mutex<Issued>,
}

#[derive(Debug, Default)]
struct Issued {
    /// Identities by ID.
    identities: HashMap<String, Identity>,
    /// Callers and their roles by access key.
    callers: HashMap<String, (FederatedCaller, String)>,
}

#[derive(Clone, Debug)]
struct Identity {
    pool: String,
    /// Provider of the login; `None` for an identity without a login.
    provider: Option<String>,
}

/// Parameters of both operations.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Parameters {
    identity_pool_id: String,
    identity_id: String,
    logins: BTreeMap<String, String>,
}

/// Exception and its message.
type IdentityError = (&'static str, String);

impl Identities {
    pub(crate) fn new(scope: ArnScope) -> Self {
        Identities {
            scope,
            pools: Mutex::default(),
            issued: Mutex::default(),
        }
    }

    /// Sets the pools of the stack.
    pub(crate) fn set_pools(&self, pools: Vec<IdentityPool>) {
        *self.pools.lock().unwrap_or_else(PoisonError::into_inner) = pools;
    }

    /// Returns the caller whose credentials have this access key.
    pub(crate) fn caller(&self, access_key: &str) -> Option<FederatedCaller> {
        let (caller, _) = self.issued().callers.get(access_key)?.clone();
        Some(caller)
    }

    /// Returns the role of credentials.
    pub(crate) fn role_of(&self, access_key: &str) -> Option<String> {
        let (_, role) = self.issued().callers.get(access_key)?.clone();
        Some(role)
    }

    fn issued(&self) -> MutexGuard<'_, Issued> {
        self.issued.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers a request of a client of Cognito's identity pools.
    pub(crate) async fn answer(&self, others: &OtherServices, request: Request) -> Response {
        let (head, body) = request.into_parts();
        let protocol = WireProtocol::of("cognito-identity", &head);
        let Ok(body) = body::read_all(body, MAX_BODY).await else {
            return protocol.error(
                StatusCode::BAD_REQUEST,
                "InvalidParameterException",
                "The body is too large",
            );
        };
        let target = head
            .headers
            .get(TARGET)
            .and_then(|target| target.to_str().ok());
        let operation = target.and_then(|target| target.strip_prefix("AWSCognitoIdentityService."));
        let parameters: Parameters = serde_json::from_slice(&body).unwrap_or_default();
        let answer = match operation {
            Some("GetId") => self
                .pool(&parameters.identity_pool_id)
                .map(|pool| self.identify(&pool, &parameters.logins)),
            Some("GetCredentialsForIdentity") => self
                .known(&parameters.identity_id)
                .map(|(pool, identity)| self.credentials(&pool, &identity, &parameters)),
            _ => None,
        };
        match answer {
            Some(Ok(answer)) => JsonBody(answer).into_response(),
            Some(Err((code, message))) => protocol.error(StatusCode::BAD_REQUEST, code, &message),
            None => {
                others
                    .answer(
                        "cognito-identity",
                        Request::from_parts(head, Body::from(body)),
                    )
                    .await
            }
        }
    }

    fn pool(&self, id: &str) -> Option<IdentityPool> {
        let pools = self.pools.lock().unwrap_or_else(PoisonError::into_inner);
        pools.iter().find(|pool| pool.id == id).cloned()
    }

    fn known(&self, id: &str) -> Option<(IdentityPool, Identity)> {
        let identity = self.issued().identities.get(id)?.clone();
        Some((self.pool(&identity.pool)?, identity))
    }

    /// Returns the identity of a login, or a new one without a login.
    fn identify(
        &self,
        pool: &IdentityPool,
        logins: &BTreeMap<String, String>,
    ) -> Result<Json, IdentityError> {
        let login = logins.iter().next();
        if login.is_none() && !pool.allows_unauthenticated {
            return Err(unauthenticated());
        }
        let name = match login {
            Some((provider, token)) => {
                let digest = Sha256::digest(format!("{}/{provider}/{}", pool.id, subject(token)));
                uuid_of_digest(&digest)
            }
            None => uuid(),
        };
        let id = format!("{}:{name}", self.scope.region);
        let identity = Identity {
            pool: pool.id.clone(),
            provider: login.map(|(provider, _)| provider.clone()),
        };
        let identities = &mut self.issued().identities;
        if identities.len() >= MAX_KEPT {
            identities.clear();
        }
        identities.insert(id.clone(), identity);
        Ok(json!({ "IdentityId": id }))
    }

    /// Returns credentials with the role that the pool gives to an identity.
    fn credentials(
        &self,
        pool: &IdentityPool,
        identity: &Identity,
        parameters: &Parameters,
    ) -> Result<Json, IdentityError> {
        let provider = parameters.logins.keys().next().cloned();
        let (kind, role) = match &provider {
            Some(_) => ("authenticated", &pool.authenticated_role),
            None if identity.provider.is_some() => {
                let message = "Logins don't match. Please include at least one valid login for this identity or identity pool.";
                return Err(("NotAuthorizedException", message.to_owned()));
            }
            None if !pool.allows_unauthenticated => return Err(unauthenticated()),
            None => ("unauthenticated", &pool.unauthenticated_role),
        };
        let Some(role) = role.clone() else {
            let message =
                "Invalid identity pool configuration. Check assigned IAM roles for this pool.";
            return Err((
                "InvalidIdentityPoolConfigurationException",
                message.to_owned(),
            ));
        };
        let access_key = format!("ASIA{}", &uuid().replace('-', "").to_uppercase()[..16]);
        let name = role.rsplit('/').next().unwrap_or(&role);
        let session = format!("AROA{}:CognitoIdentityCredentials", self.scope.account);
        let caller = FederatedCaller {
            cognito_identity_pool_id: pool.id.clone(),
            cognito_identity_id: parameters.identity_id.clone(),
            cognito_authentication_type: kind,
            cognito_authentication_provider: provider,
            account_id: self.scope.account.clone(),
            access_key: access_key.clone(),
            caller: session.clone(),
            user: session,
            user_arn: format!(
                "arn:{}:sts::{}:assumed-role/{name}/CognitoIdentityCredentials",
                self.scope.partition, self.scope.account
            ),
        };
        let callers = &mut self.issued().callers;
        if callers.len() >= MAX_KEPT {
            callers.clear();
        }
        callers.insert(access_key.clone(), (caller, role));
        let expiration = EpochMillis::now().after(LIFETIME).as_millis() / 1000;
        Ok(json!({
            "IdentityId": parameters.identity_id,
            "Credentials": {
                "AccessKeyId": access_key,
                "SecretKey": uuid() + &uuid(),
                "SessionToken": uuid(),
                "Expiration": expiration,
            },
        }))
    }
}

fn unauthenticated() -> IdentityError {
    let message = "Unauthenticated access is not supported for this identity pool.";
    ("NotAuthorizedException", message.to_owned())
}

/// Returns the subject of a token, which nothing verifies here, or the whole token.
fn subject(token: &str) -> String {
    let payload = token.split('.').nth(1).unwrap_or_default();
    let payload = URL_SAFE_NO_PAD.decode(payload).unwrap_or_default();
    let claims: Json = serde_json::from_slice(&payload).unwrap_or_default();
    claims["sub"].as_str().unwrap_or(token).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identities(allows_unauthenticated: bool) -> (Identities, IdentityPool) {
        let pool = IdentityPool {
            id: "us-east-1:pool".to_owned(),
            allows_unauthenticated,
            unauthenticated_role: Some("arn:aws:iam::000000000000:role/guest".to_owned()),
            authenticated_role: None,
        };
        let identities = Identities::new(ArnScope::default());
        identities.set_pools(vec![pool.clone()]);
        (identities, pool)
    }

    fn credentials(
        identities: &Identities,
        id: &str,
        logins: &[(&str, &str)],
    ) -> Result<Json, IdentityError> {
        let (pool, identity) = identities.known(id).expect("an identity");
        let logins = logins
            .iter()
            .map(|(name, token)| ((*name).to_owned(), (*token).to_owned()));
        let parameters = Parameters {
            identity_id: id.to_owned(),
            logins: logins.collect(),
            ..Parameters::default()
        };
        identities.credentials(&pool, &identity, &parameters)
    }

    #[test]
    fn credentials_of_a_guest_have_the_role_of_guests_and_describe_the_identity() {
        let (identities, pool) = identities(true);
        let id = identities.identify(&pool, &BTreeMap::new()).unwrap();
        let id = id["IdentityId"].as_str().unwrap();
        let answer = credentials(&identities, id, &[]).unwrap();
        let key = answer["Credentials"]["AccessKeyId"].as_str().unwrap();
        assert_eq!(
            identities.role_of(key).as_deref(),
            Some("arn:aws:iam::000000000000:role/guest")
        );
        let caller = identities.caller(key).unwrap();
        assert_eq!(
            (
                caller.cognito_identity_id.as_str(),
                caller.cognito_authentication_type
            ),
            (id, "unauthenticated")
        );
        assert_eq!(
            caller.user_arn,
            "arn:aws:sts::000000000000:assumed-role/guest/CognitoIdentityCredentials"
        );
        assert_eq!(identities.role_of("ASIAOTHER"), None);
    }

    #[test]
    fn a_login_has_one_identity_and_needs_a_role_and_a_token() {
        let (identities, pool) = identities(false);
        // {"sub":"ada"}
        let login = |token: &str| BTreeMap::from([("provider".to_owned(), format!("h.{token}.s"))]);
        let first = identities
            .identify(&pool, &login("eyJzdWIiOiJhZGEifQ"))
            .unwrap();
        assert_eq!(
            first,
            identities
                .identify(&pool, &login("eyJzdWIiOiJhZGEifQ"))
                .unwrap()
        );
        let other = identities.identify(&pool, &login("e30")).unwrap();
        assert_ne!(first, other);
        let code = |result: Result<Json, IdentityError>| result.unwrap_err().0;
        assert_eq!(
            code(identities.identify(&pool, &BTreeMap::new())),
            "NotAuthorizedException"
        );
        let id = first["IdentityId"].as_str().unwrap();
        assert_eq!(
            code(credentials(&identities, id, &[])),
            "NotAuthorizedException"
        );
        assert_eq!(
            code(credentials(&identities, id, &[("provider", "t")])),
            "InvalidIdentityPoolConfigurationException"
        );
    }
}
