//! Overview of the stack that runs, for users to look at.

use std::collections::{BTreeMap, BTreeSet};

use stackgen_model::graph::Graph;
use stackgen_model::{LogicalId, Model};

use super::{GatewayStack, StackTemplate, parse};

/// The template that was applied last, its graph, and the names of its resources in the account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StackOverview {
    /// Template.
    pub template: StackTemplate,
    /// Graph of the template.
    pub graph: Graph,
    /// Physical IDs by logical ID.
    pub physical_ids: BTreeMap<LogicalId, String>,
}

impl GatewayStack {
    /// Returns the overview, which is empty if no template was applied yet.
    pub async fn overview(&self) -> StackOverview {
        let Some((template, model, physical_ids)) = self.applied().await else {
            return StackOverview::default();
        };
        StackOverview {
            graph: Graph::new(&model),
            template,
            physical_ids,
        }
    }

    /// Returns the environment variables whose values come from `NoEcho` parameters, by the name of the function.
    pub async fn hidden_variables(&self) -> BTreeMap<String, BTreeSet<String>> {
        let Some((_, model, physical_ids)) = self.applied().await else {
            return BTreeMap::new();
        };
        let functions = model.functions.iter().filter_map(|function| {
            let physical_id = physical_ids.get(&function.resource.logical_id)?;
            let variables = function.environment.value()?.iter();
            let hidden = variables.filter(|(_, value)| value.is_hidden());
            let names = hidden.map(|(name, _)| name.clone()).collect();
            Some((physical_id.clone(), names))
        });
        functions.collect()
    }

    /// Returns the template that was applied last, its model, and the physical IDs of its resources.
    async fn applied(&self) -> Option<(StackTemplate, Model, BTreeMap<LogicalId, String>)> {
        let state = self.state.lock().await;
        let template = state.template.clone()?;
        let resources = state.resources.iter();
        let physical_ids =
            resources.map(|(id, existing)| (id.clone(), existing.physical_id.clone()));
        let physical_ids = physical_ids.collect();
        drop(state);
        // It was parsed when it was applied.
        let model: Model = parse::model(&template, &self.account.scope).unwrap_or_default();
        Some((template, model, physical_ids))
    }
}
