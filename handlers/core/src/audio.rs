//! Audio from the speaker to the listeners.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::future::{join, join_all};
use serde::Deserialize;
use stackgen_websocket::{Broadcaster, Clock, ConnectionId, FanOutReport, Timestamp};
use tracing::warn;

use crate::audience::{broadcast, listeners};
use crate::limits::{AUDIO_CHUNK, AUDIO_RATE, MAX_AUDIO_AGE};
use crate::messages::{not_in_session, other_role, other_session, speaker_record};
use crate::ports::{Bucket, Ports, Relay, Store};
use crate::protocol::{ErrorCode, ServerError, ServerMessage};
use crate::recipients::{Recipient, Share};
use crate::{Language, RateLimitFailure, Session, SessionId, SessionStatus, rates};

/// Maximum length of an audio format's name, in bytes.
const MAX_FORMAT: usize = 64;

/// Settings for audio.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AudioSettings {
    /// Maximum number of listeners that one invocation posts to. The function invokes itself for the others.
    pub listeners_per_invocation: usize,
    /// Behavior while the rate limit table is unavailable.
    pub rate_limit_failure: RateLimitFailure,
}

/// A chunk of audio, as the speaker sends it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Chunk {
    session_id: SessionId,
    audio_data: String,
    timestamp: u64,
    format: String,
    chunk_index: u64,
    /// Language of the listeners to send to (default: all listeners).
    target_language: Option<Language>,
}

/// Outcome of sending a chunk.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AudioReport {
    /// Posts by this invocation.
    pub report: FanOutReport,
    /// Number of shares that other invocations took over.
    pub shares: usize,
}

/// Sends a chunk of audio to the session's listeners. The speaker gets no answer unless the chunk is refused.
///
/// The message is serialized once. This invocation posts to one share of the audience and hands the others to further
/// invocations. If it cannot hand over a share, it posts to that share, too.
pub async fn send_audio<S: Store, B: Broadcaster, C: Clock>(
    ports: &Ports<S, B, C>,
    relay: &impl Relay,
    settings: AudioSettings,
    sender: &ConnectionId,
    body: &str,
) -> Result<AudioReport, ServerError> {
    let received_at = ports.clock.now();
    let chunk = parse(body)?;
    let session_id = authorized_session(ports, settings, sender, &chunk).await?;
    let language = chunk.target_language.clone();
    let message = audio_message(chunk);
    let all = listeners(&ports.store, &session_id, language.as_ref()).await?;
    let all: Vec<_> = all.iter().map(Recipient::from).collect();
    let (own, others) = split_audience(&all, settings.listeners_per_invocation);
    let share = |audience: &[Recipient]| Share {
        session_id: session_id.clone(),
        audience: audience.to_vec(),
        message: message.clone(),
        received_at,
    };
    let bytes = Bytes::from(message.clone());
    let handing_over = join_all(others.map(|audience| hand_over(relay, share(audience))));
    let deadline = time_left(received_at, ports.clock.now());
    let sending = broadcast(ports, &session_id, own, bytes.clone(), deadline);
    // In this order: `join` polls the requests to Lambda first, so that they go out before the posts to listeners.
    let (left, mut report) = join(handing_over, sending).await;
    let shares = left.iter().filter(|audience| audience.is_empty()).count();
    let left = left.concat();
    if !left.is_empty() {
        let deadline = time_left(received_at, ports.clock.now());
        let rest = broadcast(ports, &session_id, &left, bytes, deadline).await;
        report.sent += rest.sent;
        report.gone.extend(rest.gone);
        report.failed.extend(rest.failed);
    }
    Ok(AudioReport { report, shares })
}

/// Hands over a share. Returns the recipients that this invocation still has to post to: none, or all of them.
async fn hand_over(relay: &impl Relay, share: Share) -> Vec<Recipient> {
    match relay.hand_over(&share).await {
        Ok(()) => Vec::new(),
        Err(error) => {
            warn!(sessionId = %share.session_id, %error, "Cannot hand over a share: this invocation sends it");
            share.audience
        }
    }
}

/// Sends a share that another invocation handed over. Returns `None` if the audio is too old.
pub async fn send_share<S: Store, B: Broadcaster, C: Clock>(
    ports: &Ports<S, B, C>,
    share: Share,
) -> Option<FanOutReport> {
    let deadline = time_left(share.received_at, ports.clock.now());
    if deadline.is_zero() {
        warn!(sessionId = %share.session_id, "Dropped a share: its audio is too old");
        return None;
    }
    let message = Bytes::from(share.message);
    Some(broadcast(ports, &share.session_id, &share.audience, message, deadline).await)
}

/// Returns the time until audio is too old to send.
fn time_left(received_at: Timestamp, now: Timestamp) -> Duration {
    MAX_AUDIO_AGE.saturating_sub(now.since(received_at))
}

fn parse(body: &str) -> Result<Chunk, ServerError> {
    let invalid = |error: String| ServerError::new(ErrorCode::InvalidMessage, error);
    let chunk: Chunk = serde_json::from_str(body).map_err(|error| invalid(error.to_string()))?;
    if chunk.format.is_empty() || chunk.format.len() > MAX_FORMAT {
        return Err(invalid(format!("format must have 1 to {MAX_FORMAT} bytes")));
    }
    let audio = STANDARD.decode(&chunk.audio_data);
    let audio = audio.map_err(|_| invalid("audioData is not base64".to_owned()))?;
    if !AUDIO_CHUNK.contains(&audio.len()) {
        let (least, most) = (AUDIO_CHUNK.start(), AUDIO_CHUNK.end());
        let message = format!("audioData must decode to {least} to {most} bytes");
        return Err(ServerError::new(ErrorCode::MessageTooLarge, message));
    }
    Ok(chunk)
}

/// Returns the session, if the sender is its speaker and may send now. All connections of the speaker may send, so that
/// nothing is lost while one replaces another.
async fn authorized_session<S: Store, B, C: Clock>(
    ports: &Ports<S, B, C>,
    settings: AudioSettings,
    sender: &ConnectionId,
    chunk: &Chunk,
) -> Result<SessionId, ServerError> {
    let connection = speaker_record(&ports.store, sender).await?;
    if connection.session_id != chunk.session_id {
        return Err(other_session());
    }
    // Every speaker's record has a user ID: `join` compares it with the session's owner.
    let user_id = connection.user_id.ok_or_else(other_role)?;
    let now = ports.clock.now();
    let bucket = Bucket::new("audio", "user", user_id.as_str());
    let failure = settings.rate_limit_failure;
    rates::take(&ports.store, bucket, AUDIO_RATE, failure, now).await?;
    let session = ports.store.session(&connection.session_id).await?;
    check_on_air(&session.ok_or_else(not_in_session)?, now)?;
    Ok(connection.session_id)
}

fn check_on_air(session: &Session, now: Timestamp) -> Result<(), ServerError> {
    let status = session.status_at(now);
    if status != SessionStatus::Active {
        let message = format!("the session is {}", status.public());
        return Err(ServerError::new(ErrorCode::SessionNotActive, message));
    }
    let state = session.broadcast_state;
    if state.is_paused || state.is_muted {
        let message = "the broadcast is paused or muted: resume and unmute it first";
        return Err(ServerError::new(ErrorCode::BroadcastPaused, message));
    }
    Ok(())
}

fn audio_message(chunk: Chunk) -> String {
    let message = ServerMessage::Audio {
        session_id: chunk.session_id,
        audio_data: chunk.audio_data,
        timestamp: chunk.timestamp,
        format: chunk.format,
        chunk_index: chunk.chunk_index,
    };
    message.to_text()
}

/// Returns the share for this invocation, and the shares for others.
fn split_audience(
    all: &[Recipient],
    size: usize,
) -> (&[Recipient], std::slice::Chunks<'_, Recipient>) {
    let size = size.max(1);
    let own = all.len().min(size);
    (&all[..own], all[own..].chunks(size))
}
