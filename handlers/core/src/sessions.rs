//! Operations of the HTTP API on sessions.

use serde::{Deserialize, Serialize};
use stackgen_websocket::Clock;
use thiserror::Error;
use tracing::info;

use crate::limits::CREATE_RATE;
use crate::ports::{Bucket, Ports, SessionRefusal, Store, StoreError};
use crate::rates::{self, RateLimitError};
use crate::session_ids::SessionIdGenerator;
use crate::{
    Language, QualityTier, RateLimitFailure, Session, SessionId, SessionStatus, Timestamp, UserId,
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
    fn of(session: &Session, now: Timestamp) -> Self {
        let status = session.status_at(now);
        PublicView {
            session_id: session.session_id.clone(),
            source_language: session.source_language.clone(),
            status: status.public(),
            listener_count: match status.is_over() {
                true => 0,
                false => session.listener_count,
            },
        }
    }
}

impl OwnerView {
    fn of(session: &Session, now: Timestamp) -> Self {
        OwnerView {
            public: PublicView::of(session, now),
            quality_tier: session.quality_tier,
            created_at: session.created_at,
            ends_at: session.ends_at(),
        }
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
    /// All generated IDs are in use.
    #[error("no unused session ID in {ID_ATTEMPTS} attempts")]
    NoFreeId,
    /// The table failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Creates a session with an unused ID.
pub async fn create<S: Store, B, C: Clock>(
    ports: &Ports<S, B, C>,
    failure: RateLimitFailure,
    ids: &mut SessionIdGenerator,
    owner: &UserId,
    new: NewSession,
) -> Result<OwnerView, SessionError> {
    let now = ports.clock.now();
    let bucket = Bucket::new("create", "user", owner.as_str());
    rates::take(&ports.store, bucket, CREATE_RATE, failure, now).await?;
    for _ in 0..ID_ATTEMPTS {
        let session = Session::new(
            ids.next_id(),
            owner.clone(),
            new.source_language.clone(),
            new.quality_tier,
            now,
        );
        if ports.store.create(&session).await? {
            info!(sessionId = %session.session_id, "Session created");
            return Ok(OwnerView::of(&session, now));
        }
    }
    Err(SessionError::NoFreeId)
}

/// Returns the public view of a session.
pub async fn view<S: Store, B, C: Clock>(
    ports: &Ports<S, B, C>,
    id: &SessionId,
) -> Result<PublicView, SessionError> {
    let session = ports.store.session(id).await?;
    let session = session.ok_or(SessionError::Refused(SessionRefusal::NoSession))?;
    Ok(PublicView::of(&session, ports.clock.now()))
}

/// Pauses or resumes a session. A paused session keeps its connections, but admits no new ones and sends no audio.
pub async fn set_open<S: Store, B, C: Clock>(
    ports: &Ports<S, B, C>,
    id: &SessionId,
    owner: &UserId,
    open: bool,
) -> Result<OwnerView, SessionError> {
    let now = ports.clock.now();
    let to = match open {
        true => SessionStatus::Active,
        false => SessionStatus::Paused,
    };
    let changed = ports.store.set_status(id, owner, to, now).await?;
    let session = changed.map_err(SessionError::Refused)?;
    info!(sessionId = %id, status = to.public(), "Session changed");
    Ok(OwnerView::of(&session, now))
}
