//! The clients' side: handshakes as each caller, and the closes of the last hours.

use std::time::Duration;

use stackgen_deploy::Judgement;
use stackgen_probe::{AGE_LIMIT, CloseExplanation, IDLE_TIMEOUT};

use crate::doctor::check::DoctorCheck;
use crate::doctor::evidence::ClosedConnection;
use crate::doctor::finding::{DoctorConfidence, DoctorFinding, DoctorSeverity};
use crate::doctor::part::EvidencePart;
use crate::doctor::reader::EvidenceReader;

pub(super) const CHECKS: &[&DoctorCheck] =
    &[&REFUSED, &BARE_CLOSE, &IDLE, &TWO_HOURS, &LOST, &VIOLATION];

/// A caller that does not get through.
static REFUSED: DoctorCheck = DoctorCheck {
    id: "DR501",
    title: "A caller does not get through",
    severity: DoctorSeverity::Problem,
    confidence: DoctorConfidence::Certain,
    looks_at: "a handshake as each caller that the project declares, or as an anonymous one",
    rows: &["X2"],
    needs: &[EvidencePart::Callers],
    run: refused,
};

/// Clients that close at once and without a code.
static BARE_CLOSE: DoctorCheck = DoctorCheck {
    id: "DR502",
    title: "Clients close their connections without a code",
    severity: DoctorSeverity::Warning,
    confidence: DoctorConfidence::Certain,
    looks_at: "close codes and ages of connections in the logs: 1005 within seconds",
    rows: &["X1", "M16"],
    needs: &[EvidencePart::Logs],
    run: bare_close,
};

/// Connections that the idle timeout closes.
static IDLE: DoctorCheck = DoctorCheck {
    id: "DR503",
    title: "Connections are closed because they are idle",
    severity: DoctorSeverity::Warning,
    confidence: DoctorConfidence::Certain,
    looks_at: "close codes and ages of connections in the logs: 1001 near 600 s",
    rows: &["M13"],
    needs: &[EvidencePart::Logs],
    run: idle,
};

/// Connections that reach the limit of two hours.
static TWO_HOURS: DoctorCheck = DoctorCheck {
    id: "DR504",
    title: "Connections reach the limit of two hours",
    severity: DoctorSeverity::Note,
    confidence: DoctorConfidence::Certain,
    looks_at: "close codes and ages of connections in the logs: 1001 near 7,200 s",
    rows: &["M14"],
    needs: &[EvidencePart::Logs],
    run: two_hours,
};

/// Connections that end without a close frame.
static LOST: DoctorCheck = DoctorCheck {
    id: "DR505",
    title: "Connections are lost without a close frame",
    severity: DoctorSeverity::Warning,
    confidence: DoctorConfidence::Likely,
    looks_at: "close codes and ages of connections in the logs: 1006",
    rows: &["X3"],
    needs: &[EvidencePart::Logs],
    run: lost,
};

/// Connections that API Gateway closes because of what a client sent.
static VIOLATION: DoctorCheck = DoctorCheck {
    id: "DR506",
    title: "API Gateway closes connections because of what clients send",
    severity: DoctorSeverity::Warning,
    confidence: DoctorConfidence::Certain,
    looks_at: "close codes in the logs: 1003, 1008, 1009 and 1011",
    rows: &["M10", "M11", "M19", "X4"],
    needs: &[EvidencePart::Logs],
    run: violation,
};

/// Subject of the findings.
const SUBJECT: &str = "logs of `$disconnect`";

/// Age below which a client hardly meant to use the connection.
const QUICK: Duration = Duration::from_secs(5);

/// Closes from which on a code is a pattern, if at least half of all closes have it.
const PATTERN: usize = 3;

fn refused(check: &DoctorCheck, evidence: &EvidenceReader<'_>) -> Vec<DoctorFinding> {
    let failed = evidence
        .callers()
        .iter()
        .filter(|attempt| attempt.judgement == Judgement::Failed);
    let findings = failed.map(|attempt| {
        let next = format!(
            "see what this caller gets with {}",
            evidence.command("probe")
        );
        check.finding(
            format!("caller {}", attempt.caller),
            attempt.meaning.clone(),
            next,
        )
    });
    findings.collect()
}

/// Closes by which a check looks for a pattern.
struct CloseSearch<'a> {
    evidence: &'a EvidenceReader<'a>,
    code: u16,
    /// Age in seconds, and the difference to it that is allowed.
    age: Option<NearAge>,
}

#[derive(Clone, Copy)]
struct NearAge {
    seconds: u64,
    tolerance: u64,
}

/// Age at which API Gateway closes an idle connection (row M13).
const IDLE_AGE: NearAge = NearAge {
    seconds: 600,
    tolerance: 30,
};

/// Largest age of a connection (row M14).
const LARGEST_AGE: NearAge = NearAge {
    seconds: 7_200,
    tolerance: 60,
};

impl NearAge {
    fn is_near(self, age: Duration) -> bool {
        age.as_secs().abs_diff(self.seconds) <= self.tolerance
    }
}

/// Connections that closed in one way.
struct FoundCloses {
    /// Their ages, as far as they are known.
    ages: Vec<Duration>,
    count: usize,
    /// Number of all connections whose code is known.
    all: usize,
}

impl CloseSearch<'_> {
    /// Returns the closes, if there are so many of them; leaves the question open if those of unknown code or age could be so
    /// many.
    fn find(&self, is_enough: impl Fn(usize, usize) -> bool) -> Option<FoundCloses> {
        let logs = self.evidence.closes();
        let all = logs.closes.iter().filter(|one| one.code.is_some()).count();
        let is_meant = |close: &&ClosedConnection, unknown: bool| {
            let has_code = close.code.map_or(unknown, |code| code == self.code);
            let has_age = self
                .age
                .is_none_or(|wanted| close.age.map_or(unknown, |age| wanted.is_near(age)));
            has_code && has_age
        };
        let certain: Vec<_> = logs
            .closes
            .iter()
            .filter(|one| is_meant(one, false))
            .collect();
        if is_enough(certain.len(), all) {
            return Some(FoundCloses {
                ages: certain.iter().filter_map(|close| close.age).collect(),
                count: certain.len(),
                all,
            });
        }
        let possible = logs.closes.iter().filter(|one| is_meant(one, true));
        let is_open = is_enough(possible.count(), logs.closes.len());
        let lacks_codes = logs.closes.iter().any(|one| one.code.is_none());
        if !logs.lists_disconnects {
            // Lines of functions are those that the code writes, so that closes can be missing.
            self.evidence.leave_open(
                "no log lists all connections that closed",
                access_log_setting(self.evidence, "an access log with $context.connectionId, $context.eventType and $context.connectedAt"),
            );
        } else if self.age.is_some() && !logs.has_ages {
            self.evidence.leave_open(
                "no log tells the age of connections that close",
                access_log_setting(self.evidence, "$context.connectedAt, $context.connectionId and $context.eventType in the format of the access log"),
            );
        } else if logs.is_cut_off || is_open && lacks_codes && logs.lacks_lines {
            self.evidence.leave_open(
                "the logs have more lines about connections that closed than doctor reads",
                "look at a shorter time with `--since`",
            );
        } else if is_open && lacks_codes {
            self.evidence.leave_open(
                "connections closed, and no log contains the code",
                "log `disconnectStatusCode` in the function of `$disconnect`, or turn on the execution log at level INFO",
            );
        } else if is_open {
            self.evidence.leave_open(
                "the age of some connections that closed is unknown",
                "look at a longer time with `--since`",
            );
        }
        None
    }
}

/// Returns the setting that adds something to the access log.
fn access_log_setting(evidence: &EvidenceReader<'_>, needed: &str) -> String {
    match evidence.project().is_known {
        true => {
            format!("accessLogs: {{ retentionInDays: 30 }} of the stage in stackgen.yaml: {needed}")
        }
        false => format!("AccessLogSettings of the stage: {needed}"),
    }
}

/// True for so many closes that they are a pattern.
fn is_pattern(count: usize, all: usize) -> bool {
    count >= PATTERN && count * 2 >= all
}

impl FoundCloses {
    /// Returns the closes in words. `verb` says how they ended: `closed with 1005`.
    fn text(&self, verb: &str) -> String {
        let of = format!("{} of the last {} connections {verb}", self.count, self.all);
        match (self.ages.iter().min(), self.ages.iter().max()) {
            (Some(least), Some(most)) => format!("{of}, at an age of {}", span(*least, *most)),
            _ => format!("{of}, of unknown age"),
        }
    }
}

fn span(least: Duration, most: Duration) -> String {
    let (least, most) = (least.as_secs(), most.as_secs());
    match least == most {
        true => format!("{least} s"),
        false => format!("{least} to {most} s"),
    }
}

/// Searches for closes with a code, and with an age.
fn find(
    evidence: &EvidenceReader<'_>,
    code: u16,
    age: Option<NearAge>,
    is_enough: impl Fn(usize, usize) -> bool,
) -> Option<FoundCloses> {
    let search = CloseSearch {
        evidence,
        code,
        age,
    };
    search.find(is_enough)
}

fn bare_close(check: &DoctorCheck, evidence: &EvidenceReader<'_>) -> Vec<DoctorFinding> {
    let closes = find(evidence, 1005, None, is_pattern);
    let finding = |closes: FoundCloses| {
        let quick = closes.ages.iter().filter(|age| **age < QUICK).count();
        let found = format!(
            "{}; {quick} of them within 5 s",
            closes.text("closed with 1005")
        );
        let next = "give each close() of the client its own code, such as close(4001): the clean-up of a React effect, a reconnect loop, a test that ends";
        check.finding(SUBJECT, found, next)
    };
    closes.map(finding).into_iter().collect()
}

fn idle(check: &DoctorCheck, evidence: &EvidenceReader<'_>) -> Vec<DoctorFinding> {
    let closes = find(evidence, 1001, Some(IDLE_AGE), is_pattern);
    let finding = |closes: FoundCloses| {
        let found = closes.text("closed with 1001");
        check.finding(SUBJECT, found, IDLE_TIMEOUT.advice())
    };
    closes.map(finding).into_iter().collect()
}

fn two_hours(check: &DoctorCheck, evidence: &EvidenceReader<'_>) -> Vec<DoctorFinding> {
    let closes = find(evidence, 1001, Some(LARGEST_AGE), |count, _| count > 0);
    let finding = |closes: FoundCloses| {
        let found = closes.text("closed with 1001");
        check.finding(SUBJECT, found, AGE_LIMIT.advice())
    };
    closes.map(finding).into_iter().collect()
}

fn lost(check: &DoctorCheck, evidence: &EvidenceReader<'_>) -> Vec<DoctorFinding> {
    let Some(closes) = find(evidence, 1006, None, is_pattern) else {
        return Vec::new();
    };
    let all_near = |near: NearAge| {
        closes.ages.len() == closes.count && closes.ages.iter().all(|age| near.is_near(*age))
    };
    let (cause, next) = if all_near(IDLE_AGE) {
        ("their age is the idle timeout", IDLE_TIMEOUT.advice())
    } else if all_near(LARGEST_AGE) {
        ("their age is the limit of two hours", AGE_LIMIT.advice())
    } else {
        (
            "their ages are those of no limit, so something between client and API Gateway ended them",
            "send a small message every minute, which keeps proxies, VPNs and NAT on the way from ending it".to_owned(),
        )
    };
    let found = format!("{}; {cause}", closes.text("ended with 1006"));
    vec![check.finding(SUBJECT, found, next)]
}

fn violation(check: &DoctorCheck, evidence: &EvidenceReader<'_>) -> Vec<DoctorFinding> {
    let mut findings = Vec::new();
    for cause in [1003, 1008, 1009, 1011]
        .into_iter()
        .filter_map(CloseExplanation::of_code)
    {
        let code = cause.code;
        if let Some(closes) = find(evidence, code, None, |count, _| count > 0) {
            let text = closes.text(&format!("closed with {code}"));
            let found = format!("{text}: {}", cause.cause.trim_end_matches('.'));
            findings.push(check.finding(SUBJECT, found, cause.advice()));
        }
    }
    findings
}
