//! Redeploys stages: what an account holds as a digest, deploying it, activating it, verifying, going back and pruning.
//!
//! What it asks of an account is in [`ports`]; it knows no SDK. Whatever fails, and wherever: a stage serves a complete
//! deployment, the old one or the new one.

pub mod account;
pub mod code;
mod error;
pub mod history;
mod ids;
mod metadata;
mod pointer;
pub mod ports;
mod progress;
pub mod prune;
pub mod redeploy;
mod retry;
mod settle;
pub mod status;
pub mod target;
mod time;
pub mod trial;

pub use error::{AccountError, AccountErrorKind, AccountResult, DeployError, NotVerified};
pub use ids::{ApiId, DeploymentId, FunctionName, FunctionVersion, StageName};
pub use metadata::{CreatedBy, DeploymentMetadata, TrialResult};
pub use ports::{
    Account, Api, CustomDomain, Deployment, DeploymentStatus, DomainMapping, FunctionState,
    Handshake, Protocol, Stage, UpdateStatus, Verify,
};
pub use progress::{Interrupt, Step, Steps};
pub use retry::{OperationContext, RetryPolicy};
pub use time::Timestamp;
pub use trial::{Attempt, Caller, Evidence, Judgement, StageTrial, Tries, Verification};
