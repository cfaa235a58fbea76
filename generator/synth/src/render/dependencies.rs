//! Parameters, conditions and mappings that a value of the template depends on.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;
use stackgen_cfn::{Intrinsic, IntrinsicCall, Node, Value, json};

use super::context::RenderContext;
use super::template::TemplateBuilder;
use crate::references::sub_names;

/// Dependencies of values, with their definitions in stackgen.yaml. They include the dependencies of conditions.
#[derive(Default)]
pub(super) struct Dependencies {
    /// `Default` of every parameter, by name. This is the parameter's value unless it is overridden at deploy time.
    parameters: BTreeMap<String, String>,
    conditions: BTreeMap<String, String>,
    /// Parts of mappings that are looked up, by their path up to the first key that is not literal.
    mappings: BTreeMap<Vec<String>, String>,
}

impl Dependencies {
    /// Returns the dependencies of one value.
    pub(super) fn of(node: &Node, context: &RenderContext<'_>) -> Self {
        let mut found = Dependencies::default();
        found.add(node, context);
        found
    }

    /// Returns the dependencies of the wiring (row D1).
    pub(super) fn of_snapshots(template: &TemplateBuilder, context: &RenderContext<'_>) -> Self {
        const NOT_SNAPSHOTTED: [&str; 4] = ["Stage", "Deployment", "DomainName", "ApiMapping"];
        let mut found = Dependencies::default();
        for (_, resource) in template.resources() {
            let kind = resource
                .get("Type")
                .and_then(Node::as_str)
                .unwrap_or_default();
            let kind = kind.strip_prefix("AWS::ApiGatewayV2::");
            if kind.is_some_and(|kind| !NOT_SNAPSHOTTED.contains(&kind)) {
                found.add(resource, context);
            }
        }
        found
    }

    /// Returns the names of the parameters.
    pub(super) fn into_parameters(self) -> BTreeSet<String> {
        self.parameters.into_keys().collect()
    }

    /// Returns all dependencies as text, for a digest.
    pub(super) fn canonical(&self) -> String {
        let named = self.parameters.iter().chain(&self.conditions);
        let named = named.map(|(name, value)| format!("\n{name}={value}"));
        let mapped = self.mappings.iter();
        let mapped = mapped.map(|(path, value)| format!("\n{}={value}", path.join("/")));
        named.chain(mapped).collect()
    }

    fn add(&mut self, node: &Node, context: &RenderContext<'_>) {
        match &node.value {
            Value::List(items) => items.iter().for_each(|item| self.add(item, context)),
            Value::Map(map) => map.iter().for_each(|(_, node)| self.add(node, context)),
            Value::Call(call) => {
                self.add_call(call, context);
                self.add(&call.argument, context);
            }
            _ => {}
        }
    }

    fn add_call(&mut self, call: &IntrinsicCall, context: &RenderContext<'_>) {
        let items = call.argument.as_list().unwrap_or_default();
        let first = items.first().and_then(Node::as_str);
        match call.function {
            Intrinsic::Ref => self.parameter(call.as_ref_name(), context),
            Intrinsic::Sub => {
                for name in sub_names(&call.argument) {
                    self.parameter(Some(name), context);
                }
            }
            Intrinsic::If => self.condition(first, context),
            Intrinsic::Condition => self.condition(call.argument.as_str(), context),
            Intrinsic::FindInMap => {
                let path = items
                    .iter()
                    .map_while(|item| item.as_str().map(str::to_owned));
                let path: Vec<_> = path.collect();
                let mappings = &context.spec.mappings.0;
                let part = path.iter().try_fold(mappings, |map, key| map.get(key));
                self.mappings.insert(path, sorted(part));
            }
            _ => {}
        }
    }

    fn parameter(&mut self, name: Option<&str>, context: &RenderContext<'_>) {
        let declared = |name| Some((name, context.spec.parameters.0.get(name)?));
        if let Some((name, parameter)) = name.and_then(declared) {
            let default = sorted(parameter.get("Default"));
            self.parameters.insert(name.to_owned(), default);
        }
    }

    fn condition(&mut self, name: Option<&str>, context: &RenderContext<'_>) {
        let declared = |name| Some((name, context.spec.conditions.0.get(name)?));
        if let Some((name, condition)) = name.and_then(declared) {
            let text = sorted(Some(condition));
            if self.conditions.insert(name.to_owned(), text).is_none() {
                self.add(&json::from_json(condition), context);
            }
        }
    }
}

/// Returns JSON with sorted keys, because their order has no meaning.
fn sorted(value: Option<&Json>) -> String {
    let mut value = value.cloned().unwrap_or_default();
    value.sort_all_objects();
    value.to_string()
}
