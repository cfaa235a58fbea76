//! The interfaces of `stackgen-deploy` on the AWS SDK. The only generator crate that uses the SDK. It works against AWS and
//! against any server with AWS's wire formats.

mod account;
mod cloudformation;
mod connect;
mod convert;
mod lambda;
mod operation;
mod pages;
mod parts;
mod s3;
mod stacks;

pub use connect::{AccessKey, AccessOptions, Aws, IssuerAlias};
