//! Operations of the HTTP API on sessions.

use serde::{Deserialize, Serialize};
use stackgen_websocket::{Broadcaster, Clock};
use thiserror::Error;
use tracing::info;

use crate::callers::{Caller, check_limits, count_wrong_id, find_session};
use crate::end::end;
use crate::limits::CREATE_RATE;
use crate::ports::{Bucket, Ports, SessionRefusal, Store, StoreError};
use crate::rates::{self, RateLimitError};
use crate::session_ids::{NoRandomness, SessionIdGenerator};
use crate::ticket::sha256;
use crate::{
    CallerLimits, CreationKey, EndError, EndRequest, Language, QualityTier, RateLimitFailure,
    Session, SessionId, SessionStatus, Timestamp, UserId,
};

/// Number of IDs to try for a new session.
const ID_ATTEMPTS: u32 = 10;

/// Request to create a session.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewSession {
    /// Language that is spoken.
    pub source_language: Language,
    /// Audio quality.
    #[serde(default)]
    pub quality_tier: QualityTier,
}

/// A session, as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OwnerView {
    /// The public part.
    #[serde(flatten)]
    pub public: PublicView,
    /// Audio quality.
    pub quality_tier: QualityTier,
    /// Time of creation, in milliseconds.
    pub created_at: Timestamp,
    /// Latest end, in milliseconds.
    pub ends_at: Timestamp,
}

/// A session, as everybody sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PublicView {
    /// Session ID.
    pub session_id: SessionId,
    /// Language that is spoken.
    pub source_language: Language,
    /// `active`, `paused` or `ended`.
    pub status: &'static str,
    /// Number of listeners.
    pub listener_count: u32,
}

impl PublicView {
    fn of(session: &Session, listener_count: u32, now: Timestamp) -> Self {
        let status = session.status_at(now);
        PublicView {
            session_id: session.session_id.clone(),
            source_language: session.source_language.clone(),
            status: status.public(),
            listener_count: match status.is_over() {
                true => 0,
                false => listener_count,
            },
        }
    }
}

impl OwnerView {
    fn of(session: &Session, listener_count: u32, now: Timestamp) -> Self {
        OwnerView {
            public: PublicView::of(session, listener_count, now),
            quality_tier: session.quality_tier,
            created_at: session.created_at,
            ends_at: session.ends_at(),
        }
    }
}

impl CreationKey {
    /// Returns the name under which a store keeps the ID for this key of this user. It contains neither.
    pub fn reservation(&self, owner: &UserId) -> String {
        let hash = sha256(format!("{owner}\0{self}").as_bytes());
        format!("create:key:{hash}")
    }
}

/// Reason why a session was not created or changed.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum SessionError {
    /// The session does not exist, belongs to another user, or is over.
    #[error("cannot change the session: {0:?}")]
    Refused(SessionRefusal),
    /// The rate limit refused the request.
    #[error(transparent)]
    RateLimited(#[from] RateLimitError),
    /// No ID could be generated.
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
    /// An earlier request with the same key created another session than this one describes.
    #[error("the Idempotency-Key belongs to a request with another body")]
    KeyReused,
    /// All generated IDs are in use.
    #[error("no unused session ID in {ID_ATTEMPTS} attempts")]
    NoFreeId,
    /// The table failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The session did not end.
    #[error(transparent)]
    End(#[from] EndError),
}

/// Creates a session with an unused ID. A repeated request with the same `key` returns the session that the first one
/// created. If that was interrupted, the repetition completes it.
pub async fn create<S: Store, B, C: Clock>(
    ports: &Ports<S, B, C>,
    failure: RateLimitFailure,
    ids: &mut SessionIdGenerator,
    owner: &UserId,
    new: NewSession,
    key: Option<&CreationKey>,
) -> Result<OwnerView, SessionError> {
    let now = ports.clock.now();
    let bucket = Bucket::new("create", "user", owner.as_str());
    rates::take(&ports.store, bucket, CREATE_RATE, failure, now).await?;
    for _ in 0..ID_ATTEMPTS {
        let candidate = ids.next_id()?;
        let id = match key {
            Some(key) => ports.store.reserve_id(owner, key, &candidate, now).await?,
            None => candidate,
        };
        let session = Session::new(
            id,
            owner.clone(),
            new.source_language.clone(),
            new.quality_tier,
            now,
        );
        if ports.store.create(&session).await? {
            info!(sessionId = %session.session_id, "Session created");
            return Ok(OwnerView::of(&session, 0, now));
        }
        if key.is_some() {
            return existing(ports, &session, now).await;
        }
    }
    Err(SessionError::NoFreeId)
}

/// Returns the session that an earlier request with the same key created.
async fn existing<S: Store, B, C: Clock>(
    ports: &Ports<S, B, C>,
    new: &Session,
    now: Timestamp,
) -> Result<OwnerView, SessionError> {
    let id = &new.session_id;
    let session = ports.store.session(id).await?;
    let session = session.filter(|session| session.speaker_id == new.speaker_id);
    let session = session.ok_or(SessionError::NoFreeId)?;
    if session.source_language != new.source_language || session.quality_tier != new.quality_tier {
        return Err(SessionError::KeyReused);
    }
    let counts = ports.store.listener_counts(id).await?;
    Ok(OwnerView::of(&session, counts.total, now))
}

/// Returns the public view of a session, to anybody who knows its ID. The address's limits come first, so that a caller
/// who exceeds them does not learn whether the session exists.
pub async fn view<S: Store, B, C: Clock>(
    ports: &Ports<S, B, C>,
    limits: CallerLimits,
    ip_address: &str,
    id: &SessionId,
) -> Result<PublicView, SessionError> {
    let caller = Caller::new(None, ip_address);
    check_limits(&ports.store, &caller, "view", limits, ports.clock.now()).await?;
    let session = find_session(ports, &caller, limits, id).await?;
    let session = session.ok_or(SessionError::Refused(SessionRefusal::NoSession))?;
    let counts = ports.store.listener_counts(id).await?;
    Ok(PublicView::of(&session, counts.total, ports.clock.now()))
}

/// Pauses or resumes a session. A paused session keeps its connections, but admits no new ones and sends no audio.
pub async fn set_open<S: Store, B, C: Clock>(
    ports: &Ports<S, B, C>,
    limits: CallerLimits,
    id: &SessionId,
    owner: &UserId,
    open: bool,
) -> Result<OwnerView, SessionError> {
    let now = ports.clock.now();
    let caller = Caller::new(Some(owner), "");
    check_limits(&ports.store, &caller, "change", limits, now).await?;
    let to = match open {
        true => SessionStatus::Active,
        false => SessionStatus::Paused,
    };
    let changed = ports.store.set_status(id, owner, to, now).await?;
    if changed == Err(SessionRefusal::NoSession) {
        count_wrong_id(&ports.store, &caller, limits, now).await;
    }
    let session = changed.map_err(SessionError::Refused)?;
    info!(sessionId = %id, status = to.public(), "Session changed");
    let counts = ports.store.listener_counts(id).await?;
    Ok(OwnerView::of(&session, counts.total, now))
}

/// Ends a session, as its owner requests over HTTP.
pub async fn end_as_owner<S: Store, B: Broadcaster, C: Clock>(
    ports: &Ports<S, B, C>,
    limits: CallerLimits,
    id: &SessionId,
    owner: &UserId,
) -> Result<(), SessionError> {
    let caller = Caller::new(Some(owner), "");
    check_limits(&ports.store, &caller, "change", limits, ports.clock.now()).await?;
    let request = EndRequest {
        session_id: id,
        owner,
        reason: None,
        requested_by: None,
    };
    let ended = end(ports, request).await;
    if ended == Err(EndError::Refused(SessionRefusal::NoSession)) {
        count_wrong_id(&ports.store, &caller, limits, ports.clock.now()).await;
    }
    Ok(ended.map(drop)?)
}
