//! Releases of a CloudFormation stack: artifacts, change sets, their execution, and the first cause of a failure.
//!
//! Whatever fails, CloudFormation or another run leaves the stack in a state that [`status::STATES`] describes.

pub mod apply;
pub mod artifacts;
pub mod cause;
pub mod change_set;
pub mod concurrency;
pub mod delete;
pub mod direct;
mod error;
pub mod log_role;
mod owner;
mod ports;
mod remedy;
pub mod status;
mod types;
pub mod wiring;

pub use error::StackError;
pub use owner::{OwningStack, find_owner};
pub use ports::{
    ArtifactBucket, FunctionQuotas, GatewaySettings, StackReader, StackService, Stored,
};
pub use types::{
    ChangeSet, ChangeSetId, ChangeSetStatus, FailureCause, ParameterValue, PlannedChange,
    PropertyChange, Replacement, ResourceAction, STACK_TYPE, StackDescription, StackEvent, StackId,
    StackName, StackRequest, StackResource, TemplateLocation, ValidationFinding,
};
