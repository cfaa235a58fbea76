//! Connect tickets: one-time secrets that go into the query of a handshake instead of a token.
//!
//! A query appears in logs and histories, and browsers can set nothing else. A token there is valid for an hour, in every
//! session; a ticket is valid for 30 seconds, in one session and role, and once.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use stackgen_websocket::{Clock, Timestamp};
use thiserror::Error;
use tracing::info;

use crate::callers::{Caller, check_limits, check_wrong_ids, count_wrong_id, find_session};
use crate::limits::TICKET_LIFETIME;
use crate::ports::{Ports, RateLimiter, SessionRefusal, Store, StoreError, TicketStore};
use crate::rates::RateLimitError;
use crate::session_ids::random_bytes;
use crate::sessions::SessionError;
use crate::{CallerLimits, Role, SessionId, Ticket, TicketHash, UserId};

/// Number of random bytes in a ticket's secret.
const SECRET_BYTES: usize = 32;

/// Maximum length of a secret that is looked up.
const MAX_SECRET: usize = 128;

/// An issued ticket. Only its bearer knows the secret.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct IssuedTicket {
    /// The secret, for the query parameter `ticket`.
    pub ticket: String,
    /// The role that it gives.
    pub role: Role,
    /// Time until which it is valid, in milliseconds.
    pub expires_at: Timestamp,
}

/// Issues a ticket to a verified user. Only the owner gets one for the speaker; without a `role`, it is the user's own.
pub async fn issue<S: Store, B, C: Clock>(
    ports: &Ports<S, B, C>,
    limits: CallerLimits,
    id: &SessionId,
    user: &UserId,
    role: Option<Role>,
) -> Result<IssuedTicket, SessionError> {
    let now = ports.clock.now();
    let caller = Caller::new(Some(user), "");
    check_limits(&ports.store, &caller, "ticket", limits, now).await?;
    let session = find_session(ports, &caller, limits, id).await?;
    let session = session.ok_or(SessionError::Refused(SessionRefusal::NoSession))?;
    let own_role = match *user == session.speaker_id {
        true => Role::Speaker,
        false => Role::Listener,
    };
    let role = role.unwrap_or(own_role);
    if role == Role::Speaker && own_role != Role::Speaker {
        return Err(SessionError::Refused(SessionRefusal::NotOwner));
    }
    let status = session.status_at(now);
    if status.is_over() {
        let refusal = SessionRefusal::WrongStatus(status);
        return Err(SessionError::Refused(refusal));
    }
    let secret = URL_SAFE_NO_PAD.encode(random_bytes::<SECRET_BYTES>()?);
    let valid_until = now.after(TICKET_LIFETIME);
    let ticket = Ticket {
        session_id: id.clone(),
        role,
        user_id: user.clone(),
        valid_until,
        expires_at: valid_until.as_seconds() + 1,
    };
    ports
        .store
        .put_ticket(&TicketHash::of(&secret), &ticket)
        .await?;
    info!(sessionId = %id, role = role.name(), "Ticket issued");
    Ok(IssuedTicket {
        ticket: secret,
        role,
        expires_at: valid_until,
    })
}

/// A handshake with a ticket.
#[derive(Clone, Copy)]
pub struct TicketRequest<'a> {
    /// The secret.
    pub secret: &'a str,
    /// Query parameter `sessionId`.
    pub session_id: &'a str,
    /// Source IP address.
    pub ip_address: &'a str,
}

/// Reason why a ticket is refused. The caller does not learn it.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum TicketError {
    /// The ticket does not exist, has been used, has expired or is for another session.
    #[error("the ticket does not exist, has been used, has expired or is for another session")]
    Invalid,
    /// The address named too many sessions and tickets that do not exist.
    #[error(transparent)]
    RateLimited(#[from] RateLimitError),
    /// The table failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Redeems a ticket. A wrong one counts like a wrong session ID. The limit of wrong IDs does not refuse a valid ticket: people
/// who share an address with someone who guesses still connect.
pub async fn redeem<S: RateLimiter + TicketStore, B, C: Clock>(
    ports: &Ports<S, B, C>,
    limits: CallerLimits,
    request: TicketRequest<'_>,
) -> Result<Ticket, TicketError> {
    let (store, now) = (&ports.store, ports.clock.now());
    let session_id = SessionId::try_from(request.session_id).ok();
    let ticket = match session_id {
        Some(id) if request.secret.len() <= MAX_SECRET => {
            let hash = TicketHash::of(request.secret);
            store.redeem_ticket(&hash, &id, now).await?
        }
        _ => None,
    };
    if let Some(ticket) = ticket {
        return Ok(ticket);
    }
    let caller = Caller::new(None, request.ip_address);
    check_wrong_ids(store, &caller, limits, now).await?;
    count_wrong_id(store, &caller, limits, now).await;
    Err(TicketError::Invalid)
}
