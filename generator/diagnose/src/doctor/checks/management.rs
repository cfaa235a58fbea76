//! The management API: the address that functions have, the right to post to connections, and private DNS.

use std::collections::BTreeMap;

use stackgen_deploy::FunctionName;

use super::code::function_text;
use super::invocations::denial;
use super::wiring::api_arn;
use crate::doctor::check::DoctorCheck;
use crate::doctor::evidence::RoleRight;
use crate::doctor::finding::{DoctorConfidence, DoctorFinding, DoctorSeverity};
use crate::doctor::part::EvidencePart;
use crate::doctor::ports::FunctionDetails;
use crate::doctor::reader::EvidenceReader;

/// IAM action of posts to connections.
pub(crate) const MANAGE_CONNECTIONS: &str = "execute-api:ManageConnections";

/// An address of the management API that does not work.
pub(super) static WRONG_ENDPOINT: DoctorCheck = DoctorCheck {
    id: "DR310",
    title: "A function has a wrong address of the management API",
    severity: DoctorSeverity::Problem,
    confidence: DoctorConfidence::Certain,
    looks_at: "environment variables with the address of @connections: scheme, API and stage",
    rows: &["K5"],
    needs: &[EvidencePart::Functions],
    run: wrong_endpoint,
};

/// A function that may not post to connections.
pub(super) static POSTING_DENIED: DoctorCheck = DoctorCheck {
    id: "DR311",
    title: "A function may not post to connections",
    severity: DoctorSeverity::Problem,
    confidence: DoctorConfidence::Certain,
    looks_at: "`execute-api:ManageConnections` of the role of each function that has the address of @connections, by simulation or from the policies",
    rows: &["K1"],
    needs: &[EvidencePart::Functions, EvidencePart::Rights],
    run: posting_denied,
};

/// A VPC in which the names of API Gateway lead to private addresses.
pub(super) static PRIVATE_DNS: DoctorCheck = DoctorCheck {
    id: "DR312",
    title: "Private DNS makes posts to connections fail with 403",
    severity: DoctorSeverity::Problem,
    confidence: DoctorConfidence::Likely,
    looks_at: "endpoints of the service execute-api with private DNS, in the VPC of each function that has the address of @connections",
    rows: &["K8"],
    needs: &[EvidencePart::Functions, EvidencePart::Network],
    run: private_dns,
};

/// True if a variable holds the address of the management API, by its name or because it is the address of this API for
/// HTTPS.
pub fn is_management_variable(name: &str, value: &str, api: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    let has = |words: &[&str]| words.iter().any(|word| upper.contains(word));
    let is_address = has(&["ENDPOINT", "URL", "URI"]);
    let is_for_clients = has(&["CLIENT", "PUBLIC", "FRONTEND", "BROWSER", "WSS"]);
    let is_for_management = has(&["MANAGEMENT", "MGMT", "CALLBACK"]) && is_address;
    let is_of_api = value.starts_with(&format!("https://{api}.execute-api."));
    !is_for_clients && (is_for_management || is_of_api)
}

/// Returns the functions that have an address of the management API, and so post to connections, most likely.
pub(crate) fn posting<'e>(
    evidence: &EvidenceReader<'e>,
) -> Vec<(&'e FunctionName, &'e FunctionDetails)> {
    let api = evidence.api().id.as_str();
    let posts = |details: &FunctionDetails| {
        let mut variables = details.environment.iter();
        variables.any(|(name, value)| is_management_variable(name, &value.0, api))
    };
    evidence
        .existing()
        .filter(|(_, details)| posts(details))
        .collect()
}

/// Returns the right that a function needs to post to connections.
pub(crate) fn posting_right(
    details: &FunctionDetails,
    evidence: &EvidenceReader<'_>,
) -> Option<RoleRight> {
    // IAM evaluates the word with its braces (row K1).
    let path = format!(
        "{}/POST/@connections/{{connectionId}}",
        evidence.stage_name()
    );
    Some(RoleRight {
        role: details.role.clone()?,
        action: MANAGE_CONNECTIONS,
        resource: api_arn(evidence.region(), evidence, &path),
    })
}

fn wrong_endpoint(check: &DoctorCheck, evidence: &EvidenceReader<'_>) -> Vec<DoctorFinding> {
    let mut findings = Vec::new();
    for (name, details) in evidence.existing() {
        for (variable, value) in &details.environment {
            if !is_management_variable(variable, &value.0, evidence.api().id.as_str()) {
                continue;
            }
            let Some(fault) = endpoint_fault(&value.0, evidence) else {
                continue;
            };
            let found = format!("{variable} {fault}");
            let right = evidence.management_endpoint();
            let right = right.unwrap_or_else(|| "that of the API's custom domain name".to_owned());
            let next = format!(
                "set it to {right} in the template, and run {}",
                evidence.deploy()
            );
            findings.push(check.finding(function_text(name), found, next));
        }
    }
    findings
}

/// Returns what is wrong with an address of the management API.
fn endpoint_fault(value: &str, evidence: &EvidenceReader<'_>) -> Option<String> {
    if value.trim().is_empty() {
        return Some("is empty".to_owned());
    }
    let Some((scheme, rest)) = value.split_once("://") else {
        return Some("has no scheme: the SDK needs https://".to_owned());
    };
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let is_local = host.starts_with("127.0.0.1")
        || host.starts_with("localhost")
        || host.contains(".localhost");
    match scheme {
        "https" => {}
        "http" if is_local => {}
        "wss" | "ws" => {
            return Some(format!(
                "begins with {scheme}://, which is for clients: it must be https://"
            ));
        }
        _ => return Some(format!("begins with {scheme}://: it must be https://")),
    }
    let own_host = evidence
        .api()
        .endpoint
        .as_deref()
        .and_then(|url| url.split_once("://"));
    let own_host = own_host.map(|(_, host)| host.trim_end_matches('/'));
    let named = host.split_once(".execute-api.").map(|(id, _)| id);
    if let Some(id) = named.filter(|id| *id != evidence.api().id.as_str()) {
        return Some(format!("names API {id}, which is another one"));
    }
    // The path below a custom domain name is that of an API mapping.
    if named.is_none() && own_host != Some(host) {
        return None;
    }
    let path = path.trim_end_matches('/');
    match path == evidence.stage_name().as_str() {
        true => None,
        false if path.is_empty() => Some("has no stage: posts are answered with 403".to_owned()),
        false if path.ends_with("/@connections") => {
            Some("ends in @connections, which the SDK adds once more".to_owned())
        }
        false => Some(format!(
            "names {path} instead of the stage: posts are answered with 403"
        )),
    }
}

fn posting_denied(check: &DoctorCheck, evidence: &EvidenceReader<'_>) -> Vec<DoctorFinding> {
    let posting = posting(evidence);
    let is_declared = |name: &FunctionName| {
        let declared = evidence.project().functions.get(name);
        declared.is_some_and(|function| function.posts)
    };
    // Templates of other tools often give all functions the same variables. If one of them may post, the others need not.
    let rights = posting.iter().filter_map(|(name, details)| {
        let right = posting_right(details, evidence)?;
        evidence.rights().contains_key(&right).then(|| {
            let denial = denial(evidence, &right);
            (*name, right, denial)
        })
    });
    let rights: Vec<_> = rights.collect();
    let one_may = rights.iter().any(|(_, _, denial)| denial.is_none());
    let mut findings = Vec::new();
    for (name, right, denial) in rights {
        let Some((basis, confidence)) = denial.filter(|_| !one_may || is_declared(name)) else {
            continue;
        };
        let found = format!(
            "role {} does not allow {MANAGE_CONNECTIONS} on {}, {basis}",
            right.role, right.resource
        );
        // A deploy does not restore what the template grants already.
        let lacks_setting = evidence.project().is_known && !is_declared(name);
        let next = match lacks_setting {
            true => format!(
                "add manageConnections: [POST] to the function in stackgen.yaml, and run {}",
                evidence.deploy()
            ),
            false => format!("give it the right: {}", evidence.allow(&right)),
        };
        let finding = check.finding(function_text(name), found, next);
        findings.push(finding.with(check.severity, confidence));
    }
    findings
}

fn private_dns(check: &DoctorCheck, evidence: &EvidenceReader<'_>) -> Vec<DoctorFinding> {
    let mut by_vpc: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, details) in posting(evidence) {
        if let Some(vpc) = &details.vpc {
            by_vpc.entry(vpc).or_default().push(name.as_str());
        }
    }
    let mut findings = Vec::new();
    for (vpc, functions) in by_vpc {
        let endpoints = evidence
            .private_endpoints()
            .get(vpc)
            .map(Vec::as_slice)
            .unwrap_or_default();
        let Some(endpoint) = endpoints.first() else {
            continue;
        };
        let found = format!(
            "endpoint {endpoint} of VPC {vpc} has private DNS, so that {{api}}.execute-api.{{region}}.amazonaws.com leads to it, and it serves private REST APIs only: {}",
            functions.join(", ")
        );
        let command = format!(
            "ec2 modify-vpc-endpoint --vpc-endpoint-id {endpoint} --no-private-dns-enabled"
        );
        let next = format!("turn its private DNS off with {}", evidence.aws(&command));
        findings.push(check.finding(format!("VPC {vpc}"), found, next));
    }
    findings
}
