//! Rules and schedules.

use std::rc::Rc;

use stackgen_cfn::{Map, Node, list};

use super::TemplateConverter;
use super::properties::ResourceProperties;
use crate::evaluate::ResourceInstance;
use crate::value::HclValue;

impl TemplateConverter<'_, '_> {
    /// Adds the targets of a rule, which are resources of their own in Terraform.
    pub(super) fn rule(
        &self,
        rule: &Rc<ResourceInstance>,
        properties: &mut ResourceProperties<'_, '_>,
    ) {
        if let Some(HclValue::Bool(is_enabled)) = properties.value("is_enabled") {
            let state = if *is_enabled { "ENABLED" } else { "DISABLED" };
            properties.set("State", "is_enabled", state);
        }
        let targets = self
            .resources
            .iter()
            .filter(|one| one.kind == "aws_cloudwatch_event_target");
        let targets = targets.filter(|target| {
            target
                .attributes
                .get("rule")
                .is_some_and(|it| self.names(it, rule))
        });
        let targets = targets
            .enumerate()
            .map(|(index, target)| self.target(index, target));
        let targets: Vec<Node> = targets.collect();
        if !targets.is_empty() {
            properties.set("Targets", "", list(targets));
        }
    }

    fn target(&self, index: usize, target: &Rc<ResourceInstance>) -> Node {
        let fields = ResourceProperties::new(self.evaluator, target);
        let mut map = Map::new();
        map.insert(
            "Id",
            fields
                .node("target_id")
                .unwrap_or_else(|| Node::from(format!("target{index}"))),
        );
        for (name, property) in [
            ("arn", "Arn"),
            ("role_arn", "RoleArn"),
            ("input", "Input"),
            ("input_path", "InputPath"),
        ] {
            if let Some(node) = fields.node(name) {
                map.insert(property, node);
            }
        }
        let names = [
            ("input_paths", "InputPathsMap"),
            ("input_template", "InputTemplate"),
        ];
        if let Some(transformer) = fields.nested("input_transformer.0", &names) {
            map.insert("InputTransformer", transformer);
        }
        Node::from(map).at(target.span)
    }
}

pub(super) fn schedule(properties: &mut ResourceProperties<'_, '_>) {
    properties.copy_block(
        "flexible_time_window",
        "FlexibleTimeWindow",
        &[
            ("mode", "Mode"),
            ("maximum_window_in_minutes", "MaximumWindowInMinutes"),
        ],
    );
    properties.copy_block(
        "target",
        "Target",
        &[("arn", "Arn"), ("input", "Input"), ("role_arn", "RoleArn")],
    );
}
