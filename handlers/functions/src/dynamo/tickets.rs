//! Connect tickets: written once, deleted when redeemed.

use live_session_core::ports::{StoreError, StoreResult, TicketStore};
use live_session_core::{SessionId, Ticket, TicketHash, Timestamp};

use super::DynamoStore;
use super::item;
use super::schema::TICKETS;
use super::store::{WriteResult, key};
use super::write::{ConditionalWrite, ItemChange};

impl TicketStore for DynamoStore {
    async fn put_ticket(&self, hash: &TicketHash, ticket: &Ticket) -> StoreResult<()> {
        let mut call = self.call("put_ticket");
        let mut item = item::write(ticket);
        item.extend(key(TICKETS.key, hash.as_str()));
        let put = ConditionalWrite::new(self.tickets_table(call.operation)?, ItemChange::Put(item))
            .when("attribute_not_exists(#ticketHash)");
        match self.write(&mut call, put).await? {
            WriteResult::Done(_) => Ok(()),
            // An earlier attempt of this call wrote it, and its response was lost: secrets do not repeat.
            WriteResult::ConditionFailed(_) => Ok(()),
        }
    }

    /// Deletes the ticket on the condition that it is valid, so that of several calls one succeeds.
    async fn redeem_ticket(
        &self,
        hash: &TicketHash,
        session: &SessionId,
        now: Timestamp,
    ) -> StoreResult<Option<Ticket>> {
        let mut call = self.call("redeem_ticket");
        let delete = ItemChange::Delete(key(TICKETS.key, hash.as_str()));
        let delete = ConditionalWrite::new(self.tickets_table(call.operation)?, delete)
            .when("#sessionId = :session AND #validUntil > :now")
            .with(":session", session)
            .with(":now", &now);
        match self.write(&mut call, delete).await? {
            WriteResult::Done(item) => item
                .map(|item| item::read(call.operation, item))
                .transpose(),
            // If a response was lost, this call may have deleted the ticket, or another one: the client needs a new one.
            WriteResult::ConditionFailed(None) if call.maybe_written => {
                Err(StoreError::Unavailable {
                    operation: call.operation,
                    reason: "the response to an earlier attempt was lost".to_owned(),
                })
            }
            WriteResult::ConditionFailed(_) => Ok(None),
        }
    }
}

impl DynamoStore {
    fn tickets_table(&self, operation: &'static str) -> StoreResult<&str> {
        let table = self.tables.tickets.as_deref();
        table.ok_or_else(|| StoreError::Unavailable {
            operation,
            reason: "this function has no ticket table: set TICKETS_TABLE".to_owned(),
        })
    }
}
