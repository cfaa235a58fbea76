//! Redeploying stages of API Gateway: reading an account's wiring, deploying it, activating and verifying the deployment,
//! rolling back and pruning.
//!
//! It uses no SDK: [`ports`] declares the calls to an account. Whatever fails, a stage serves a complete deployment, the
//! old one or the new one.

pub mod account;
pub mod code;
pub mod deployments;
pub mod drift;
mod error;
mod evidence;
mod ids;
mod metadata;
pub mod ports;
mod progress;
pub mod prune;
mod read_api;
pub mod redeploy;
mod retry;
pub mod selector;
pub mod stack;
mod stage_move;
pub mod status;
mod timestamp;
pub mod verify;
pub mod versions;
mod wiring_diff;

pub use time::OffsetDateTime;

pub use error::{AccountError, AccountErrorKind, AccountResult, DeployError, NotVerified};
pub use evidence::{CallerProfile, HandshakeAnswer, Judgement, VerifyAttempt, VerifyEvidence};
pub use ids::{ApiId, CalledVersion, DeploymentId, FunctionName, FunctionVersion, StageName};
pub use metadata::{CreatedBy, DeploymentMetadata, VerifyRecord};
pub use ports::{
    Account, ApiInfo, ApiProtocol, CustomDomain, DeploymentInfo, DeploymentState, DomainMapping,
    FunctionState, PublishedVersion, StageClient, StageInfo, UpdateStatus,
};
pub use progress::{DeployStep, Interrupt, StepReporter};
pub use retry::{OperationContext, RetryPolicy, VerifyPolicy};
pub use verify::{StageExpectation, StageVerifier, VerifyRequest};
