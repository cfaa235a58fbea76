//! Custom domains in a template. They are not served here, but a mapping of a domain's root makes paths without a stage valid.

use std::collections::HashMap;

use stackgen_gateway_common::{ApiId, StageName};
use stackgen_model::{Model, Resolved};

use super::physical::PhysicalIds;

/// Returns the stages to which the root of a custom domain is mapped.
pub(super) fn root_stages(model: &Model, ids: &PhysicalIds<'_>) -> HashMap<ApiId, StageName> {
    let resources = model.resources.values();
    let mappings = resources.filter(|one| one.kind == "AWS::ApiGatewayV2::ApiMapping");
    let stages = mappings.filter_map(|mapping| {
        let properties = &mapping.properties;
        let text = |name: &str| ids.resolve_text(&properties.text(name)?).ok();
        let is_root = match properties.get("ApiMappingKey") {
            None | Some(Resolved::Null) => true,
            Some(_) => text("ApiMappingKey")?.is_empty(),
        };
        is_root.then_some(())?;
        let stage = StageName::new(text("Stage")?);
        Some((ApiId::new(text("ApiId")?), stage))
    });
    stages.collect()
}
