//! Identities of Cognito's identity pools: `GetId` and `GetCredentialsForIdentity` for the pools of the stack. The credentials
//! sign handshakes and requests, with the role that the pool gives. All other calls are those of a service that does not run
//! here.

mod issued;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

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

pub(crate) use issued::IdentityGrant;
use issued::{IssuedCredentials, LIFETIME, NewestEntries, new_access_key};

/// Maximum size of a request in bytes: identifiers and tokens.
const MAX_BODY: usize = 256 * 1024;

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
    identities: NewestEntries<Identity>,
    /// Credentials by access key.
    credentials: NewestEntries<IssuedCredentials>,
}

#[derive(Clone, Debug)]
struct Identity {
    pool: String,
    /// Login; `None` for an identity without a login.
    login: Option<Login>,
}

/// Login of a user at a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Login {
    provider: String,
    subject: String,
}

/// Parameters of both operations.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Parameters {
    identity_pool_id: String,
    identity_id: String,
    logins: BTreeMap<String, String>,
}

/// Exception of a caller without a valid login.
const NOT_AUTHORIZED: &str = "NotAuthorizedException";

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

    /// Returns the caller whose credentials have this access key, unless they have expired.
    pub(crate) fn caller(&self, access_key: &str) -> Option<FederatedCaller> {
        let issued = self.issued();
        issued.credentials.caller(access_key, EpochMillis::now())
    }

    /// Returns the permissions of an access key; `None` if no identity pool issued it.
    pub(crate) fn grant(&self, access_key: &str) -> Option<IdentityGrant> {
        let issued = self.issued();
        issued.credentials.grant(access_key, EpochMillis::now())
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
            Some("GetCredentialsForIdentity") => self.credentials(&parameters),
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

    /// Returns the identity of a login, or a new one without a login.
    fn identify(
        &self,
        pool: &IdentityPool,
        logins: &BTreeMap<String, String>,
    ) -> Result<Json, IdentityError> {
        let logins = logins_of(pool, logins)?;
        if logins.is_empty() && !pool.allows_unauthenticated {
            return Err(unauthenticated());
        }
        let issued = &mut *self.issued();
        let known = logins.iter().find_map(|login| issued.find(pool, login));
        let id = known.unwrap_or_else(|| {
            let login = logins.into_iter().next();
            let id = format!(
                "{}:{}",
                self.scope.region,
                identity_name(pool, login.as_ref())
            );
            let pool = pool.id.clone();
            issued
                .identities
                .insert(id.clone(), Identity { pool, login });
            id
        });
        Ok(json!({ "IdentityId": id }))
    }

    /// Returns credentials for an identity; `None` if no pool of the stack has it.
    fn credentials(&self, parameters: &Parameters) -> Option<Result<Json, IdentityError>> {
        // The lock is held until the login is written: of two first logins only one becomes that of the identity.
        let issued = &mut *self.issued();
        let identity = issued.identities.get(&parameters.identity_id)?.clone();
        let pool = self.pool(&identity.pool)?;
        Some(self.issue(issued, &pool, identity, parameters))
    }

    /// Issues credentials with the role that the pool gives to an identity. The first login of an identity without one becomes
    /// its login; if the login has an identity already, the credentials are for that one.
    fn issue(
        &self,
        issued: &mut Issued,
        pool: &IdentityPool,
        identity: Identity,
        parameters: &Parameters,
    ) -> Result<Json, IdentityError> {
        let logins = logins_of(pool, &parameters.logins)?;
        let login = match identity.login {
            Some(login) if logins.contains(&login) => Some(login),
            Some(_) => return Err(other_login()),
            None => logins.into_iter().next(),
        };
        let role = match &login {
            Some(_) => &pool.authenticated_role,
            None if !pool.allows_unauthenticated => return Err(unauthenticated()),
            None => &pool.unauthenticated_role,
        };
        let role = role.clone().ok_or_else(no_role)?;
        let known = login.as_ref().and_then(|login| issued.find(pool, login));
        let id = known.unwrap_or_else(|| parameters.identity_id.clone());
        if let Some(identity) = issued.identities.get_mut(&id) {
            identity.login = login.clone();
        }
        let caller = self.caller_of(pool, &id, login.as_ref(), &role);
        let access_key = caller.access_key.clone();
        let expires = EpochMillis::now().after(LIFETIME);
        let credentials = IssuedCredentials {
            caller,
            role,
            expires,
        };
        issued.credentials.insert(access_key.clone(), credentials);
        Ok(json!({
            "IdentityId": id,
            "Credentials": {
                "AccessKeyId": access_key,
                "SecretKey": uuid() + &uuid(),
                "SessionToken": uuid(),
                "Expiration": expires.as_millis() / 1000,
            },
        }))
    }

    /// Returns the caller of new credentials.
    fn caller_of(
        &self,
        pool: &IdentityPool,
        id: &str,
        login: Option<&Login>,
        role: &str,
    ) -> FederatedCaller {
        let ArnScope {
            partition, account, ..
        } = &self.scope;
        let name = role.rsplit('/').next().unwrap_or(role);
        let session = format!("AROA{account}:CognitoIdentityCredentials");
        FederatedCaller {
            cognito_identity_pool_id: pool.id.clone(),
            cognito_identity_id: id.to_owned(),
            cognito_authentication_type: match login {
                Some(_) => "authenticated",
                None => "unauthenticated",
            },
            cognito_authentication_provider: login.map(Login::authentication_provider),
            account_id: account.clone(),
            access_key: new_access_key(),
            caller: session.clone(),
            user: session,
            user_arn: format!(
                "arn:{partition}:sts::{account}:assumed-role/{name}/CognitoIdentityCredentials"
            ),
        }
    }
}

impl Issued {
    /// Returns the ID of the identity with this login.
    fn find(&self, pool: &IdentityPool, login: &Login) -> Option<String> {
        let mut identities = self.identities.iter();
        let of_login = |one: &Identity| one.pool == pool.id && one.login.as_ref() == Some(login);
        let (id, _) = identities.find(|(_, one)| of_login(one))?;
        Some(id.clone())
    }
}

impl Login {
    /// Returns the value of `cognitoAuthenticationProvider`: for a user pool `{pool},{pool}:CognitoSignIn:{subject}`.
    fn authentication_provider(&self) -> String {
        let Login { provider, subject } = self;
        match provider.starts_with("cognito-idp.") {
            true => format!("{provider},{provider}:CognitoSignIn:{subject}"),
            false => provider.clone(),
        }
    }
}

/// Returns the logins of a request, whose providers must be those of the pool.
fn logins_of(
    pool: &IdentityPool,
    logins: &BTreeMap<String, String>,
) -> Result<Vec<Login>, IdentityError> {
    let logins = logins.iter().map(|(provider, token)| {
        if !pool.accepts(provider) {
            let message = "Token is not from a supported provider of this identity pool.";
            return Err((NOT_AUTHORIZED, message.to_owned()));
        }
        Ok(Login {
            provider: provider.clone(),
            subject: subject(token),
        })
    });
    logins.collect()
}

/// Returns the last part of a new identity's ID. A login gets the same one after a restart.
fn identity_name(pool: &IdentityPool, login: Option<&Login>) -> String {
    let Some(Login { provider, subject }) = login else {
        return uuid();
    };
    let digest = Sha256::digest(format!("{}/{provider}/{subject}", pool.id));
    uuid_of_digest(&digest)
}

fn other_login() -> IdentityError {
    let message = "Logins don't match. Please include at least one valid login for this identity or identity pool.";
    (NOT_AUTHORIZED, message.to_owned())
}

fn no_role() -> IdentityError {
    let message = "Invalid identity pool configuration. Check assigned IAM roles for this pool.";
    (
        "InvalidIdentityPoolConfigurationException",
        message.to_owned(),
    )
}

fn unauthenticated() -> IdentityError {
    let message = "Unauthenticated access is not supported for this identity pool.";
    (NOT_AUTHORIZED, message.to_owned())
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

    const GUEST: &str = "arn:aws:iam::000000000000:role/guest";
    const MEMBER: &str = "arn:aws:iam::000000000000:role/member";
    const POOL: &str = "cognito-idp.us-east-1.amazonaws.com/us-east-1_a";
    /// Token with `{"sub":"ada"}`.
    const ADA: &str = "h.eyJzdWIiOiJhZGEifQ.s";
    /// Token with `{"sub":"bob"}`.
    const BOB: &str = "h.eyJzdWIiOiJib2IifQ.s";

    fn identities(
        allows_unauthenticated: bool,
        authenticated_role: Option<&str>,
    ) -> (Identities, IdentityPool) {
        let pool = IdentityPool {
            id: "us-east-1:pool".to_owned(),
            allows_unauthenticated,
            unauthenticated_role: Some(GUEST.to_owned()),
            authenticated_role: authenticated_role.map(str::to_owned),
            providers: Some(vec![POOL.to_owned(), "accounts.google.com".to_owned()]),
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
        let parameters = Parameters {
            identity_id: id.to_owned(),
            logins: login(logins),
            ..Parameters::default()
        };
        identities.credentials(&parameters).expect("an identity")
    }

    fn login(logins: &[(&str, &str)]) -> BTreeMap<String, String> {
        let logins = logins.iter();
        logins
            .map(|(name, token)| ((*name).to_owned(), (*token).to_owned()))
            .collect()
    }

    fn identity(
        identities: &Identities,
        pool: &IdentityPool,
        logins: &[(&str, &str)],
    ) -> Result<String, IdentityError> {
        let answer = identities.identify(pool, &login(logins))?;
        Ok(answer["IdentityId"].as_str().expect("an ID").to_owned())
    }

    fn key(answer: &Json) -> &str {
        answer["Credentials"]["AccessKeyId"]
            .as_str()
            .expect("a key")
    }

    #[test]
    fn credentials_of_a_guest_have_the_role_of_guests_and_describe_the_identity() {
        let (identities, pool) = identities(true, None);
        let id = identity(&identities, &pool, &[]).unwrap();
        let answer = credentials(&identities, &id, &[]).unwrap();
        let key = key(&answer);
        let role = IdentityGrant::Role(GUEST.to_owned());
        assert_eq!(identities.grant(key), Some(role));
        let caller = identities.caller(key).unwrap();
        assert_eq!(
            (
                caller.cognito_identity_id,
                caller.cognito_authentication_type,
                caller.cognito_authentication_provider
            ),
            (id, "unauthenticated", None)
        );
        assert_eq!(
            caller.user_arn,
            "arn:aws:sts::000000000000:assumed-role/guest/CognitoIdentityCredentials"
        );
        assert_eq!(identities.grant("ASIAOTHER"), None);
    }

    #[test]
    fn expired_credentials_have_no_role_and_no_caller() {
        let (identities, pool) = identities(true, None);
        let id = identity(&identities, &pool, &[]).unwrap();
        let answer = credentials(&identities, &id, &[]).unwrap();
        let key = key(&answer);
        let later = EpochMillis::now().after(LIFETIME);
        let issued = identities.issued();
        let grant = issued.credentials.grant(key, later);
        assert_eq!(grant, Some(IdentityGrant::Expired));
        assert_eq!(issued.credentials.caller(key, later), None);
    }

    #[test]
    fn a_login_has_one_identity_and_needs_a_role_and_a_token() {
        let (identities, pool) = identities(false, None);
        let first = identity(&identities, &pool, &[(POOL, ADA)]).unwrap();
        assert_eq!(
            Ok(first.clone()),
            identity(&identities, &pool, &[(POOL, ADA)])
        );
        assert_ne!(
            Ok(first.clone()),
            identity(&identities, &pool, &[(POOL, BOB)])
        );
        let without = identity(&identities, &pool, &[]).unwrap_err();
        assert_eq!(without.0, NOT_AUTHORIZED);
        let code = |logins: &[_]| credentials(&identities, &first, logins).unwrap_err().0;
        assert_eq!(code(&[]), NOT_AUTHORIZED);
        assert_eq!(
            code(&[(POOL, ADA)]),
            "InvalidIdentityPoolConfigurationException"
        );
    }

    #[test]
    fn only_the_login_of_an_identity_gets_its_credentials() {
        let (identities, pool) = identities(false, Some(MEMBER));
        let id = identity(&identities, &pool, &[(POOL, ADA)]).unwrap();
        let refused = |logins: &[_]| credentials(&identities, &id, logins).unwrap_err().1;
        insta::assert_snapshot!(refused(&[(POOL, BOB)]), @"Logins don't match. Please include at least one valid login for this identity or identity pool.");
        insta::assert_snapshot!(refused(&[("other", ADA)]), @"Token is not from a supported provider of this identity pool.");
        let both = [(POOL, ADA), ("accounts.google.com", "t")];
        let answer = credentials(&identities, &id, &both).unwrap();
        let role = IdentityGrant::Role(MEMBER.to_owned());
        assert_eq!(identities.grant(key(&answer)), Some(role));
        let caller = identities.caller(key(&answer)).unwrap();
        assert_eq!(caller.cognito_authentication_type, "authenticated");
        let provider = caller.cognito_authentication_provider.unwrap();
        insta::assert_snapshot!(provider, @"cognito-idp.us-east-1.amazonaws.com/us-east-1_a,cognito-idp.us-east-1.amazonaws.com/us-east-1_a:CognitoSignIn:ada");
    }

    #[test]
    fn a_login_that_gets_no_role_leaves_the_guest_a_guest() {
        let (identities, pool) = identities(true, None);
        let id = identity(&identities, &pool, &[]).unwrap();
        let refused = credentials(&identities, &id, &[(POOL, ADA)]).unwrap_err();
        assert_eq!(refused.0, "InvalidIdentityPoolConfigurationException");
        let answer = credentials(&identities, &id, &[]).unwrap();
        let role = IdentityGrant::Role(GUEST.to_owned());
        assert_eq!(identities.grant(key(&answer)), Some(role));
        let own = identity(&identities, &pool, &[(POOL, ADA)]).unwrap();
        assert_ne!(own, id);
    }

    #[test]
    fn of_two_first_logins_at_once_only_one_becomes_the_login_of_a_guest() {
        let (identities, pool) = identities(true, Some(MEMBER));
        for round in 0..500 {
            let id = identity(&identities, &pool, &[]).unwrap();
            let subjects = ["one", "two"].map(|name| format!("{name}-{round}"));
            let together = std::sync::Barrier::new(2);
            let (identities, id, together) = (&identities, &id, &together);
            let succeeded = std::thread::scope(|scope| {
                let logins = subjects.each_ref().map(|subject| {
                    scope.spawn(move || {
                        together.wait();
                        credentials(identities, id, &[(POOL, subject)]).is_ok()
                    })
                });
                logins.map(|login| login.join().expect("an answer"))
            });
            assert_ne!(succeeded[0], succeeded[1], "round {round}: {succeeded:?}");
        }
    }

    #[test]
    fn a_guest_who_logs_in_keeps_the_identity_unless_the_login_has_one() {
        let (identities, pool) = identities(true, Some(MEMBER));
        let [one, other] = [(); 2].map(|()| identity(&identities, &pool, &[]).unwrap());
        let answer = credentials(&identities, &one, &[(POOL, ADA)]).unwrap();
        assert_eq!(answer["IdentityId"], one.as_str());
        assert_eq!(
            identity(&identities, &pool, &[(POOL, ADA)]),
            Ok(one.clone())
        );
        let answer = credentials(&identities, &other, &[(POOL, ADA)]).unwrap();
        assert_eq!(answer["IdentityId"], one.as_str());
        let as_guest = credentials(&identities, &one, &[]).unwrap_err();
        assert_eq!(as_guest.0, NOT_AUTHORIZED);
    }
}
