//! From the model to boxes and arrows.

use std::collections::HashMap;
use std::sync::Arc;

use super::access::{Access, manages_connections};
use super::{Edge, Graph, Kind, Node};
use crate::api::{Api, Authorizer, Protocol, Route};
use crate::function::Function;
use crate::resource::Resource;
use crate::role::Role;
use crate::table::Table;
use crate::{FunctionLink, Link, LogicalId, Model, Qualifier, Resolved, Setting, Text};

pub(super) fn graph(model: &Model) -> Graph {
    let mut builder = Builder {
        model,
        graph: Graph::default(),
        boxes: HashMap::new(),
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

struct Builder<'a> {
    model: &'a Model,
    graph: Graph,
    /// The box of a resource, or of an ARN that no resource stands for.
    boxes: HashMap<String, usize>,
}

impl Builder<'_> {
    fn node(&mut self, key: &str, node: Node) -> usize {
        let index = self.graph.nodes.len();
        self.graph.nodes.push(node);
        self.boxes.insert(key.to_owned(), index);
        index
    }

    fn edge(&mut self, from: usize, to: usize, label: impl Into<String>, dashed: bool) {
        let label = label.into();
        let edge = Edge {
            from,
            to,
            label,
            dashed,
        };
        if !self.graph.edges.contains(&edge) {
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
        if self.role(function).is_some_and(manages_connections) {
            details.push("sends to connections".to_owned());
        }
        let id = &function.resource.logical_id;
        let node = Node {
            id: format!("function_{}", plain(id)),
            kind: Kind::Function,
            lines: vec![name(function.name.as_ref(), &function.resource)],
            details,
        };
        self.node(id.as_str(), node);
    }

    fn role(&self, function: &Function) -> Option<&Role> {
        let id = function.role.to()?;
        self.model
            .roles
            .iter()
            .find(|role| role.resource.logical_id == *id)
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
        let node = Node {
            id: format!("table_{}", plain(id)),
            kind: Kind::Table,
            lines: vec![name(table.name.as_ref(), &table.resource)],
            details,
        };
        self.node(id.as_str(), node);
    }

    fn api(&mut self, index: usize, api: &Api) {
        let (id, title) = match &api.resource {
            Some(resource) => (
                plain(&resource.logical_id),
                name(api.name.as_ref(), resource),
            ),
            None => (
                format!("outside_{index}"),
                "an api outside of the template".to_owned(),
            ),
        };
        let mut details = vec![match api.protocol {
            Protocol::WebSocket => "WebSocket API".to_owned(),
            Protocol::Http => "HTTP API".to_owned(),
            Protocol::Unknown => "API".to_owned(),
        }];
        for stage in &api.stages {
            details.push(format!(
                "stage {}",
                name(stage.name.as_ref(), &stage.resource)
            ));
        }
        let node = Node {
            id: format!("api_{id}"),
            kind: Kind::Api,
            lines: vec![title],
            details,
        };
        let from = self.node(&format!("api {index}"), node);
        for (number, routes) in same_way(&api.routes).into_iter().enumerate() {
            self.routes(api, from, &format!("routes_{id}_{}", number + 1), &routes);
        }
    }

    fn routes(&mut self, api: &Api, from: usize, id: &str, routes: &[&Route]) {
        let first = routes[0];
        let line = |route: &&Route| match route.is_two_way() {
            true => format!("{} ⇄", route.key),
            false => route.key.to_string(),
        };
        let authorizer = first.authorizer.to().and_then(|id| {
            let mut all = api.authorizers.iter();
            all.find(|authorizer| authorizer.resource.logical_id == *id)
        });
        let mut details: Vec<_> = authorization(api, first, authorizer).into_iter().collect();
        if first.target == Link::Missing {
            details.push("no integration".to_owned());
        }
        let node = Node {
            id: id.to_owned(),
            kind: Kind::Routes,
            lines: routes.iter().map(line).collect(),
            details,
        };
        let routes = self.node(id, node);
        self.edge(from, routes, "", false);
        if let Some(authorizer) = authorizer {
            self.authorizer(routes, authorizer);
        }
        let integration = first.target.to().and_then(|id| {
            let mut all = api.integrations.iter();
            all.find(|integration| integration.resource.logical_id == *id)
        });
        if let Some(integration) = integration {
            let other = || match (&integration.uri, &integration.integration_type) {
                (Some(uri), _) => uri.to_string(),
                (None, Some(kind)) => kind.to_string(),
                (None, None) => "unknown".to_owned(),
            };
            let to = self.target(&integration.function, other);
            self.edge(
                routes,
                to,
                qualifier(&integration.function).unwrap_or_default(),
                false,
            );
        }
    }

    fn authorizer(&mut self, routes: usize, authorizer: &Authorizer) {
        if authorizer.uri.is_some() {
            let other = || {
                authorizer
                    .uri
                    .as_ref()
                    .map(Text::to_string)
                    .unwrap_or_default()
            };
            let to = self.target(&authorizer.function, other);
            let label = match qualifier(&authorizer.function) {
                Some(qualifier) => format!("authorizer, {qualifier}"),
                None => "authorizer".to_owned(),
            };
            self.edge(routes, to, label, true);
            return;
        }
        let id = &authorizer.resource.logical_id;
        let to = match self.boxes.get(id.as_str()) {
            Some(index) => *index,
            None => {
                let issuer = ["JwtConfiguration", "Issuer"];
                let issuer = authorizer
                    .resource
                    .properties
                    .at_path(&issuer)
                    .and_then(Resolved::as_literal);
                let node = Node {
                    id: format!("authorizer_{}", plain(id)),
                    kind: Kind::Authorizer,
                    lines: vec![name(authorizer.name.as_ref(), &authorizer.resource)],
                    details: ["JWT authorizer"]
                        .into_iter()
                        .chain(issuer)
                        .map(str::to_owned)
                        .collect(),
                };
                self.node(id.as_str(), node)
            }
        };
        self.edge(routes, to, "authorizer", true);
    }

    /// The box of what is called: a function of the template, or whatever else it is.
    fn target(&mut self, link: &FunctionLink, other: impl Fn() -> String) -> usize {
        let key = match &link.function {
            Link::To(id) => id.to_string(),
            Link::External(text) => text.to_string(),
            Link::Unknown(_) | Link::Missing => other(),
        };
        match self.boxes.get(&key) {
            Some(index) => *index,
            None => {
                let node = Node {
                    id: format!("other_{}", self.graph.nodes.len()),
                    kind: Kind::Other,
                    lines: vec![key.clone()],
                    details: Vec::new(),
                };
                self.node(&key, node)
            }
        }
    }

    fn table_access(&mut self) {
        let model = self.model;
        for function in &model.functions {
            let Some(role) = self.role(function) else {
                continue;
            };
            let edges: Vec<_> = model
                .tables
                .iter()
                .filter_map(|table| {
                    Some((table, Access::of(role, &table.resource.logical_id).words()?))
                })
                .collect();
            for (table, words) in edges {
                let from = self.boxes.get(function.resource.logical_id.as_str());
                let to = self.boxes.get(table.resource.logical_id.as_str());
                if let (Some(&from), Some(&to)) = (from, to) {
                    self.edge(from, to, words, false);
                }
            }
        }
    }
}

/// Routes of the same target, authorization and direction, in the order of their first.
fn same_way(routes: &[Route]) -> Vec<Vec<&Route>> {
    let mut groups: Vec<Vec<&Route>> = Vec::new();
    for route in routes {
        let same = |group: &&mut Vec<&Route>| {
            let first = group[0];
            first.target == route.target
                && first.target != Link::Missing
                && first.authorizer == route.authorizer
                && first.authorization_type == route.authorization_type
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.push(route),
            None => groups.push(vec![route]),
        }
    }
    groups
}

/// What a caller must bring.
fn authorization(api: &Api, route: &Route, authorizer: Option<&Authorizer>) -> Option<String> {
    let kind = route.authorization_type.as_ref().and_then(Text::as_literal);
    match (kind, authorizer) {
        (Some("AWS_IAM"), _) => Some("signed by AWS credentials".to_owned()),
        (_, Some(authorizer)) if api.protocol == Protocol::WebSocket => {
            let sources: Vec<_> = authorizer
                .identity_sources
                .iter()
                .map(Text::to_string)
                .collect();
            Some(match sources.as_slice() {
                [] => "no identity source".to_owned(),
                sources => format!("needs {}", sources.join(", ").replace("route.request.", "")),
            })
        }
        _ => None,
    }
}

fn qualifier(link: &FunctionLink) -> Option<String> {
    match link.qualifier.as_ref()? {
        Qualifier::Version(_) => Some("version".to_owned()),
        Qualifier::Alias(id) => Some(format!("alias {id}")),
        Qualifier::Named(text) => Some(text.to_string()),
    }
}

/// A resource's own name when the template gives one that is known, its logical id otherwise.
fn name(name: Option<&Text>, resource: &Arc<Resource>) -> String {
    match name.and_then(Text::as_literal) {
        Some(name) => name.to_owned(),
        None => resource.logical_id.to_string(),
    }
}

fn setting(setting: &Setting<i64>, unit: &str) -> Option<String> {
    Some(format!("{} {unit}", setting.value()?))
}

/// A logical id as an identifier: those of templates are one already, those of implied resources are not.
fn plain(id: &LogicalId) -> String {
    let keep = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    id.as_str().chars().map(keep).collect()
}
