//! Building the graph of a model.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;

use super::access::RoleAccess;
use super::steps::step;
use super::{Edge, Graph, GraphNode, NodeKind};
use crate::digest::sha256_hex;
use crate::function::Function;
use crate::resource::Resource;
use crate::table::Table;
use crate::{LogicalId, Model, Resolved, Setting, Text};

pub(super) fn graph(model: &Model) -> Graph {
    let tables = model.tables.iter().enumerate();
    let mut builder = Builder {
        model,
        graph: Graph::default(),
        boxes: HashMap::new(),
        arrows: HashSet::new(),
        tables: tables
            .map(|(position, table)| (&table.resource.logical_id, position))
            .collect(),
        table_names: names(model).collect(),
        access: HashMap::new(),
    };
    for function in &model.functions {
        builder.function(function);
    }
    for table in &model.tables {
        builder.table(table);
    }
    for (index, api) in model.apis.iter().enumerate() {
        builder.api(index, api);
    }
    builder.table_access();
    builder.graph
}

/// Limit of arrows to tables. All functions may share a role that names all tables, and a template has room for tens of
/// thousands of each.
const MAX_TABLE_ARROWS: usize = 100_000;

/// Limit of characters of a text that many boxes or arrows repeat.
const LONGEST_REPEATED: usize = 200;

pub(super) struct Builder<'a> {
    pub(super) model: &'a Model,
    pub(super) graph: Graph,
    /// Boxes of resources, and of ARNs without a resource.
    pub(super) boxes: HashMap<String, usize>,
    /// The arrows so far.
    arrows: HashSet<Edge>,
    /// Positions of tables in the model.
    tables: HashMap<&'a LogicalId, usize>,
    /// Positions of tables with literal names.
    pub(super) table_names: HashMap<&'a str, usize>,
    /// Permissions of roles. Many functions may share a role.
    access: HashMap<&'a LogicalId, Rc<RoleAccess>>,
}

impl Builder<'_> {
    pub(super) fn node(&mut self, key: &str, node: GraphNode) -> usize {
        let index = self.graph.nodes.len();
        self.graph.nodes.push(node);
        self.boxes.insert(key.to_owned(), index);
        index
    }

    pub(super) fn edge(&mut self, from: usize, to: usize, label: impl Into<String>, dashed: bool) {
        let label = label.into();
        let edge = Edge {
            from,
            to,
            label,
            dashed,
        };
        step();
        if self.arrows.insert(edge.clone()) {
            self.graph.edges.push(edge);
        }
    }

    fn function(&mut self, function: &Function) {
        let mut details = Vec::new();
        let size = [
            setting(&function.memory_mib, "MiB"),
            setting(&function.timeout_seconds, "s"),
        ];
        let size: Vec<_> = size.into_iter().flatten().collect();
        if !size.is_empty() {
            details.push(size.join(", "));
        }
        let access = self.access(function);
        if access.is_some_and(|access| access.manages_connections) {
            details.push("sends to connections".to_owned());
        }
        let id = &function.resource.logical_id;
        let node = GraphNode {
            id: format!("function_{}", plain(id)),
            kind: NodeKind::Function,
            lines: vec![name(function.name.as_ref(), &function.resource)],
            details,
            resource: Some(id.clone()),
        };
        self.node(id.as_str(), node);
    }

    fn table(&mut self, table: &Table) {
        let key: Vec<_> = table
            .key
            .iter()
            .map(|attribute| attribute.name.to_string())
            .collect();
        let mut details = Vec::new();
        if !key.is_empty() {
            details.push(format!("key {}", key.join(", ")));
        }
        for index in &table.indexes {
            if let Some(name) = &index.name {
                details.push(format!("index {name}"));
            }
        }
        if let Some(ttl) = &table.ttl_attribute {
            details.push(format!("expires by {ttl}"));
        }
        let id = &table.resource.logical_id;
        let node = GraphNode {
            id: format!("table_{}", plain(id)),
            kind: NodeKind::Table,
            lines: vec![name(table.name.as_ref(), &table.resource)],
            details,
            resource: Some(id.clone()),
        };
        self.node(id.as_str(), node);
    }

    /// Adds arrows from functions to the tables that they use.
    fn table_access(&mut self) {
        let mut left = MAX_TABLE_ARROWS;
        for function in &self.model.functions {
            let id = &function.resource.logical_id;
            let Some(&from) = self.boxes.get(id.as_str()) else {
                continue;
            };
            let Some(access) = self.access(function) else {
                self.known_tables(from, function, &mut left);
                continue;
            };
            let Some(rest) = left.checked_sub(access.tables.len()) else {
                let uses = format!("uses {} tables", access.tables.len());
                self.graph.nodes[from].details.push(uses);
                continue;
            };
            left = rest;
            for (table, access) in &access.tables {
                let table = &self.model.tables[*table].resource.logical_id;
                if let Some(&to) = self.boxes.get(table.as_str()) {
                    self.edge(from, to, *access, false);
                }
            }
        }
    }

    /// Adds arrows from a function, whose role is not in the template, to the tables in its environment.
    fn known_tables(&mut self, from: usize, function: &Function, left: &mut usize) {
        for (variable, value) in function.environment.value().into_iter().flatten() {
            let Resolved::Text(text) = value else {
                continue;
            };
            for reference in text.references() {
                let is_table = self.tables.contains_key(&reference.logical_id);
                let to = self.boxes.get(reference.logical_id.as_str()).copied();
                if let Some(to) = to.filter(|_| is_table && *left > 0) {
                    *left -= 1;
                    self.edge(from, to, beginning(variable), true);
                }
            }
        }
    }

    /// Returns the permissions of a function's role.
    fn access(&mut self, function: &Function) -> Option<Rc<RoleAccess>> {
        let model = self.model;
        let id = function.role.to()?;
        let role = model.role(id)?;
        let (tables, names) = (&self.tables, &self.table_names);
        let access = self
            .access
            .entry(&role.resource.logical_id)
            .or_insert_with(|| Rc::new(RoleAccess::of(role, tables, names)));
        Some(Rc::clone(access))
    }
}

/// Returns the literal names of tables with the tables' positions.
fn names(model: &Model) -> impl Iterator<Item = (&str, usize)> {
    let tables = model.tables.iter().enumerate();
    tables.filter_map(|(position, table)| Some((table.name.as_ref()?.as_literal()?, position)))
}

/// Returns the name of a resource if the template sets a known one, otherwise its logical ID.
pub(super) fn name(name: Option<&Text>, resource: &Arc<Resource>) -> String {
    match name.and_then(Text::as_literal) {
        Some(name) => name.to_owned(),
        None => resource.logical_id.to_string(),
    }
}

fn setting(setting: &Setting<i64>, unit: &str) -> Option<String> {
    Some(format!("{} {unit}", setting.value()?))
}

/// Returns a logical ID as an identifier. Those of templates are identifiers, those of implied resources are not. One
/// that exceeds CloudFormation's limit is cut and distinguished by its digest.
pub(super) fn plain(id: &LogicalId) -> String {
    const LONGEST: usize = 255;
    let keep = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    let id = id.as_str();
    let plain: String = id.chars().map(keep).take(LONGEST).collect();
    match id.chars().nth(LONGEST) {
        None => plain,
        Some(_) => format!("{plain}_{}", sha256_hex(id.as_bytes())),
    }
}

/// Cuts a text that many boxes or arrows repeat.
pub(super) fn beginning(text: &str) -> String {
    match text.char_indices().nth(LONGEST_REPEATED) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}
