//! The report as Markdown, to paste into an issue, with IDs masked on request.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::report::DoctorReport;

impl DoctorReport {
    /// Returns the report as Markdown.
    pub fn markdown(&self) -> String {
        let mut text = format!(
            "## stackgen doctor: {}, stage {}\n\n",
            cell(&self.api.name),
            cell(self.stage.as_str())
        );
        if let Some(symptom) = self.symptom {
            let _ = writeln!(
                text,
                "Symptom: **{}**: {}.\n",
                cell(symptom.name),
                symptom.meaning
            );
        }
        if self.findings.is_empty() {
            text.push_str("Nothing was found.\n");
        } else {
            text.push_str("| | Finding | Looked at | Found | Confidence | Next step |\n|---|---|---|---|---|---|\n");
        }
        for finding in &self.findings {
            let _ = writeln!(
                text,
                "| {} | **{}** {} | {} | {} | {} | {} |",
                finding.severity.name(),
                finding.id,
                cell(&finding.title),
                cell(&finding.looked_at),
                cell(&finding.found),
                finding.confidence.name(),
                cell(&finding.next_step)
            );
        }
        self.add_markdown_of_the_rest(&mut text);
        text
    }

    /// Adds the checks that found nothing, and what could not be read.
    fn add_markdown_of_the_rest(&self, text: &mut String) {
        let ids = |checks: &[super::report::CheckSummary]| {
            checks
                .iter()
                .map(|one| one.id)
                .collect::<Vec<_>>()
                .join(", ")
        };
        if !self.healthy.is_empty() {
            let _ = writeln!(text, "\nHealthy: {}\n", ids(&self.healthy));
        }
        if !self.incomplete.is_empty() {
            let _ = writeln!(
                text,
                "Not known, or only in part: {}\n",
                ids(&self.incomplete)
            );
        }
        for (question, checks) in self.open_questions() {
            let _ = writeln!(
                text,
                "- {}: {}; needed: {}",
                checks.join(", "),
                cell(&question.unknown),
                cell(&question.remedy)
            );
        }
        for one in &self.unread {
            let permission = one
                .permission
                .as_ref()
                .map(|permission| format!(" (needs `{permission}`)"));
            let _ = writeln!(
                text,
                "- {}: {}{}",
                one.part.name(),
                cell(&one.message),
                permission.unwrap_or_default()
            );
        }
    }
}

/// Returns a text as the cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

/// Replaces IDs of an account in a text: each by a word that is the same wherever the ID stands. Names stay.
#[derive(Debug, Default)]
pub struct IdMask {
    words: BTreeMap<String, String>,
}

impl IdMask {
    /// Creates a mask for the IDs of a report.
    pub fn new(report: &DoctorReport) -> Self {
        let mut mask = IdMask::default();
        mask.hide(report.api.id.as_str(), "API_ID");
        mask
    }

    fn hide(&mut self, id: &str, word: &str) {
        if !id.is_empty() {
            self.words.insert(id.to_owned(), word.to_owned());
        }
    }

    /// Masks the IDs: those of the API, of the account, of deployments, connections, VPCs and their endpoints.
    pub fn apply(&mut self, text: &str) -> String {
        let mut result = String::new();
        let mut word = String::new();
        let mut before = String::new();
        for c in text.chars().chain(['\n']) {
            if c.is_ascii_alphanumeric() || c == '=' || c == '-' || c == '_' {
                word.push(c);
                continue;
            }
            if !word.is_empty() {
                self.learn(&word, &before);
                result.push_str(self.words.get(&word).unwrap_or(&word));
                before = std::mem::take(&mut word);
            }
            result.push(c);
        }
        result.pop();
        result
    }

    /// Adds a word to the mask if it is an ID. `before` is the word in front of it.
    fn learn(&mut self, word: &str, before: &str) {
        if self.words.contains_key(word) {
            return;
        }
        let is_account = word.len() == 12 && word.bytes().all(|byte| byte.is_ascii_digit());
        let kind = if is_account {
            "ACCOUNT_ID"
        } else if word.starts_with("vpce-") {
            "VPC_ENDPOINT_ID"
        } else if word.starts_with("vpc-") {
            "VPC_ID"
        } else if is_deployment(word, before) {
            "DEPLOYMENT_ID"
        } else if word.len() >= 14 && word.ends_with('=') {
            "CONNECTION_ID"
        } else {
            return;
        };
        let same = self
            .words
            .values()
            .filter(|known| known.starts_with(kind))
            .count();
        let name = match same {
            0 => kind.to_owned(),
            more => format!("{kind}_{}", more + 1),
        };
        self.words.insert(word.to_owned(), name);
    }
}

/// True for the ID of a deployment, which follows the word: letters and digits, at least one of them a digit.
fn is_deployment(word: &str, before: &str) -> bool {
    let is_id = word.len() >= 6
        && word
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        && word.bytes().any(|byte| byte.is_ascii_digit());
    is_id && matches!(before, "deployment" | "serves" | "names")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_masked_and_names_stay() {
        let mut mask = IdMask::default();
        mask.hide("a1b2c3d4e5", "API_ID");
        let masked = mask.apply(
            "role arn:aws:iam::111122223333:role/chat-dev and API a1b2c3d4e5: it serves deployment x7y8z9, and names q1w2e3; \
             111122223333 444455556666 vpc-0a1b vpce-9z8y dkLJXcbuoAMCJCQ= chat-dev",
        );
        assert_eq!(
            masked,
            "role arn:aws:iam::ACCOUNT_ID:role/chat-dev and API API_ID: it serves deployment DEPLOYMENT_ID, and names \
             DEPLOYMENT_ID_2; ACCOUNT_ID ACCOUNT_ID_2 VPC_ID VPC_ENDPOINT_ID CONNECTION_ID chat-dev"
        );
    }
}
