//! Audio from the speaker to the listeners.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::future::{join, join_all};
use serde::Deserialize;
use stackgen_websocket::{
    Broadcaster, Clock, ConnectionId, FanOutOptions, FanOutReport, Timestamp,
};
use tracing::warn;

use crate::audience::{closed_connections, listeners, post_to, remove_closed};
use crate::gone::GoneMemory;
use crate::limits::{AUDIO_ATTEMPTS, AUDIO_CHUNK, MAX_AUDIO_AGE, Rate};
use crate::messages::{not_in_session, other_role, other_session, speaker_record};
use crate::ports::{Bucket, Ports, Relay, Store};
use crate::protocol::{ErrorCode, ServerError, ServerMessage};
use crate::recipients::{GoneListeners, Recipient, Share};
use crate::{
    Language, MessageLimiter, RateLimitFailure, Session, SessionId, SessionStatus, UserId, rates,
};

/// Maximum length of an audio format's name, in bytes.
const MAX_FORMAT: usize = 64;

/// Maximum number of posts in flight to the shares that the relay refuses, together. With those of the invocation's own
/// share, they stay below the 1,024 sockets that Lambda allows.
const REFUSED_IN_FLIGHT: usize = 256;

/// Time that a post may take without slowing the fan-out down, in microseconds.
const POST_TIME: u64 = 60_000;

/// Settings for audio.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AudioSettings {
    /// Maximum number of listeners that one invocation posts to. The function invokes itself for the others.
    pub listeners_per_invocation: usize,
    /// Number of posts per second over which each chunk is spread, by all invocations together. Chunks that come faster than
    /// it allows are refused. It is an average: chunks that come together are spread over the same time, and exceed it until
    /// their posts are sent.
    pub posts_per_second: u32,
    /// Rate at which a speaker may send chunks: see [`audio_rate`](crate::limits::audio_rate).
    pub rate: Rate,
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

/// A chunk from a client, with the facts of its request.
#[derive(Clone, Copy, Debug)]
pub struct AudioMessage<'a> {
    /// Connection that sent it.
    pub sender: &'a ConnectionId,
    /// API Gateway's ID of the request, for logs.
    pub request_id: Option<&'a str>,
    /// The message.
    pub body: &'a str,
}

/// Sends audio. It lives as long as its execution environment, and remembers closed connections.
#[derive(Debug)]
pub struct AudioSender<R> {
    relay: R,
    settings: AudioSettings,
    gone: GoneMemory,
    messages: MessageLimiter,
}

impl<R: Relay> AudioSender<R> {
    /// Returns a sender that hands work over to this relay.
    pub fn new(relay: R, settings: AudioSettings) -> Self {
        AudioSender {
            relay,
            settings,
            gone: GoneMemory::default(),
            // The exact limit is the user's, in the table. This one stops floods before they cost a read.
            messages: MessageLimiter::new(Rate {
                tokens: settings.rate.tokens.saturating_mul(2),
                per: settings.rate.per,
            }),
        }
    }

    /// Returns the relay.
    pub fn relay(&self) -> &R {
        &self.relay
    }

    /// Returns the limiter of messages, which applies to speakers and to others.
    pub fn messages(&self) -> &MessageLimiter {
        &self.messages
    }

    /// Sends a chunk of audio to the session's listeners. The speaker gets no answer unless the chunk is refused.
    ///
    /// The message is serialized once. This invocation posts to one share of the audience and hands the others to
    /// further invocations. If it cannot hand over a share, it posts to that share at once, too. Each listener gets one
    /// attempt. The posts of all invocations together are spread over time by [`AudioSettings::posts_per_second`].
    pub async fn send<S: Store, B: Broadcaster, C: Clock>(
        &self,
        ports: &Ports<S, B, C>,
        message: AudioMessage<'_>,
    ) -> Result<AudioReport, ServerError> {
        let received_at = ports.clock.now();
        let chunk = parse(message.body)?;
        let settings = self.settings;
        let (session_id, user_id) = authorized_session(ports, message.sender, &chunk).await?;
        let (language, chunk_index) = (chunk.target_language.clone(), chunk.chunk_index);
        let text = audio_message(chunk);
        let mut all = listeners(&ports.store, &session_id, language.as_ref()).await?;
        self.gone.filter(&mut all);
        let bucket = Bucket::new("audio", "user", user_id.as_str());
        let rate = chunk_rate(settings, all.len());
        let failure = settings.rate_limit_failure;
        rates::take(&ports.store, bucket, rate, failure, ports.clock.now()).await?;
        rotate(&mut all, chunk_index);
        let (own, others) = split_audience(&all, settings.listeners_per_invocation);
        let share = |audience: &[Recipient]| Share {
            session_id: session_id.clone(),
            audience: audience.to_vec(),
            message: text.clone(),
            interval_micros: post_interval(all.len(), audience.len(), settings.posts_per_second),
            received_at,
            chunk_index,
            request_id: message.request_id.map(str::to_owned),
        };
        let own = share(own);
        let in_flight = REFUSED_IN_FLIGHT / others.len().max(1);
        let handing_over = others.map(|audience| self.hand_over(ports, share(audience), in_flight));
        // In this order: `join` polls the requests to Lambda first, so that they go out before the posts to listeners.
        let (refused, mut report) = join(
            join_all(handing_over),
            self.post(ports, &own, FanOutOptions::default().in_flight),
        )
        .await;
        let shares = refused.iter().filter(|report| report.is_none()).count();
        for refused in refused.into_iter().flatten() {
            report.merge(refused);
        }
        self.remove_gone(ports, &session_id, &all, &report).await;
        Ok(AudioReport { report, shares })
    }

    /// Sends a share that another invocation handed over. Returns `None` if the audio is too old.
    pub async fn send_share<S: Store, B: Broadcaster, C: Clock>(
        &self,
        ports: &Ports<S, B, C>,
        mut share: Share,
    ) -> Option<FanOutReport> {
        if time_left(share.received_at, ports.clock.now()).is_zero() {
            warn!("Dropped a share: its audio is too old");
            return None;
        }
        self.gone.filter(&mut share.audience);
        let in_flight = FanOutOptions::default().in_flight;
        let report = self.post(ports, &share, in_flight).await;
        self.remove_gone(ports, &share.session_id, &share.audience, &report)
            .await;
        Some(report)
    }

    /// Removes the records of closed connections, as another invocation handed it over. If the table fails, the records
    /// stay until a message to them fails again.
    pub async fn remove<S: Store, B, C: Clock>(&self, ports: &Ports<S, B, C>, gone: GoneListeners) {
        remove_closed(ports, &gone.session_id, &gone.connection_ids).await;
    }

    /// Posts a share until its audio is too old.
    async fn post<S: Store, B: Broadcaster, C: Clock>(
        &self,
        ports: &Ports<S, B, C>,
        share: &Share,
        in_flight: usize,
    ) -> FanOutReport {
        let options = FanOutOptions {
            deadline: time_left(share.received_at, ports.clock.now()),
            attempts: AUDIO_ATTEMPTS,
            concurrency: concurrency(share.interval_micros, in_flight),
            in_flight,
            interval: Duration::from_micros(share.interval_micros),
            ..FanOutOptions::default()
        };
        let message = Bytes::from(share.message.clone());
        post_to(&ports.broadcaster, &share.audience, message, &options).await
    }

    /// Hands over a share. If the relay refuses it, posts to it at once, and returns the report.
    async fn hand_over<S: Store, B: Broadcaster, C: Clock>(
        &self,
        ports: &Ports<S, B, C>,
        share: Share,
        in_flight: usize,
    ) -> Option<FanOutReport> {
        match self.relay.hand_over(&share).await {
            Ok(()) => None,
            Err(error) => {
                warn!(sessionId = %share.session_id, %error, "Cannot hand over a share: this invocation sends it");
                Some(self.post(ports, &share, in_flight).await)
            }
        }
    }

    /// Hands over the removal of connections that this execution environment finds closed for the first time. Audio does
    /// not wait for the transactions that remove them.
    async fn remove_gone<S, B, C: Clock>(
        &self,
        ports: &Ports<S, B, C>,
        session: &SessionId,
        audience: &[Recipient],
        report: &FanOutReport,
    ) {
        let now = ports.clock.now();
        let closed = closed_connections(audience, &report.gone, now);
        let connection_ids = self.gone.remember(closed, now);
        if connection_ids.is_empty() {
            return;
        }
        let gone = GoneListeners {
            session_id: session.clone(),
            connection_ids,
        };
        if let Err(error) = self.relay.hand_over_removal(&gone).await {
            warn!(sessionId = %session, %error, "Cannot hand over the removal of closed connections");
            self.gone.forget(&gone.connection_ids);
        }
    }
}

/// Rotates the audience by the number of the chunk. When the account's requests run out during a chunk, the listeners at
/// the end miss it; with the rotation, they are different ones for every chunk, in every language.
fn rotate(audience: &mut [Recipient], chunk_index: u64) {
    // Multiples of the golden ratio are spread evenly over the audience, whatever its size.
    const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;
    let fraction = u128::from(chunk_index.wrapping_mul(GOLDEN));
    let start = (fraction * audience.len() as u128) >> 64;
    audience.rotate_left(start as usize);
}

/// Returns the rate at which chunks to this many listeners may come: the setting's, or the one at which their posts keep
/// [`AudioSettings::posts_per_second`]. Otherwise chunks would overlap, and add up to more.
fn chunk_rate(settings: AudioSettings, audience: usize) -> Rate {
    let Rate { tokens, per } = settings.rate;
    let micros = 1_000_000 * audience as u64 / u64::from(settings.posts_per_second.max(1));
    let needed = Duration::from_micros(micros);
    if needed <= per / tokens.max(1) {
        return settings.rate;
    }
    let tokens = (per.as_micros() / needed.as_micros()).max(1) as u32;
    Rate {
        tokens,
        per: needed * tokens,
    }
}

/// Returns the time between two posts of a share, in microseconds: the shares of an audience run at the same time, and
/// together they keep the rate.
fn post_interval(audience: usize, share: usize, posts_per_second: u32) -> u64 {
    let rate = u64::from(posts_per_second.max(1)) * share.max(1) as u64;
    1_000_000 * audience as u64 / rate
}

/// Returns the number of posts at once with which posts that take [`POST_TIME`] keep this interval.
fn concurrency(interval_micros: u64, in_flight: usize) -> usize {
    let needed = POST_TIME.checked_div(interval_micros).unwrap_or(POST_TIME);
    let usual = FanOutOptions::default().concurrency;
    // At most 60,000, which fits.
    (needed as usize).clamp(usual, in_flight.max(usual))
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

/// Returns the session and its speaker, if the sender is the speaker and may send now. All connections of the speaker may
/// send, so that nothing is lost while one replaces another.
async fn authorized_session<S: Store, B, C: Clock>(
    ports: &Ports<S, B, C>,
    sender: &ConnectionId,
    chunk: &Chunk,
) -> Result<(SessionId, UserId), ServerError> {
    let connection = speaker_record(&ports.store, sender).await?;
    if connection.session_id != chunk.session_id {
        return Err(other_session());
    }
    // Every speaker's record has a user ID: `join` compares it with the session's owner.
    let user_id = connection.user_id.ok_or_else(other_role)?;
    let session = ports.store.session(&connection.session_id).await?;
    check_on_air(&session.ok_or_else(not_in_session)?, ports.clock.now())?;
    Ok((connection.session_id, user_id))
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
