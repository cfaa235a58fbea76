//! Wiring of the account: the linter's rules, and the callers that identity sources shut out.

use std::collections::BTreeMap;

use stackgen_cfn::{Node, map};
use stackgen_deploy::account::{AccountRegion, ApiDescription, ApiPart, ApiPartKind};
use stackgen_deploy::status::ChangeBasis;
use stackgen_lint::{Confidence, Finding, LintInput, Severity, lint};

use crate::doctor::check::DoctorCheck;
use crate::doctor::evidence::DeclaredCaller;
use crate::doctor::finding::{DoctorConfidence, DoctorFinding, DoctorSeverity};
use crate::doctor::part::EvidencePart;
use crate::doctor::reader::EvidenceReader;

/// Rules of the linter that judge an account. The others are about the text of templates, about resources that this crate
/// checks by itself, or about what API Gateway refuses to create.
pub const LIVE_RULES: [&str; 21] = [
    "SG101", "SG102", "SG103", "SG104", "SG106", "SG112", "SG114", "SG120", "SG121", "SG127",
    "SG201", "SG202", "SG203", "SG207", "SG208", "SG211", "SG214", "SG220", "SG305", "SG308",
    "SG313",
];

pub(super) const CHECKS: &[&DoctorCheck] = &[
    &LINT,
    &IDENTITY_SOURCE,
    &UNDEPLOYED_TEMPLATE,
    &CHANGED_OUTSIDE,
];

/// The linter's rules on the account.
static LINT: DoctorCheck = DoctorCheck {
    id: "DR101",
    title: "The wiring of the account breaks a rule of the linter",
    severity: DoctorSeverity::Problem,
    confidence: DoctorConfidence::Certain,
    looks_at: "the routes, integrations and authorizers of the account, by the rules that are listed below",
    rows: &[],
    needs: &[EvidencePart::Wiring, EvidencePart::Functions],
    run: lint_account,
};

/// An identity source that a caller does not send.
static IDENTITY_SOURCE: DoctorCheck = DoctorCheck {
    id: "DR102",
    title: "An identity source shuts callers out",
    severity: DoctorSeverity::Problem,
    confidence: DoctorConfidence::Certain,
    looks_at: "the identity sources of the authorizer of `$connect`, and what each declared caller sends",
    rows: &["A2"],
    needs: &[EvidencePart::Wiring],
    run: identity_source,
};

/// A template that differs from the account.
static UNDEPLOYED_TEMPLATE: DoctorCheck = DoctorCheck {
    id: "DR103",
    title: "The template differs from the account",
    severity: DoctorSeverity::Note,
    confidence: DoctorConfidence::Likely,
    looks_at: "the wiring of the account, compared with the template that the project renders",
    rows: &[],
    needs: &[EvidencePart::Status],
    run: undeployed_template,
};

/// Wiring that was changed outside CloudFormation.
static CHANGED_OUTSIDE: DoctorCheck = DoctorCheck {
    id: "DR104",
    title: "The wiring was changed outside CloudFormation",
    severity: DoctorSeverity::Warning,
    confidence: DoctorConfidence::Certain,
    looks_at: "the wiring of the account, compared with the template that CloudFormation holds",
    rows: &["D8"],
    needs: &[EvidencePart::Drift],
    run: changed_outside,
};

fn lint_account(_: &DoctorCheck, evidence: &EvidenceReader<'_>) -> Vec<DoctorFinding> {
    let Some(description) = evidence.wiring() else {
        return Vec::new();
    };
    let mut template = description.template(evidence.region());
    add_function_settings(&mut template, evidence);
    let report = lint(&LintInput {
        template: &template,
        source: None,
        previous: None,
    });
    let names = names(description, &template, evidence);
    let is_reported = |finding: &&Finding| {
        let is_live = LIVE_RULES.contains(&finding.rule.id);
        // The project declares its callers, and another check compares them.
        let by_callers = finding.rule.id == "SG114" && evidence.project().has_anonymous_callers;
        is_live && !by_callers && finding.confidence > Confidence::Low
    };
    let findings = report.findings.iter().filter(is_reported);
    findings
        .map(|finding| of_rule(finding, &names, evidence))
        .collect()
}

fn of_rule(
    finding: &Finding,
    names: &BTreeMap<String, String>,
    evidence: &EvidenceReader<'_>,
) -> DoctorFinding {
    let resource = finding.location.resource.as_ref();
    let looked_at = resource.and_then(|id| names.get(id.as_str()));
    DoctorFinding {
        id: finding.rule.id,
        title: finding.rule.title(),
        severity: match finding.severity {
            Severity::Error => DoctorSeverity::Problem,
            Severity::Warning => DoctorSeverity::Warning,
            Severity::Note => DoctorSeverity::Note,
        },
        confidence: match finding.confidence {
            Confidence::High => DoctorConfidence::Certain,
            _ => DoctorConfidence::Likely,
        },
        looked_at: looked_at.map_or_else(|| format!("API {}", evidence.api().name), String::clone),
        found: with_names(&finding.message, names),
        next_step: match finding.hint.as_ref().filter(|hint| is_plain(hint)) {
            Some(hint) => format!(
                "{}: `stackgen explain {}` shows how",
                with_names(hint, names),
                finding.rule.id
            ),
            None => format!(
                "see how to mend it with `stackgen explain {}`",
                finding.rule.id
            ),
        },
        rows: finding.rule.rows.to_vec(),
        fix: None,
    }
}

/// Returns true if a hint fits an API whose template is unknown: it contains no syntax of templates.
fn is_plain(hint: &str) -> bool {
    !["!Ref", "!Sub", "!GetAtt", "Fn::"]
        .iter()
        .any(|syntax| hint.contains(syntax))
}

/// Adds timeouts and the variables that show who may call to the functions of the template.
fn add_function_settings(template: &mut Node, evidence: &EvidenceReader<'_>) {
    let resources = template
        .as_map_mut()
        .and_then(|map| map.get_mut("Resources"));
    for (_, resource) in resources
        .and_then(Node::as_map_mut)
        .into_iter()
        .flat_map(|map| map.iter_mut())
    {
        if resource.get("Type").and_then(Node::as_str) != Some("AWS::Lambda::Function") {
            continue;
        }
        let name = resource
            .at_path(&["Properties", "FunctionName"])
            .and_then(Node::as_str);
        let name = name.map(stackgen_deploy::FunctionName::new);
        let facts = name.and_then(|name| evidence.functions().get(&name));
        let Some(details) = facts.and_then(|facts| facts.details.as_ref()) else {
            continue;
        };
        let properties = resource
            .as_map_mut()
            .and_then(|map| map.get_mut("Properties"));
        let Some(properties) = properties.and_then(Node::as_map_mut) else {
            continue;
        };
        if let Some(timeout) = details.timeout_seconds {
            properties.insert("Timeout", i64::from(timeout));
        }
        let variables = details.environment.iter();
        let variables = variables.map(|(name, value)| (name.clone(), Node::from(value.0.as_str())));
        properties.insert("Environment", map([("Variables", map(variables))]));
    }
}

/// Returns the names of parts and functions, by the logical IDs of the template.
fn names(
    description: &ApiDescription,
    template: &Node,
    evidence: &EvidenceReader<'_>,
) -> BTreeMap<String, String> {
    let mut names = BTreeMap::from([("Api".to_owned(), format!("API {}", evidence.api().name))]);
    for (index, part) in description.parts.iter().enumerate() {
        names.insert(
            ApiDescription::logical_id(part, index),
            part_name(part, description),
        );
    }
    let resources = template.get("Resources").and_then(Node::as_map);
    for (id, resource) in resources.into_iter().flat_map(|map| map.iter()) {
        if let Some(name) = resource
            .at_path(&["Properties", "FunctionName"])
            .and_then(Node::as_str)
        {
            names.insert(id.to_owned(), format!("function {name}"));
        }
    }
    names
}

/// Returns the name of a part as people know it.
pub(super) fn part_name(part: &ApiPart, description: &ApiDescription) -> String {
    match part.kind {
        ApiPartKind::Route => format!("route {}", part.text("RouteKey").unwrap_or(&part.id)),
        ApiPartKind::Authorizer => format!("authorizer {}", part.text("Name").unwrap_or(&part.id)),
        ApiPartKind::Integration => {
            let routes = routes_of(description, &part.id);
            match routes.is_empty() {
                true => format!("integration {}", part.id),
                false => format!("integration of {}", routes.join(", ")),
            }
        }
        _ => format!("{} {}", part.kind.name(), part.id),
    }
}

/// Returns the keys of the routes that an integration serves, sorted.
pub(super) fn routes_of<'a>(description: &'a ApiDescription, integration: &str) -> Vec<&'a str> {
    let is_target = |route: &&ApiPart| {
        let target = route
            .text("Target")
            .and_then(|target| target.strip_prefix("integrations/"));
        route.kind == ApiPartKind::Route && target == Some(integration)
    };
    let routes = description.parts.iter().filter(is_target);
    let mut keys: Vec<_> = routes.filter_map(|route| route.text("RouteKey")).collect();
    keys.sort_unstable();
    keys
}

/// Replaces logical IDs by names. Logical IDs are words of letters and digits.
fn with_names(text: &str, names: &BTreeMap<String, String>) -> String {
    let mut result = String::new();
    let mut word = String::new();
    let flush = |word: &mut String, result: &mut String| {
        result.push_str(names.get(word.as_str()).unwrap_or(word));
        word.clear();
    };
    for c in text.chars() {
        if c.is_ascii_alphanumeric() {
            word.push(c);
        } else {
            flush(&mut word, &mut result);
            result.push(c);
        }
    }
    flush(&mut word, &mut result);
    result
}

fn identity_source(check: &DoctorCheck, evidence: &EvidenceReader<'_>) -> Vec<DoctorFinding> {
    let authorizers = evidence.wiring().into_iter().flat_map(connect_authorizers);
    let mut findings = Vec::new();
    for authorizer in authorizers {
        let sources = authorizer.properties.get("IdentitySource");
        let sources = sources
            .and_then(serde_json::Value::as_array)
            .into_iter()
            .flatten();
        let sources: Vec<_> = sources.filter_map(serde_json::Value::as_str).collect();
        if sources.is_empty() {
            continue;
        }
        let callers = evidence.project().callers.iter();
        let mut shut_out: Vec<_> = callers
            .filter(|caller| !caller.expects_refusal)
            .filter_map(|caller| {
                let lacking = sources.iter().find(|source| !sends(caller, source))?;
                Some(format!("caller {} does not send {lacking}", caller.name))
            })
            .collect();
        if evidence.project().has_anonymous_callers && shut_out.is_empty() {
            shut_out.push(format!(
                "the project declares anonymous callers, who do not send {}",
                sources.join(", ")
            ));
        }
        if shut_out.is_empty() {
            continue;
        }
        let name = authorizer.text("Name").unwrap_or(&authorizer.id);
        findings.push(check.finding(
            format!("authorizer {name}"),
            format!(
                "{}: API Gateway answers 401 and does not invoke the authorizer",
                shut_out.join("; ")
            ),
            format!(
                "remove the identity source that callers lack from the template, and run {}",
                evidence.deploy()
            ),
        ));
    }
    findings
}

/// Returns the authorizer of `$connect`, if it has one.
fn connect_authorizers(description: &ApiDescription) -> Vec<&ApiPart> {
    let mut parts = description.parts.iter();
    let connect = parts.find(|part| part.text("RouteKey") == Some("$connect"));
    let id = connect.and_then(|route| route.text("AuthorizerId"));
    let is_attached =
        |part: &&ApiPart| part.kind == ApiPartKind::Authorizer && Some(part.id.as_str()) == id;
    description.parts.iter().filter(is_attached).collect()
}

/// True if a caller sends an identity source, or if that is not about the request.
fn sends(caller: &DeclaredCaller, source: &str) -> bool {
    let has = |names: &[String], name: &str| names.iter().any(|one| one.eq_ignore_ascii_case(name));
    if let Some(name) = source.strip_prefix("route.request.querystring.") {
        return has(&caller.query, name);
    }
    match source.strip_prefix("route.request.header.") {
        Some(name) => has(&caller.headers, name),
        None => true,
    }
}

fn undeployed_template(check: &DoctorCheck, evidence: &EvidenceReader<'_>) -> Vec<DoctorFinding> {
    let Some(status) = evidence.status() else {
        return Vec::new();
    };
    if status.change_basis != Some(ChangeBasis::FromTemplate) {
        return Vec::new();
    }
    let found = format!(
        "from the template to the account: {}",
        one_line(&status.changes_text)
    );
    let next = format!("deploy the template with {}", evidence.deploy());
    vec![check.finding(format!("API {}", evidence.api().name), found, next)]
}

fn changed_outside(check: &DoctorCheck, evidence: &EvidenceReader<'_>) -> Vec<DoctorFinding> {
    let Some(drift) = evidence.drift().filter(|drift| !drift.wiring.is_empty()) else {
        return Vec::new();
    };
    let found = format!(
        "from the template to the account: {}",
        one_line(&drift.wiring_text)
    );
    let next = format!(
        "put the change into the template, and run {}",
        evidence.deploy()
    );
    vec![check.finding(format!("stack {}", drift.stack), found, next)]
}

/// Returns the lines of a list of changes as one line.
pub(super) fn one_line(changes: &str) -> String {
    let lines = changes.lines().map(|line| {
        let line = line.strip_suffix("needs a deployment").unwrap_or(line);
        line.split_whitespace().collect::<Vec<_>>().join(" ")
    });
    let lines: Vec<_> = lines.filter(|line| !line.is_empty()).collect();
    lines.join("; ")
}

/// Returns the ARN by which API Gateway invokes a function for a route.
pub(super) fn route_arn(
    region: &AccountRegion,
    evidence: &EvidenceReader<'_>,
    route: &str,
) -> String {
    api_arn(
        region,
        evidence,
        &format!("{}/{route}", evidence.stage_name()),
    )
}

/// Returns the ARN of something of the API: `arn:…:execute-api:…:{api}/{path}`.
pub(crate) fn api_arn(region: &AccountRegion, evidence: &EvidenceReader<'_>, path: &str) -> String {
    let AccountRegion {
        partition,
        region,
        account,
    } = region;
    format!(
        "arn:{partition}:execute-api:{region}:{account}:{}/{path}",
        evidence.api().id
    )
}
