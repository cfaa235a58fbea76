//! Invocations: whether API Gateway may invoke the functions of integrations and of the authorizer.

use std::collections::{BTreeMap, BTreeSet};

use stackgen_deploy::account::{ApiDescription, ApiPart, ApiPartKind};

use super::wiring::{api_arn, part_name, route_arn, routes_of};
use crate::doctor::check::DoctorCheck;
use crate::doctor::evidence::{QualifiedFunction, RightVerdict, RoleRight};
use crate::doctor::finding::{DoctorConfidence, DoctorFinding, DoctorSeverity};
use crate::doctor::part::EvidencePart;
use crate::doctor::policy::{IamPolicy, PolicyDecision};
use crate::doctor::ports::SimulatedRight;
use crate::doctor::reader::EvidenceReader;

/// IAM action of an invocation.
pub(crate) const INVOKE: &str = "lambda:InvokeFunction";

/// An integration whose function API Gateway may not invoke.
pub(super) static INTEGRATION_DENIED: DoctorCheck = DoctorCheck {
    id: "DR306",
    title: "API Gateway may not invoke a function",
    severity: DoctorSeverity::Problem,
    confidence: DoctorConfidence::Certain,
    looks_at: "the resource policy of each function, version and alias for every route, or the rights of the integration's role",
    rows: &["C7", "D19"],
    needs: &[
        EvidencePart::Wiring,
        EvidencePart::Status,
        EvidencePart::Permissions,
        EvidencePart::Rights,
    ],
    run: integrations,
};

/// An authorizer that API Gateway may not invoke.
pub(super) static AUTHORIZER_DENIED: DoctorCheck = DoctorCheck {
    id: "DR307",
    title: "API Gateway may not invoke the authorizer",
    severity: DoctorSeverity::Problem,
    confidence: DoctorConfidence::Certain,
    looks_at: "the resource policy of the authorizer's function, or the rights of the authorizer's role",
    rows: &["A16"],
    needs: &[
        EvidencePart::Wiring,
        EvidencePart::Permissions,
        EvidencePart::Rights,
    ],
    run: authorizers,
};

/// An invocation that a part of the API makes, and what permits it.
#[derive(Clone, Debug)]
pub(crate) struct ApiInvocation<'a> {
    pub(crate) part: &'a ApiPart,
    pub(crate) function: QualifiedFunction,
    /// ARN of the role that invokes; `None` if the function's policy must permit it.
    pub(crate) role: Option<String>,
}

/// Returns the invocations of functions of this account and region. An integration that no route uses makes none.
pub(crate) fn invocations<'a>(
    description: &'a ApiDescription,
    evidence: &EvidenceReader<'_>,
) -> Vec<ApiInvocation<'a>> {
    let invoked = description.parts.iter().filter_map(|part| {
        let uri = part
            .invocation()
            .filter(|uri| uri.is_in(evidence.region()))?;
        let is_used =
            part.kind == ApiPartKind::Authorizer || !routes_of(description, &part.id).is_empty();
        // Emulators return an empty text where AWS returns none.
        let credentials = part.credentials().filter(|role| !role.is_empty());
        // The caller's own credentials invoke: they are not known.
        let role = credentials.filter(|role| !role.contains("iam::*:"));
        let is_known = credentials.is_none() || role.is_some();
        (is_used && is_known).then(|| ApiInvocation {
            part,
            function: QualifiedFunction {
                function: uri.function,
                qualifier: uri.qualifier,
            },
            role: role.map(str::to_owned),
        })
    });
    invoked.collect()
}

/// Returns the versions that the served deployment calls and the account's wiring does not, as invocations by the same
/// parts.
pub(crate) fn served_invocations<'a>(
    description: &'a ApiDescription,
    evidence: &EvidenceReader<'_>,
) -> Vec<ApiInvocation<'a>> {
    let metadata = evidence
        .status()
        .and_then(|status| status.metadata.as_ref());
    let calls = metadata
        .and_then(|metadata| metadata.calls.clone())
        .unwrap_or_default();
    let current = invocations(description, evidence);
    let mut served = Vec::new();
    for version in calls {
        let qualifier = Some(version.version.to_string());
        let of_function: Vec<_> = current
            .iter()
            .filter(|one| one.function.function == version.function)
            .collect();
        if of_function
            .iter()
            .any(|one| one.function.qualifier == qualifier)
        {
            continue;
        }
        served.extend(of_function.into_iter().map(|one| ApiInvocation {
            function: QualifiedFunction {
                function: version.function.clone(),
                qualifier: qualifier.clone(),
            },
            ..one.clone()
        }));
    }
    served
}

/// Returns the right that a role needs for an invocation.
pub(crate) fn invoke_right(
    invocation: &ApiInvocation<'_>,
    evidence: &EvidenceReader<'_>,
) -> Option<RoleRight> {
    Some(RoleRight {
        role: invocation.role.clone()?,
        action: INVOKE,
        resource: invocation.function.arn(evidence.region()),
    })
}

fn integrations(check: &DoctorCheck, evidence: &EvidenceReader<'_>) -> Vec<DoctorFinding> {
    denied(check, evidence, ApiPartKind::Integration)
}

fn authorizers(check: &DoctorCheck, evidence: &EvidenceReader<'_>) -> Vec<DoctorFinding> {
    denied(check, evidence, ApiPartKind::Authorizer)
}

fn denied(
    check: &DoctorCheck,
    evidence: &EvidenceReader<'_>,
    kind: ApiPartKind,
) -> Vec<DoctorFinding> {
    let Some(description) = evidence.wiring() else {
        return Vec::new();
    };
    let mut all = invocations(description, evidence);
    all.extend(served_invocations(description, evidence));
    let mut by_function: BTreeMap<&QualifiedFunction, Vec<&ApiInvocation<'_>>> = BTreeMap::new();
    let of_kind =
        |one: &&ApiInvocation<'_>| one.part.kind == kind && exists(evidence, &one.function);
    for one in all.iter().filter(of_kind) {
        by_function.entry(&one.function).or_default().push(one);
    }
    let findings = by_function.into_iter().flat_map(|(function, all)| {
        let by_policy = by_policy(check, evidence, description, function, &all);
        let by_role = by_role(check, evidence, function, &all);
        [by_policy, by_role].into_iter().flatten()
    });
    findings.collect()
}

/// False if the function or version is known not to exist, which another check reports.
fn exists(evidence: &EvidenceReader<'_>, function: &QualifiedFunction) -> bool {
    let facts = evidence.functions().get(&function.function);
    let is_gone = facts.is_some_and(|facts| facts.is_known && facts.details.is_none());
    let mut versions = evidence.versions().iter();
    let version_is_gone = versions.any(|(version, details)| {
        version.function == function.function
            && Some(version.version.as_str()) == function.qualifier.as_deref()
            && details.is_none()
    });
    !is_gone && !version_is_gone
}

fn by_policy(
    check: &DoctorCheck,
    evidence: &EvidenceReader<'_>,
    description: &ApiDescription,
    function: &QualifiedFunction,
    invocations: &[&ApiInvocation<'_>],
) -> Option<DoctorFinding> {
    let policy = evidence.policies().get(function)?;
    let document = policy.as_deref().map(IamPolicy::parse).unwrap_or_default();
    let mut lacking: BTreeSet<String> = BTreeSet::new();
    let (mut names, mut arns) = (Vec::new(), Vec::new());
    for invocation in invocations.iter().filter(|one| one.role.is_none()) {
        let part = invocation.part;
        let sources = match part.kind {
            ApiPartKind::Authorizer => vec![(
                part_name(part, description),
                api_arn(
                    evidence.region(),
                    evidence,
                    &format!("authorizers/{}", part.id),
                ),
            )],
            _ => routes_of(description, &part.id)
                .into_iter()
                .map(|key| {
                    (
                        format!("route {key}"),
                        route_arn(evidence.region(), evidence, key),
                    )
                })
                .collect(),
        };
        for (name, arn) in sources {
            match document.lets_gateway_invoke(&arn, &evidence.region().account) {
                PolicyDecision::Allowed => {}
                PolicyDecision::Conditional => leave_condition_open(
                    evidence,
                    &format!("the resource policy of {}", qualified_text(function)),
                    &format!("API Gateway to invoke it for {name}"),
                ),
                PolicyDecision::NotAllowed | PolicyDecision::Denied => {
                    if lacking.insert(name.clone()) {
                        names.push(name);
                        arns.push(arn);
                    }
                }
            }
        }
    }
    // A permission for the stage covers several routes.
    let arn = match arns.as_slice() {
        [] => return None,
        [arn] => arn.clone(),
        _ => route_arn(evidence.region(), evidence, "*"),
    };
    let found = match policy {
        None => format!(
            "it has no resource policy, and must permit {}",
            names.join(", ")
        ),
        Some(_) => format!("its resource policy does not permit {}", names.join(", ")),
    };
    let next = format!(
        "permit it with {}",
        add_permission(evidence, function, &arn)
    );
    Some(check.finding(qualified_text(function), found, next))
}

/// Returns the command that lets API Gateway invoke a function for a source.
fn add_permission(
    evidence: &EvidenceReader<'_>,
    function: &QualifiedFunction,
    source_arn: &str,
) -> String {
    let qualifier = function.qualifier.as_ref();
    let qualifier = qualifier.map(|qualifier| format!(" --qualifier {qualifier}"));
    let of_statement = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    let source = source_arn.rsplit(':').next().unwrap_or_default();
    let statement: String = source.chars().map(of_statement).collect();
    evidence.aws(&format!(
        "lambda add-permission --function-name {}{} --statement-id {statement} --action {INVOKE} --principal apigateway.amazonaws.com --source-arn '{source_arn}'",
        function.function,
        qualifier.unwrap_or_default()
    ))
}

/// Leaves a right open that policies allow or deny under a condition.
pub(super) fn leave_condition_open(evidence: &EvidenceReader<'_>, policy: &str, right: &str) {
    evidence.leave_open(
        format!("{policy} allows {right} or not: a condition in it decides, which cannot be judged from here"),
        "compare the condition with the request",
    );
}

fn by_role(
    check: &DoctorCheck,
    evidence: &EvidenceReader<'_>,
    function: &QualifiedFunction,
    invocations: &[&ApiInvocation<'_>],
) -> Option<DoctorFinding> {
    let rights = invocations
        .iter()
        .filter_map(|one| invoke_right(one, evidence));
    let (right, basis, confidence) = rights.into_iter().find_map(|right| {
        let (basis, confidence) = denial(evidence, &right)?;
        Some((right, basis, confidence))
    })?;
    let found = format!(
        "role {} does not allow {INVOKE} on {}, {basis}",
        right.role, right.resource
    );
    let next = format!("give it the right: {}", evidence.allow(&right));
    let finding = check.finding(qualified_text(function), found, next);
    Some(finding.with(check.severity, confidence))
}

/// Returns what a denial is based on, and how sure it is; `None` if the right is there, or is not known.
pub(super) fn denial(
    evidence: &EvidenceReader<'_>,
    right: &RoleRight,
) -> Option<(&'static str, DoctorConfidence)> {
    match evidence.rights().get(right)? {
        RightVerdict::Simulated(SimulatedRight::Allowed)
        | RightVerdict::Policies(PolicyDecision::Allowed) => None,
        RightVerdict::Simulated(SimulatedRight::Denied) => {
            Some(("says IAM's simulation", DoctorConfidence::Certain))
        }
        RightVerdict::Simulated(SimulatedRight::Conditional)
        | RightVerdict::Policies(PolicyDecision::Conditional) => {
            let right_text = format!("{} on {}", right.action, right.resource);
            leave_condition_open(evidence, &format!("role {}", right.role), &right_text);
            None
        }
        RightVerdict::Policies(PolicyDecision::NotAllowed | PolicyDecision::Denied) => {
            Some(("say its policies", DoctorConfidence::Likely))
        }
    }
}

/// Returns a function, version or alias in words.
fn qualified_text(function: &QualifiedFunction) -> String {
    match &function.qualifier {
        None => format!("function {}", function.function),
        Some(qualifier) => format!("version {}:{qualifier}", function.function),
    }
}
