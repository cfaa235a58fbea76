//! The core's stores in DynamoDB.
//!
//! Every transition is one write: conditional where it concerns one item, transactional where it concerns a record and
//! its session. A failed condition brings the item along, so that the reason is known without another read.
//!
//! # Failures
//!
//! Requests that were turned away (throttling, a conflict with another transaction), got no answer or met a failure of
//! the table are sent again, after random pauses, until the call's budget of time is spent: [`Retry`]. After that:
//!
//! | what | is |
//! |---|---|
//! | throttled, or in conflict with other transactions | [`StoreError::Throttled`] |
//! | no answer, a failure on the table's side, a missing permission or table | [`StoreError::Unavailable`] |
//! | an item that is not as this code writes it | [`StoreError::Corrupt`] |
//!
//! A request whose answer was lost may have happened. Asking again is harmless: a transaction carries the same token, and
//! a condition that now fails because of the own first try counts as success.
//!
//! # How it scales
//!
//! Who comes to a session or leaves it writes the session's one item, in a transaction that excludes others on the same
//! item while it lasts. DynamoDB gives an item 1,000 write units a second, of which such a write takes two; long before
//! that, people who come at the same moment collide and are asked to wait, which the pauses spread out. Nothing else
//! writes the session for each listener: signs of life, changes of language and audio do not.
//!
//! # Permissions
//!
//! What the role of a function needs, action by table. DynamoDB authorises a transaction as the writes in it.
//!
//! | operation | Sessions | Connections | RateLimits |
//! |---|---|---|---|
//! | `create` | PutItem | | |
//! | `session` | GetItem | | |
//! | `set_status`, `set_broadcast_state`, `begin_end`, `finish_end` | UpdateItem | | |
//! | `connection` | | GetItem | |
//! | `admit_listener`, `admit_speaker` | UpdateItem | PutItem | |
//! | `exchange_listener` | ConditionCheckItem, and UpdateItem where a connection names itself | PutItem, DeleteItem | |
//! | `change_language`, `touch`, `request_refresh` | | UpdateItem | |
//! | `remove` | UpdateItem | GetItem, DeleteItem | |
//! | `listeners` | | Query, on the index | |
//! | `remove_listeners` | UpdateItem | DeleteItem | |
//! | `take` | | | UpdateItem |
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

pub use call::Retry;
pub use store::{DynamoStore, Settings, Tables};
