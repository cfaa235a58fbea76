//! Who may connect: a REQUEST authorizer for `$connect`, and what later routes know of the caller.
//!
//! An authorizer's binary is little more than this (with feature `oidc`):
//!
//! ```no_run
//! # #[cfg(feature = "oidc")]
//! # mod binary {
//! use lambda_runtime::{Error, LambdaEvent, service_fn};
//! use stackgen_websocket::authorize::{Authorizer, Callers, KeyCache, TokenRules, Verifier};
//! use stackgen_websocket::{OidcKeys, SystemClock};
//!
//! pub async fn run(issuer: &str, audience: &str) -> Result<(), Error> {
//!     let keys = KeyCache::new(OidcKeys::new(issuer)?, SystemClock);
//!     let verifier = Verifier::new(TokenRules::new(issuer, [audience]), keys);
//!     let authorizer = Authorizer::new(verifier, Callers::Mixed);
//!     lambda_runtime::run(service_fn(|event: LambdaEvent<_>| authorizer.handle(event))).await
//! }
//! # }
//! ```
//!
//! A caller's token is found ([`find_token`]), verified ([`Verifier`]) with the issuer's keys ([`KeyCache`]), and
//! [`authorize`] decides. A token that is there and not good is refused, never taken for none.

mod cache;
mod caller;
mod claims;
mod decide;
mod error;
mod handler;
mod keys;
mod request;
mod token;
mod verify;

pub use cache::{CacheLimits, KeyCache};
pub use caller::CallerIdentity;
pub use decide::{Authorization, AuthorizerContext, AuthorizerResponse, Callers, authorize};
pub use error::{AuthorizeError, TokenError, VerifyError};
pub use handler::Authorizer;
pub use keys::{KeySet, KeySetError, KeySource, KeySourceError};
pub use request::ConnectRequest;
pub use token::{echoed_subprotocol, find_token};
pub use verify::{
    Identity, MAX_SUBJECT_BYTES, MAX_TOKEN_BYTES, TokenRules, TokenUse, Verifier,
};
