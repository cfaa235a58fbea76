//! Overview of the stack that runs, for users to look at.

use std::collections::BTreeMap;

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
        let state = self.state.lock().await;
        let Some(template) = state.template.clone() else {
            return StackOverview::default();
        };
        let resources = state.resources.iter();
        let physical_ids =
            resources.map(|(id, existing)| (id.clone(), existing.physical_id.clone()));
        let physical_ids = physical_ids.collect();
        drop(state);
        // It was parsed when it was applied.
        let model: Model = parse::model(&template, &self.account.scope).unwrap_or_default();
        StackOverview {
            graph: Graph::new(&model),
            template,
            physical_ids,
        }
    }
}
