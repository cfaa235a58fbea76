//! Instances of resources and data sources.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use hcl_edit::expr::{Expression, TraversalOperator};
use stackgen_cfn::Span;

use super::body::BodyReader;
use super::{Evaluator, ModuleInstance};
use crate::address::address_of_block;
use crate::document::{BlockSuppression, ConfigBlock};
use crate::error::{ConfigurationProblem, ExpressionError};
use crate::functions::known;
use crate::template_types::is_in_template;
use crate::value::{HclMap, HclValue, OpenObject};

/// An instance of a resource or data source, with its evaluated attributes.
#[derive(Debug)]
pub(crate) struct ResourceInstance {
    /// Address, such as `module.chat.aws_sqs_queue.orders["a"]`.
    pub(crate) address: String,
    /// Type, such as `aws_sqs_queue`.
    pub(crate) kind: String,
    /// Span of the block's type and labels.
    pub(crate) span: Span,
    /// Attributes, and nested blocks as lists of maps.
    pub(crate) attributes: BTreeMap<String, HclValue>,
    /// Spans of attributes by their path, such as `environment.0.variables`.
    pub(crate) spans: BTreeMap<String, Span>,
    /// Addresses in `depends_on`, without the keys of instances.
    pub(crate) depends_on: Vec<String>,
    /// Addresses of the resources that its expressions refer to.
    pub(crate) dependencies: BTreeSet<String>,
    /// True for a provider with an alias, which can have another region or account.
    pub(crate) has_other_provider: bool,
    /// Suppressions of the linter.
    pub(crate) suppressions: Vec<BlockSuppression>,
    /// Values in its `replace_triggered_by`, whose changes replace it.
    pub(crate) replace_triggers: Option<HclValue>,
    /// Unknown value that decides whether the instance exists.
    pub(crate) condition: Option<String>,
}

/// Instances of a block.
#[derive(Clone, Debug)]
pub(crate) enum Repetition {
    /// One.
    Single(Rc<ResourceInstance>),
    /// An unknown number, for which this one stands.
    Unknown(Rc<ResourceInstance>),
    /// With `count`.
    Count(Vec<Rc<ResourceInstance>>),
    /// With `for_each`.
    Each(BTreeMap<String, Rc<ResourceInstance>>),
}

impl Repetition {
    /// Returns the instances in order.
    pub(crate) fn instances(&self) -> Vec<Rc<ResourceInstance>> {
        match self {
            Repetition::Single(only) | Repetition::Unknown(only) => vec![only.clone()],
            Repetition::Count(list) => list.clone(),
            Repetition::Each(map) => map.values().cloned().collect(),
        }
    }
}

/// Keys of instances.
pub(super) enum Keys {
    /// Neither `count` nor `for_each`.
    One,
    /// Unknown ones, with the values of `each` or `count`.
    Unknown(Vec<(String, HclValue)>),
    /// `count`.
    Count(usize),
    /// `for_each`.
    Each(BTreeMap<String, HclValue>),
}

impl Keys {
    #[allow(clippy::cast_precision_loss, reason = "there are few instances")]
    pub(super) fn count_names(index: usize) -> Vec<(String, HclValue)> {
        let count = HclValue::map([("index", HclValue::Number(index as f64))]);
        vec![("count".to_owned(), count)]
    }

    pub(super) fn each_names(key: &str, value: HclValue) -> Vec<(String, HclValue)> {
        let each = HclValue::map([("key", HclValue::text(key)), ("value", value)]);
        vec![("each".to_owned(), each)]
    }
}

/// Limit of instances of a block.
const MOST: usize = 2_000;

impl Evaluator<'_> {
    /// Returns the value of a resource or data source.
    pub(super) fn object(
        &self,
        instance: &Rc<ModuleInstance>,
        is_data: bool,
        kind: &str,
        name: &str,
    ) -> Result<HclValue, ExpressionError> {
        let Some(block) = instance.module.object(is_data, kind, name) else {
            let prefix = if is_data { "data." } else { "" };
            return Err(ExpressionError::new(format!(
                "the configuration has no {prefix}{kind}.{name}"
            )));
        };
        let repetition = self.instances_of(instance, block)?;
        let open = |one: &Rc<ResourceInstance>| self.object_value(one, is_data);
        Ok(match repetition {
            Repetition::Single(one) => open(&one),
            Repetition::Unknown(one) => {
                let value = open(&one);
                match block.attributes.contains_key("for_each") {
                    true => self.unknown(format!("{} for each key", one.address)),
                    false => HclValue::List(vec![value]),
                }
            }
            Repetition::Count(list) => HclValue::List(list.iter().map(open).collect()),
            Repetition::Each(map) => {
                HclValue::map(map.iter().map(|(key, one)| (key.as_str(), open(one))))
            }
        })
    }

    /// Returns the attributes of an instance, with those that only AWS knows.
    fn object_value(&self, instance: &ResourceInstance, is_data: bool) -> HclValue {
        if !is_data {
            self.record_dependency(address_of_block(&instance.address));
        }
        let mut entries = instance.attributes.clone();
        match is_data {
            true => entries.extend(self.data_attributes(instance)),
            false => entries.extend(self.computed_attributes(instance)),
        }
        HclValue::Map(HclMap {
            entries,
            open: Some(OpenObject {
                address: instance.address.clone(),
                is_resource: !is_data && is_in_template(&instance.kind),
            }),
        })
    }

    /// Returns the instances of a block.
    ///
    /// # Errors
    ///
    /// If the block depends on itself.
    pub(crate) fn instances_of(
        &self,
        instance: &Rc<ModuleInstance>,
        block: &ConfigBlock,
    ) -> Result<Repetition, ExpressionError> {
        let prefix = if block.kind == "data" { "data." } else { "" };
        let address = format!("{}{prefix}{}", instance.prefix, block.labels.join("."));
        if let Some(done) = self.instances.borrow().get(&address) {
            return Ok(done.clone());
        }
        if !self.evaluating.borrow_mut().insert(address.clone()) {
            return Err(ExpressionError::new(format!("{address} depends on itself")));
        }
        let repetition = self.repeat(instance, block, &address);
        self.evaluating.borrow_mut().remove(&address);
        self.instances
            .borrow_mut()
            .insert(address, repetition.clone());
        Ok(repetition)
    }

    fn repeat(
        &self,
        instance: &Rc<ModuleInstance>,
        block: &ConfigBlock,
        address: &str,
    ) -> Repetition {
        let (keys, condition) = self.with_dependencies(|| self.keys(instance, block, address));
        let create = |address: String, names: Vec<(String, HclValue)>, unknown: Option<String>| {
            let mut one = self.instance(instance, block, address, &names);
            one.dependencies.extend(condition.iter().cloned());
            one.condition = unknown;
            Rc::new(one)
        };
        match keys {
            Keys::One => Repetition::Single(create(address.to_owned(), Vec::new(), None)),
            Keys::Unknown(names) => {
                let unknown = format!("the number of instances of {address}");
                Repetition::Unknown(create(address.to_owned(), names, Some(unknown)))
            }
            Keys::Count(count) => {
                let list = (0..count).map(|index| {
                    create(
                        format!("{address}[{index}]"),
                        Keys::count_names(index),
                        None,
                    )
                });
                Repetition::Count(list.collect())
            }
            Keys::Each(entries) => {
                let map = entries.into_iter().map(|(key, value)| {
                    let names = Keys::each_names(&key, value);
                    let one = create(format!("{address}[{key:?}]"), names, None);
                    (key, one)
                });
                Repetition::Each(map.collect())
            }
        }
    }

    fn instance(
        &self,
        instance: &Rc<ModuleInstance>,
        block: &ConfigBlock,
        address: String,
        names: &[(String, HclValue)],
    ) -> ResourceInstance {
        let mut reader = BodyReader {
            evaluator: self,
            instance,
            address: &address,
            spans: BTreeMap::new(),
        };
        let ((attributes, replace_triggers), dependencies) = self.with_dependencies(|| {
            let attributes = reader.body(block, names, "");
            (attributes, self.replace_triggers(instance, block, names))
        });
        let mut spans = reader.spans;
        let mut depends_on = depends_on_addresses(block, &instance.prefix);
        let callers = std::iter::successors(instance.caller.as_ref(), |caller| {
            caller.instance.caller.as_ref()
        });
        depends_on.extend(callers.flat_map(|caller| caller.depends_on.iter().cloned()));
        if let Some(attribute) = block.attributes.get("depends_on") {
            spans.insert("depends_on".to_owned(), attribute.span);
        }
        ResourceInstance {
            address,
            kind: block.labels.first().cloned().unwrap_or_default(),
            span: block.span,
            attributes,
            spans,
            depends_on,
            dependencies,
            has_other_provider: block
                .attributes
                .get("provider")
                .is_some_and(|provider| is_alias(&provider.expression)),
            suppressions: block.suppressions.clone(),
            replace_triggers,
            condition: None,
        }
    }

    fn replace_triggers(
        &self,
        instance: &Rc<ModuleInstance>,
        block: &ConfigBlock,
        names: &[(String, HclValue)],
    ) -> Option<HclValue> {
        const NAME: &str = "replace_triggered_by";
        let attribute = block
            .blocks_of("lifecycle")
            .find_map(|lifecycle| lifecycle.attributes.get(NAME))?;
        let name = format!("{}{}.{NAME}", instance.prefix, block.labels.join("."));
        Some(self.attribute(instance, attribute, names, &name))
    }

    /// Returns the keys of a block's instances.
    pub(super) fn keys(
        &self,
        instance: &Rc<ModuleInstance>,
        block: &ConfigBlock,
        address: &str,
    ) -> Keys {
        let (attribute, is_count) = match (
            block.attributes.get("count"),
            block.attributes.get("for_each"),
        ) {
            (Some(count), _) => (count, true),
            (None, Some(each)) => (each, false),
            (None, None) => return Keys::One,
        };
        let value = self.attribute(
            instance,
            attribute,
            &[],
            &format!("the number of {address}"),
        );
        match (&value, is_count) {
            (value, true) if known(&self.tokens, value).as_number().is_some() => {
                let value = known(&self.tokens, value);
                #[allow(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "clamped"
                )]
                let count = value.as_number().unwrap_or(0.0).clamp(0.0, MOST as f64) as usize;
                return Keys::Count(count);
            }
            (HclValue::Map(map), false) => {
                // Only the keys must be known.
                let entries = map.entries.iter().take(MOST);
                let entries = entries.map(|(key, value)| (self.tokens.expand(key), value.clone()));
                return Keys::Each(entries.collect());
            }
            (HclValue::Set(items) | HclValue::List(items), false) => {
                let keys: Option<BTreeMap<String, HclValue>> = items
                    .iter()
                    .take(MOST)
                    .map(|item| Some((self.tokens.expand(&item.to_text().ok()?), item.clone())))
                    .collect();
                if let Some(keys) = keys {
                    return Keys::Each(keys);
                }
            }
            _ => {}
        }
        self.unknown_keys(attribute.span, address, is_count)
    }

    /// Returns the keys of one instance that stands for an unknown number.
    fn unknown_keys(&self, span: Span, address: &str, is_count: bool) -> Keys {
        let unknown = |name: &str| self.unknown(format!("{address} {name}"));
        let word = if is_count { "count" } else { "for_each" };
        let message =
            format!("the number of instances of {address} is unknown, because its `{word}` is");
        self.undetermined(ConfigurationProblem::new(span, message).hint(
            "set the variables that it depends on, in terraform.tfvars or as TF_VAR_NAME; `stackgen dev` also takes `--parameter NAME=VALUE`",
        ));
        Keys::Unknown(match is_count {
            true => vec![(
                "count".to_owned(),
                HclValue::map([("index", unknown("count.index"))]),
            )],
            false => {
                let each = HclValue::map([
                    ("key", unknown("each.key")),
                    ("value", unknown("each.value")),
                ]);
                vec![("each".to_owned(), each)]
            }
        })
    }
}

/// Returns true for a provider such as `aws.east`, and false for `aws`.
fn is_alias(provider: &Expression) -> bool {
    let is_quoted = provider.as_str().is_some_and(|name| name.contains('.'));
    provider.is_traversal() || is_quoted
}

/// Returns the addresses in the `depends_on` of a block: of resources, and of modules as `module.name`.
pub(super) fn depends_on_addresses(block: &ConfigBlock, prefix: &str) -> Vec<String> {
    let depends_on = block.attributes.get("depends_on");
    let items = depends_on
        .and_then(|attribute| attribute.expression.as_array())
        .into_iter()
        .flat_map(|items| items.iter());
    let addresses = items.filter_map(|item| {
        let traversal = item.as_traversal()?;
        let root = traversal.expr.as_variable()?.as_str();
        let names = traversal
            .operators
            .iter()
            .map_while(|operator| match &**operator {
                TraversalOperator::GetAttr(name) => Some(name.as_str()),
                _ => None,
            });
        let names: Vec<_> = names.collect();
        let count = if root == "data" { 2 } else { 1 };
        let path: Vec<_> = std::iter::once(root)
            .chain(names.into_iter().take(count))
            .collect();
        Some(format!("{prefix}{}", path.join(".")))
    });
    addresses.collect()
}
