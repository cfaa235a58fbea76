//! Cache of the issuer's keys.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::error::KeySourceError;
use super::error::{TokenError, VerifyError};
use super::keys::{KeySet, KeySource, VerificationKey};
use crate::metrics::{KEY_REFRESH_FAILURES, KEY_REFRESHES, count};
use crate::{Clock, Timestamp};

/// Limits on the age of keys and the rate of fetches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheLimits {
    /// Age after which keys are fetched again. Old keys stay in use if that fails. Default: an hour.
    pub max_age: Duration,
    /// Minimum time between two attempts to fetch, successful or not. Default: 30 seconds.
    pub min_interval: Duration,
    /// Minimum time between two attempts while there are no keys, so that no token can be verified. Default: a second.
    pub initial_interval: Duration,
}

impl Default for CacheLimits {
    fn default() -> Self {
        CacheLimits {
            max_age: Duration::from_secs(60 * 60),
            min_interval: Duration::from_secs(30),
            initial_interval: Duration::from_secs(1),
        }
    }
}

/// Cache of the keys of a [`KeySource`]. It fetches keys if it has none, if they are old, and if a token names an
/// unknown key, because issuers rotate keys.
///
/// Since anybody can send tokens that name keys, there is a minimum time between fetches. Invalid tokens cost the
/// issuer at most one request per 30 seconds, and a new key is accepted at most 30 seconds late.
///
/// There is no background task: Lambda freezes the process between invocations, and a task would wake up at any point.
/// Instead, the first invocation that needs keys fetches them, while others wait for that fetch. If an invocation is
/// dropped during the fetch, it releases the lock, and the next one fetches.
#[derive(Debug)]
pub struct KeyCache<K, C> {
    source: K,
    clock: C,
    limits: CacheLimits,
    state: Mutex<CacheState>,
    /// Locked during a fetch.
    fetch_lock: tokio::sync::Mutex<()>,
}

#[derive(Debug)]
struct CacheState {
    /// The last valid keys, or the reason why there are none yet.
    cached: Result<CachedKeys, KeySourceError>,
    /// Time of the last attempt to fetch the keys, regardless of its outcome.
    attempted_at: Option<Timestamp>,
}

#[derive(Debug)]
struct CachedKeys {
    keys: KeySet,
    fetched_at: Timestamp,
}

impl<K: KeySource, C: Clock> KeyCache<K, C> {
    /// Returns an empty cache. The first token makes it fetch keys.
    pub fn new(source: K, clock: C) -> Self {
        KeyCache::with_limits(source, clock, CacheLimits::default())
    }

    /// Returns an empty cache with other limits.
    pub fn with_limits(source: K, clock: C, limits: CacheLimits) -> Self {
        KeyCache {
            source,
            clock,
            limits,
            state: Mutex::new(CacheState {
                cached: Err(KeySourceError::Canceled),
                attempted_at: None,
            }),
            fetch_lock: tokio::sync::Mutex::default(),
        }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Returns the key with this ID. Without an ID, returns the issuer's only key.
    pub(super) async fn key(&self, id: Option<&str>) -> Result<Arc<VerificationKey>, VerifyError> {
        if self.needs_fetch(id) {
            let _lock = self.fetch_lock.lock().await;
            // While this call waited for the lock, another one may have fetched the keys or failed.
            if self.needs_fetch(id) && self.may_fetch() {
                self.fetch().await;
            }
        }
        self.state().find_key(id)
    }

    fn needs_fetch(&self, id: Option<&str>) -> bool {
        self.state()
            .needs_fetch(id, self.now(), self.limits.max_age)
    }

    fn may_fetch(&self) -> bool {
        self.state().may_fetch(self.now(), &self.limits)
    }

    async fn fetch(&self) {
        // Recorded before the fetch, so that a canceled attempt counts, and after it, so that calls that waited during
        // a timeout do not each wait for another.
        self.state()
            .record_attempt(self.now(), Err(KeySourceError::Canceled));
        count(KEY_REFRESHES);
        let fetched = self.source.fetch().await;
        match &fetched {
            Ok(_) => tracing::debug!("Fetched the issuer's keys"),
            Err(error) => {
                count(KEY_REFRESH_FAILURES);
                tracing::warn!(%error, "Cannot fetch the issuer's keys");
            }
        }
        self.state().record_attempt(self.now(), fetched);
    }

    fn state(&self) -> MutexGuard<'_, CacheState> {
        // No code panics or leaves the state inconsistent while it holds the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CacheState {
    fn needs_fetch(&self, id: Option<&str>, now: Timestamp, max_age: Duration) -> bool {
        let Ok(cached) = &self.cached else {
            return true;
        };
        let is_unknown = matches!(cached.keys.find(id), Err(TokenError::UnknownKey));
        is_unknown || now.since(cached.fetched_at) > max_age
    }

    fn may_fetch(&self, now: Timestamp, limits: &CacheLimits) -> bool {
        let min_interval = match self.cached {
            Ok(_) => limits.min_interval,
            Err(_) => limits.initial_interval,
        };
        self.attempted_at
            .is_none_or(|at| now.since(at) >= min_interval)
    }

    fn find_key(&self, id: Option<&str>) -> Result<Arc<VerificationKey>, VerifyError> {
        match &self.cached {
            Ok(cached) => Ok(cached.keys.find(id)?),
            Err(failure) => Err(failure.clone().into()),
        }
    }

    /// Records an attempt. A failed one keeps earlier keys.
    fn record_attempt(&mut self, at: Timestamp, fetched: Result<KeySet, KeySourceError>) {
        self.attempted_at = Some(at);
        if fetched.is_ok() || self.cached.is_err() {
            self.cached = fetched.map(|keys| CachedKeys {
                keys,
                fetched_at: at,
            });
        }
    }
}

#[cfg(test)]
mod tests;
