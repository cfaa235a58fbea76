//! Functions and versions: whether they exist, are ready and run the built code.

use stackgen_deploy::{CalledVersion, FunctionName};

use super::invocations::invocations;
use crate::doctor::check::DoctorCheck;
use crate::doctor::finding::{DoctorConfidence, DoctorFinding, DoctorFix, DoctorSeverity};
use crate::doctor::part::EvidencePart;
use crate::doctor::ports::FunctionDetails;
use crate::doctor::reader::EvidenceReader;

/// A function that does not exist.
pub(super) static MISSING: DoctorCheck = DoctorCheck {
    id: "DR301",
    title: "A function does not exist",
    severity: DoctorSeverity::Problem,
    confidence: DoctorConfidence::Certain,
    looks_at: "every function that integrations and authorizers invoke, and those of the project",
    rows: &["C7"],
    needs: &[EvidencePart::Functions],
    run: missing,
};

/// A function that cannot be invoked, or whose update failed.
pub(super) static NOT_READY: DoctorCheck = DoctorCheck {
    id: "DR302",
    title: "A function is not ready",
    severity: DoctorSeverity::Problem,
    confidence: DoctorConfidence::Certain,
    looks_at: "state and status of the last update of every function and served version",
    rows: &[],
    needs: &[EvidencePart::Functions],
    run: not_ready,
};

/// A function that runs other code than the built one.
pub(super) static OTHER_CODE: DoctorCheck = DoctorCheck {
    id: "DR303",
    title: "A function runs other code than the built one",
    severity: DoctorSeverity::Warning,
    confidence: DoctorConfidence::Certain,
    looks_at: "`CodeSha256` of every function and served version, compared with the zip files that were built",
    rows: &["D2"],
    needs: &[EvidencePart::Functions],
    run: other_code,
};

/// A version that the served deployment calls and that is gone.
pub(super) static VERSION_MISSING: DoctorCheck = DoctorCheck {
    id: "DR304",
    title: "The served deployment calls a version that does not exist",
    severity: DoctorSeverity::Problem,
    confidence: DoctorConfidence::Certain,
    looks_at: "the versions that the description of the served deployment and the integrations name",
    rows: &["D1", "D19"],
    needs: &[EvidencePart::Status, EvidencePart::Functions],
    run: version_missing,
};

/// A function that may not run.
pub(super) static NO_CONCURRENCY: DoctorCheck = DoctorCheck {
    id: "DR305",
    title: "Reserved concurrency of 0 stops a function",
    severity: DoctorSeverity::Problem,
    confidence: DoctorConfidence::Certain,
    looks_at: "reserved concurrency of every function",
    rows: &[],
    needs: &[EvidencePart::Functions],
    run: no_concurrency,
};

fn missing(check: &DoctorCheck, evidence: &EvidenceReader<'_>) -> Vec<DoctorFinding> {
    let absent = evidence
        .functions()
        .iter()
        .filter(|(_, facts)| facts.is_known && facts.details.is_none());
    let finding = |name: &FunctionName| {
        let found = "Lambda has no function of this name";
        let next = format!("create it with {}", evidence.deploy());
        check.finding(function_text(name), found, next)
    };
    absent.map(|(name, _)| finding(name)).collect()
}

fn not_ready(check: &DoctorCheck, evidence: &EvidenceReader<'_>) -> Vec<DoctorFinding> {
    let functions = evidence
        .existing()
        .map(|(name, details)| (function_text(name), details));
    let versions = evidence
        .versions()
        .iter()
        .filter_map(|(version, details)| Some((format!("version {version}"), details.as_ref()?)));
    let findings = functions
        .chain(versions)
        .filter_map(|(subject, details)| of_state(check, evidence, subject, details));
    findings.collect()
}

fn of_state(
    check: &DoctorCheck,
    evidence: &EvidenceReader<'_>,
    subject: String,
    details: &FunctionDetails,
) -> Option<DoctorFinding> {
    let state = details.state.as_deref().unwrap_or("Active");
    let update = details.last_update.as_deref().unwrap_or("Successful");
    let because = |reason: &Option<String>| {
        reason
            .as_ref()
            .map(|why| format!(": {why}"))
            .unwrap_or_default()
    };
    let found = match (state, update) {
        // Lambda makes an idle function ready again when it is invoked.
        ("Active" | "Inactive", "Successful") => return None,
        ("Active" | "Inactive", _) => format!(
            "the last update is {update}{}: it runs the code and configuration from before",
            because(&details.last_update_reason)
        ),
        _ => format!("its state is {state}{}", because(&details.state_reason)),
    };
    let is_running = state == "Pending" || state == "Active" && update == "InProgress";
    let next = match is_running {
        true => format!("look again in a minute with {}", evidence.command("doctor")),
        false => format!("correct what Lambda names, and run {}", evidence.deploy()),
    };
    let finding = check.finding(subject, found, next);
    Some(match is_running {
        true => finding.with(DoctorSeverity::Warning, DoctorConfidence::Certain),
        false => finding,
    })
}

fn other_code(check: &DoctorCheck, evidence: &EvidenceReader<'_>) -> Vec<DoctorFinding> {
    let mut findings = Vec::new();
    let project = evidence.project();
    // Elsewhere than in a project, there is nothing to compare with.
    if project.is_known && project.built.is_empty() {
        evidence.leave_open("no built code to compare", "run `stackgen build`");
    }
    for (name, built) in &evidence.project().built {
        let called = evidence
            .versions()
            .iter()
            .filter(|(version, _)| version.function == *name);
        let served: Vec<_> = called
            .filter_map(|(version, details)| {
                Some((format!("version {version}"), details.as_ref()?))
            })
            .collect();
        let functions = evidence
            .functions()
            .get(name)
            .and_then(|facts| facts.details.as_ref());
        // The API invokes either versions or the function itself.
        let subjects = match served.is_empty() {
            true => functions
                .map(|details| (function_text(name), details))
                .into_iter()
                .collect(),
            false => served,
        };
        for (subject, details) in subjects {
            if details
                .code_sha256
                .as_ref()
                .is_none_or(|sha256| sha256 == built)
            {
                continue;
            }
            let found = "`CodeSha256` is another one than that of the zip file on this machine";
            let next = format!("deploy the code with {}", evidence.deploy());
            findings.push(check.finding(subject, found, next));
        }
    }
    findings
}

fn version_missing(check: &DoctorCheck, evidence: &EvidenceReader<'_>) -> Vec<DoctorFinding> {
    let gone = evidence
        .versions()
        .iter()
        .filter(|(_, details)| details.is_none());
    let current = evidence
        .wiring()
        .map(|wiring| invocations(wiring, evidence));
    let is_current = |version: &CalledVersion| {
        current.iter().flatten().any(|one| {
            one.function.function == version.function
                && one.function.qualifier.as_deref() == Some(version.version.as_str())
        })
    };
    let findings = gone.map(|(version, _)| {
        let found = "the stage calls it, and Lambda does not have it: every call fails";
        let subject = format!("version {version}");
        // A new deployment helps only if the account's wiring calls another version.
        match is_current(version) {
            true => {
                let next = format!("release the current code with {}", evidence.deploy());
                check.finding(subject, found, next)
            }
            false => {
                let command = evidence.command("deploy --redeploy-stage");
                let next = format!("serve what the account calls now: {command}");
                let finding = check.finding(subject, found, next);
                finding.with_fix(DoctorFix::RedeployStage)
            }
        }
    });
    findings.collect()
}

fn no_concurrency(check: &DoctorCheck, evidence: &EvidenceReader<'_>) -> Vec<DoctorFinding> {
    let stopped = evidence
        .functions()
        .iter()
        .filter(|(_, facts)| facts.reserved == Some(0));
    let findings = stopped.map(|(name, _)| {
        let found = "it reserves 0 concurrent executions, so that Lambda refuses every call";
        let command = format!("lambda delete-function-concurrency --function-name {name}");
        let next = format!("run {}", evidence.aws(&command));
        check.finding(function_text(name), found, next)
    });
    findings.collect()
}

/// Returns a function in words: `function chat-prod`.
pub(super) fn function_text(name: &FunctionName) -> String {
    format!("function {name}")
}
