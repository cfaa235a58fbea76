//! The template under construction.

use std::collections::BTreeSet;

use indexmap::IndexMap;
use stackgen_cfn::{Map, Node, list, map};

use crate::outline::{Collision, Origin};

/// A resource before it is written.
#[derive(Clone, Debug)]
pub(super) struct ResourceBuilder {
    kind: &'static str,
    properties: Map,
    depends_on: Vec<String>,
    retained: Option<bool>,
    metadata: Option<Node>,
}

impl ResourceBuilder {
    /// A resource of a CloudFormation type.
    pub(super) fn new(kind: &'static str) -> Self {
        ResourceBuilder {
            kind,
            properties: Map::new(),
            depends_on: Vec::new(),
            retained: None,
            metadata: None,
        }
    }

    /// Sets a property.
    pub(super) fn set(mut self, name: &str, value: impl Into<Node>) -> Self {
        self.properties.insert(name, value);
        self
    }

    /// Sets a property that may be left out.
    pub(super) fn set_some(self, name: &str, value: Option<impl Into<Node>>) -> Self {
        match value {
            Some(value) => self.set(name, value),
            None => self,
        }
    }

    /// Names resources that must be there first and that no property refers to.
    pub(super) fn depends_on(mut self, ids: Vec<String>) -> Self {
        self.depends_on = ids;
        self
    }

    /// Says what becomes of it when the stack no longer has it.
    pub(super) fn retained(mut self, retained: bool) -> Self {
        self.retained = Some(retained);
        self
    }

    /// Sets metadata.
    pub(super) fn metadata(mut self, metadata: Node) -> Self {
        self.metadata = Some(metadata);
        self
    }

    /// As the template writes it.
    pub(super) fn into_node(self) -> Node {
        let mut node = Map::new();
        node.insert("Type", self.kind);
        if !self.depends_on.is_empty() {
            node.insert("DependsOn", list(self.depends_on));
        }
        if let Some(retained) = self.retained {
            // What a failed update has only just made goes again: a name or a version that stayed behind would
            // make every retry fail (row D17).
            let policies = match retained {
                true => ("RetainExceptOnCreate", "Retain"),
                false => ("Delete", "Delete"),
            };
            node.insert("DeletionPolicy", policies.0);
            node.insert("UpdateReplacePolicy", policies.1);
        }
        if let Some(metadata) = self.metadata {
            node.insert("Metadata", metadata);
        }
        if !self.properties.is_empty() {
            node.insert("Properties", self.properties);
        }
        node.into()
    }
}

/// Resources and outputs in the order of their making.
#[derive(Debug, Default)]
pub(super) struct TemplateBuilder {
    /// The logical ids alone are wanted: no resource is made.
    ids_only: bool,
    resources: IndexMap<String, (Node, Origin)>,
    outputs: Map,
    collisions: Vec<Collision>,
}

impl TemplateBuilder {
    /// A template that collects logical ids, with nothing behind them.
    pub(super) fn of_ids() -> Self {
        TemplateBuilder {
            ids_only: true,
            ..TemplateBuilder::default()
        }
    }

    /// Adds a resource for an entry of stackgen.yaml.
    pub(super) fn add(
        &mut self,
        id: &str,
        origin: &[&str],
        resource: impl FnOnce() -> ResourceBuilder,
    ) {
        let node = match self.ids_only {
            true => Node::default(),
            false => resource().into_node(),
        };
        self.add_node(id, origin, node);
    }

    /// Adds a resource that is written already.
    pub(super) fn add_node(&mut self, id: &str, origin: &[&str], node: Node) {
        let origin: Origin = origin.iter().map(|&key| key.to_owned()).collect();
        match self.resources.get(id) {
            Some((_, first)) => {
                let told = |known: &Collision| known.first == *first && known.second == origin;
                if !self.collisions.iter().any(told) {
                    self.collisions.push(Collision {
                        id: id.to_owned(),
                        first: first.clone(),
                        second: origin,
                    });
                }
            }
            None => {
                self.resources.insert(id.to_owned(), (node, origin));
            }
        }
    }

    /// Keeps a place for a resource whose logical id is not known yet.
    pub(super) fn reserve(&mut self, placeholder: &str) {
        self.add_node(placeholder, &[], Node::default());
    }

    /// Adds an output.
    pub(super) fn output(&mut self, id: &str, description: &str, value: impl Into<Node>) {
        self.outputs.insert(
            id,
            map([
                ("Description", Node::from(description)),
                ("Value", value.into()),
            ]),
        );
    }

    /// Adds an output that is written already.
    pub(super) fn add_output_node(&mut self, id: &str, node: Node) {
        self.outputs.insert(id, node);
    }

    /// The logical ids of a type that were made for a section of stackgen.yaml, in order.
    pub(super) fn ids_of(&self, section: &str, kind: &str) -> Vec<String> {
        let all = self.resources.iter();
        let mut ids: Vec<_> = all
            .filter(|(_, (_, origin))| origin.first().is_some_and(|first| first == section))
            .filter(|(_, (node, _))| node.get("Type").and_then(Node::as_str) == Some(kind))
            .map(|(id, _)| id.clone())
            .collect();
        ids.sort_unstable();
        ids
    }

    /// What came to one logical id.
    pub(super) fn collisions(&self) -> &[Collision] {
        &self.collisions
    }

    /// The resources that are made, by logical id.
    pub(super) fn resources(&self) -> impl Iterator<Item = (&str, &Node)> {
        self.resources
            .iter()
            .map(|(id, (node, _))| (id.as_str(), node))
    }

    /// The resources by logical id, each with the entry that it was made for, and the logical ids of the outputs.
    pub(super) fn into_entries(self) -> (IndexMap<String, (Node, Origin)>, BTreeSet<String>) {
        let outputs = self.outputs.keys().map(str::to_owned).collect();
        (self.resources, outputs)
    }

    /// The `Resources` and the `Outputs` section.
    pub(super) fn into_sections(self) -> (Map, Map) {
        let resources = self.resources.into_iter();
        let resources = resources.map(|(id, (node, _))| (id, node)).collect();
        (resources, self.outputs)
    }
}
