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

/// Names of a scope: `each`, `count`, and the iterators of `dynamic` blocks.
type ScopeNames<'n> = &'n [(String, HclValue)];

/// Evaluates the body of a block.
pub(super) struct BodyReader<'e, 'f> {
    pub(super) evaluator: &'e Evaluator<'f>,
    pub(super) instance: &'e Rc<ModuleInstance>,
    /// Address of the resource.
    pub(super) address: &'e str,
    /// Spans of attributes and nested blocks by their paths.
    pub(super) spans: BTreeMap<String, Span>,
}

impl BodyReader<'_, '_> {
    /// Evaluates a body: attributes, and nested blocks as lists of maps. `path` is the path of the body, empty or with a dot at
    /// its end.
    pub(super) fn body(
        &mut self,
        block: &ConfigBlock,
        names: ScopeNames<'_>,
        path: &str,
    ) -> BTreeMap<String, HclValue> {
        let mut attributes = BTreeMap::new();
        for (name, attribute) in &block.attributes {
            if path.is_empty() && META.contains(&name.as_str()) {
                continue;
            }
            let address = format!("{}.{path}{name}", self.address);
            let value = self
                .evaluator
                .attribute(self.instance, attribute, names, &address);
            self.spans.insert(format!("{path}{name}"), attribute.span);
            attributes.insert(name.clone(), value);
        }
        let mut nested: BTreeMap<String, Vec<HclValue>> = BTreeMap::new();
        for inner in &block.blocks {
            match inner.kind.as_str() {
                kind if META_BLOCKS.contains(&kind) => {}
                "dynamic" => self.dynamic(inner, names, path, &mut nested),
                kind => {
                    let values = nested.entry(kind.to_owned()).or_default();
                    let inner_path = format!("{path}{kind}.{}", values.len());
                    self.spans.insert(inner_path.clone(), inner.span);
                    let body = self.body(inner, names, &format!("{inner_path}."));
                    values.push(HclValue::map(body));
                }
            }
        }
        let nested = nested.into_iter();
        attributes.extend(nested.map(|(kind, values)| (kind, HclValue::List(values))));
        attributes
    }

    /// Adds the blocks that a `dynamic` block generates.
    fn dynamic(
        &mut self,
        block: &ConfigBlock,
        names: ScopeNames<'_>,
        path: &str,
        nested: &mut BTreeMap<String, Vec<HclValue>>,
    ) {
        let kind = block.labels.first().cloned().unwrap_or_default();
        let each = block.attributes.get("for_each");
        let (Some(each), Some(content)) = (each, block.blocks_of("content").next()) else {
            return;
        };
        let iterator = block.attributes.get("iterator");
        let iterator = iterator.and_then(|name| name.expression.as_variable());
        let iterator = iterator.map_or(kind.as_str(), |name| name.as_str());
        let address = format!("{}.{path}{kind}", self.address);
        let collection = self
            .evaluator
            .attribute(self.instance, each, names, &address);
        let Some(elements) = iterated(&collection) else {
            let message = format!(
                "the `{kind}` blocks of {} are left out: their `for_each` is unknown",
                self.address
            );
            self.evaluator
                .note(ConfigurationProblem::new(each.span, message));
            return;
        };
        for element in elements {
            let values = nested.entry(kind.clone()).or_default();
            let inner_path = format!("{path}{kind}.{}", values.len());
            self.spans.insert(inner_path.clone(), block.span);
            let mut names = names.to_vec();
            names.insert(0, (iterator.to_owned(), element));
            let body = self.body(content, &names, &format!("{inner_path}."));
            values.push(HclValue::map(body));
        }
    }
}

/// Returns the values of an iterator: a map with `key` and `value` for each element. `None` for an unknown collection.
fn iterated(collection: &HclValue) -> Option<Vec<HclValue>> {
    let element =
        |key: HclValue, value: &HclValue| HclValue::map([("key", key), ("value", value.clone())]);
    Some(match collection {
        #[allow(clippy::cast_precision_loss, reason = "there are few blocks")]
        HclValue::List(items) => {
            let items = items.iter().enumerate();
            items
                .map(|(index, item)| element(HclValue::Number(index as f64), item))
                .collect()
        }
        HclValue::Set(items) => items
            .iter()
            .map(|item| element(item.clone(), item))
            .collect(),
        HclValue::Map(map) => {
            let entries = map.entries.iter();
            entries
                .map(|(key, value)| element(HclValue::text(key), value))
                .collect()
        }
        HclValue::Null => Vec::new(),
        _ => return None,
    })
}
