//! Requests, quotas and prices of a WebSocket API under a given load.
//!
//! A [`Load`] says how many clients connect, what they send and to how many connections each message is posted. A
//! [`LoadTarget`] holds what the template says about the functions, the stage and the tables. [`Estimate::new`] computes
//! from both the requests per second, the share of every quota, and the charges of a month. Nothing here does I/O.

mod charge;
mod declared;
mod estimate;
mod load;
mod price;
mod quota;
mod stack;

pub use charge::{Charge, appsync_charge, charges};
pub use declared::{DeclaredLoad, number};
pub use estimate::{Breaking, Estimate, RequestRates, quota_uses};
pub use load::{Load, LoadError};
pub use price::{PriceError, PriceList, PriceTier};
pub use quota::{AccountQuotas, QuotaUse};
pub use stack::{FunctionCost, LoadTarget, LoadTargetError};
