//! Decision to admit a caller.

use aws_lambda_events::apigw::{
    ApiGatewayCustomAuthorizerPolicy, ApiGatewayV2CustomAuthorizerIamPolicyResponse,
};
use aws_lambda_events::iam::{IamPolicyEffect, IamPolicyStatement};
use serde::{Deserialize, Serialize};

use super::error::{AuthorizeError, TokenError};
use super::keys::KeySource;
use super::request::ConnectRequest;
use super::rules::Identity;
use super::token::find_token;
use super::verify::Verifier;
use crate::Clock;

/// `principalId` of callers without a token. A user's `sub` may be the same word, so only `userId` identifies callers;
/// anonymous ones have none.
const ANONYMOUS: &str = "anonymous";

/// Callers to admit: `authorizer.callers` in stackgen.yaml.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Callers {
    /// Only callers with a valid token.
    Authenticated,
    /// Callers without a token, and callers with a valid token.
    Mixed,
}

/// Response of the authorizer (rows A5, A8, A9).
pub type AuthorizerResponse = ApiGatewayV2CustomAuthorizerIamPolicyResponse<AuthorizerContext>;

/// Context that later routes read in `requestContext.authorizer` (row A10). Scalars only: for an object or a list, API
/// Gateway answers 500 (row A9). Read it with [`CallerIdentity`](super::CallerIdentity).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuthorizerContext {
    /// Subject of the token. Missing for anonymous callers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// Kind of the token: `id` or `access`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_use: Option<String>,
}

/// An admitted caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorization {
    /// ARN of the method that is allowed.
    pub method_arn: String,
    /// Identity; `None` for anonymous callers.
    pub identity: Option<Identity>,
}

/// Decides whether to admit a caller.
///
/// # Errors
///
/// Fails if `callers` requires a token and there is none, if the token is invalid, or if it cannot be verified. An
/// invalid token never counts as none: its sender expects to be identified.
pub async fn authorize<K: KeySource, C: Clock>(
    request: &ConnectRequest,
    verifier: &Verifier<K, C>,
    callers: Callers,
) -> Result<Authorization, AuthorizeError> {
    if request.method_arn.is_empty() {
        return Err(AuthorizeError::NotARequest);
    }
    let token = find_token(request).map_err(AuthorizeError::Unauthorized)?;
    let identity = match (token, callers) {
        (Some(token), _) => Some(verifier.verify(token).await?),
        (None, Callers::Mixed) => None,
        (None, Callers::Authenticated) => {
            return Err(AuthorizeError::Unauthorized(TokenError::Missing));
        }
    };
    Ok(Authorization {
        method_arn: request.method_arn.clone(),
        identity,
    })
}

impl Authorization {
    /// Returns `authenticated` or `anonymous`.
    pub fn role(&self) -> &'static str {
        match self.identity {
            Some(_) => "authenticated",
            None => ANONYMOUS,
        }
    }

    /// Returns the response for API Gateway: a policy that allows exactly the requested method (rows A5, A13).
    pub fn into_response(self) -> AuthorizerResponse {
        let mut statement = IamPolicyStatement::default();
        statement.effect = IamPolicyEffect::Allow;
        statement.action = vec!["execute-api:Invoke".to_owned()];
        statement.resource = vec![self.method_arn];
        let mut policy = ApiGatewayCustomAuthorizerPolicy::default();
        policy.version = Some("2012-10-17".to_owned());
        policy.statement = vec![statement];

        let token_use = |identity: &Identity| identity.token_use.as_str().to_owned();
        let context = AuthorizerContext {
            token_use: self.identity.as_ref().map(token_use),
            user_id: self.identity.map(|identity| identity.user_id),
        };
        let mut response = AuthorizerResponse::default();
        let principal_id = context.user_id.as_deref().unwrap_or(ANONYMOUS);
        response.principal_id = Some(principal_id.to_owned());
        response.policy_document = policy;
        response.context = context;
        response
    }
}

#[cfg(test)]
mod tests;
