use std::collections::BTreeMap;

use stackgen_model::{Function, Model, Resolved, Resource, Text};

use crate::context::RuleContext;
use crate::facts::posting::{PostEvidence, posting_functions};
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// A function that posts to connections runs in a VPC with an endpoint of execute-api that has private DNS.
    ///
    /// ## Why it hurts
    ///
    /// With private DNS, `{api}.execute-api.{region}.amazonaws.com` leads to the endpoint from inside of the VPC, and the
    /// endpoint serves private REST APIs only. Every post to a connection fails with 403 `ForbiddenException` (row K8),
    /// although the role, the address and the stage are right.
    ///
    /// The function counts as running in that VPC if it shares a subnet with the endpoint, or if the template shows that
    /// its subnets are in the endpoint's VPC.
    ///
    /// ## How to fix it
    ///
    /// Set `PrivateDnsEnabled: false`, and call private APIs by the endpoint's own name. Or give functions the address of
    /// a custom domain name of the WebSocket API, which private DNS does not cover.
    id: "SG519",
    name: "private-dns-for-posting-function",
    severity: Error,
    confidence: High,
    rows: ["K8"],
    fixable: false,
    example: "management/private_dns_for_posting_function.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let endpoints: Vec<_> = private_endpoints(context.model).collect();
    if endpoints.is_empty() {
        return Vec::new();
    }
    // One function shows the mistake; all others of the VPC have it too.
    let mut found: BTreeMap<&str, Finding> = BTreeMap::new();
    for post in posting_functions(&context.facts) {
        if !matches!(
            post.evidence,
            PostEvidence::Code | PostEvidence::Endpoint(_)
        ) {
            continue;
        }
        for endpoint in &endpoints {
            if is_in_vpc_of(context.model, post.function, endpoint) {
                let id = endpoint.logical_id.as_str();
                found
                    .entry(id)
                    .or_insert_with(|| finding(endpoint, post.function));
            }
        }
    }
    found.into_values().collect()
}

fn private_endpoints(model: &Model) -> impl Iterator<Item = &Resource> {
    let resources = model.resources.values().map(AsRef::as_ref);
    resources.filter(|resource: &&Resource| {
        let service = resource.properties.text("ServiceName");
        let is_execute_api =
            service.is_some_and(|name| name.strip_suffix(".execute-api").is_some());
        let is_private =
            resource.properties.get("PrivateDnsEnabled") == Some(&Resolved::Bool(true));
        resource.kind == "AWS::EC2::VPCEndpoint" && is_execute_api && is_private
    })
}

fn is_in_vpc_of(model: &Model, function: &Function, endpoint: &Resource) -> bool {
    let of_function = texts(&function.resource, &["VpcConfig", "SubnetIds"]);
    let of_endpoint = texts(endpoint, &["SubnetIds"]);
    if of_function
        .iter()
        .any(|subnet| of_endpoint.contains(subnet))
    {
        return true;
    }
    let vpc = endpoint.properties.text("VpcId");
    let mut vpcs = of_function
        .iter()
        .filter_map(|subnet| vpc_of(model, subnet));
    vpc.is_some() && vpcs.any(|found| Some(found) == vpc)
}

/// Returns the VPC of a subnet of the template.
fn vpc_of(model: &Model, subnet: &Text) -> Option<Text> {
    let reference = subnet.references().next()?;
    let resource = model.resource(&reference.logical_id)?;
    (resource.kind == "AWS::EC2::Subnet").then(|| resource.properties.text("VpcId"))?
}

fn texts(resource: &Resource, path: &[&str]) -> Vec<Text> {
    let values = resource.properties.at_path(path).map(Resolved::one_or_many);
    values
        .unwrap_or_default()
        .iter()
        .filter_map(Resolved::to_text)
        .collect()
}

fn finding(endpoint: &Resource, function: &Function) -> Finding {
    let (id, of) = (&endpoint.logical_id, &function.resource.logical_id);
    let message =
        format!("{id} has private DNS, so that posts of {of} to connections fail with 403");
    Finding::new(
        &RULE,
        Location::of(endpoint, &["PrivateDnsEnabled"]),
        message,
    )
    .related(
        Location::of(&function.resource, &["VpcConfig"]),
        "posts from inside of the VPC",
    )
    .hint("write `PrivateDnsEnabled: false`, or use a custom domain name for the management API")
}
