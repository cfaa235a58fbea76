//! Releases of a CloudFormation stack: artifacts, change sets, their execution, and the first cause of a failure.
//!
//! Whatever fails, CloudFormation or another run leaves the stack in a state that [`status::STATES`] describes.

pub mod apply;
pub mod artifacts;
pub mod cause;
pub mod change_set;
pub mod concurrency;
pub mod credentials;
pub mod delete;
pub mod direct;
mod error;
mod event;
mod fixed_names;
mod history;
pub mod log_role;
pub mod names;
mod operation_log;
mod owner;
mod ports;
mod quota;
pub mod quotas;
mod remedy;
pub mod status;
mod types;
pub mod wiring;

pub use error::StackError;
pub use event::{EventScope, FailureCause, STACK_TYPE, StackEvent, ValidationFinding};
pub use owner::{OwningStack, find_owner};
pub use ports::{
    ArtifactBucket, CallerCredentials, FunctionQuotas, GatewaySettings, NameReader, QuotaReader,
    StackReader, StackService, Stored,
};
pub use types::{
    ChangeSet, ChangeSetId, ChangeSetStatus, OperationId, OperationKind, ParameterValue,
    PlannedChange, PropertyChange, RecordedOperation, Replacement, ResourceAction,
    StackDescription, StackId, StackName, StackRequest, StackResource, StartedOperation,
    TemplateLocation,
};
