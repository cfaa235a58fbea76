//! The model.

use std::sync::Arc;

use serde::Serialize;

use crate::api::{Api, DomainName};
use crate::function::{Alias, Function, Permission, Version};
use crate::resource::{Resource, Resources};
use crate::role::Role;
use crate::table::{LogGroup, Table};
use crate::{LogicalId, Problem, ProblemKind, Resolved};

/// The model of a template. Every resource is in `resources`. Those of known types are in a typed list, too.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Model {
    /// APIs with their parts.
    pub apis: Vec<Api>,
    /// Custom domain names.
    pub domain_names: Vec<DomainName>,
    /// Functions.
    pub functions: Vec<Function>,
    /// Published versions.
    pub versions: Vec<Version>,
    /// Aliases.
    pub aliases: Vec<Alias>,
    /// Invoke permissions.
    pub permissions: Vec<Permission>,
    /// Roles with their grants.
    pub roles: Vec<Role>,
    /// Tables.
    pub tables: Vec<Table>,
    /// Log groups.
    pub log_groups: Vec<LogGroup>,
    /// All resources in the template's order, implied ones last.
    pub resources: Resources,
    /// The `Outputs` section.
    pub outputs: Resolved,
    /// The `Parameters` section as the template writes it.
    pub parameters: Resolved,
    /// `Metadata.Stackgen.Load`: the load that the stack is made for, as stackgen renders it.
    #[serde(skip)]
    pub declared_load: Resolved,
    /// Mistakes in the template.
    pub problems: Vec<Problem>,
    /// Parts of the template that the model does not contain, and that are not checked either.
    pub gaps: Vec<Problem>,
}

impl Model {
    /// True if the model contains all APIs, integrations and functions of the template. Only then is a missing part
    /// known to be missing.
    pub fn holds_all_wiring(&self) -> bool {
        self.gaps
            .iter()
            .all(|gap| gap.kind == ProblemKind::Unrelated)
    }

    /// Returns a resource.
    pub fn resource(&self, id: &LogicalId) -> Option<&Arc<Resource>> {
        self.resources.get(id)
    }

    /// Returns a function.
    pub fn function(&self, id: &LogicalId) -> Option<&Function> {
        self.find(&self.functions, id, |function| &function.resource)
    }

    /// Returns a role.
    pub fn role(&self, id: &LogicalId) -> Option<&Role> {
        self.find(&self.roles, id, |role| &role.resource)
    }

    /// Finds the entry of a resource in a list of the model. All lists have the template's order.
    pub(crate) fn find<'m, T>(
        &self,
        list: &'m [T],
        id: &LogicalId,
        resource: fn(&T) -> &Arc<Resource>,
    ) -> Option<&'m T> {
        let position = |id: &LogicalId| self.resources.get_index_of(id);
        let searched = position(id)?;
        let at =
            list.binary_search_by_key(&Some(searched), |one| position(&resource(one).logical_id));
        at.ok().map(|at| &list[at])
    }
}
