use stackgen_model::{DomainName, Resolved};

use crate::context::RuleContext;
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// A custom domain of a WebSocket API is edge-optimized or allows TLS 1.0.
    ///
    /// ## Why it hurts
    ///
    /// WebSocket APIs only support Regional domain names (row L8) and TLS 1.2 or later. API Gateway refuses an
    /// edge-optimized name with `EDGE endpoint type is not supported for APIGatewayV2 domainName` and TLS 1.0 with a
    /// `BadRequestException`, and the stack fails.
    ///
    /// ## How to fix it
    ///
    /// Set `EndpointType: REGIONAL` with a certificate in the stack's region, and `SecurityPolicy: TLS_1_2`.
    id: "SG425",
    name: "unsupported-domain-configuration",
    severity: Error,
    confidence: High,
    rows: ["L8"],
    fixable: false,
    example: "stages/unsupported_domain_configuration.diff",
}

/// Properties, their refused values and the right values.
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
