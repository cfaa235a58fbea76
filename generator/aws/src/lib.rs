//! The adapters through which `stackgen-deploy` reaches AWS, or whatever speaks its wire formats. The only generator
//! crate that knows the SDK.

mod catalog;
mod connect;
mod convert;
mod deployments;
mod describe;
mod error;
mod functions;

pub use connect::{Access, Aws, Credentials};
