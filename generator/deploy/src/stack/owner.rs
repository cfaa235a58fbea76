//! Finding the stack that an API belongs to.

use super::ports::StackReader;
use super::types::{StackDescription, StackName, StackResource};
use crate::retry::OperationContext;
use crate::{ApiInfo, DeployError};

/// Tags that CloudFormation adds to every API of a stack: the stack's ARN, and its name.
const TAGS: [&str; 2] = [
    "aws:cloudformation:stack-id",
    "aws:cloudformation:stack-name",
];

/// Resource type of APIs.
pub(crate) const API_TYPE: &str = "AWS::ApiGatewayV2::Api";

/// The stack that an API belongs to, and its resources.
#[derive(Clone, Debug, PartialEq)]
pub struct OwningStack {
    /// The stack.
    pub stack: StackDescription,
    /// All its resources.
    pub resources: Vec<StackResource>,
}

impl OwningStack {
    /// Returns the physical ID of a resource.
    pub fn physical_id(&self, logical_id: &str) -> Option<&str> {
        let mut resources = self.resources.iter();
        let found = resources.find(|resource| resource.logical_id == logical_id);
        found?.physical_id.as_deref()
    }

    /// Returns the logical ID of a resource of a type.
    pub fn logical_id(&self, kind: &str, physical_id: &str) -> Option<&str> {
        let mut resources = self.resources.iter();
        let found = resources.find(|resource| {
            resource.kind == kind && resource.physical_id.as_deref() == Some(physical_id)
        });
        Some(found?.logical_id.as_str())
    }
}

/// Finds the stack that an API belongs to: the one that its tags name, or else the stack of the project. `None` if neither
/// has the API.
///
/// # Errors
///
/// See [`DeployError`].
pub async fn find_owner(
    service: &impl StackReader,
    api: &ApiInfo,
    project: Option<&StackName>,
    ctx: OperationContext<'_>,
) -> Result<Option<OwningStack>, DeployError> {
    let tags = TAGS.iter().filter_map(|tag| api.tags.get(*tag));
    let mut names: Vec<&str> = tags.map(String::as_str).collect();
    names.truncate(1);
    names.extend(project.map(StackName::as_str));
    for name in names {
        let Some(stack) = ctx.read(|| service.stack(name)).await? else {
            continue;
        };
        let resources = ctx.read(|| service.resources(&stack.id)).await?;
        let owner = OwningStack { stack, resources };
        if owner.logical_id(API_TYPE, api.id.as_str()).is_some() {
            return Ok(Some(owner));
        }
    }
    Ok(None)
}
