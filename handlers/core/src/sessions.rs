//! What the HTTP API does with sessions.

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

/// How many ids are tried before it is said that there is none.
const TRIES: u32 = 10;

/// What a new session is to be like.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewSession {
    /// The language that is spoken.
    pub source_language: Language,
    /// How good the audio is to be.
    #[serde(default)]
    pub quality_tier: QualityTier,
}

/// A session as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OwnersView {
    /// What everybody sees.
    #[serde(flatten)]
    pub public: PublicView,
    /// How good the audio is.
    pub quality_tier: QualityTier,
    /// Since when it is there, in milliseconds.
    pub created_at: Timestamp,
    /// When it is over at the latest, in milliseconds.
    pub ends_at: Timestamp,
}

/// A session as everybody sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PublicView {
    /// Its id.
    pub session_id: SessionId,
    /// The language that is spoken.
    pub source_language: Language,
    /// `active`, `paused` or `ended`.
    pub status: &'static str,
    /// How many listeners it has.
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

/// Why a session was not created or changed.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum SessionError {
    /// Not there, not theirs, or over.
    #[error("refused: {0:?}")]
    Refused(Refusal),
    /// Too many were created.
    #[error(transparent)]
    Limited(#[from] Limited),
    /// Every id that was tried is taken.
    #[error("no free session id in {TRIES} tries")]
    NoFreeId,
    /// A table did not do as asked.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Creates a session under an id that no session has.
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

/// What everybody may know of a session.
pub async fn view<S: Store, B, C: Clock>(
    ports: &Ports<S, B, C>,
    id: &SessionId,
) -> Result<PublicView, SessionError> {
    let session = ports.store.session(id).await?;
    let session = session.ok_or(SessionError::Refused(Refusal::NoSession))?;
    Ok(PublicView::of(&session, ports.clock.now()))
}

/// Opens or closes the doors: who is in stays in, but nobody comes in and no audio goes out while a session is paused.
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
