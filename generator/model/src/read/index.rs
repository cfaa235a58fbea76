//! Index of resources by the properties that readers look up, so that a lookup does not scan all resources.

use std::collections::HashMap;
use std::sync::Arc;

use super::apigatewayv2::{DOMAIN, INTEGRATION_RESPONSE, ROUTE_RESPONSE, STAGE};
use super::function_link::{ALIAS, FUNCTION};
use super::lookup_key::key;
use crate::resource::{Resource, Resources};
use crate::{LogicalId, Resolved, Text};

/// Resources by key, in the template's order. Resources that match have equal keys; resources with equal keys need not
/// match, which the reader checks.
type Found<'a> = HashMap<String, Vec<&'a Arc<Resource>>>;

/// Index of a template's resources.
pub(super) struct ResourceIndex<'a> {
    types: HashMap<&'a str, Vec<&'a Arc<Resource>>>,
    responses: Found<'a>,
    functions: Found<'a>,
    aliases: Found<'a>,
    domains: Found<'a>,
    stages: Found<'a>,
}

impl<'a> ResourceIndex<'a> {
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
        ResourceIndex {
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

    /// Returns the resources of a type.
    pub(super) fn of_type(&self, kind: &str) -> &[&'a Arc<Resource>] {
        self.types.get(kind).map_or(&[], Vec::as_slice)
    }

    /// Returns the responses whose property refers to a route or an integration.
    pub(super) fn responses(&self, property: &str, parent: &LogicalId) -> &[&'a Arc<Resource>] {
        list(&self.responses, &response_key(property, parent))
    }

    /// Returns the functions that may have this name.
    pub(super) fn functions(&self, name: &Text) -> &[&'a Arc<Resource>] {
        list(&self.functions, &key(name))
    }

    /// Returns the aliases of a function that may have this name.
    pub(super) fn aliases(&self, function: &LogicalId, name: &Text) -> &[&'a Arc<Resource>] {
        list(&self.aliases, &alias_key(function, name))
    }

    /// Returns the custom domain names that may have this name.
    pub(super) fn domains(&self, name: &Text) -> &[&'a Arc<Resource>] {
        list(&self.domains, &key(name))
    }

    /// Returns the stages that a mapping may name.
    pub(super) fn stages(&self, mapping: &Resolved) -> &[&'a Arc<Resource>] {
        list(&self.stages, &stage_key(mapping, "Stage"))
    }
}

fn list<'f, 'a>(found: &'f Found<'a>, key: &str) -> &'f [&'a Arc<Resource>] {
    found.get(key).map_or(&[], Vec::as_slice)
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

/// Returns the key of a stage, or of a mapping that names one, from its properties.
fn stage_key(properties: &Resolved, name: &str) -> String {
    let key = |property| properties.text(property).as_ref().map(key);
    format!("{:?} {:?}", key("ApiId"), key(name))
}
