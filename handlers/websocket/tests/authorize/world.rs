//! An issuer on loopback, and a verifier that trusts it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use stackgen_websocket::authorize::{
    KeyCache, TokenError, TokenRules, TokenUse, Verifier, VerifyError,
};
use stackgen_websocket::{Clock, OidcKeys, Timestamp};
use stackgen_websocket_testing::{Issuer, SigningKey, Token};

/// A clock that tests advance.
#[derive(Clone, Debug)]
pub(crate) struct StoppedClock(Arc<AtomicU64>);

impl StoppedClock {
    pub(crate) fn pass(&self, time: Duration) {
        self.0.fetch_add(time.as_millis() as u64, Ordering::SeqCst);
    }
}

impl Clock for StoppedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

pub(crate) struct World {
    pub(crate) issuer: Issuer,
    pub(crate) clock: StoppedClock,
    pub(crate) verifier: Verifier<OidcKeys, StoppedClock>,
}

impl World {
    /// Starts an issuer that signs with ES256.
    pub(crate) async fn new() -> Self {
        World::with_key(SigningKey::ec("key-1")).await
    }

    pub(crate) async fn with_key(key: SigningKey) -> Self {
        World::expecting(key, TokenUse::Id).await
    }

    pub(crate) async fn expecting(key: SigningKey, token_use: TokenUse) -> Self {
        let issuer = Issuer::with_key(key).await;
        let clock = StoppedClock(Arc::new(AtomicU64::new(1_700_000_000_000)));
        let verifier = World::verifier(&issuer, &clock, token_use);
        World {
            issuer,
            clock,
            verifier,
        }
    }

    /// Returns a verifier with an empty key cache.
    pub(crate) fn verifier(
        issuer: &Issuer,
        clock: &StoppedClock,
        token_use: TokenUse,
    ) -> Verifier<OidcKeys, StoppedClock> {
        let rules = TokenRules {
            token_use,
            ..TokenRules::new(issuer.url(), [Issuer::AUDIENCE])
        };
        let keys = OidcKeys::new(issuer.url()).expect("a loopback issuer");
        Verifier::new(rules, KeyCache::new(keys, clock.clone()))
    }

    /// Returns a valid, unsigned token of alice.
    pub(crate) fn token(&self) -> Token {
        self.issuer.token_at("alice", self.clock.now())
    }

    /// Returns a valid token of alice.
    pub(crate) fn good(&self) -> String {
        self.token().signed(&self.issuer.key())
    }

    pub(crate) async fn verify(&self, token: &str) -> Result<String, VerifyError> {
        let verified = self.verifier.verify(token).await;
        verified.map(|identity| identity.user_id)
    }

    #[track_caller]
    pub(crate) fn accepts(&self, token: &str) -> impl Future<Output = ()> {
        let caller = std::panic::Location::caller();
        async move {
            let verified = self.verify(token).await;
            assert_eq!(verified, Ok("alice".to_owned()), "at {caller}");
        }
    }

    #[track_caller]
    pub(crate) fn refuses(&self, token: &str, error: TokenError) -> impl Future<Output = ()> {
        let caller = std::panic::Location::caller();
        async move {
            let verified = self.verify(token).await;
            assert_eq!(verified, Err(VerifyError::Token(error)), "at {caller}");
        }
    }
}
