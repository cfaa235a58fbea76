//! Why somebody is not let in.

use thiserror::Error;

use super::keys::KeySourceError;

/// Why a caller's token is refused, or that there is none where one is needed.
///
/// For the log only, where the variant's name is the reason's code. The caller sees `Unauthorized` whatever it was:
/// what exactly was wrong helps whoever guesses. No variant has anything of the token in it.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq, Hash)]
pub enum TokenError {
    /// There is none, and the API takes authenticated callers only.
    #[error("there is no token")]
    Missing,
    /// Several that differ: in the query, in headers, among the subprotocols.
    #[error("there are several tokens, and they differ")]
    Conflicting,
    /// An `Authorization` header with another scheme.
    #[error("the Authorization header is not `Bearer <token>`")]
    NotBearer,
    /// Over [`MAX_TOKEN_BYTES`](super::MAX_TOKEN_BYTES).
    #[error("the token is too long")]
    TooLong,
    /// Not three parts of base64url without padding, or the first part is not a header.
    #[error("the token is not a JWT")]
    Malformed,
    /// Not RS256 and not ES256: `none` and `HS256` are here.
    #[error("the token's algorithm is neither RS256 nor ES256")]
    UnsupportedAlgorithm,
    /// A header that brings its own key or its own rules: `crit`, `jku`, `jwk`, `x5u`, `x5c`.
    #[error("the token's header has `{0}`")]
    ForbiddenHeader(&'static str),
    /// A JWT of a kind that is neither an ID nor an access token, such as a logout token.
    #[error("the token's `typ` is that of another kind of token")]
    WrongType,
    /// The issuer has no such key (that it could have signed with).
    #[error("the issuer has no key of this id")]
    UnknownKey,
    /// The issuer has several keys of this id; or the token names none, and the issuer has several.
    #[error("several of the issuer's keys could be meant")]
    AmbiguousKey,
    /// The header names another algorithm than the key's own.
    #[error("the token's algorithm is not its key's")]
    WrongAlgorithm,
    /// Not signed with the key.
    #[error("the signature is wrong")]
    WrongSignature,
    /// Signed, but its claims are not what JWTs have: a text for `exp`, or `sub` twice.
    #[error("the token's claims are malformed")]
    MalformedClaims,
    /// Issued by somebody else.
    #[error("the token's issuer is another one")]
    WrongIssuer,
    /// Issued for somebody else: another app client, another API.
    #[error("the token is for another audience")]
    WrongAudience,
    /// An access token where an ID token is expected, or the other way round.
    #[error("the token is an ID token where an access token is expected, or the other way round")]
    WrongTokenUse,
    /// It does not say when it expires.
    #[error("the token never expires")]
    NoExpiry,
    /// Expired.
    #[error("the token has expired")]
    Expired,
    /// Not valid yet.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// No `sub`, an empty one, or one over [`MAX_SUBJECT_BYTES`](super::MAX_SUBJECT_BYTES).
    #[error("the token has no subject, or one that is too long")]
    WrongSubject,
}

/// Why a token could not be found to be good.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum VerifyError {
    /// It is not good.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// Nobody knows: there are no keys to verify it with.
    #[error(transparent)]
    Keys(#[from] KeySourceError),
}

/// Why the authorizer does not let a caller in. Its text is what the function answers.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum AuthorizeError {
    /// API Gateway answers 401 to this text, letter by letter, and to no other (row A6).
    #[error("Unauthorized")]
    Unauthorized(#[source] TokenError),
    /// Not the caller's fault: 500 (row A7).
    #[error("the token cannot be verified, because there are no keys: {0}")]
    Keys(#[source] KeySourceError),
    /// Not the caller's fault either: 500 (row A7).
    #[error("the event is not a REQUEST authorizer's: it cannot be read, or it has no methodArn")]
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

/// What Lambda is told: API Gateway reads `errorMessage`.
impl From<AuthorizeError> for lambda_runtime::Diagnostic {
    fn from(error: AuthorizeError) -> Self {
        let error_type = match error {
            AuthorizeError::Unauthorized(_) => "Unauthorized",
            AuthorizeError::Keys(_) => "KeysUnavailable",
            AuthorizeError::NotARequest => "NotARequest",
        };
        lambda_runtime::Diagnostic {
            error_type: error_type.to_owned(),
            error_message: error.to_string(),
        }
    }
}
