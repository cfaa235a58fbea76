use std::collections::HashMap;

use stackgen_model::{ApiMapping, Model, Protocol, Resource, Text};

use crate::context::RuleContext;
use crate::facts::presence::exist_together;
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// A custom domain is mapped to a WebSocket API and to an HTTP or REST API.
    ///
    /// ## Why it hurts
    ///
    /// A domain name with a mapping to a WebSocket API cannot have a mapping to another type of API (row L8). API
    /// Gateway refuses the second mapping with a `BadRequestException`, and the stack fails. Another `ApiMappingKey`
    /// does not help.
    ///
    /// ## How to fix it
    ///
    /// Give the WebSocket API its own domain name, such as `ws.example.com`. To serve both from one name, use
    /// CloudFront.
    id: "SG416",
    name: "domain-shared-with-http-api",
    severity: Error,
    confidence: High,
    rows: ["L8"],
    fixable: false,
    example: "stages/domain_shared_with_http_api.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let sockets = context.websockets().flat_map(|api| &api.mappings);
    let mut domains: HashMap<String, &ApiMapping> = HashMap::new();
    for mapping in sockets {
        if let Some(domain) = domain(mapping) {
            domains.entry(domain).or_insert(mapping);
        }
    }
    if domains.is_empty() {
        return Vec::new();
    }
    let others = others(context).filter_map(|(other, domain, kind)| {
        let mapping = *domains.get(&domain)?;
        exist_together(&mapping.resource, other).then(|| finding(mapping, other, kind))
    });
    others.collect()
}

/// Returns the mappings to other types of APIs, with the domain's name or logical ID.
fn others<'a>(
    context: &RuleContext<'a>,
) -> impl Iterator<Item = (&'a Resource, String, &'static str)> {
    let model = context.model;
    let mapped = model.apis.iter().flat_map(move |api| {
        api.mappings.iter().filter_map(move |mapping| {
            let kind = match api.protocol {
                Protocol::Http => "an HTTP API",
                Protocol::Unknown if is_rest(model, mapping) => "a REST API",
                _ => return None,
            };
            Some((&*mapping.resource, domain(mapping)?, kind))
        })
    });
    let resources = model.resources.values();
    let base_paths =
        resources.filter(|resource| resource.kind == "AWS::ApiGateway::BasePathMapping");
    let base_paths = base_paths.filter_map(|resource| {
        let name = resource.properties.text("DomainName")?;
        Some((&**resource, name_or_id(&name)?, "a REST API"))
    });
    mapped.chain(base_paths)
}

/// Returns true if the `ApiId` of a mapping refers to a REST API of the template.
fn is_rest(model: &Model, mapping: &ApiMapping) -> bool {
    let kinds = ["AWS::ApiGateway::RestApi", "AWS::Serverless::Api"];
    let id = mapping.resource.properties.text("ApiId");
    let reference = id.as_ref().and_then(Text::as_reference);
    let resource = reference.and_then(|reference| model.resource(&reference.logical_id));
    resource.is_some_and(|resource| kinds.contains(&resource.kind.as_str()))
}

fn domain(mapping: &ApiMapping) -> Option<String> {
    match mapping.domain.to() {
        Some(id) => Some(id.to_string()),
        None => name_or_id(&mapping.resource.properties.text("DomainName")?),
    }
}

fn name_or_id(name: &Text) -> Option<String> {
    match name.as_reference() {
        Some(reference) => Some(reference.logical_id.to_string()),
        None if name.unknown().is_some() => None,
        None => Some(name.to_string()),
    }
}

fn finding(mapping: &ApiMapping, other: &Resource, kind: &str) -> Finding {
    let (id, other_id) = (&mapping.resource.logical_id, &other.logical_id);
    let message =
        format!("mapping {id} maps a domain to a WebSocket API that {other_id} maps to {kind}");
    Finding::new(
        &RULE,
        Location::of(&mapping.resource, &["DomainName"]),
        message,
    )
    .related(Location::of(other, &["DomainName"]), "the same domain")
    .hint("give the WebSocket API its own domain name")
}
