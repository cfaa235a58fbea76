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
//! Transactions on one item exclude each other. So a session's places are split over 16 items, the shards, which count
//! listeners in total, by language and by address. A listener who joins, leaves or changes the language writes one of
//! them, together with the record. At 20 ms a transaction, 16 shards take 800 per second; the random pauses of the
//! retries spread the rest. A join that meets a conflict tries another shard. Heartbeats and audio write no shard, and no
//! listener writes the session's item.
//!
//! A shard stores each address once, so its item grows with the listeners: with 500, it has about 1 KB.
//!
//! # Permissions
//!
//! Permissions that a function's role needs, by table. DynamoDB authorizes a transaction by the writes in it.
//!
//! | operation | Sessions | Connections | RateLimits | Tickets |
//! |---|---|---|---|---|
//! | `create` | PutItem | | | |
//! | `reserve_id` | | | UpdateItem | |
//! | `session` | GetItem | | | |
//! | `listener_counts` | BatchGetItem | | | |
//! | `set_status`, `set_broadcast_state`, `begin_end` | UpdateItem | | | |
//! | `finish_end` | GetItem, UpdateItem | | | |
//! | `connection` | | GetItem | | |
//! | `admit_listener` | GetItem, BatchGetItem, UpdateItem | GetItem, PutItem | | |
//! | `admit_speaker` | UpdateItem | PutItem | | |
//! | `exchange_listener` | GetItem, UpdateItem | GetItem, PutItem, DeleteItem | | |
//! | `change_language` | GetItem, UpdateItem | GetItem, UpdateItem | | |
//! | `touch`, `request_refresh` | | UpdateItem | | |
//! | `remove` | GetItem, UpdateItem | GetItem, DeleteItem, ConditionCheckItem | | |
//! | `listeners` | | Query, on the index | | |
//! | `remove_listeners` | GetItem, UpdateItem | GetItem, DeleteItem | | |
//! | `audit` | Scan, GetItem, UpdateItem | Scan | | |
//! | `put_ticket` | | | | PutItem |
//! | `redeem_ticket` | | | | DeleteItem |
//! | `take` | | | UpdateItem | |
//! | `peek` | | | GetItem | |
//!
//! [`StoreError::Throttled`]: live_session_core::ports::StoreError::Throttled
//! [`StoreError::Unavailable`]: live_session_core::ports::StoreError::Unavailable
//! [`StoreError::Corrupt`]: live_session_core::ports::StoreError::Corrupt

mod admission;
mod audit;
mod buckets;
mod call;
mod connections;
mod item;
mod places;
mod rate_limits;
mod removal;
pub mod schema;
mod sessions;
mod store;
mod tickets;
mod write;

pub use call::RetryPolicy;
pub use store::{DynamoStore, StoreSettings, TableNames};
