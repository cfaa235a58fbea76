use stackgen_model::{DomainName, Resolved};

use crate::context::RuleContext;
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// A custom domain of a WebSocket API is edge-optimized, or takes TLS 1.0.
    ///
    /// ## Why it hurts
    ///
    /// WebSocket APIs have Regional domain names alone (row L8), and TLS 1.2 is the oldest that they take. An
    /// edge-optimized name is refused with `EDGE endpoint type is not supported for APIGatewayV2 domainName`, TLS 1.0 with
    /// a `BadRequestException` too, and the stack fails.
    ///
    /// ## How to fix it
    ///
    /// Set `EndpointType: REGIONAL` with a certificate of the stack's own region, and `SecurityPolicy: TLS_1_2`.
    id: "SG425",
    name: "unsupported-domain-configuration",
    severity: Error,
    confidence: High,
    rows: ["L8"],
    fixable: false,
    example: "stages/unsupported_domain_configuration.diff",
}

/// The values that are refused, and what to write.
const REFUSED: [(&str, &str, &str); 2] = [
    ("EndpointType", "EDGE", "REGIONAL"),
    ("SecurityPolicy", "TLS_1_0", "TLS_1_2"),
];

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let domains = context.facts.mapped_domains().iter();
    domains
        .flat_map(|(domain, _)| check_domain(domain))
        .collect()
}

fn check_domain(domain: &DomainName) -> Vec<Finding> {
    let configurations = domain.resource.properties.get("DomainNameConfigurations");
    let configurations = configurations
        .and_then(Resolved::as_list)
        .unwrap_or_default();
    let refused = configurations
        .iter()
        .enumerate()
        .flat_map(|(index, configuration)| {
            let refused = REFUSED.iter().filter(move |(key, value, _)| {
                configuration.get(key).and_then(Resolved::as_literal) == Some(value)
            });
            refused.map(move |refused| finding(domain, index, refused))
        });
    refused.collect()
}

fn finding(domain: &DomainName, index: usize, (key, value, right): &(&str, &str, &str)) -> Finding {
    let id = &domain.resource.logical_id;
    let message = format!("domain {id} of a WebSocket API cannot have `{key}: {value}`");
    let path = ["DomainNameConfigurations", &index.to_string(), key];
    Finding::new(&RULE, Location::of(&domain.resource, &path), message)
        .hint(format!("write `{key}: {right}`"))
}
