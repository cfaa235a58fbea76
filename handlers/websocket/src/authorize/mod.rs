//! A REQUEST authorizer for `$connect`, and the caller's identity on later routes.
//!
//! Complete authorizer (with the features `oidc` and `lambda`):
//!
//! ```no_run
//! # #[cfg(all(feature = "oidc", feature = "lambda"))]
//! # mod binary {
//! use lambda_runtime::{Error, service_fn};
//! use stackgen_websocket::authorize::{Authorizer, Callers, KeyCache, TokenRules, Verifier};
//! use stackgen_websocket::{Environment, OidcKeys, SystemClock, lambda};
//!
//! async fn run() -> Result<(), Error> {
//!     let mut environment = Environment::new(|name| std::env::var(name).ok());
//!     let telemetry = lambda::Telemetry::read(&mut environment);
//!     telemetry.install(&["my_authorizer"], "MyNamespace")?;
//!     let issuer = environment.url("JWT_ISSUER");
//!     let audience = environment.text("JWT_AUDIENCE");
//!     let (issuer, audience) = environment.finish((issuer, audience))?;
//!
//!     let keys = KeyCache::new(OidcKeys::new(issuer.as_str())?, SystemClock);
//!     let verifier = Verifier::new(TokenRules::new(issuer, [audience]), keys);
//!     let authorizer = Authorizer::new(verifier, Callers::Mixed);
//!     lambda::run(service_fn(|event| authorizer.handle(event))).await
//! }
//! # }
//! ```
//!
//! [`authorize`] finds the caller's token ([`find_token`]), verifies it ([`Verifier`]) with the issuer's keys
//! ([`KeyCache`]), and decides. An invalid token is refused; it never counts as none.

mod cache;
mod caller;
mod claims;
mod decide;
mod error;
mod handler;
mod keys;
mod request;
mod rules;
mod token;
mod verify;

pub use cache::{CacheLimits, KeyCache};
pub use caller::CallerIdentity;
pub use decide::{Authorization, AuthorizerContext, AuthorizerResponse, Callers, authorize};
pub use error::{AuthorizeError, KeySourceError, TokenError, VerifyError};
pub use handler::Authorizer;
pub use keys::{KeySet, KeySetError, KeySource};
pub use request::ConnectRequest;
pub use rules::{Identity, MAX_SUBJECT_BYTES, TokenRules, TokenUse};
pub use token::{echoed_subprotocol, find_token};
pub use verify::{MAX_TOKEN_BYTES, Verifier};
