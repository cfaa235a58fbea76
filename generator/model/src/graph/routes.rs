//! Boxes of APIs, of their routes, and of the routes' targets.

use std::collections::HashMap;

use super::build::{Builder, beginning, name, plain};
use super::steps::step;
use super::{GraphNode, NodeKind};
use crate::api::{Api, Authorizer, Integration, Protocol, Route};
use crate::{FunctionLink, Link, LogicalId, Qualifier, Resolved, Text};

/// Drawing state of one API and its routes.
struct ApiBoxes<'a> {
    api: &'a Api,
    /// Its authorizers, with the identity that a caller must send for each.
    authorizers: HashMap<&'a LogicalId, (&'a Authorizer, String)>,
    integrations: HashMap<&'a LogicalId, &'a Integration>,
    /// Targets of authorizers and integrations that are drawn already. Many routes may share one.
    targets: HashMap<&'a LogicalId, Target>,
}

/// A box, and the label of an arrow to it.
#[derive(Clone)]
struct Target {
    node: usize,
    label: String,
}

impl<'a> ApiBoxes<'a> {
    fn of(api: &'a Api) -> Self {
        let authorizers = api.authorizers.iter();
        let integrations = api.integrations.iter();
        ApiBoxes {
            api,
            authorizers: authorizers
                .map(|one| (&one.resource.logical_id, (one, needs(one))))
                .collect(),
            integrations: integrations
                .map(|one| (&one.resource.logical_id, one))
                .collect(),
            targets: HashMap::new(),
        }
    }
}

impl<'a> Builder<'a> {
    pub(super) fn api(&mut self, index: usize, api: &'a Api) {
        let (id, title) = match &api.resource {
            Some(resource) => (
                plain(&resource.logical_id),
                name(api.name.as_ref(), resource),
            ),
            None => (
                format!("outside_{index}"),
                "an API outside of the template".to_owned(),
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
        let node = GraphNode {
            id: format!("api_{id}"),
            kind: NodeKind::Api,
            lines: vec![title],
            details,
            resource: None,
        };
        let from = self.node(&format!("api {index}"), node);
        let mut wiring = ApiBoxes::of(api);
        for (number, routes) in group_by_target(&api.routes).into_iter().enumerate() {
            let id = format!("routes_{id}_{}", number + 1);
            self.routes(&mut wiring, from, id, &routes);
        }
    }

    fn routes(&mut self, wiring: &mut ApiBoxes<'a>, from: usize, id: String, routes: &[&'a Route]) {
        let first = routes[0];
        let line = |route: &&Route| match route.is_two_way() {
            true => format!("{} ⇄", route.key),
            false => route.key.to_string(),
        };
        let authorizer = first.authorizer.to();
        let authorizer = authorizer.and_then(|id| wiring.authorizers.get(id));
        let needs = authorizer.map(|(_, needs)| needs.as_str());
        let authorizer = authorizer.map(|(authorizer, _)| *authorizer);
        let mut details: Vec<_> = authorization(wiring.api, first, needs)
            .into_iter()
            .collect();
        if first.target == Link::Missing {
            details.push("no integration".to_owned());
        }
        let node = GraphNode {
            id: id.clone(),
            kind: NodeKind::Routes,
            lines: routes.iter().map(line).collect(),
            details,
            resource: None,
        };
        let routes = self.node(&id, node);
        self.edge(from, routes, "", false);
        if let Some(authorizer) = authorizer {
            let id = &authorizer.resource.logical_id;
            let target = self.once(wiring, id, |builder| builder.authorizer(authorizer));
            self.edge(routes, target.node, target.label, true);
        }
        let integration = first.target.to();
        let integration = integration.and_then(|id| wiring.integrations.get(id).copied());
        if let Some(integration) = integration {
            let id = &integration.resource.logical_id;
            let target = self.once(wiring, id, |builder| builder.integration(integration));
            self.edge(routes, target.node, target.label, false);
        }
    }

    /// Returns the target of a resource of the API. It is drawn the first time.
    fn once(
        &mut self,
        wiring: &mut ApiBoxes<'a>,
        id: &'a LogicalId,
        draw: impl FnOnce(&mut Self) -> Target,
    ) -> Target {
        step();
        match wiring.targets.get(id) {
            Some(target) => target.clone(),
            None => {
                let target = draw(self);
                wiring.targets.insert(id, target.clone());
                target
            }
        }
    }

    fn integration(&mut self, integration: &Integration) -> Target {
        if let Some(service) = self.service(integration) {
            return Target {
                node: service.node,
                label: service.label,
            };
        }
        let other = || match (&integration.uri, &integration.integration_type) {
            (Some(uri), _) => uri.to_string(),
            (None, Some(kind)) => kind.to_string(),
            (None, None) => "unknown".to_owned(),
        };
        Target {
            node: self.target(&integration.function, other),
            label: qualifier(&integration.function).unwrap_or_default(),
        }
    }

    fn authorizer(&mut self, authorizer: &Authorizer) -> Target {
        if let Some(uri) = &authorizer.uri {
            return Target {
                node: self.target(&authorizer.function, || uri.to_string()),
                label: match qualifier(&authorizer.function) {
                    Some(qualifier) => format!("authorizer, {qualifier}"),
                    None => "authorizer".to_owned(),
                },
            };
        }
        let id = &authorizer.resource.logical_id;
        let issuer = ["JwtConfiguration", "Issuer"];
        let properties = &authorizer.resource.properties;
        let issuer = properties.at_path(&issuer).and_then(Resolved::as_literal);
        let details = ["JWT authorizer"].into_iter().chain(issuer);
        let node = GraphNode {
            id: format!("authorizer_{}", plain(id)),
            kind: NodeKind::Authorizer,
            lines: vec![name(authorizer.name.as_ref(), &authorizer.resource)],
            details: details.map(str::to_owned).collect(),
            resource: None,
        };
        Target {
            node: self.node(id.as_str(), node),
            label: "authorizer".to_owned(),
        }
    }

    /// Returns the box of a target: a function of the template, or another box.
    fn target(&mut self, link: &FunctionLink, other: impl Fn() -> String) -> usize {
        let key = match &link.function {
            Link::To(id) => id.to_string(),
            Link::External(text) => text.to_string(),
            Link::Unknown(_) | Link::Missing => other(),
        };
        match self.boxes.get(&key) {
            Some(index) => *index,
            None => {
                let node = GraphNode {
                    id: format!("other_{}", self.graph.nodes.len()),
                    kind: NodeKind::Other,
                    lines: vec![key.clone()],
                    details: Vec::new(),
                    resource: None,
                };
                self.node(&key, node)
            }
        }
    }
}

/// Key of a link's target.
#[derive(PartialEq, Eq, Hash)]
enum TargetKey<'a> {
    To(&'a LogicalId),
    External(String),
    Unknown(&'a str),
    Missing,
}

impl<'a> TargetKey<'a> {
    fn of(link: &'a Link) -> Self {
        match link {
            Link::To(id) => TargetKey::To(id),
            Link::External(text) => TargetKey::External(text.to_string()),
            Link::Unknown(unknown) => TargetKey::Unknown(&unknown.expression),
            Link::Missing => TargetKey::Missing,
        }
    }
}

/// Groups routes by target, authorization and direction, in the order of their first route.
fn group_by_target(routes: &[Route]) -> Vec<Vec<&Route>> {
    let mut groups: Vec<Vec<&Route>> = Vec::new();
    let mut known = HashMap::new();
    for route in routes {
        step();
        if route.target == Link::Missing {
            groups.push(vec![route]);
            continue;
        }
        let authorization = route.authorization_type.as_ref().map(Text::to_string);
        let way = (
            TargetKey::of(&route.target),
            TargetKey::of(&route.authorizer),
            authorization,
        );
        let group = *known.entry(way).or_insert_with(|| {
            groups.push(Vec::new());
            groups.len() - 1
        });
        groups[group].push(route);
    }
    groups
}

/// Returns what a caller must send. `needs` is what the authorizer needs.
fn authorization(api: &Api, route: &Route, needs: Option<&str>) -> Option<String> {
    let kind = route.authorization_type.as_ref().and_then(Text::as_literal);
    match (kind, needs) {
        (Some("AWS_IAM"), _) => Some("signed by AWS credentials".to_owned()),
        (_, Some(needs)) if api.protocol == Protocol::WebSocket => Some(needs.to_owned()),
        _ => None,
    }
}

fn needs(authorizer: &Authorizer) -> String {
    let sources = authorizer.identity_sources.iter().take(MAX_SOURCES);
    let mut sources: Vec<_> = sources.map(|text| beginning(&text.to_string())).collect();
    if authorizer.identity_sources.len() > MAX_SOURCES {
        sources.push("…".to_owned());
    }
    match sources.as_slice() {
        [] => "no identity source".to_owned(),
        sources => format!("needs {}", sources.join(", ").replace("route.request.", "")),
    }
}

/// Limit of identity sources in a box.
const MAX_SOURCES: usize = 10;

fn qualifier(link: &FunctionLink) -> Option<String> {
    match link.qualifier.as_ref()? {
        Qualifier::Version(_) => Some("version".to_owned()),
        Qualifier::Alias(id) => Some(format!("alias {}", beginning(id.as_str()))),
        Qualifier::Named(text) => Some(beginning(&text.to_string())),
    }
}
