//! Finds custom resources that may deploy an API.

use std::collections::HashMap;

use stackgen_model::{Api, Model, Resource};

use super::creation_order::visit_references;
use crate::{Confidence, Finding};

/// Custom resources by the names that they refer to. What they do is unknown.
pub(crate) struct CustomDeployers<'m>(HashMap<String, &'m Resource>);

impl<'m> CustomDeployers<'m> {
    pub(crate) fn of(model: &'m Model) -> Self {
        const GENERIC: &str = "AWS::CloudFormation::CustomResource";
        let is_custom = |kind: &str| kind.starts_with("Custom::") || kind == GENERIC;
        let mut given = HashMap::new();
        let resources = model.resources.values();
        for custom in resources.filter(|resource| is_custom(&resource.kind)) {
            visit_references(&custom.properties, &mut |id| {
                given.entry(id.to_owned()).or_insert(&**custom);
            });
        }
        CustomDeployers(given)
    }

    /// Turns a finding into a note if a custom resource refers to the API or to one of its stages.
    pub(crate) fn qualify(&self, api: &Api, finding: Finding) -> Finding {
        let stages = api.stages.iter().map(|stage| &stage.resource);
        let mut resources = api.resource.iter().chain(stages);
        let custom = resources.find_map(|resource| self.0.get(resource.logical_id.as_str()));
        let Some(custom) = custom else {
            return finding;
        };
        let message = format!(
            "{}, unless {} deploys it",
            finding.message, custom.logical_id
        );
        Finding { message, ..finding }.with_confidence(Confidence::Low)
    }
}
