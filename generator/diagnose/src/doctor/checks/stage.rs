//! The stage: what it serves, who moved it, its throttles and its logs.

use stackgen_deploy::CreatedBy;
use stackgen_deploy::drift::StagePointer;
use stackgen_deploy::stack::wiring::WiringOrder;
use stackgen_deploy::status::{ChangeBasis, Freshness, StageStatus, StatusConfidence};
use stackgen_model::diff::ChangeKind;

use super::wiring::one_line;
use crate::doctor::check::DoctorCheck;
use crate::doctor::evidence::LogRole;
use crate::doctor::finding::{DoctorConfidence, DoctorFinding, DoctorFix, DoctorSeverity};
use crate::doctor::part::EvidencePart;
use crate::doctor::ports::RouteThrottle;
use crate::doctor::reader::EvidenceReader;

pub(super) const CHECKS: &[&DoctorCheck] = &[
    &STALE,
    &AUTO_DEPLOY_FAILED,
    &REMOVED_ROUTE_SERVED,
    &MOVED,
    &THROTTLE_ZERO,
    &NO_LOGS,
    &NO_LOG_ROLE,
    &NOT_DEPLOYED,
    &VERIFICATION_FAILED,
    &UNKNOWN,
];

/// A stage that serves an older configuration.
static STALE: DoctorCheck = DoctorCheck {
    id: "DR201",
    title: "The stage is stale",
    severity: DoctorSeverity::Problem,
    confidence: DoctorConfidence::Certain,
    looks_at: "the digest of the deployment that the stage serves, or the times at which CloudFormation changed the API",
    rows: &["D1", "D7"],
    needs: &[EvidencePart::Status],
    run: stale,
};

/// AutoDeploy that failed.
static AUTO_DEPLOY_FAILED: DoctorCheck = DoctorCheck {
    id: "DR202",
    title: "AutoDeploy failed",
    severity: DoctorSeverity::Problem,
    confidence: DoctorConfidence::Certain,
    looks_at: "API Gateway's message about its last automatic deployment",
    rows: &["D5"],
    needs: &[EvidencePart::Status],
    run: auto_deploy_failed,
};

/// A route that was removed and is still served.
static REMOVED_ROUTE_SERVED: DoctorCheck = DoctorCheck {
    id: "DR203",
    title: "Removed routes are still served",
    severity: DoctorSeverity::Warning,
    confidence: DoctorConfidence::Certain,
    looks_at: "routes that the account no longer has, and the time at which the served deployment was created",
    rows: &["D20"],
    needs: &[EvidencePart::Status, EvidencePart::History],
    run: removed_route_served,
};

/// A stage that was moved by hand.
static MOVED: DoctorCheck = DoctorCheck {
    id: "DR204",
    title: "The stage was moved outside CloudFormation",
    severity: DoctorSeverity::Warning,
    confidence: DoctorConfidence::Certain,
    looks_at: "the deployment that the stage serves, compared with the one that the stack's template names",
    rows: &["D8"],
    needs: &[EvidencePart::Drift],
    run: moved,
};

/// A throttle that lets nothing through.
static THROTTLE_ZERO: DoctorCheck = DoctorCheck {
    id: "DR205",
    title: "A throttle of 0 refuses everything",
    severity: DoctorSeverity::Problem,
    confidence: DoctorConfidence::Certain,
    looks_at: "rate and burst of the stage, and of each route",
    rows: &["D18"],
    needs: &[EvidencePart::Stage],
    run: throttle_zero,
};

/// A stage without logs.
static NO_LOGS: DoctorCheck = DoctorCheck {
    id: "DR206",
    title: "Access log and execution log are off",
    severity: DoctorSeverity::Note,
    confidence: DoctorConfidence::Certain,
    looks_at: "the log settings of the stage",
    rows: &["L1", "L4"],
    needs: &[EvidencePart::Stage],
    run: no_logs,
};

/// Logs that nobody may write.
static NO_LOG_ROLE: DoctorCheck = DoctorCheck {
    id: "DR207",
    title: "API Gateway has no role for CloudWatch Logs",
    severity: DoctorSeverity::Problem,
    confidence: DoctorConfidence::Certain,
    looks_at: "the log settings of the stage, and the CloudWatch role of the account",
    rows: &["L3"],
    needs: &[EvidencePart::Stage, EvidencePart::LogRole],
    run: no_log_role,
};

/// A stage that serves nothing.
static NOT_DEPLOYED: DoctorCheck = DoctorCheck {
    id: "DR208",
    title: "The stage serves nothing",
    severity: DoctorSeverity::Problem,
    confidence: DoctorConfidence::Certain,
    looks_at: "the deployment that the stage serves",
    rows: &["C3"],
    needs: &[EvidencePart::Status],
    run: not_deployed,
};

/// A deployment that failed its verification.
static VERIFICATION_FAILED: DoctorCheck = DoctorCheck {
    id: "DR209",
    title: "The served deployment failed its verification",
    severity: DoctorSeverity::Warning,
    confidence: DoctorConfidence::Certain,
    looks_at: "the record in the description of the deployment that the stage serves",
    rows: &[],
    needs: &[EvidencePart::Status],
    run: verification_failed,
};

/// A stage whose deployment cannot be compared with the account.
static UNKNOWN: DoctorCheck = DoctorCheck {
    id: "DR210",
    title: "What the stage serves is unknown",
    severity: DoctorSeverity::Note,
    confidence: DoctorConfidence::Certain,
    looks_at: "the description of the served deployment, and CloudFormation's events",
    rows: &["D1"],
    needs: &[EvidencePart::Status],
    run: unknown,
};

/// Leaves open what a stage serves, if that is unknown. Another check reports it.
fn leave_unknown_open(evidence: &EvidenceReader<'_>, status: &StageStatus) {
    if status.verdict.freshness == Freshness::Unknown {
        let remedy = evidence.command("deploy --redeploy-stage");
        evidence.leave_open("what the stage serves is unknown", format!("run {remedy}"));
    }
}

fn unknown(check: &DoctorCheck, evidence: &EvidenceReader<'_>) -> Vec<DoctorFinding> {
    let unknown = evidence
        .status()
        .filter(|status| status.verdict.freshness == Freshness::Unknown);
    let finding = |reason: &str| {
        let next = format!(
            "make it known with {}",
            evidence.command("deploy --redeploy-stage")
        );
        let finding = check.finding(evidence.stage_text(), reason, next);
        finding.with_fix(DoctorFix::RedeployStage)
    };
    unknown
        .map(|status| finding(&status.verdict.reason))
        .into_iter()
        .collect()
}

fn stale(check: &DoctorCheck, evidence: &EvidenceReader<'_>) -> Vec<DoctorFinding> {
    let Some(status) = evidence.status() else {
        return Vec::new();
    };
    leave_unknown_open(evidence, status);
    let is_failure = status.stage.auto_deploy_failure().is_some();
    if status.verdict.freshness != Freshness::Stale || is_failure {
        return Vec::new();
    }
    let mut found = status.verdict.reason.to_string();
    if status.change_basis == Some(ChangeBasis::Undeployed) {
        found.push_str(&format!("; not served: {}", one_line(&status.changes_text)));
    }
    let next = format!("run {}", evidence.command("deploy --redeploy-stage"));
    let finding = check.finding(evidence.stage_text(), found, next);
    let finding = finding.with_fix(DoctorFix::RedeployStage);
    vec![match status.verdict.confidence {
        StatusConfidence::Certain => finding,
        StatusConfidence::Likely => finding.with(check.severity, DoctorConfidence::Likely),
    }]
}

fn auto_deploy_failed(check: &DoctorCheck, evidence: &EvidenceReader<'_>) -> Vec<DoctorFinding> {
    let message = evidence
        .status()
        .and_then(|status| status.stage.auto_deploy_failure());
    let finding = |message: &str| {
        let next = "correct what the message names; API Gateway then deploys the stage again";
        check.finding(evidence.stage_text(), message, next)
    };
    message.map(finding).into_iter().collect()
}

fn removed_route_served(check: &DoctorCheck, evidence: &EvidenceReader<'_>) -> Vec<DoctorFinding> {
    let Some(status) = evidence.status() else {
        return Vec::new();
    };
    leave_unknown_open(evidence, status);
    let removed = status.changes.iter().filter(|change| {
        let is_removed = matches!(change.kind, ChangeKind::Removed);
        is_removed
            && change.subject.kind == "route"
            && status.change_basis == Some(ChangeBasis::Undeployed)
    });
    let mut routes: Vec<_> = removed.map(|change| change.subject.name.clone()).collect();
    let mut confidence = DoctorConfidence::Certain;
    if let Some(history) = evidence.history()
        && let Some(change) = &history.change
    {
        let is_removed = change.status == "DELETE_COMPLETE" && change.kind.ends_with("::Route");
        if is_removed && history.order == WiringOrder::ChangeIsNewer && routes.is_empty() {
            routes.push(change.logical_id.clone());
            confidence = DoctorConfidence::Likely;
        }
    }
    if routes.is_empty() {
        return Vec::new();
    }
    let found = format!(
        "the deployment was created before these routes were removed: {}",
        routes.join(", ")
    );
    let next = format!("run {}", evidence.command("deploy --redeploy-stage"));
    let finding = check.finding(evidence.stage_text(), found, next);
    vec![
        finding
            .with_fix(DoctorFix::RedeployStage)
            .with(check.severity, confidence),
    ]
}

fn moved(check: &DoctorCheck, evidence: &EvidenceReader<'_>) -> Vec<DoctorFinding> {
    let Some(drift) = evidence.drift() else {
        return Vec::new();
    };
    match &drift.pointer {
        StagePointer::Moved { template, served } => {
            let origin = served.as_ref().map(|served| served.created_by);
            let id = served
                .as_ref()
                .map(|served| served.deployment.id.to_string());
            let found = format!(
                "it serves {}, and the template of stack {} names {template}",
                id.as_deref().unwrap_or("no deployment"),
                drift.stack
            );
            let back = evidence.command(&format!("deployments activate {template}"));
            let next = format!("move the stage back with {back}");
            let finding = check.finding(evidence.stage_text(), found, next);
            match origin {
                // A redeploy moves the stage by design, and `stackgen status` follows it.
                Some(CreatedBy::Redeploy) => Vec::new(),
                // A rollback to an earlier release of the stack.
                Some(CreatedBy::Template) => {
                    vec![finding.with(DoctorSeverity::Note, DoctorConfidence::Certain)]
                }
                _ => vec![finding],
            }
        }
        StagePointer::AutoDeployChanged { template } => {
            let (is, should) = match template {
                true => ("off", "on"),
                false => ("on", "off"),
            };
            let found = format!(
                "AutoDeploy is {is}, and the template of stack {} turns it {should}",
                drift.stack
            );
            let flag = match template {
                true => "--auto-deploy",
                false => "--no-auto-deploy",
            };
            let next = format!(
                "set AutoDeploy as in the template: {}",
                evidence.update_stage(flag)
            );
            vec![check.finding(evidence.stage_text(), found, next)]
        }
        StagePointer::Unknown { reason } => {
            evidence.leave_open(
                format!("the deployment that the template names is unknown: {reason}"),
                "name a Deployment of the template in the DeploymentId of its stage",
            );
            Vec::new()
        }
        StagePointer::AsInTemplate | StagePointer::AutoDeploy => Vec::new(),
    }
}

fn throttle_zero(check: &DoctorCheck, evidence: &EvidenceReader<'_>) -> Vec<DoctorFinding> {
    let routes = evidence.stage().into_iter().flat_map(|stage| &stage.routes);
    let is_zero = |one: &&RouteThrottle| one.rate == Some(0.0) || one.burst == Some(0);
    let finding = |one: &RouteThrottle| {
        let of = match &one.route {
            None => "all routes".to_owned(),
            Some(route) => format!("route {route}"),
        };
        let limit = |value: Option<String>| value.unwrap_or_else(|| "not set".to_owned());
        let found = format!(
            "{of}: rate {}, burst {}: every request is answered with 429",
            limit(one.rate.map(|rate| rate.to_string())),
            limit(one.burst.map(|burst| burst.to_string()))
        );
        let next = format!("remove the limit: {}", evidence.update_stage(&raised(one)));
        check.finding(evidence.stage_text(), found, next)
    };
    routes.filter(is_zero).map(finding).collect()
}

/// Returns the flags that raise a throttle to the quota of an account (row L5).
fn raised(throttle: &RouteThrottle) -> String {
    const LIMITS: [(&str, u32); 2] = [
        ("ThrottlingRateLimit", 10_000),
        ("ThrottlingBurstLimit", 5_000),
    ];
    let limits = LIMITS.map(|(name, limit)| format!("\"{name}\":{limit}"));
    let limits = limits.join(",");
    match &throttle.route {
        None => format!("--default-route-settings '{{{limits}}}'"),
        Some(route) => format!("--route-settings '{{\"{route}\":{{{limits}}}}}'"),
    }
}

/// Returns true if the stage has an access log or an execution log.
fn has_logs(evidence: &EvidenceReader<'_>) -> Option<bool> {
    let logs = &evidence.stage()?.logs;
    Some(logs.access_log_arn.is_some() || logs.has_execution_log())
}

fn no_logs(check: &DoctorCheck, evidence: &EvidenceReader<'_>) -> Vec<DoctorFinding> {
    if has_logs(evidence) != Some(false) {
        return Vec::new();
    }
    let found = "a refused handshake leaves no trace";
    let setting = match evidence.project().is_known {
        true => "accessLogs: { retentionInDays: 30 }",
        false => "AccessLogSettings",
    };
    let next = format!(
        "add {setting} to the stage in the template, and run {}",
        evidence.deploy()
    );
    vec![check.finding(evidence.stage_text(), found, next)]
}

fn no_log_role(check: &DoctorCheck, evidence: &EvidenceReader<'_>) -> Vec<DoctorFinding> {
    let has_none = evidence.log_role() == Some(&LogRole(None));
    if !has_none || has_logs(evidence) != Some(true) {
        return Vec::new();
    }
    let found = "the stage has logs, and the account has no CloudWatch role, so nothing is written";
    let next = format!(
        "set a role with {}, which asks for its ARN",
        evidence.command("doctor --fix")
    );
    let finding = check.finding("account settings of API Gateway", found, next);
    vec![finding.with_fix(DoctorFix::SetLogRole)]
}

fn not_deployed(check: &DoctorCheck, evidence: &EvidenceReader<'_>) -> Vec<DoctorFinding> {
    let Some(status) = evidence.status() else {
        return Vec::new();
    };
    if status.verdict.freshness != Freshness::NotDeployed {
        return Vec::new();
    }
    let found = "it has no deployment: every handshake is answered with 403";
    let next = format!("run {}", evidence.command("deploy --redeploy-stage"));
    vec![
        check
            .finding(evidence.stage_text(), found, next)
            .with_fix(DoctorFix::RedeployStage),
    ]
}

fn verification_failed(check: &DoctorCheck, evidence: &EvidenceReader<'_>) -> Vec<DoctorFinding> {
    let failed = evidence.status().filter(|status| status.is_failed());
    let Some(deployment) = failed.and_then(|status| status.deployment.as_ref()) else {
        return Vec::new();
    };
    let found = format!(
        "deployment {}: a caller got an unexpected answer after it was activated",
        deployment.id
    );
    let next = format!("see what a client gets with {}", evidence.command("probe"));
    vec![check.finding(evidence.stage_text(), found, next)]
}
