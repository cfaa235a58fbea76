//! Metrics of the last hours, before and after the served deployment was created.

use stackgen_deploy::{FunctionName, OffsetDateTime};

use crate::doctor::check::DoctorCheck;
use crate::doctor::finding::{DoctorConfidence, DoctorFinding, DoctorSeverity};
use crate::doctor::part::EvidencePart;
use crate::doctor::ports::{MetricSeries, MetricSpan};
use crate::doctor::reader::EvidenceReader;

pub(super) const CHECKS: &[&DoctorCheck] = &[
    &INTEGRATION_ERRORS,
    &EXECUTION_ERRORS,
    &CLIENT_ERRORS,
    &FUNCTION_THROTTLES,
    &FUNCTION_ERRORS,
];

/// Errors of integrations.
static INTEGRATION_ERRORS: DoctorCheck = DoctorCheck {
    id: "DR601",
    title: "Integrations fail",
    severity: DoctorSeverity::Warning,
    confidence: DoctorConfidence::Certain,
    looks_at: "the metric IntegrationError of the stage in the last hours",
    rows: &["C6", "M4"],
    needs: &[EvidencePart::Metrics],
    run: |check, evidence| of_stage(check, evidence, "IntegrationError", "logs --level error"),
};

/// Errors of API Gateway itself.
static EXECUTION_ERRORS: DoctorCheck = DoctorCheck {
    id: "DR602",
    title: "API Gateway cannot execute requests",
    severity: DoctorSeverity::Warning,
    confidence: DoctorConfidence::Certain,
    looks_at: "the metric ExecutionError of the stage in the last hours",
    rows: &["C7", "A7"],
    needs: &[EvidencePart::Metrics],
    run: |check, evidence| {
        of_stage(
            check,
            evidence,
            "ExecutionError",
            "logs --connections --why",
        )
    },
};

/// Requests that were refused.
static CLIENT_ERRORS: DoctorCheck = DoctorCheck {
    id: "DR603",
    title: "Requests of clients are refused",
    severity: DoctorSeverity::Note,
    confidence: DoctorConfidence::Certain,
    looks_at: "the metric ClientError of the stage in the last hours: handshakes and messages with a status of 4xx",
    rows: &["A2", "A6"],
    needs: &[EvidencePart::Metrics],
    run: |check, evidence| of_stage(check, evidence, "ClientError", "logs --connections --why"),
};

/// Functions that Lambda throttles.
static FUNCTION_THROTTLES: DoctorCheck = DoctorCheck {
    id: "DR604",
    title: "Lambda throttles a function",
    severity: DoctorSeverity::Warning,
    confidence: DoctorConfidence::Certain,
    looks_at: "the metric Throttles of each function in the last hours",
    rows: &[],
    needs: &[EvidencePart::Functions, EvidencePart::Metrics],
    run: |check, evidence| {
        of_functions(check, evidence, "Throttles", |name| {
            let facts = evidence.functions().get(&FunctionName::new(name));
            match facts.and_then(|facts| facts.reserved) {
                Some(_) => {
                    let command =
                        format!("lambda delete-function-concurrency --function-name {name}");
                    format!(
                        "remove its reserved concurrency with {}",
                        evidence.aws(&command)
                    )
                }
                None => {
                    "ask for a higher quota of concurrent executions in Service Quotas".to_owned()
                }
            }
        })
    },
};

/// Functions that throw.
static FUNCTION_ERRORS: DoctorCheck = DoctorCheck {
    id: "DR605",
    title: "A function fails",
    severity: DoctorSeverity::Warning,
    confidence: DoctorConfidence::Certain,
    looks_at: "the metric Errors of each function in the last hours; an authorizer that answers 401 counts as failed",
    rows: &["M4", "A6"],
    needs: &[EvidencePart::Functions, EvidencePart::Metrics],
    run: |check, evidence| {
        of_functions(check, evidence, "Errors", |_| {
            format!(
                "see the errors in {}",
                evidence.command("logs --level error")
            )
        })
    },
};

/// Sums before and since a time.
struct SplitSum {
    before: f64,
    since: f64,
}

impl SplitSum {
    fn of(series: &MetricSeries, time: Option<OffsetDateTime>) -> Self {
        let mut split = SplitSum {
            before: 0.0,
            since: 0.0,
        };
        for point in &series.points {
            // A period that the time divides counts as since.
            match time.is_some_and(|time| point.at + MetricSpan::PERIOD <= time) {
                true => split.before += point.sum,
                false => split.since += point.sum,
            }
        }
        split
    }
}

fn of_stage(
    check: &DoctorCheck,
    evidence: &EvidenceReader<'_>,
    metric: &str,
    command: &str,
) -> Vec<DoctorFinding> {
    let next = format!("see them in {}", evidence.command(command));
    findings(check, evidence, "AWS/ApiGateway", metric, |_| {
        MetricSubject {
            name: evidence.stage_text(),
            next_step: next.clone(),
        }
    })
}

fn of_functions(
    check: &DoctorCheck,
    evidence: &EvidenceReader<'_>,
    metric: &str,
    next_step: impl Fn(&str) -> String,
) -> Vec<DoctorFinding> {
    findings(check, evidence, "AWS/Lambda", metric, |series| {
        let function = series.metric.dimensions.first();
        let function = function.map_or("", |(_, value)| value.as_str());
        MetricSubject {
            name: format!("function {function}"),
            next_step: next_step(function),
        }
    })
}

/// Subject of a metric, and the next step if the metric is a finding.
struct MetricSubject {
    name: String,
    next_step: String,
}

fn findings(
    check: &DoctorCheck,
    evidence: &EvidenceReader<'_>,
    namespace: &str,
    metric: &str,
    subject: impl Fn(&MetricSeries) -> MetricSubject,
) -> Vec<DoctorFinding> {
    let deployment = evidence
        .status()
        .and_then(|status| status.deployment.as_ref());
    let is_meant = |series: &&MetricSeries| {
        series.metric.namespace == namespace && series.metric.name == metric
    };
    let mut findings = Vec::new();
    for series in evidence.metrics().iter().filter(is_meant) {
        let first = series.points.iter().map(|point| point.at).min();
        let split_at = deployment.filter(|one| first.is_some_and(|first| first < one.created));
        let sum = SplitSum::of(series, split_at.map(|one| one.created));
        if sum.before + sum.since == 0.0 {
            continue;
        }
        let found = match split_at {
            Some(one) => format!(
                "{metric}: {} since deployment {} was created, {} in the hours before",
                sum.since, one.id, sum.before
            ),
            None => format!("{metric}: {} in the last hours", sum.since),
        };
        let MetricSubject { name, next_step } = subject(series);
        findings.push(check.finding(name, found, next_step));
    }
    findings
}
