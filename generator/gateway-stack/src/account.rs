//! Account of a stack, and the resources in it.

use std::sync::Arc;

use serde_json::{Map, Value as Json};
use stackgen_gateway_apis::apis::Apis;
use stackgen_gateway_common::logs::Logs;
use stackgen_gateway_common::{ArnScope, RoleStore};
use stackgen_gateway_lambda::functions::Functions;

use super::{EventSources, FunctionTriggers, Schedules, ServiceResources, TableStore};

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
    /// Event source mappings.
    pub event_sources: Arc<dyn EventSources>,
    /// Schedules.
    pub schedules: Arc<dyn Schedules>,
    /// Rules and subscriptions.
    pub triggers: Arc<dyn FunctionTriggers>,
    /// Resources of services that do not run here; `None` without an endpoint for them.
    pub services: Option<Arc<dyn ServiceResources>>,
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
