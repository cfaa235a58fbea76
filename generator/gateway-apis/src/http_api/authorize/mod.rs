//! Authorization of requests.

mod identity_source;
mod jwt;
mod keys;
mod lambda;

use serde_json::{Map, Value, json};
use stackgen_gateway_common::sigv4;

pub(super) use self::keys::IssuerKeys;
pub(super) use self::lambda::AuthorizerCache;
use super::Exchange;
use super::events::EventBuilder;
use super::refusal::HttpRefusal;
use super::route::RouteMatch;
use crate::apis::{StoredAuthorizer, StoredRoute};

/// Result of an authorization that succeeded.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum RequestAuthorization {
    /// The route needs no authorization.
    #[default]
    Open,
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

impl RequestAuthorization {
    /// Returns `requestContext.authorizer` in format 2.0.
    pub(super) fn context_v2(&self) -> Option<Value> {
        Some(match self {
            RequestAuthorization::Open => return None,
            RequestAuthorization::Jwt { claims, scopes } => {
                json!({"jwt": {"claims": claims, "scopes": scopes}})
            }
            RequestAuthorization::Lambda { context, .. } => json!({"lambda": context}),
            RequestAuthorization::Iam {
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
    pub(super) fn context_v1(&self) -> Value {
        match self {
            RequestAuthorization::Open | RequestAuthorization::Iam { .. } => {
                json!({"claims": null, "scopes": null})
            }
            RequestAuthorization::Jwt { claims, scopes } => {
                json!({"claims": claims, "scopes": scopes})
            }
            RequestAuthorization::Lambda { principal, context } => {
                let mut all = context.clone().unwrap_or_default();
                all.insert("principalId".to_owned(), json!(principal));
                all.into()
            }
        }
    }

    /// Returns the value of `$context.authorizer.{name}`.
    pub(super) fn variable(&self, name: &str) -> Option<String> {
        let value = match self {
            RequestAuthorization::Jwt { claims, .. } => {
                claims.get(name.strip_prefix("claims.")?)?
            }
            RequestAuthorization::Lambda { principal, .. } if name == "principalId" => {
                return principal.clone();
            }
            RequestAuthorization::Lambda { context, .. } => context.as_ref()?.get(name)?,
            RequestAuthorization::Open | RequestAuthorization::Iam { .. } => return None,
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
    pub(super) async fn authorize(
        &self,
        matched: &RouteMatch,
    ) -> Result<RequestAuthorization, HttpRefusal> {
        let route = &matched.route;
        match route.authorization_type.as_str() {
            "NONE" => Ok(RequestAuthorization::Open),
            "AWS_IAM" => self.authorize_with_iam(matched),
            "JWT" => {
                let authorizer = self.authorizer(route)?;
                self.authorize_with_jwt(authorizer, &route.authorization_scopes)
                    .await
            }
            "CUSTOM" => {
                let authorizer = self.authorizer(route)?;
                self.authorize_with_lambda(authorizer, matched).await
            }
            other => Err(HttpRefusal::internal(format!(
                "authorization type {other} is unknown"
            ))),
        }
    }

    fn authorizer(&self, route: &StoredRoute) -> Result<&StoredAuthorizer, HttpRefusal> {
        let authorizer = self.snapshot.authorizer(route);
        let missing = || HttpRefusal::internal("the route's authorizer is not in the deployment");
        Ok(authorizer.ok_or_else(missing)?)
    }

    /// Checks the caller's permission as row A14 does for `$connect`. Signatures are not verified.
    fn authorize_with_iam(
        &self,
        matched: &RouteMatch,
    ) -> Result<RequestAuthorization, HttpRefusal> {
        let authorization = self.request.header("authorization");
        let caller = sigv4::caller(authorization.as_deref(), &self.request.query);
        let Some(caller) = caller else {
            return Err(HttpRefusal::forbidden("the request is not signed"));
        };
        let builder = EventBuilder {
            exchange: self,
            matched,
        };
        let (action, resource) = ("execute-api:Invoke", builder.route_arn());
        if !self
            .api
            .grants
            .allows(&caller.access_key, action, &resource)
        {
            return Err(HttpRefusal::forbidden(format!(
                "the caller's role does not allow {action} on {resource}"
            )));
        }
        let scope = &self.api.plane.settings.scope;
        Ok(RequestAuthorization::Iam {
            access_key: caller.access_key,
            account: scope.account.clone(),
            user_arn: format!("arn:{}:iam::{}:root", scope.partition, scope.account),
        })
    }
}
