//! Result of an authorization, in events and access logs.

use serde_json::{Map, Value, json};

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
