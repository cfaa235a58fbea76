//! Who is calling, on the routes behind the authorizer.

use aws_lambda_events::apigw::ApiGatewayRequestAuthorizer;

/// Who is calling, as the authorizer found when the connection was made (row A10).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum CallerIdentity {
    /// The subject of a token that was verified.
    User(String),
    /// Nobody in particular.
    Anonymous,
}

impl CallerIdentity {
    /// Reads `requestContext.authorizer`, of the `$connect` event or a later one.
    ///
    /// Only `userId` counts, not `principalId`. Where it is absent or empty the caller is anonymous, and the same
    /// holds if there is no authorizer at all: that is no error.
    pub fn read(authorizer: &ApiGatewayRequestAuthorizer) -> Self {
        let user_id = authorizer.fields.get("userId");
        match user_id.and_then(|value| value.as_str()) {
            None | Some("") => CallerIdentity::Anonymous,
            Some(user_id) => CallerIdentity::User(user_id.to_owned()),
        }
    }

    /// The user's id; `None` for anonymous callers.
    pub fn user_id(&self) -> Option<&str> {
        match self {
            CallerIdentity::User(user_id) => Some(user_id),
            CallerIdentity::Anonymous => None,
        }
    }
}

#[cfg(test)]
mod tests;
