//! Lambda: functions, their versions, and who may call them.

mod contract;

pub use contract::{Caller, Invocation, Invoke, InvokeError, InvokeErrorKind, Outcome, Payload};
