//! Identity of the caller, on the routes behind the authorizer.

use aws_lambda_events::apigw::ApiGatewayRequestAuthorizer;

/// Identity of the caller, as the authorizer verified it during the handshake (row A10).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum CallerIdentity {
    /// Subject of the verified token.
    User(String),
    /// A caller without a token.
    Anonymous,
}

impl CallerIdentity {
    /// Reads `requestContext.authorizer` of any event.
    ///
    /// Only `userId` counts, and `principalId` does not. If it is missing or empty, or if there is no authorizer, the
    /// caller is anonymous.
    pub fn read(authorizer: &ApiGatewayRequestAuthorizer) -> Self {
        let user_id = authorizer.fields.get("userId");
        match user_id.and_then(|value| value.as_str()) {
            None | Some("") => CallerIdentity::Anonymous,
            Some(user_id) => CallerIdentity::User(user_id.to_owned()),
        }
    }

    /// Returns the user ID; `None` for anonymous callers.
    pub fn user_id(&self) -> Option<&str> {
        match self {
            CallerIdentity::User(user_id) => Some(user_id),
            CallerIdentity::Anonymous => None,
        }
    }
}

#[cfg(test)]
mod tests;
