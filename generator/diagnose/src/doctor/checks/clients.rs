//! The clients' side: handshakes as each caller, and the closes of the last hours.

use std::time::Duration;

use stackgen_deploy::Judgement;

use crate::doctor::check::DoctorCheck;
use crate::doctor::evidence::{ClosedConnection, DoctorEvidence};
use crate::doctor::finding::{DoctorConfidence, DoctorFinding, DoctorSeverity};
use crate::doctor::part::EvidencePart;

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

/// Closes from which on a code is a pattern, if at least half of all closes have it.
const PATTERN: usize = 3;

fn refused(check: &DoctorCheck, evidence: &DoctorEvidence) -> Vec<DoctorFinding> {
    let failed = evidence
        .callers
        .iter()
        .filter(|attempt| attempt.judgement == Judgement::Failed);
    let findings = failed.map(|attempt| {
        let next = format!(
            "correct what is listed above; {} shows what this caller gets",
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

/// Closes with a code, among all of them.
struct Closes<'a> {
    matching: Vec<&'a ClosedConnection>,
    all: usize,
}

impl<'a> Closes<'a> {
    fn with(evidence: &'a DoctorEvidence, is_meant: impl Fn(&ClosedConnection) -> bool) -> Self {
        Closes {
            matching: evidence
                .closes
                .iter()
                .filter(|close| is_meant(close))
                .collect(),
            all: evidence.closes.len(),
        }
    }

    fn is_pattern(&self) -> bool {
        self.matching.len() >= PATTERN && self.matching.len() * 2 >= self.all
    }

    /// Returns the closes in words. `verb` says how they ended: `closed with 1005`.
    fn text(&self, verb: &str) -> String {
        let ages: Vec<_> = self.matching.iter().filter_map(|close| close.age).collect();
        let of = format!(
            "{} of the last {} connections {verb}",
            self.matching.len(),
            self.all
        );
        match (ages.iter().min(), ages.iter().max()) {
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

fn is_near(age: Option<Duration>, seconds: u64, tolerance: u64) -> bool {
    age.is_some_and(|age| age.as_secs().abs_diff(seconds) <= tolerance)
}

fn bare_close(check: &DoctorCheck, evidence: &DoctorEvidence) -> Vec<DoctorFinding> {
    let closes = Closes::with(evidence, |close| close.code == 1005);
    if !closes.is_pattern() {
        return Vec::new();
    }
    let quick =
        |close: &&&ClosedConnection| close.age.is_some_and(|age| age < Duration::from_secs(5));
    let quick = closes.matching.iter().filter(quick).count();
    let found = format!(
        "{}; {quick} of them within 5 s",
        closes.text("closed with 1005")
    );
    let next = "search the client for a bare close(): the clean-up of a React effect, a reconnect loop, a test that ends; give each call its own code, such as close(4001)";
    vec![check.finding("logs of `$disconnect`", found, next)]
}

fn idle(check: &DoctorCheck, evidence: &DoctorEvidence) -> Vec<DoctorFinding> {
    let closes = Closes::with(evidence, |close| {
        close.code == 1001 && is_near(close.age, 600, 30)
    });
    if !closes.is_pattern() {
        return Vec::new();
    }
    let found = closes.text("closed with 1001");
    let next = "send a small message every few minutes: no data for 10 minutes closes a connection";
    vec![check.finding("logs of `$disconnect`", found, next)]
}

fn two_hours(check: &DoctorCheck, evidence: &DoctorEvidence) -> Vec<DoctorFinding> {
    let closes = Closes::with(evidence, |close| {
        close.code == 1001 && is_near(close.age, 7_200, 60)
    });
    if closes.matching.is_empty() {
        return Vec::new();
    }
    let found = closes.text("closed with 1001");
    let next = "let clients reconnect before, each at a random time: the limit cannot be raised";
    vec![check.finding("logs of `$disconnect`", found, next)]
}

fn lost(check: &DoctorCheck, evidence: &DoctorEvidence) -> Vec<DoctorFinding> {
    let closes = Closes::with(evidence, |close| close.code == 1006);
    if !closes.is_pattern() {
        return Vec::new();
    }
    let all_near = |seconds, tolerance| {
        let mut matching = closes.matching.iter();
        matching.all(|close| is_near(close.age, seconds, tolerance))
    };
    let (cause, next) = if all_near(600, 30) {
        (
            "their age is the idle timeout",
            "send a small message every few minutes",
        )
    } else if all_near(7_200, 60) {
        (
            "their age is the limit of two hours",
            "let clients reconnect before",
        )
    } else {
        (
            "their ages are those of no limit, so something between client and API Gateway ended them",
            "compare the ages with the timeouts of proxies, VPNs and NAT on the way, and send a small message every minute",
        )
    };
    let found = format!("{}; {cause}", closes.text("ended with 1006"));
    vec![check.finding("logs of `$disconnect`", found, next)]
}

fn violation(check: &DoctorCheck, evidence: &DoctorEvidence) -> Vec<DoctorFinding> {
    const CODES: [(u16, &str, &str); 4] = [
        (1003, "a binary frame", "send base64 as text"),
        (
            1008,
            "too many requests of one client",
            "let the client send less, or raise the throttle of the stage",
        ),
        (
            1009,
            "a frame over 32 KB or a message over 128 KB",
            "split the message",
        ),
        (
            1011,
            "an error inside API Gateway",
            "reconnect after a random delay",
        ),
    ];
    let mut findings = Vec::new();
    for (code, cause, next) in CODES {
        let closes = Closes::with(evidence, |close| close.code == code);
        if !closes.matching.is_empty() {
            let found = format!("{}: {cause}", closes.text(&format!("closed with {code}")));
            findings.push(check.finding("logs of `$disconnect`", found, next));
        }
    }
    findings
}
