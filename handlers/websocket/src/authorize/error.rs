//! Reasons to refuse a caller.

use thiserror::Error;

/// Reason to refuse a token, or to refuse a caller without one.
///
/// It is only logged, with the variant's name as its code. The caller always sees `Unauthorized`, because details would
/// help attackers. No variant contains any part of the token.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq, Hash)]
pub enum TokenError {
    /// The request has no token, and the API admits only authenticated callers.
    #[error("the token is missing")]
    Missing,
    /// The request has a connect ticket, which the API's authorizer refused.
    #[error("the ticket is refused")]
    Ticket,
    /// The request has several different tokens, in the query, headers or subprotocols.
    #[error("the request has several different tokens")]
    Conflicting,
    /// The `Authorization` header has another scheme.
    #[error("the Authorization header is not `Bearer <token>`")]
    NotBearer,
    /// The token is longer than [`MAX_TOKEN_BYTES`](super::MAX_TOKEN_BYTES).
    #[error("the token is too long")]
    TooLong,
    /// The token is not three parts of base64url without padding, or the first part is no header.
    #[error("the token is not a JWT")]
    Malformed,
    /// The algorithm is neither RS256 nor ES256, such as `none` or `HS256`.
    #[error("the token's algorithm is neither RS256 nor ES256")]
    UnsupportedAlgorithm,
    /// The header contains its own key or rules: `crit`, `jku`, `jwk`, `x5u`, `x5c`.
    #[error("the token's header contains `{0}`")]
    ForbiddenHeader(&'static str),
    /// The JWT is neither an ID nor an access token, but for example a logout token.
    #[error("the token's `typ` is neither that of an ID token nor of an access token")]
    WrongType,
    /// The issuer has no signing key with this ID.
    #[error("the issuer has no key with this ID")]
    UnknownKey,
    /// The issuer has several keys with this ID, or several keys and the token names none.
    #[error("several keys of the issuer match")]
    AmbiguousKey,
    /// The algorithm in the header differs from the key's.
    #[error("the token's algorithm differs from its key's")]
    WrongAlgorithm,
    /// The signature does not match the key.
    #[error("the signature does not match")]
    WrongSignature,
    /// The token is signed, but its claims are malformed, such as text for `exp`, or `sub` twice.
    #[error("the token's claims are malformed")]
    MalformedClaims,
    /// Another issuer issued the token.
    #[error("the token has another issuer")]
    WrongIssuer,
    /// The token is for another app client or API.
    #[error("the token is for another audience")]
    WrongAudience,
    /// The token is an access token instead of an ID token, or the reverse.
    #[error("the token is an ID token instead of an access token, or the reverse")]
    WrongTokenUse,
    /// The token has no expiry.
    #[error("the token never expires")]
    NoExpiry,
    /// The token has expired.
    #[error("the token has expired")]
    Expired,
    /// The token is not valid yet.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// `sub` is missing, empty or longer than [`MAX_SUBJECT_BYTES`](super::MAX_SUBJECT_BYTES).
    #[error("the token's subject is missing or too long")]
    WrongSubject,
}

/// Reason why keys could not be fetched. Its text comes from the issuer and contains no secret.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum KeySourceError {
    /// The connection failed.
    #[error("cannot connect to {url}: {reason}")]
    Unreachable {
        /// URL of the request.
        url: String,
        /// Error of the network or TLS.
        reason: String,
    },
    /// The issuer did not answer in time.
    #[error("{issuer} did not answer within {milliseconds} ms")]
    TimedOut {
        /// URL of the issuer.
        issuer: String,
        /// Timeout.
        milliseconds: u128,
    },
    /// The status is not 200. Redirects are not followed.
    #[error("{url} answered {status}, not 200")]
    Status {
        /// URL of the request.
        url: String,
        /// Status of the response.
        status: u16,
    },
    /// The response is too long.
    #[error("the response of {url} is longer than {limit} bytes")]
    TooLarge {
        /// URL of the request.
        url: String,
        /// Maximum length in bytes.
        limit: usize,
    },
    /// The response is invalid.
    #[error("the response of {url} is invalid: {reason}")]
    Invalid {
        /// URL of the request.
        url: String,
        /// Description of the error.
        reason: String,
    },
    /// The invocation that fetched the keys ended before the response arrived.
    #[error("the last attempt to fetch keys was canceled")]
    Canceled,
}

/// Reason why a token was not verified.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum VerifyError {
    /// The token is invalid.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// There are no keys to verify it with.
    #[error(transparent)]
    Keys(#[from] KeySourceError),
}

/// Reason why the authorizer refuses a caller. Its text is the function's error message.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum AuthorizeError {
    /// API Gateway answers 401 to exactly this text, and to no other (row A6).
    #[error("Unauthorized")]
    Unauthorized(#[source] TokenError),
    /// Not the caller's fault: API Gateway answers 500 (row A7).
    #[error("cannot verify the token, because there are no keys: {0}")]
    Keys(#[source] KeySourceError),
    /// Not the caller's fault: API Gateway answers 500 (row A7).
    #[error("cannot verify the caller: {0}")]
    Unavailable(String),
    /// Not the caller's fault: API Gateway answers 500 (row A7).
    #[error("the event is not that of a REQUEST authorizer: it is malformed, or has no methodArn")]
    NotARequest,
}

impl From<VerifyError> for AuthorizeError {
    fn from(error: VerifyError) -> Self {
        match error {
            VerifyError::Token(error) => AuthorizeError::Unauthorized(error),
            VerifyError::Keys(error) => AuthorizeError::Keys(error),
        }
    }
}

/// Error for Lambda. API Gateway reads `errorMessage`.
impl From<AuthorizeError> for lambda_runtime::Diagnostic {
    fn from(error: AuthorizeError) -> Self {
        let error_type = match error {
            AuthorizeError::Unauthorized(_) => "Unauthorized",
            AuthorizeError::Keys(_) => "KeysUnavailable",
            AuthorizeError::Unavailable(_) => "Unavailable",
            AuthorizeError::NotARequest => "NotARequest",
        };
        lambda_runtime::Diagnostic {
            error_type: error_type.to_owned(),
            error_message: error.to_string(),
        }
    }
}
