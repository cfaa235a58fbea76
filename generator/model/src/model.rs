//! The model itself.

use std::sync::Arc;

use serde::Serialize;
use stackgen_cfn::Node;

use crate::api::{Api, DomainName};
use crate::function::{Alias, Function, Permission, Version};
use crate::read::Detail;
use crate::resource::{Resource, Resources};
use crate::role::Role;
use crate::table::{LogGroup, Table};
use crate::{Inputs, LogicalId, Problem, ProblemKind, Resolved, read};

/// What a template describes. Every resource is in `resources`; those that the model knows are in a typed list too.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Model {
    /// Apis, with what belongs to each.
    pub apis: Vec<Api>,
    /// Custom domains.
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
    /// Every resource, known type or not, in the template's order; implied ones last.
    pub resources: Resources,
    /// The `Outputs` section.
    pub outputs: Resolved,
    /// The `Parameters` section as it is written.
    pub parameters: Resolved,
    /// What is wrong with the template.
    pub problems: Vec<Problem>,
    /// What the template makes that the model does not hold: not wrong, but not judged either.
    pub gaps: Vec<Problem>,
}

impl Model {
    /// Reads a template. Never fails: what is no template is a model with problems.
    pub fn from_template(template: &Node, inputs: &Inputs) -> Model {
        read::model(template, inputs, Detail::Everything)
    }

    /// Reads what deployments snapshot, and no more than the type and the name of anything else: enough for
    /// [`crate::Api::snapshot_digest`], which is the same as that of the whole model.
    pub fn of_wiring(template: &Node, inputs: &Inputs) -> Model {
        read::model(template, inputs, Detail::Wiring)
    }

    /// Whether the model holds all that the template makes of apis, their integrations and what these may invoke. Only
    /// then is what it does not hold not there.
    pub fn holds_all_wiring(&self) -> bool {
        self.gaps.iter().all(|gap| gap.kind == ProblemKind::Aside)
    }

    /// The resource of that id.
    pub fn resource(&self, id: &LogicalId) -> Option<&Arc<Resource>> {
        self.resources.get(id)
    }

    /// The function of that id.
    pub fn function(&self, id: &LogicalId) -> Option<&Function> {
        self.find(&self.functions, id, |function| &function.resource)
    }

    /// What a list of the model has of a resource; the list is in the template's order, as all of them are.
    pub(crate) fn find<'m, T>(
        &self,
        list: &'m [T],
        id: &LogicalId,
        resource: fn(&T) -> &Arc<Resource>,
    ) -> Option<&'m T> {
        let place = |id: &LogicalId| self.resources.get_index_of(id);
        let wanted = place(id)?;
        let at = list.binary_search_by_key(&Some(wanted), |one| place(&resource(one).logical_id));
        at.ok().map(|at| &list[at])
    }
}
