//! The interfaces of `stackgen-deploy` and `stackgen-diagnose` on the AWS SDK. The only generator crate that uses the SDK. It works against AWS and
//! against any server with AWS's wire formats.

mod account;
mod cloudformation;
mod connect;
mod convert;
mod credentials;
mod doctor;
mod events;
mod http;
mod identity;
mod lambda;
mod lifetime;
mod log_role;
mod logs;
mod names;
mod operation;
mod options;
mod pages;
mod parts;
mod permissions;
mod profile;
mod quotas;
mod s3;
mod sign;
mod signed;
mod signing_credentials;
mod stacks;
mod trail;

pub use connect::Aws;
pub use identity::{AssumedRole, CallerIdentity};
pub use logs::AwsLiveTail;
pub use options::{AccessKey, AccessOptions, IssuerAlias, MfaCode};
pub use permissions::{AwsCall, CallTarget, CallTask};
pub use profile::{MfaDevice, ProfileSettings};
