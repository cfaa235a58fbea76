//! Builders of templates and resources.

use std::collections::BTreeSet;

use stackgen_cfn::{Map, Node, list, map};
use stackgen_model::OrderedMap;

use crate::outline::{Collision, Origin};

/// Builder of a resource.
#[derive(Clone, Debug)]
pub(super) struct ResourceBuilder {
    kind: &'static str,
    properties: Map,
    depends_on: Vec<String>,
    retained: Option<bool>,
    /// True if CloudFormation keeps the old resource when it replaces it.
    kept_on_replacement: bool,
    metadata: Option<Node>,
}

impl ResourceBuilder {
    /// Creates a resource of a CloudFormation type.
    pub(super) fn new(kind: &'static str) -> Self {
        ResourceBuilder {
            kind,
            properties: Map::new(),
            depends_on: Vec::new(),
            retained: None,
            kept_on_replacement: false,
            metadata: None,
        }
    }

    pub(super) fn set(mut self, name: &str, value: impl Into<Node>) -> Self {
        self.properties.insert(name, value);
        self
    }

    /// Sets a property if there is a value.
    pub(super) fn set_some(self, name: &str, value: Option<impl Into<Node>>) -> Self {
        match value {
            Some(value) => self.set(name, value),
            None => self,
        }
    }

    /// Sets `DependsOn`, for resources that no property refers to.
    pub(super) fn depends_on(mut self, ids: Vec<String>) -> Self {
        self.depends_on = ids;
        self
    }

    /// Sets the deletion policies: true keeps the resource when it leaves the stack, false deletes it.
    pub(super) fn retained(mut self, retained: bool) -> Self {
        self.retained = Some(retained);
        self
    }

    /// Keeps the old resource when CloudFormation replaces it. The resource is deleted when it leaves the stack.
    pub(super) fn kept_on_replacement(mut self) -> Self {
        self.kept_on_replacement = true;
        self
    }

    pub(super) fn metadata(mut self, metadata: Node) -> Self {
        self.metadata = Some(metadata);
        self
    }

    /// Returns the resource as a node of the template.
    pub(super) fn into_node(self) -> Node {
        let mut node = Map::new();
        node.insert("Type", self.kind);
        if !self.depends_on.is_empty() {
            node.insert("DependsOn", list(self.depends_on));
        }
        if let Some(retained) = self.retained {
            // If the update that creates the resource fails, CloudFormation deletes it: its name or version would make
            // every retry fail (row D17).
            let policies = match retained {
                true => ("RetainExceptOnCreate", "Retain"),
                false => ("Delete", "Delete"),
            };
            node.insert("DeletionPolicy", policies.0);
            node.insert("UpdateReplacePolicy", policies.1);
        }
        if self.kept_on_replacement {
            node.insert("DeletionPolicy", "Delete");
            node.insert("UpdateReplacePolicy", "Retain");
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

/// Builder of a template: resources and outputs in the order in which they are added.
#[derive(Debug, Default)]
pub(super) struct TemplateBuilder {
    /// If true, resources are empty and only their logical IDs are collected.
    ids_only: bool,
    resources: OrderedMap<String, (Node, Origin)>,
    outputs: Map,
    collisions: Vec<Collision>,
}

impl TemplateBuilder {
    /// Creates a template that collects only logical IDs.
    pub(super) fn ids_only() -> Self {
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

    /// Adds a resource that is already a node.
    pub(super) fn add_node(&mut self, id: &str, origin: &[&str], node: Node) {
        let origin: Origin = origin.iter().map(|&key| key.to_owned()).collect();
        match self.resources.get(id) {
            Some((_, first)) => {
                let is_known = |known: &Collision| known.first == *first && known.second == origin;
                if !self.collisions.iter().any(is_known) {
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

    /// Adds a placeholder for a resource whose logical ID is not known yet.
    pub(super) fn reserve(&mut self, placeholder: &str) {
        self.add_node(placeholder, &[], Node::default());
    }

    pub(super) fn output(&mut self, id: &str, description: &str, value: impl Into<Node>) {
        self.outputs.insert(
            id,
            map([
                ("Description", Node::from(description)),
                ("Value", value.into()),
            ]),
        );
    }

    /// Adds an output that is already a node.
    pub(super) fn add_output_node(&mut self, id: &str, node: Node) {
        self.outputs.insert(id, node);
    }

    /// Returns the logical IDs of a type that were added for a section of stackgen.yaml, sorted.
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

    /// Returns the collisions of logical IDs.
    pub(super) fn collisions(&self) -> &[Collision] {
        &self.collisions
    }

    /// Returns the resources by logical ID.
    pub(super) fn resources(&self) -> impl Iterator<Item = (&str, &Node)> {
        self.resources
            .iter()
            .map(|(id, (node, _))| (id.as_str(), node))
    }

    /// Returns the resources by logical ID with the entries that they were made for, and the logical IDs of the
    /// outputs.
    pub(super) fn into_entries(self) -> (OrderedMap<String, (Node, Origin)>, BTreeSet<String>) {
        let outputs = self.outputs.keys().map(str::to_owned).collect();
        (self.resources, outputs)
    }

    /// Returns the `Resources` and `Outputs` sections.
    pub(super) fn into_sections(self) -> (Map, Map) {
        let resources = self.resources.into_iter();
        let resources = resources.map(|(id, (node, _))| (id, node)).collect();
        (resources, self.outputs)
    }
}
