//! Who is let in.

use aws_lambda_events::apigw::{
    ApiGatewayCustomAuthorizerPolicy, ApiGatewayV2CustomAuthorizerIamPolicyResponse,
};
use aws_lambda_events::iam::{IamPolicyEffect, IamPolicyStatement};
use serde::{Deserialize, Serialize};

use super::error::{AuthorizeError, TokenError};
use super::keys::KeySource;
use super::request::ConnectRequest;
use super::token::find_token;
use super::verify::{Identity, Verifier};
use crate::Clock;

/// The `principalId` of callers without a token. Somebody's `sub` may be the same word: who a caller is, is told by
/// `userId` alone, which anonymous callers do not have.
const ANONYMOUS: &str = "anonymous";

/// Who calls: what stackgen.yaml's `authorizer.callers` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Callers {
    /// Nobody without a token.
    Authenticated,
    /// With a token or without; but who brings one brings a good one.
    Mixed,
}

/// What the authorizer answers (rows A5, A8, A9).
pub type AuthorizerResponse = ApiGatewayV2CustomAuthorizerIamPolicyResponse<AuthorizerContext>;

/// What later routes read in `requestContext.authorizer` (row A10). Scalars only: an object or a list would make API
/// Gateway answer 500 (row A9). Read it with [`CallerIdentity`](super::CallerIdentity).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuthorizerContext {
    /// Who a token spoke of. Not there for anonymous callers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// What kind of token that was: `id` or `access`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_use: Option<String>,
}

/// A caller who is let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorization {
    /// What for.
    pub method_arn: String,
    /// As whom; `None` is an anonymous caller.
    pub identity: Option<Identity>,
}

/// Decides whether to let a caller in.
///
/// # Errors
///
/// There is no token and `callers` wants one, the token is not good, or nobody can tell. A bad token is never treated
/// as none: its bearer believes to be somebody.
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
    /// `authenticated` or `anonymous`.
    pub fn role(&self) -> &'static str {
        match self.identity {
            Some(_) => "authenticated",
            None => ANONYMOUS,
        }
    }

    /// The answer to API Gateway: a policy that allows exactly what was asked for (rows A5, A13).
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
