//! Bodies of blocks: attributes, nested blocks, `dynamic` blocks.

use std::collections::BTreeMap;
use std::rc::Rc;

use stackgen_cfn::Span;

use super::{Evaluator, ModuleInstance};
use crate::document::ConfigBlock;
use crate::error::ConfigurationProblem;
use crate::value::HclValue;

/// Attributes that say how often there is a resource and how Terraform handles it.
const META: [&str; 5] = ["count", "for_each", "depends_on", "provider", "lifecycle"];

/// Nested blocks about how Terraform handles a resource.
const META_BLOCKS: [&str; 4] = ["lifecycle", "provisioner", "connection", "timeouts"];

impl Evaluator<'_> {
    /// Evaluates a body: attributes, and nested blocks as lists of maps.
    pub(super) fn body(
        &self,
        instance: &Rc<ModuleInstance>,
        block: &ConfigBlock,
        names: &[(String, HclValue)],
        address: &str,
        path: &str,
        spans: &mut BTreeMap<String, Span>,
    ) -> BTreeMap<String, HclValue> {
        let mut attributes = BTreeMap::new();
        for (name, attribute) in &block.attributes {
            if path.is_empty() && META.contains(&name.as_str()) {
                continue;
            }
            let value = self.attribute(
                instance,
                attribute,
                names,
                &format!("{address}.{path}{name}"),
            );
            spans.insert(format!("{path}{name}"), attribute.span);
            attributes.insert(name.clone(), value);
        }
        let mut nested: BTreeMap<String, Vec<HclValue>> = BTreeMap::new();
        for inner in &block.blocks {
            if META_BLOCKS.contains(&inner.kind.as_str()) {
                continue;
            }
            if inner.kind == "dynamic" {
                self.dynamic(instance, inner, names, address, path, spans, &mut nested);
                continue;
            }
            let values = nested.entry(inner.kind.clone()).or_default();
            let inner_path = format!("{path}{}.{}", inner.kind, values.len());
            spans.insert(inner_path.clone(), inner.span);
            let body = self.body(
                instance,
                inner,
                names,
                address,
                &format!("{inner_path}."),
                spans,
            );
            values.push(HclValue::map(body));
        }
        attributes.extend(
            nested
                .into_iter()
                .map(|(kind, values)| (kind, HclValue::List(values))),
        );
        attributes
    }

    /// Adds the blocks that a `dynamic` block generates.
    #[allow(
        clippy::too_many_arguments,
        reason = "they are the state of the body around it"
    )]
    fn dynamic(
        &self,
        instance: &Rc<ModuleInstance>,
        block: &ConfigBlock,
        names: &[(String, HclValue)],
        address: &str,
        path: &str,
        spans: &mut BTreeMap<String, Span>,
        nested: &mut BTreeMap<String, Vec<HclValue>>,
    ) {
        let kind = block.labels.first().cloned().unwrap_or_default();
        let (Some(each), Some(content)) = (
            block.attributes.get("for_each"),
            block.blocks_of("content").next(),
        ) else {
            return;
        };
        let iterator = block
            .attributes
            .get("iterator")
            .and_then(|name| name.expression.as_variable());
        let iterator = iterator
            .map_or(kind.as_str(), |name| name.as_str())
            .to_owned();
        let collection = self.attribute(instance, each, names, &format!("{address}.{path}{kind}"));
        let pairs: Vec<(HclValue, HclValue)> = match &collection {
            #[allow(clippy::cast_precision_loss, reason = "there are few blocks")]
            HclValue::List(items) => items
                .iter()
                .enumerate()
                .map(|(index, item)| (HclValue::Number(index as f64), item.clone()))
                .collect(),
            HclValue::Set(items) => items
                .iter()
                .map(|item| (item.clone(), item.clone()))
                .collect(),
            HclValue::Map(map) => map
                .entries
                .iter()
                .map(|(key, value)| (HclValue::text(key), value.clone()))
                .collect(),
            HclValue::Null => Vec::new(),
            _ => {
                let message = format!(
                    "the `{kind}` blocks of {address} are left out: their `for_each` is unknown"
                );
                self.note(ConfigurationProblem::new(each.span, message));
                return;
            }
        };
        for (key, value) in pairs {
            let values = nested.entry(kind.clone()).or_default();
            let inner_path = format!("{path}{kind}.{}", values.len());
            spans.insert(inner_path.clone(), block.span);
            let mut names = names.to_vec();
            names.insert(
                0,
                (
                    iterator.clone(),
                    HclValue::map([("key", key), ("value", value)]),
                ),
            );
            let body = self.body(
                instance,
                content,
                &names,
                address,
                &format!("{inner_path}."),
                spans,
            );
            values.push(HclValue::map(body));
        }
    }
}
