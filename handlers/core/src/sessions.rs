//! Operations of the HTTP API on sessions.

use serde::{Deserialize, Serialize};
use stackgen_websocket::Clock;
use thiserror::Error;
use tracing::info;

use crate::limits::CREATE_RATE;
use crate::names::Names;
use crate::ports::{Bucket, Ports, Refusal, Store, StoreError};
use crate::rates::{self, Limited};
use crate::{
    Language, QualityTier, RateLimitFailure, Session, SessionId, Status, Timestamp, UserId,
};

/// Number of IDs to try for a new session.
const TRIES: u32 = 10;

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
pub struct OwnersView {
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

impl OwnersView {
    fn of(session: &Session, now: Timestamp) -> Self {
        OwnersView {
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
    Refused(Refusal),
    /// The rate limit refused the request.
    #[error(transparent)]
    Limited(#[from] Limited),
    /// All generated IDs are in use.
    #[error("no unused session ID in {TRIES} attempts")]
    NoFreeId,
    /// The table failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Creates a session with an unused ID.
pub async fn create<S: Store, B, C: Clock>(
    ports: &Ports<S, B, C>,
    failure: RateLimitFailure,
    names: &mut Names,
    owner: &UserId,
    new: NewSession,
) -> Result<OwnersView, SessionError> {
    let now = ports.clock.now();
    let bucket = Bucket::new("create", "user", owner.as_str());
    rates::take(&ports.store, bucket, CREATE_RATE, failure, now).await?;
    for _ in 0..TRIES {
        let session = Session::new(
            names.next_id(),
            owner.clone(),
            new.source_language.clone(),
            new.quality_tier,
            now,
        );
        if ports.store.create(&session).await? {
            info!(sessionId = %session.session_id, "Session created");
            return Ok(OwnersView::of(&session, now));
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
    let session = session.ok_or(SessionError::Refused(Refusal::NoSession))?;
    Ok(PublicView::of(&session, ports.clock.now()))
}

/// Pauses or resumes a session. A paused session keeps its connections, but admits no new ones and sends no audio.
pub async fn set_open<S: Store, B, C: Clock>(
    ports: &Ports<S, B, C>,
    id: &SessionId,
    owner: &UserId,
    open: bool,
) -> Result<OwnersView, SessionError> {
    let now = ports.clock.now();
    let to = match open {
        true => Status::Active,
        false => Status::Paused,
    };
    let changed = ports.store.set_status(id, owner, to, now).await?;
    let session = changed.map_err(SessionError::Refused)?;
    info!(sessionId = %id, status = to.public(), "Session changed");
    Ok(OwnersView::of(&session, now))
}
