//! Handling of all messages except audio.

mod errors;
mod heartbeat;
mod listening;
mod speaking;
mod status;

use stackgen_websocket::{Broadcaster, Clock};

use crate::join::JoinSettings;
use crate::ports::{Ports, Store};
use crate::protocol::{ClientMessage, ErrorCode, ServerError, ServerMessage, parse};
pub(crate) use errors::{not_in_session, other_role, other_session};

use crate::{Connection, ConnectionId, Grant, Role, Timestamp, UserId};

/// Sender of a message, from the event's request context (rows E0, E2).
#[derive(Clone, Debug, PartialEq)]
pub struct Sender {
    /// Connection ID.
    pub connection_id: ConnectionId,
    /// Time at which API Gateway accepted the handshake.
    pub connected_at: Timestamp,
    /// Source IP address.
    pub ip_address: String,
    /// User that the authorizer verified.
    pub user_id: Option<UserId>,
    /// Limits of the ticket that the authorizer redeemed.
    pub grant: Option<Grant>,
}

/// Handles a message. Returns the messages to post to its sender: at least one, which may be an error.
pub async fn handle_message<S: Store, B: Broadcaster, C: Clock>(
    ports: &Ports<S, B, C>,
    settings: JoinSettings,
    sender: &Sender,
    body: &str,
) -> Vec<ServerMessage> {
    let answers = match parse(body) {
        Ok(message) => dispatch(ports, settings, sender, message).await,
        Err(error) => Err(error),
    };
    answers.unwrap_or_else(|error| {
        tracing::info!(code = ?error.code, "Message refused");
        let timestamp = ports.clock.now();
        vec![ServerMessage::Error { error, timestamp }]
    })
}

/// Messages to post to the sender.
type Answers = Result<Vec<ServerMessage>, ServerError>;

async fn dispatch<S: Store, B: Broadcaster, C: Clock>(
    ports: &Ports<S, B, C>,
    settings: JoinSettings,
    sender: &Sender,
    message: ClientMessage,
) -> Answers {
    let id = &sender.connection_id;
    match message {
        ClientMessage::JoinSession {
            session_id,
            target_language,
        } => listening::join_session(ports, settings, sender, session_id, target_language).await,
        ClientMessage::ChangeLanguage { target_language } => {
            listening::change_language(ports, id, &target_language).await
        }
        ClientMessage::Heartbeat {} => heartbeat::heartbeat(ports, id).await,
        ClientMessage::RefreshConnection {
            session_id,
            role,
            target_language,
            previous_connection_id,
        } => {
            let expected = listening::ExpectedConnection {
                session_id,
                role,
                target_language,
            };
            listening::refresh(ports, id, expected, previous_connection_id).await
        }
        ClientMessage::PauseBroadcast {} => speaking::pause(ports, id, true).await,
        ClientMessage::ResumeBroadcast {} => speaking::pause(ports, id, false).await,
        ClientMessage::MuteBroadcast {} => speaking::mute(ports, id, true).await,
        ClientMessage::UnmuteBroadcast {} => speaking::mute(ports, id, false).await,
        ClientMessage::SetVolume { volume_level } => {
            speaking::set_volume(ports, id, volume_level).await
        }
        ClientMessage::SpeakerStateChange { state } => speaking::set_state(ports, id, state).await,
        ClientMessage::GetSessionStatus {} => status::session_status(ports, id).await,
        ClientMessage::EndSession { session_id, reason } => {
            speaking::end_session(ports, id, &session_id, reason).await
        }
    }
}

/// Returns the sender's record.
pub(crate) async fn sender_record(
    store: &impl Store,
    id: &ConnectionId,
) -> Result<Connection, ServerError> {
    store
        .connection(id)
        .await?
        .ok_or_else(errors::not_in_session)
}

/// Returns the sender's record, if the sender is a speaker.
pub(crate) async fn speaker_record(
    store: &impl Store,
    id: &ConnectionId,
) -> Result<Connection, ServerError> {
    let connection = sender_record(store, id).await?;
    match connection.role {
        Role::Speaker => Ok(connection),
        Role::Listener => {
            let message = "only the speaker may send this";
            Err(ServerError::new(ErrorCode::NotSpeaker, message))
        }
    }
}
