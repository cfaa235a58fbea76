//! Creates, updates and deletes resources of every type.

use super::account::{ExistingResource, LocalAccount, UpdateResult};
use super::async_invoke::EVENT_INVOKE_CONFIG;
use super::desired::{DesiredCode, DesiredResource};
use super::event_source::{EVENT_SOURCE_MAPPING, EventSourceMapping};
use super::resource_error::ResourceError;
use super::schedule::{SCHEDULE, Schedule};
use super::trigger::{EVENT_BUS, TOPIC};
use super::trigger_properties::{self, is_trigger};
use super::{async_settings, compute, key_types, keys, storage, wiring};

impl LocalAccount {
    /// Creates a resource with this physical ID. Returns the ID that it got: Lambda assigns the number of a version.
    pub(super) async fn create(
        &self,
        desired: &DesiredResource<'_>,
        id: &str,
        code: Option<DesiredCode>,
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
            kind if key_types::is_key(kind) => keys::put(self, id, desired),
            EVENT_SOURCE_MAPPING => self.put_event_source(id, desired).await?,
            EVENT_INVOKE_CONFIG => async_settings::put(self, &desired.properties)?,
            SCHEDULE => self.put_schedule(id, desired)?,
            EVENT_BUS => self.triggers.put_bus(id),
            TOPIC => {}
            kind if is_trigger(kind) => self.put_trigger(id, desired)?,
            _ => wiring::create(self, id, desired)?,
        }
        Ok(id.to_owned())
    }

    /// Updates a resource to its desired state.
    pub(super) async fn update(
        &self,
        desired: &DesiredResource<'_>,
        existing: &ExistingResource,
        code: Option<DesiredCode>,
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
            kind if key_types::is_key(kind) => keys::put(self, id, desired),
            EVENT_SOURCE_MAPPING => self.put_event_source(id, desired).await?,
            EVENT_INVOKE_CONFIG => async_settings::put(self, &desired.properties)?,
            SCHEDULE => self.put_schedule(id, desired)?,
            EVENT_BUS => self.triggers.put_bus(id),
            TOPIC => {}
            kind if is_trigger(kind) => self.put_trigger(id, desired)?,
            _ => wiring::update(self, id, desired, existing)?,
        }
        Ok(UpdateResult::Updated)
    }

    async fn put_event_source(
        &self,
        id: &str,
        desired: &DesiredResource<'_>,
    ) -> Result<(), ResourceError> {
        let mapping = EventSourceMapping::read(&desired.properties, &self.scope)?;
        Ok(self.event_sources.put(id, mapping).await?)
    }

    fn put_schedule(&self, id: &str, desired: &DesiredResource<'_>) -> Result<(), ResourceError> {
        let schedule = Schedule::read(id, &desired.properties, &self.scope)?;
        self.schedules.put(id, schedule);
        Ok(())
    }

    fn put_trigger(&self, id: &str, desired: &DesiredResource<'_>) -> Result<(), ResourceError> {
        let kind = desired.resource.kind.as_str();
        let read = trigger_properties::read(kind, id, &desired.properties, &self.scope)?;
        match read.trigger {
            Some(trigger) => self.triggers.put(id, trigger),
            None => self.triggers.delete(id),
        }
        Ok(())
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
            EVENT_SOURCE_MAPPING => self.event_sources.delete(id),
            EVENT_INVOKE_CONFIG => async_settings::delete(self, existing)?,
            SCHEDULE => self.schedules.delete(id),
            EVENT_BUS => self.triggers.delete_bus(id),
            TOPIC => {}
            kind if is_trigger(kind) => self.triggers.delete(id),
            kind if kind.starts_with("AWS::Lambda::") => compute::delete(self, existing)?,
            kind if key_types::is_key(kind) => keys::delete(self, existing),
            _ => wiring::delete(self, existing)?,
        }
        Ok(())
    }
}
