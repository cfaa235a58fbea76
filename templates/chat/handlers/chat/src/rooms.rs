//! The rules: who is in a room, and who hears whom.

use std::future::Future;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use stackgen_websocket::{Broadcaster, Clock, ConnectionId, FanOut, Timestamp, fan_out};
use thiserror::Error;

use crate::protocol::{Call, Refusal, RoomName, ServerMessage};

/// How long after its connection was made a membership may be forgotten: API Gateway keeps no connection longer than two
/// hours (row M14), and an hour is for clocks and for the table, which takes its time.
const MEMBERSHIP: Duration = Duration::from_secs(3 * 3600);

/// How many memberships are removed at once.
const REMOVALS: usize = 16;

/// Who sent a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// By which connection.
    pub connection_id: ConnectionId,
    /// When API Gateway accepted it.
    pub connected_at: Timestamp,
    /// Who: the `sub` of the token.
    pub user_id: String,
}

/// A connection in a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    /// The room.
    pub room: RoomName,
    /// The connection.
    pub connection_id: ConnectionId,
    /// Whose it is.
    pub user_id: String,
    /// When the table may forget it, in seconds since 1970, should nobody have removed it.
    pub expires_at: u64,
}

/// The table did not do as asked.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{operation}: {reason}")]
pub struct StoreError {
    /// What was asked.
    pub operation: &'static str,
    /// What came back; without data and credentials.
    pub reason: String,
}

/// Who is where. Every change is one write, and asking again for what has happened changes nothing.
pub trait Memberships: Send + Sync {
    /// Adds a membership, unless it is there.
    fn add(&self, membership: &Membership) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Removes a membership, if it is there.
    fn remove(
        &self,
        room: &RoomName,
        id: &ConnectionId,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Everybody in a room, as of now.
    fn members(
        &self,
        room: &RoomName,
    ) -> impl Future<Output = Result<Vec<ConnectionId>, StoreError>> + Send;

    /// The rooms that a connection is in. May miss what changed within the last second.
    fn rooms(
        &self,
        id: &ConnectionId,
    ) -> impl Future<Output = Result<Vec<RoomName>, StoreError>> + Send;
}

/// The rules on top of what they need.
#[derive(Debug)]
pub struct Chat<M, B, C> {
    /// Who is where.
    pub memberships: M,
    /// How members are reached.
    pub broadcaster: B,
    /// What time it is.
    pub clock: C,
    /// How a message is sent to many.
    pub fan_out: FanOut,
}

impl<M: Memberships, B: Broadcaster, C: Clock> Chat<M, B, C> {
    /// Does what a client wants, and answers it.
    ///
    /// # Errors
    ///
    /// The table fails: the client gets API Gateway's `Internal server error` (row M4).
    pub async fn answer(&self, caller: &Caller, call: Call) -> Result<ServerMessage, StoreError> {
        match call {
            Call::Join(room) => self.join(caller, room).await,
            Call::Leave(room) => {
                let id = &caller.connection_id;
                self.memberships.remove(&room, id).await?;
                Ok(ServerMessage::LeftRoom { room })
            }
            Call::Send(room, text) => self.send(caller, room, text).await,
        }
    }

    async fn join(&self, caller: &Caller, room: RoomName) -> Result<ServerMessage, StoreError> {
        let membership = Membership {
            room: room.clone(),
            connection_id: caller.connection_id.clone(),
            user_id: caller.user_id.clone(),
            expires_at: caller.connected_at.after(MEMBERSHIP).as_seconds(),
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
        let everybody = others.len();
        others.retain(|id| *id != caller.connection_id);
        if others.len() == everybody {
            return Ok(Refusal::NotAMember.into());
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
            tracing::warn!(%room, failed, %first, "Members not reached");
        }
        // A post to a connection that is only about to open says that it is gone, too (row C11). Members have joined by a
        // message, and so are past that: they are gone. If the table keeps them, the next message tries again.
        let gone = report.gone.iter().map(|id| (&room, id));
        if let Err(error) = self.remove_all(gone).await {
            tracing::warn!(%room, %error, "Members not removed");
        }
        Ok(ServerMessage::MessageSent {
            room,
            delivered: report.sent,
        })
    }

    /// A connection is closed: it leaves every room.
    ///
    /// One that joined less than a second before may stay in that room. It goes when the next message does not reach it,
    /// or with its time.
    ///
    /// # Errors
    ///
    /// The table fails. API Gateway does not ask again; what is left goes as above.
    pub async fn disconnected(&self, id: &ConnectionId) -> Result<(), StoreError> {
        let rooms = self.memberships.rooms(id).await?;
        self.remove_all(rooms.iter().map(|room| (room, id))).await
    }

    /// Removes memberships, as many as it can; the first failure is told.
    async fn remove_all(
        &self,
        which: impl Iterator<Item = (&RoomName, &ConnectionId)>,
    ) -> Result<(), StoreError> {
        let removals = which.map(|(room, id)| self.memberships.remove(room, id));
        let results: Vec<_> = stream::iter(removals)
            .buffer_unordered(REMOVALS)
            .collect()
            .await;
        results.into_iter().collect()
    }
}
