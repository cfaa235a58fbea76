//! Implementation of the core's stores with DynamoDB.
//!
//! Every state change is one write: a conditional write for one item, a transaction for a connection's record and its
//! session. A failed condition returns the item, so that the reason is known without another read.
//!
//! # Failures
//!
//! Requests that were throttled, conflicted with another transaction, got no response or got a server error are retried
//! with random pauses, until the call's time budget is spent: [`RetryPolicy`]. Then the call fails:
//!
//! | cause | error |
//! |---|---|
//! | throttling, or conflicts with other transactions | [`StoreError::Throttled`] |
//! | no response, a server error, a missing permission or table | [`StoreError::Unavailable`] |
//! | an item that is malformed | [`StoreError::Corrupt`] |
//!
//! A request whose response was lost may have been carried out. Retries are harmless: a transaction keeps its token, and a
//! condition that is false because of the call's own earlier attempt counts as success.
//!
//! # Scaling
//!
//! Every connection that joins or leaves a session writes the session's item, in a transaction that conflicts with others
//! on the same item. DynamoDB gives an item 1,000 write units per second, and such a write takes two. Long before that,
//! simultaneous joins conflict; the random pauses of the retries spread them out. Heartbeats, changes of language and
//! audio do not write the session's item.
//!
//! # Permissions
//!
//! Permissions that a function's role needs, by table. DynamoDB authorizes a transaction by the writes in it.
//!
//! | operation | Sessions | Connections | RateLimits |
//! |---|---|---|---|
//! | `create` | PutItem | | |
//! | `session` | GetItem | | |
//! | `set_status`, `set_broadcast_state`, `begin_end`, `finish_end` | UpdateItem | | |
//! | `connection` | | GetItem | |
//! | `admit_listener`, `admit_speaker` | UpdateItem | PutItem | |
//! | `exchange_listener` | ConditionCheckItem; UpdateItem if a connection names itself | PutItem, DeleteItem | |
//! | `change_language`, `touch`, `request_refresh` | | UpdateItem | |
//! | `remove` | UpdateItem | GetItem, DeleteItem | |
//! | `listeners` | | Query, on the index | |
//! | `remove_listeners` | UpdateItem | DeleteItem | |
//! | `take` | | | UpdateItem |
//! | `peek` | | | GetItem |
//!
//! [`StoreError::Throttled`]: live_session_core::ports::StoreError::Throttled
//! [`StoreError::Unavailable`]: live_session_core::ports::StoreError::Unavailable
//! [`StoreError::Corrupt`]: live_session_core::ports::StoreError::Corrupt

mod admission;
mod call;
mod connections;
mod item;
mod rate_limits;
mod removal;
pub mod schema;
mod sessions;
mod store;
mod write;

pub use call::RetryPolicy;
pub use store::{DynamoStore, StoreSettings, TableNames};
