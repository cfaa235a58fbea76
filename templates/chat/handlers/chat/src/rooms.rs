//! Rules of rooms.

use std::future::Future;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use stackgen_websocket::{Broadcaster, Clock, ConnectionId, FanOutOptions, Timestamp, fan_out};
use thiserror::Error;

use crate::protocol::{ClientMessage, MessageRefusal, RoomName, ServerMessage};

/// Time from the handshake until DynamoDB may expire a membership. API Gateway closes connections after two hours (row
/// M14); the third hour allows for clocks that differ.
const MEMBERSHIP_RETENTION: Duration = Duration::from_secs(3 * 3600);

/// Number of memberships to remove at once.
const CONCURRENT_REMOVALS: usize = 16;

/// Sender of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Connection ID.
    pub connection_id: ConnectionId,
    /// Time at which API Gateway accepted the handshake.
    pub connected_at: Timestamp,
    /// User: the `sub` claim of the token.
    pub user_id: String,
}

/// A connection in a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    /// The room.
    pub room: RoomName,
    /// Connection ID.
    pub connection_id: ConnectionId,
    /// User of the connection.
    pub user_id: String,
    /// TTL attribute, in seconds since 1970.
    pub expires_at: u64,
}

/// Failure of the table.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{operation}: {reason}")]
pub struct StoreError {
    /// Operation that failed.
    pub operation: &'static str,
    /// Error, without data and credentials.
    pub reason: String,
}

/// Store of memberships. Every change is one idempotent write.
pub trait Memberships: Send + Sync {
    /// Adds a membership, unless it exists.
    fn add(&self, membership: &Membership) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Removes a membership, if it exists.
    fn remove(
        &self,
        room: &RoomName,
        id: &ConnectionId,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Returns all connections in a room, with a strongly consistent read.
    fn members(
        &self,
        room: &RoomName,
    ) -> impl Future<Output = Result<Vec<ConnectionId>, StoreError>> + Send;

    /// Returns the rooms that a connection is in. It may miss changes of the last second.
    fn rooms(
        &self,
        id: &ConnectionId,
    ) -> impl Future<Output = Result<Vec<RoomName>, StoreError>> + Send;
}

/// The rules, with the implementations that they use.
#[derive(Debug)]
pub struct Chat<M, B, C> {
    /// Store of memberships.
    pub memberships: M,
    /// Posts messages to connections.
    pub broadcaster: B,
    /// Supplies the current time.
    pub clock: C,
    /// Options of posts to a room.
    pub fan_out: FanOutOptions,
}

impl<M: Memberships, B: Broadcaster, C: Clock> Chat<M, B, C> {
    /// Handles a client's message, and returns the answer.
    ///
    /// # Errors
    ///
    /// Fails if the table fails. The client gets API Gateway's `Internal server error` (row M4).
    pub async fn answer(
        &self,
        caller: &Caller,
        message: ClientMessage,
    ) -> Result<ServerMessage, StoreError> {
        match message {
            ClientMessage::Join(room) => self.join(caller, room).await,
            ClientMessage::Leave(room) => {
                let id = &caller.connection_id;
                self.memberships.remove(&room, id).await?;
                Ok(ServerMessage::LeftRoom { room })
            }
            ClientMessage::Send(room, text) => self.send(caller, room, text).await,
        }
    }

    async fn join(&self, caller: &Caller, room: RoomName) -> Result<ServerMessage, StoreError> {
        let membership = Membership {
            room: room.clone(),
            connection_id: caller.connection_id.clone(),
            user_id: caller.user_id.clone(),
            expires_at: caller.connected_at.after(MEMBERSHIP_RETENTION).as_seconds(),
        };
        self.memberships.add(&membership).await?;
        Ok(ServerMessage::JoinedRoom { room })
    }

    async fn send(
        &self,
        caller: &Caller,
        room: RoomName,
        text: String,
    ) -> Result<ServerMessage, StoreError> {
        let mut others = self.memberships.members(&room).await?;
        let members = others.len();
        others.retain(|id| *id != caller.connection_id);
        if others.len() == members {
            return Ok(MessageRefusal::NotAMember.into());
        }
        let message = ServerMessage::Message {
            room: room.clone(),
            from: caller.user_id.clone(),
            text,
            sent_at: self.clock.now(),
        };
        let message = Bytes::from(message.to_json());
        let report = fan_out(&self.broadcaster, &others, message, &self.fan_out).await;
        if !report.failed.is_empty() {
            let (failed, first) = (report.failed.len(), &report.failed[0].1);
            tracing::warn!(%room, failed, %first, "Cannot reach all members");
        }
        // Posts to a connection whose handshake is in progress fail in the same way (row C11). Members have sent a
        // message, so their connections were open and are gone now. If the table fails, the next message removes them.
        let gone = report.gone.iter().map(|id| (&room, id));
        if let Err(error) = self.remove_all(gone).await {
            tracing::warn!(%room, %error, "Cannot remove memberships");
        }
        Ok(ServerMessage::MessageSent {
            room,
            delivered: report.sent,
        })
    }

    /// Removes a closed connection from all rooms.
    ///
    /// A room that it joined less than a second ago may keep it. Then a message that does not reach it removes it, or
    /// DynamoDB expires it.
    ///
    /// # Errors
    ///
    /// Fails if the table fails. API Gateway does not retry; the remaining memberships are removed as above.
    pub async fn disconnected(&self, id: &ConnectionId) -> Result<(), StoreError> {
        let rooms = self.memberships.rooms(id).await?;
        self.remove_all(rooms.iter().map(|room| (room, id))).await
    }

    /// Removes memberships, as many as possible. Returns the first failure.
    async fn remove_all(
        &self,
        memberships: impl Iterator<Item = (&RoomName, &ConnectionId)>,
    ) -> Result<(), StoreError> {
        let removals = memberships.map(|(room, id)| self.memberships.remove(room, id));
        let results: Vec<_> = stream::iter(removals)
            .buffer_unordered(CONCURRENT_REMOVALS)
            .collect()
            .await;
        results.into_iter().collect()
    }
}
