use std::collections::HashMap;

use stackgen_model::{LogicalId, Resource};

use crate::context::RuleContext;
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// A web ACL is associated with a WebSocket API.
    ///
    /// ## Why it hurts
    ///
    /// AWS WAF only protects stages of REST APIs, whose ARNs contain `/restapis/`, and no stages of WebSocket APIs (row
    /// L9). It refuses the association with a `WAFInvalidParameterException`, and the stack fails.
    ///
    /// ## How to fix it
    ///
    /// Put a CloudFront distribution with the web ACL in front of the API, and refuse handshakes that do not come from
    /// it, for example by a header that CloudFront adds and the authorizer requires. Throttles and the authorizer
    /// protect the API itself.
    id: "SG417",
    name: "unsupported-waf",
    severity: Error,
    confidence: High,
    rows: ["L9"],
    fixable: false,
    example: "stages/unsupported_waf.diff",
}

const ASSOCIATIONS: [&str; 2] = [
    "AWS::WAFv2::WebACLAssociation",
    "AWS::WAFRegional::WebACLAssociation",
];

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let associations = context.model.resources.values();
    let associations =
        associations.filter(|resource| ASSOCIATIONS.contains(&resource.kind.as_str()));
    let associations: Vec<_> = associations.collect();
    if associations.is_empty() {
        return Vec::new();
    }
    let mut protected: HashMap<&LogicalId, &Resource> = HashMap::new();
    for api in context.websockets() {
        let stages = api.stages.iter().map(|stage| &*stage.resource);
        for resource in api.resource.as_deref().into_iter().chain(stages) {
            protected.insert(&resource.logical_id, resource);
        }
    }
    let associations = associations.into_iter();
    associations
        .filter_map(|association| {
            let arn = association.properties.text("ResourceArn")?;
            let resource = arn
                .references()
                .find_map(|to| protected.get(&to.logical_id))?;
            Some(finding(association, resource))
        })
        .collect()
}

fn finding(association: &Resource, resource: &Resource) -> Finding {
    let id = &association.logical_id;
    let message =
        format!("{id} associates a web ACL with a WebSocket API, which AWS WAF does not support");
    Finding::new(&RULE, Location::of(association, &["ResourceArn"]), message)
        .related(Location::of(resource, &[]), "belongs to a WebSocket API")
        .hint("attach the web ACL to a CloudFront distribution in front of the API")
}
