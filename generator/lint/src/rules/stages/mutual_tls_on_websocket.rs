use stackgen_model::{ApiMapping, DomainName};

use crate::context::RuleContext;
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// A custom domain of a WebSocket API has mutual TLS.
    ///
    /// ## Why it hurts
    ///
    /// API Gateway supports mutual TLS for domains of REST and HTTP APIs, not of WebSocket APIs (row L9). It does not
    /// check the certificates of callers.
    ///
    /// ## How to fix it
    ///
    /// Remove `MutualTlsAuthentication` and authorize `$connect` with a REQUEST authorizer or `AWS_IAM`.
    id: "SG418",
    name: "mutual-tls-on-websocket",
    severity: Error,
    confidence: Medium,
    rows: ["L9", "A1"],
    fixable: false,
    example: "stages/mutual_tls_on_websocket.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let domains = context.facts.mapped_domains().iter();
    let mutual = domains.filter(|(domain, _)| {
        let settings = domain.resource.properties.get("MutualTlsAuthentication");
        settings.is_some_and(|settings| settings.text("TruststoreUri").is_some())
    });
    let finding = |(domain, mapping): &(&DomainName, &ApiMapping)| {
        let id = &domain.resource.logical_id;
        let message = format!("domain {id} has mutual TLS, which WebSocket APIs do not support");
        let location = Location::of_key(&domain.resource, &["MutualTlsAuthentication"]);
        Finding::new(&RULE, location, message)
            .related(
                Location::of(&mapping.resource, &[]),
                "maps it to a WebSocket API",
            )
            .hint("authorize `$connect` instead")
    };
    mutual.map(finding).collect()
}
