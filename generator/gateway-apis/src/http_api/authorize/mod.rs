//! Authorization of requests.

mod identity;
mod jwt;
mod keys;
mod lambda;

use serde_json::{Map, Value, json};
use stackgen_gateway_common::sigv4;

pub(super) use self::keys::Keys;
pub(super) use self::lambda::Results;
use super::Exchange;
use super::payload::Of;
use super::refusal::Refusal;
use super::route::Matched;
use crate::apis::{Authorizer, Route};

/// Result of an authorization that succeeded.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Authorized {
    /// The route needs no authorization.
    #[default]
    Anybody,
    /// A JWT was verified.
    Jwt {
        /// Claims, as text.
        claims: Map<String, Value>,
        /// Scopes; `None` if the route requires none.
        scopes: Option<Vec<String>>,
    },
    /// A Lambda authorizer allowed the request.
    Lambda {
        principal: Option<String>,
        context: Option<Map<String, Value>>,
    },
    /// The request was signed.
    Iam {
        access_key: String,
        account: String,
        user_arn: String,
    },
}

impl Authorized {
    /// Returns `requestContext.authorizer` in format 2.0.
    pub(super) fn v2(&self) -> Option<Value> {
        Some(match self {
            Authorized::Anybody => return None,
            Authorized::Jwt { claims, scopes } => {
                json!({"jwt": {"claims": claims, "scopes": scopes}})
            }
            Authorized::Lambda { context, .. } => json!({"lambda": context}),
            Authorized::Iam {
                access_key,
                account,
                user_arn,
            } => json!({"iam": {
                "accessKey": access_key,
                "accountId": account,
                "callerId": access_key,
                "cognitoIdentity": null,
                "principalOrgId": null,
                "userArn": user_arn,
                "userId": access_key,
            }}),
        })
    }

    /// Returns `requestContext.authorizer` in format 1.0.
    pub(super) fn v1(&self) -> Value {
        match self {
            Authorized::Anybody | Authorized::Iam { .. } => json!({"claims": null, "scopes": null}),
            Authorized::Jwt { claims, scopes } => json!({"claims": claims, "scopes": scopes}),
            Authorized::Lambda { principal, context } => {
                let mut all = context.clone().unwrap_or_default();
                all.insert("principalId".to_owned(), json!(principal));
                all.into()
            }
        }
    }

    /// Returns the value of `$context.authorizer.{name}`.
    pub(super) fn variable(&self, name: &str) -> Option<String> {
        let value = match self {
            Authorized::Jwt { claims, .. } => claims.get(name.strip_prefix("claims.")?)?,
            Authorized::Lambda { principal, .. } if name == "principalId" => {
                return principal.clone();
            }
            Authorized::Lambda { context, .. } => context.as_ref()?.get(name)?,
            Authorized::Anybody | Authorized::Iam { .. } => return None,
        };
        match value {
            Value::String(text) => Some(text.clone()),
            Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
            _ => None,
        }
    }
}

impl Exchange<'_> {
    /// Authorizes the request by the route's authorization type.
    pub(super) async fn authorize(&self, matched: &Matched) -> Result<Authorized, Refusal> {
        let route = &matched.route;
        match route.authorization_type.as_str() {
            "NONE" => Ok(Authorized::Anybody),
            "AWS_IAM" => self.iam(matched),
            "JWT" => {
                let authorizer = self.authorizer(route)?;
                self.jwt(authorizer, &route.authorization_scopes).await
            }
            "CUSTOM" => {
                let authorizer = self.authorizer(route)?;
                self.lambda(authorizer, matched).await
            }
            other => Err(Refusal::internal(format!(
                "authorization type {other} is unknown"
            ))),
        }
    }

    fn authorizer(&self, route: &Route) -> Result<&Authorizer, Refusal> {
        let authorizer = self.snapshot.authorizer(route);
        let missing = || Refusal::internal("the route's authorizer is not in the deployment");
        Ok(authorizer.ok_or_else(missing)?)
    }

    /// Checks the caller's permission as row A14 does for `$connect`. Signatures are not verified.
    fn iam(&self, matched: &Matched) -> Result<Authorized, Refusal> {
        let authorization = self.request.header("authorization");
        let caller = sigv4::caller(authorization.as_deref(), &self.request.query);
        let Some(caller) = caller else {
            return Err(Refusal::forbidden("the request is not signed"));
        };
        let of = Of {
            exchange: self,
            matched,
        };
        let (action, resource) = ("execute-api:Invoke", of.route_arn());
        if !self
            .api
            .grants
            .allows(&caller.access_key, action, &resource)
        {
            return Err(Refusal::forbidden(format!(
                "the caller's role does not allow {action} on {resource}"
            )));
        }
        let place = &self.api.plane.settings.place;
        Ok(Authorized::Iam {
            access_key: caller.access_key,
            account: place.account.clone(),
            user_arn: format!("arn:{}:iam::{}:root", place.partition, place.account),
        })
    }
}
