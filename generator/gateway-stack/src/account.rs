//! Account of a stack, in which resources of each type are created, updated and deleted.

use std::sync::Arc;

use serde_json::{Map, Value as Json};
use stackgen_gateway_apis::apis::Apis;
use stackgen_gateway_common::logs::Logs;
use stackgen_gateway_common::{ArnScope, RoleStore};
use stackgen_gateway_lambda::functions::{Code, Functions};

use super::TableStore;
use super::desired::DesiredResource;
use super::resource_error::ResourceError;
use super::{compute, storage, wiring};

/// Account that contains a stack.
#[derive(Clone)]
pub struct LocalAccount {
    /// Partition, region and account ID.
    pub scope: ArnScope,
    /// APIs.
    pub apis: Arc<Apis>,
    /// Functions.
    pub functions: Arc<Functions>,
    /// Roles.
    pub roles: Arc<RoleStore>,
    /// Tables.
    pub tables: Arc<dyn TableStore>,
    /// Log groups.
    pub logs: Arc<Logs>,
    /// URL of the local issuer, which replaces every issuer of a template.
    pub issuer: String,
}

/// Resource that exists in the account.
#[derive(Clone, Debug)]
pub(super) struct ExistingResource {
    pub(super) kind: String,
    /// Physical ID; for a version its number.
    pub(super) physical_id: String,
    pub(super) properties: Map<String, Json>,
    /// True if the resource stays in the account when it leaves the template.
    pub(super) retained: bool,
}

impl ExistingResource {
    /// Returns a text property.
    pub(super) fn text(&self, property: &str) -> &str {
        let value = self.properties.get(property);
        value.and_then(Json::as_str).unwrap_or_default()
    }
}

/// Result of updating a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum UpdateResult {
    Unchanged,
    Updated,
    Code,
}

impl LocalAccount {
    /// Creates a resource with this physical ID. Returns the ID that it got: Lambda assigns the number of a version.
    pub(super) async fn create(
        &self,
        desired: &DesiredResource<'_>,
        id: &str,
        code: Option<Code>,
    ) -> Result<String, ResourceError> {
        match desired.resource.kind.as_str() {
            "AWS::DynamoDB::Table" | "AWS::DynamoDB::GlobalTable" => {
                storage::put_table(self, id, desired).await?;
            }
            "AWS::Logs::LogGroup" => storage::put_log_group(self, id, desired)?,
            "AWS::IAM::Role" => storage::set_role(self, id, desired)?,
            "AWS::Lambda::Function" => {
                compute::put_function(self, id, desired, code).await?;
            }
            "AWS::Lambda::Version" => return compute::publish_version(self, desired),
            "AWS::Lambda::Alias" => compute::create_alias(self, id, desired)?,
            "AWS::Lambda::Permission" => compute::add_permission(self, id, desired)?,
            _ => wiring::create(self, id, desired)?,
        }
        Ok(id.to_owned())
    }

    /// Updates a resource to its desired state.
    pub(super) async fn update(
        &self,
        desired: &DesiredResource<'_>,
        existing: &ExistingResource,
        code: Option<Code>,
    ) -> Result<UpdateResult, ResourceError> {
        let id = existing.physical_id.as_str();
        if desired.resource.kind == "AWS::Lambda::Function" {
            return compute::put_function(self, id, desired, code).await;
        }
        if desired.properties == existing.properties {
            return Ok(UpdateResult::Unchanged);
        }
        match desired.resource.kind.as_str() {
            "AWS::DynamoDB::Table" | "AWS::DynamoDB::GlobalTable" => {
                storage::put_table(self, id, desired).await?;
            }
            "AWS::Logs::LogGroup" => storage::put_log_group(self, id, desired)?,
            "AWS::IAM::Role" => storage::set_role(self, id, desired)?,
            "AWS::Lambda::Version" => {}
            "AWS::Lambda::Alias" => compute::update_alias(self, id, desired)?,
            _ => wiring::update(self, id, desired, existing)?,
        }
        Ok(UpdateResult::Updated)
    }

    /// Deletes a resource. Succeeds if it does not exist.
    pub(super) async fn delete(&self, existing: &ExistingResource) -> Result<(), ResourceError> {
        let id = existing.physical_id.as_str();
        match existing.kind.as_str() {
            "AWS::DynamoDB::Table" | "AWS::DynamoDB::GlobalTable" => {
                self.tables.delete(id).await?;
            }
            "AWS::Logs::LogGroup" => drop(self.logs.delete_group(id)),
            "AWS::IAM::Role" => self.roles.remove(id),
            kind if kind.starts_with("AWS::Lambda::") => compute::delete(self, existing)?,
            _ => wiring::delete(self, existing)?,
        }
        Ok(())
    }
}
