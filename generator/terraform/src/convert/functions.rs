//! Functions, versions, permissions, event sources.

use std::rc::Rc;

use stackgen_cfn::{Map, Node, list, map, r#ref};

use super::TemplateConverter;
use super::properties::ResourceProperties;
use crate::evaluate::ResourceInstance;

impl TemplateConverter<'_, '_> {
    pub(super) fn function(
        &self,
        instance: &Rc<ResourceInstance>,
        properties: &mut ResourceProperties<'_, '_>,
    ) {
        properties.copy_block("environment", "Environment", &[("variables", "Variables")]);
        properties.copy_block(
            "vpc_config",
            "VpcConfig",
            &[
                ("security_group_ids", "SecurityGroupIds"),
                ("subnet_ids", "SubnetIds"),
            ],
        );
        properties.copy_block(
            "dead_letter_config",
            "DeadLetterConfig",
            &[("target_arn", "TargetArn")],
        );
        properties.copy_block("tracing_config", "TracingConfig", &[("mode", "Mode")]);
        properties.copy_block("ephemeral_storage", "EphemeralStorage", &[("size", "Size")]);
        let reserved = "reserved_concurrent_executions";
        // -1 is Terraform's default: no reservation.
        if properties
            .value(reserved)
            .and_then(|value| value.as_number())
            .is_some_and(|number| number >= 0.0)
        {
            properties.copy(reserved, "ReservedConcurrentExecutions");
        }
        if let Some(image) = properties.node("image_uri") {
            properties.set("Code", "image_uri", map([("ImageUri", image)]));
            return;
        }
        self.set_code(instance.span, properties, "Code");
    }

    pub(super) fn layer(&self, properties: &mut ResourceProperties<'_, '_>) {
        let span = properties.span("filename");
        self.set_code(span, properties, "Content");
    }

    /// Returns the version that a function with `publish = true` has.
    pub(super) fn version_of(&self, function: &ResourceInstance) -> Node {
        let properties = map([("FunctionName", r#ref(function.address.as_str()))]);
        let version = map([
            ("Type", Node::from("AWS::Lambda::Version")),
            ("Properties", properties),
        ]);
        version.at(function.span)
    }
}

pub(super) fn permission(properties: &mut ResourceProperties<'_, '_>) {
    let Some(name) = properties.node("function_name") else {
        return;
    };
    let name = match properties.node("qualifier") {
        Some(qualifier) => stackgen_cfn::join(":", [name, qualifier]),
        None => name,
    };
    properties.set("FunctionName", "function_name", name);
}

pub(super) fn event_source(properties: &mut ResourceProperties<'_, '_>) {
    let filters = properties.blocks("filter_criteria.0.filter");
    let filters = (0..filters).filter_map(|index| {
        properties.nested(
            &format!("filter_criteria.0.filter.{index}"),
            &[("pattern", "Pattern")],
        )
    });
    let filters: Vec<Node> = filters.collect();
    if !filters.is_empty() {
        properties.set(
            "FilterCriteria",
            "filter_criteria.0",
            map([("Filters", list(filters))]),
        );
    }
    properties.copy_block(
        "scaling_config",
        "ScalingConfig",
        &[("maximum_concurrency", "MaximumConcurrency")],
    );
    let destination = "destination_config.0.on_failure.0";
    if let Some(node) = properties.nested(destination, &[("destination_arn", "Destination")]) {
        properties.set(
            "DestinationConfig",
            destination,
            Map::from_iter([("OnFailure", node)]),
        );
    }
}
