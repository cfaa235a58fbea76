//! What stacks are applied to, and how a resource of each type is made, changed and deleted there.

use std::sync::Arc;

use serde_json::{Map, Value as Json};
use stackgen_gateway_apis::apis::Apis;
use stackgen_gateway_common::logs::Logs;
use stackgen_gateway_common::{ArnScope, RoleStore};
use stackgen_gateway_lambda::functions::{Code, Functions};

use super::TableStore;
use super::fault::Fault;
use super::wanted::Wanted;
use super::{compute, storage, wiring};

/// The account that a stack is in.
#[derive(Clone)]
pub struct Account {
    /// Which one, and where.
    pub scope: ArnScope,
    /// Its apis.
    pub apis: Arc<Apis>,
    /// Its functions.
    pub functions: Arc<Functions>,
    /// Its roles.
    pub roles: Arc<RoleStore>,
    /// Its tables.
    pub tables: Arc<dyn TableStore>,
    /// Its log groups.
    pub logs: Arc<Logs>,
    /// The issuer that stands in for every issuer of a template.
    pub issuer: String,
}

/// A resource that is there.
#[derive(Clone, Debug)]
pub(super) struct Existing {
    pub(super) kind: String,
    /// What its references are made from; of a version its number.
    pub(super) physical: String,
    pub(super) properties: Map<String, Json>,
    /// Kept when it leaves the template.
    pub(super) retained: bool,
}

impl Existing {
    /// A property that is text.
    pub(super) fn text(&self, property: &str) -> &str {
        let value = self.properties.get(property);
        value.and_then(Json::as_str).unwrap_or_default()
    }
}

/// What bringing a resource about came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Done {
    Nothing,
    Updated,
    Code,
}

impl Account {
    /// Makes a resource under this id, and tells the id that it got: a version's number is Lambda's to give.
    pub(super) async fn create(
        &self,
        wanted: &Wanted<'_>,
        id: &str,
        code: Option<Code>,
    ) -> Result<String, Fault> {
        match wanted.resource.kind.as_str() {
            "AWS::DynamoDB::Table" | "AWS::DynamoDB::GlobalTable" => {
                storage::table(self, id, wanted).await?;
            }
            "AWS::Logs::LogGroup" => storage::log_group(self, id, wanted)?,
            "AWS::IAM::Role" => storage::role(self, id, wanted)?,
            "AWS::Lambda::Function" => {
                compute::function(self, id, wanted, code).await?;
            }
            "AWS::Lambda::Version" => return compute::publish(self, wanted),
            "AWS::Lambda::Alias" => compute::create_alias(self, id, wanted)?,
            "AWS::Lambda::Permission" => compute::permit(self, id, wanted)?,
            _ => wiring::create(self, id, wanted)?,
        }
        Ok(id.to_owned())
    }

    /// Brings a resource up to what is wanted of it.
    pub(super) async fn update(
        &self,
        wanted: &Wanted<'_>,
        existing: &Existing,
        code: Option<Code>,
    ) -> Result<Done, Fault> {
        let id = existing.physical.as_str();
        if wanted.resource.kind == "AWS::Lambda::Function" {
            return compute::function(self, id, wanted, code).await;
        }
        if wanted.properties == existing.properties {
            return Ok(Done::Nothing);
        }
        match wanted.resource.kind.as_str() {
            "AWS::DynamoDB::Table" | "AWS::DynamoDB::GlobalTable" => {
                storage::table(self, id, wanted).await?;
            }
            "AWS::Logs::LogGroup" => storage::log_group(self, id, wanted)?,
            "AWS::IAM::Role" => storage::role(self, id, wanted)?,
            "AWS::Lambda::Version" => {}
            "AWS::Lambda::Alias" => compute::update_alias(self, id, wanted)?,
            _ => wiring::update(self, id, wanted, existing)?,
        }
        Ok(Done::Updated)
    }

    /// Deletes a resource. What is gone already is deleted.
    pub(super) async fn delete(&self, existing: &Existing) -> Result<(), Fault> {
        let id = existing.physical.as_str();
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
