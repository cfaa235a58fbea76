//! Tables and connection records.

use crate::doctor::check::DoctorCheck;
use crate::doctor::evidence::TableFacts;
use crate::doctor::finding::{DoctorConfidence, DoctorFinding, DoctorFix, DoctorSeverity};
use crate::doctor::part::EvidencePart;
use crate::doctor::reader::EvidenceReader;

pub(super) const CHECKS: &[&DoctorCheck] = &[&MISSING, &NOT_ACTIVE, &TTL, &INDEX, &ORPHANS];

/// A table that does not exist.
static MISSING: DoctorCheck = DoctorCheck {
    id: "DR401",
    title: "A table does not exist",
    severity: DoctorSeverity::Problem,
    confidence: DoctorConfidence::Certain,
    looks_at: "the tables of the template and of the stack",
    rows: &[],
    needs: &[EvidencePart::Tables],
    run: missing,
};

/// A table that cannot be used yet.
static NOT_ACTIVE: DoctorCheck = DoctorCheck {
    id: "DR402",
    title: "A table is not active",
    severity: DoctorSeverity::Problem,
    confidence: DoctorConfidence::Certain,
    looks_at: "the status of each table",
    rows: &[],
    needs: &[EvidencePart::Tables],
    run: not_active,
};

/// A table whose items do not expire.
static TTL: DoctorCheck = DoctorCheck {
    id: "DR403",
    title: "Records do not expire",
    severity: DoctorSeverity::Warning,
    confidence: DoctorConfidence::Certain,
    looks_at: "time to live of each table, compared with the template, and of each table with connections",
    rows: &["M18"],
    needs: &[EvidencePart::Tables],
    run: no_ttl,
};

/// An index that cannot be queried.
static INDEX: DoctorCheck = DoctorCheck {
    id: "DR404",
    title: "An index is missing or not active",
    severity: DoctorSeverity::Problem,
    confidence: DoctorConfidence::Certain,
    looks_at: "the global secondary indexes of each table, compared with the template",
    rows: &[],
    needs: &[EvidencePart::Tables],
    run: index,
};

/// Records whose connection does not exist.
static ORPHANS: DoctorCheck = DoctorCheck {
    id: "DR405",
    title: "Records of connections that do not exist",
    severity: DoctorSeverity::Warning,
    confidence: DoctorConfidence::Certain,
    looks_at: "a sample of the records with a connection ID, each compared by GET @connections",
    rows: &["K4", "M18"],
    needs: &[EvidencePart::Tables, EvidencePart::Records],
    run: orphans,
};

/// True for the name of an attribute that holds connection IDs.
pub(crate) fn is_connection_key(name: &str) -> bool {
    let letters: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    letters.eq_ignore_ascii_case("connectionid")
}

fn missing(check: &DoctorCheck, evidence: &EvidenceReader<'_>) -> Vec<DoctorFinding> {
    let absent = evidence
        .tables()
        .iter()
        .filter(|(_, table)| table.is_none());
    let findings = absent.map(|(name, _)| {
        let next = format!("create it with {}", evidence.deploy());
        check.finding(
            format!("table {name}"),
            "DynamoDB has no table of this name",
            next,
        )
    });
    findings.collect()
}

fn existing<'e>(
    evidence: &EvidenceReader<'e>,
) -> impl Iterator<Item = (&'e String, &'e TableFacts)> {
    evidence
        .tables()
        .iter()
        .filter_map(|(name, table)| Some((name, table.as_ref()?)))
}

fn not_active(check: &DoctorCheck, evidence: &EvidenceReader<'_>) -> Vec<DoctorFinding> {
    // An update changes nothing about reads and writes.
    let is_active = |status: &str| matches!(status, "ACTIVE" | "UPDATING");
    let idle = existing(evidence).filter(|(_, table)| !is_active(&table.details.status));
    let findings = idle.map(|(name, table)| {
        let found = format!("its status is {}", table.details.status);
        let command = format!("dynamodb wait table-exists --table-name {name}");
        let next = format!("wait until it is ACTIVE with {}", evidence.aws(&command));
        check.finding(format!("table {name}"), found, next)
    });
    findings.collect()
}

fn no_ttl(check: &DoctorCheck, evidence: &EvidenceReader<'_>) -> Vec<DoctorFinding> {
    let mut findings = Vec::new();
    for (name, table) in existing(evidence) {
        let Some(live) = &table.ttl else {
            continue;
        };
        let declared = evidence.project().tables.get(name);
        let wanted = declared.and_then(|table| table.ttl.as_ref());
        let found = match (wanted, live) {
            (Some(wanted), Some(live)) if wanted == live => continue,
            (Some(wanted), Some(live)) => {
                format!("items expire by {live}, and the template expires them by {wanted}")
            }
            (Some(wanted), None) => {
                format!("time to live is off, and the template turns it on for {wanted}")
            }
            (None, None)
                if declared.is_none() && is_connection_key(&table.details.partition_key) =>
            {
                "time to live is off: `$disconnect` is not guaranteed, so records remain".to_owned()
            }
            (None, _) => continue,
        };
        let attribute = wanted.map_or("ttl", String::as_str);
        let command = format!(
            "dynamodb update-time-to-live --table-name {name} --time-to-live-specification Enabled=true,AttributeName={attribute}"
        );
        let next = format!("run {}", evidence.aws(&command));
        findings.push(check.finding(format!("table {name}"), found, next));
    }
    findings
}

fn index(check: &DoctorCheck, evidence: &EvidenceReader<'_>) -> Vec<DoctorFinding> {
    let mut findings = Vec::new();
    for (name, table) in existing(evidence) {
        let live = &table.details.indexes;
        let declared = evidence
            .project()
            .tables
            .get(name)
            .map(|table| table.indexes.as_slice());
        let absent = declared
            .unwrap_or_default()
            .iter()
            .filter(|index| !live.contains_key(*index));
        let mut found: Vec<String> = absent
            .map(|index| format!("there is no index {index}"))
            .collect();
        let is_absent = !found.is_empty();
        let building = live
            .iter()
            .filter(|(_, status)| !matches!(status.as_str(), "ACTIVE" | "UPDATING"));
        found.extend(building.map(|(index, status)| format!("index {index} is {status}")));
        if found.is_empty() {
            continue;
        }
        let next = match is_absent {
            true => format!("create what is missing with {}", evidence.deploy()),
            false => format!(
                "see when it is ACTIVE with {}",
                evidence.aws(&format!("dynamodb describe-table --table-name {name}"))
            ),
        };
        findings.push(check.finding(format!("table {name}"), found.join("; "), next));
    }
    findings
}

fn orphans(check: &DoctorCheck, evidence: &EvidenceReader<'_>) -> Vec<DoctorFinding> {
    let samples = evidence
        .records()
        .iter()
        .filter(|sample| !sample.orphans.is_empty());
    let findings = samples.map(|sample| {
        let found = format!(
            "{} of {} records name a connection that @connections answers with 410",
            sample.orphans.len(),
            sample.compared
        );
        let subject = format!("table {}", sample.table);
        let table = evidence
            .tables()
            .get(&sample.table)
            .and_then(Option::as_ref);
        // Only a table whose primary key is the connection ID has one record for each.
        let is_key = table.is_some_and(|table| {
            table.details.sort_key.is_none() && table.details.partition_key == sample.key
        });
        if !is_key {
            let orphan = sample.orphans.first().map_or("", String::as_str);
            let command = evidence.command(&format!("logs --connection '{orphan}'"));
            let next = format!("see why `$disconnect` did not delete one of them with {command}");
            return check.finding(subject, found, next);
        }
        let command = evidence.command("doctor --fix");
        let next = format!("delete them with {command}, which asks before");
        check
            .finding(subject, found, next)
            .with_fix(DoctorFix::DeleteRecords {
                table: sample.table.clone(),
                key: sample.key.clone(),
                connections: sample.orphans.clone(),
            })
    });
    findings.collect()
}
