//! What readers look resources up by, so that none looks through all of them for each.

use std::collections::HashMap;
use std::sync::Arc;

use super::apigatewayv2::{DOMAIN, INTEGRATION_RESPONSE, ROUTE_RESPONSE, STAGE};
use super::function_link::{ALIAS, FUNCTION};
use crate::resource::{Resource, Resources};
use crate::{Link, LogicalId, Piece, Resolved, Text};

/// Resources by a key, those of one key in the template's order. Resources that match have equal keys; whether those of
/// equal keys match is for the reader to see.
type Found<'a> = HashMap<String, Vec<&'a Arc<Resource>>>;

/// The resources of a template by what is asked of them.
pub(super) struct Index<'a> {
    types: HashMap<&'a str, Vec<&'a Arc<Resource>>>,
    responses: Found<'a>,
    functions: Found<'a>,
    aliases: Found<'a>,
    domains: Found<'a>,
    stages: Found<'a>,
}

impl<'a> Index<'a> {
    pub(super) fn new(resources: &'a Resources) -> Self {
        let mut types: HashMap<&str, Vec<_>> = HashMap::new();
        for resource in resources.values() {
            types.entry(&resource.kind).or_default().push(resource);
        }
        let by = |kind: &str, key: fn(&Resource) -> Option<String>| {
            let mut found = Found::new();
            for &resource in types.get(kind).into_iter().flatten() {
                if let Some(key) = key(resource) {
                    found.entry(key).or_default().push(resource);
                }
            }
            found
        };
        let mut responses = by(ROUTE_RESPONSE, |response| parent(response, "RouteId"));
        responses.extend(by(INTEGRATION_RESPONSE, |response| {
            parent(response, "IntegrationId")
        }));
        Index {
            responses,
            functions: by(FUNCTION, |function| property(function, "FunctionName")),
            aliases: by(ALIAS, |alias| {
                let function = alias.properties.text("FunctionName")?;
                let name = alias.properties.text("Name")?;
                let id = &function.references().next()?.logical_id;
                Some(alias_key(id, &name))
            }),
            domains: by(DOMAIN, |domain| property(domain, "DomainName")),
            stages: by(STAGE, |stage| {
                Some(stage_key(&stage.properties, "StageName"))
            }),
            types,
        }
    }

    /// The resources of a type.
    pub(super) fn of_type(&self, kind: &str) -> &[&'a Arc<Resource>] {
        self.types.get(kind).map_or(&[], Vec::as_slice)
    }

    /// Responses whose property refers to a route or an integration.
    pub(super) fn responses(&self, property: &str, parent: &LogicalId) -> &[&'a Arc<Resource>] {
        list(&self.responses, &response_key(property, parent))
    }

    /// Functions that may have this name.
    pub(super) fn functions(&self, name: &Text) -> &[&'a Arc<Resource>] {
        list(&self.functions, &key(name))
    }

    /// Aliases of a function that may have this name.
    pub(super) fn aliases(&self, function: &LogicalId, name: &Text) -> &[&'a Arc<Resource>] {
        list(&self.aliases, &alias_key(function, name))
    }

    /// Custom domains that may have this name.
    pub(super) fn domains(&self, name: &Text) -> &[&'a Arc<Resource>] {
        list(&self.domains, &key(name))
    }

    /// Stages that a mapping may name by their name.
    pub(super) fn stages(&self, mapping: &Resolved) -> &[&'a Arc<Resource>] {
        list(&self.stages, &stage_key(mapping, "Stage"))
    }
}

fn list<'f, 'a>(found: &'f Found<'a>, key: &str) -> &'f [&'a Arc<Resource>] {
    found.get(key).map_or(&[], Vec::as_slice)
}

/// Equal for equal texts, and for hardly any others.
fn key(text: &Text) -> String {
    let mut key = text.to_string();
    for piece in text.pieces() {
        if let Piece::Unknown(unknown) = piece {
            key.push_str(&unknown.reason.to_string());
        }
    }
    key
}

/// Equal for equal links.
pub(super) fn link_key(link: &Link) -> String {
    match link {
        Link::To(id) => id.to_string(),
        Link::External(text) => key(text),
        Link::Unknown(unknown) => key(&Text::from(Piece::Unknown(unknown.clone()))),
        Link::Missing => String::new(),
    }
}

fn property(resource: &Resource, property: &str) -> Option<String> {
    resource.properties.text(property).as_ref().map(key)
}

fn parent(response: &Resource, property: &str) -> Option<String> {
    let text = response.properties.text(property)?;
    Some(response_key(property, &text.as_reference()?.logical_id))
}

fn response_key(property: &str, parent: &LogicalId) -> String {
    format!("{property} {parent}")
}

fn alias_key(function: &LogicalId, name: &Text) -> String {
    format!("{function}:{}", key(name))
}

/// Of the properties of a stage, or of a mapping that names one.
fn stage_key(properties: &Resolved, name: &str) -> String {
    let key = |property| properties.text(property).as_ref().map(key);
    format!("{:?} {:?}", key("ApiId"), key(name))
}
