//! The issuer's keys, kept between invocations.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::error::{TokenError, VerifyError};
use super::keys::{Key, KeySet, KeySource, KeySourceError};
use crate::metrics::{KEY_REFRESHES, count};
use crate::{Clock, Timestamp};

/// How long keys are kept, and how often the issuer may be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheLimits {
    /// Keys older than this are fetched anew. The old ones stay in use if that fails. Default: an hour.
    pub max_age: Duration,
    /// How long after one attempt, successful or not, another may follow. Default: 30 seconds.
    pub floor: Duration,
    /// The same as long as there are no keys at all and nobody with a token can connect. Default: a second.
    pub first_floor: Duration,
}

impl Default for CacheLimits {
    fn default() -> Self {
        CacheLimits {
            max_age: Duration::from_secs(60 * 60),
            floor: Duration::from_secs(30),
            first_floor: Duration::from_secs(1),
        }
    }
}

/// Keeps the keys of a [`KeySource`] and fetches them when needed: when there are none, when they are old, and when a
/// token names one that is not among them, because issuers rotate keys.
///
/// Anybody can send tokens that name keys, so there is a floor under the time between fetches: garbage costs the
/// issuer one request in 30 seconds at most, and a key that was published later is accepted that much later at most.
///
/// There is no background task. Lambda freezes the environment between invocations, so a task would wake up in the
/// middle of anything; here, whoever needs keys fetches them while the others wait for that one fetch. An
/// invocation that is dropped while it fetches lets go of the flight, and the next one starts its own.
#[derive(Debug)]
pub struct KeyCache<K, C> {
    source: K,
    clock: C,
    limits: CacheLimits,
    state: Mutex<State>,
    /// Held while fetching.
    flight: tokio::sync::Mutex<()>,
}

#[derive(Debug)]
struct State {
    /// The last good keys; before the first ones, why there are none.
    kept: Result<Kept, KeySourceError>,
    /// The last time, whether it succeeded, failed or was given up.
    attempted_at: Option<Timestamp>,
}

#[derive(Debug)]
struct Kept {
    keys: KeySet,
    fetched_at: Timestamp,
}

impl<K: KeySource, C: Clock> KeyCache<K, C> {
    /// A cache without keys; the first token makes it fetch them.
    pub fn new(source: K, clock: C) -> Self {
        KeyCache::with_limits(source, clock, CacheLimits::default())
    }

    /// The same with other limits.
    pub fn with_limits(source: K, clock: C, limits: CacheLimits) -> Self {
        KeyCache {
            source,
            clock,
            limits,
            state: Mutex::new(State {
                kept: Err(KeySourceError::GivenUp),
                attempted_at: None,
            }),
            flight: tokio::sync::Mutex::default(),
        }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The key of this id, or the issuer's only one.
    pub(super) async fn key(&self, id: Option<&str>) -> Result<Arc<Key>, VerifyError> {
        if self.needs_fetch(id) {
            let _flight = self.flight.lock().await;
            // Whoever had the flight before us may have brought what we need, or failed a moment ago.
            if self.needs_fetch(id) && self.may_fetch() {
                self.fetch().await;
            }
        }
        self.state().answer(id)
    }

    fn needs_fetch(&self, id: Option<&str>) -> bool {
        self.state()
            .needs_fetch(id, self.now(), self.limits.max_age)
    }

    fn may_fetch(&self) -> bool {
        self.state().may_fetch(self.now(), &self.limits)
    }

    async fn fetch(&self) {
        // Noted before, so that an attempt counts that is given up half-way, and after, so that those who waited for
        // it while it timed out do not each try for as long again.
        self.state().note(self.now(), Err(KeySourceError::GivenUp));
        count(KEY_REFRESHES);
        let fetched = self.source.fetch().await;
        match &fetched {
            Ok(_) => tracing::debug!("Keys of the issuer fetched"),
            Err(error) => tracing::warn!(%error, "Keys of the issuer could not be fetched"),
        }
        self.state().note(self.now(), fetched);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No code that holds it panics, and none leaves it half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn needs_fetch(&self, id: Option<&str>, now: Timestamp, max_age: Duration) -> bool {
        let Ok(kept) = &self.kept else {
            return true;
        };
        let is_unknown = matches!(kept.keys.find(id), Err(TokenError::UnknownKey));
        is_unknown || now.since(kept.fetched_at) > max_age
    }

    fn may_fetch(&self, now: Timestamp, limits: &CacheLimits) -> bool {
        let floor = match self.kept {
            Ok(_) => limits.floor,
            Err(_) => limits.first_floor,
        };
        self.attempted_at.is_none_or(|at| now.since(at) >= floor)
    }

    fn answer(&self, id: Option<&str>) -> Result<Arc<Key>, VerifyError> {
        match &self.kept {
            Ok(kept) => Ok(kept.keys.find(id)?),
            Err(failure) => Err(failure.clone().into()),
        }
    }

    /// Notes an attempt. One that failed leaves the keys of an earlier one.
    fn note(&mut self, at: Timestamp, fetched: Result<KeySet, KeySourceError>) {
        self.attempted_at = Some(at);
        if fetched.is_ok() || self.kept.is_err() {
            self.kept = fetched.map(|keys| Kept {
                keys,
                fetched_at: at,
            });
        }
    }
}

#[cfg(test)]
mod tests;
