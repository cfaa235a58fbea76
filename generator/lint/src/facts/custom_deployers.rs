//! Who else may deploy an API.

use std::collections::HashMap;

use stackgen_model::{Api, Model, Resource};

use super::creation_order::visit_references;
use crate::{Confidence, Finding};

/// Custom resources, by what they are given: what they do with it is not known.
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

    /// The finding, or a note that names the custom resource that is given the API or one of its stages.
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
