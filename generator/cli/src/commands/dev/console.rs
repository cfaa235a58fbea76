//! The project that `stackgen dev` runs, for the console.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;
use stackgen_deploy::{DeploymentMetadata, VerifyRecord};
use stackgen_gateway::ArnScope;
use stackgen_gateway::apis::Snapshot;
use stackgen_gateway::gateway::{ConsoleProject, DeploymentRecord, StageRedeploy, TokenPlace};
use stackgen_gateway::stack::StackTemplate;
use stackgen_lint::output::LintedFile;
use stackgen_lint::output::json::Findings;

use super::digest;
use crate::source::SourceArgs;
use crate::{git, lint_gate, rows};

/// Variable with the token of a caller, for the command that verifies a stage.
const TOKEN: &str = "STACKGEN_CONSOLE_TOKEN";

/// The project of this process.
#[derive(Debug)]
pub(super) struct DevProject {
    /// The file that users edit.
    pub(super) path: PathBuf,
    /// Flags that select the stack in other commands; `None` for a template, whose APIs are selected by ID.
    pub(super) stack: Option<Vec<OsString>>,
}

impl DevProject {
    /// Returns what the flags of the command select.
    pub(super) fn of(source: &SourceArgs) -> Self {
        let environment = source.environment.iter();
        let flags = environment.flat_map(|name| ["--env".into(), name.into()]);
        DevProject {
            path: source.path().to_owned(),
            stack: source.template.is_none().then(|| flags.collect()),
        }
    }
}

impl ConsoleProject for DevProject {
    fn explain_row(&self, id: &str) -> Option<String> {
        rows::explanation(id)
    }

    fn findings(&self, template: &StackTemplate) -> Value {
        // A template that runs can be parsed.
        let Ok(linted) = lint_gate::lint_text(&template.file, &template.text) else {
            return Value::Array(Vec::new());
        };
        let mut findings = serde_json::to_value(Findings::of([&linted])).unwrap_or_default();
        let lines: Vec<_> = template.text.lines().collect();
        let hidden: BTreeSet<_> = hidden_lines(&linted).collect();
        // A template of one line, as that of a Terraform configuration is, would show all its values with a finding, also secrets.
        let has_lines = lines.len() > 1;
        for finding in findings.as_array_mut().into_iter().flatten() {
            if !has_lines {
                for field in ["line", "column", "endLine", "endColumn", "text"] {
                    finding[field] = Value::Null;
                }
                continue;
            }
            let line = finding["line"]
                .as_u64()
                .filter(|line| !hidden.contains(line));
            let at = line.and_then(|line| usize::try_from(line).ok()?.checked_sub(1));
            finding["text"] = at.and_then(|at| lines.get(at).copied()).into();
        }
        findings
    }

    fn digest(&self, snapshot: &Snapshot, scope: &ArnScope) -> String {
        digest::digest(snapshot, scope)
    }

    fn commit(&self) -> Option<String> {
        Some(git::commit(&self.path)).filter(|commit| commit != git::NONE)
    }

    fn record(&self, description: &str) -> Option<DeploymentRecord> {
        let metadata = DeploymentMetadata::parse(description)?;
        Some(DeploymentRecord {
            digest: Some(metadata.digest.to_string()),
            commit: metadata.git.filter(|commit| commit != git::NONE),
            verification: metadata.verification.map(|record| match record {
                VerifyRecord::Verified { at, callers } => {
                    format!("verified {at} by {}", callers.join(", "))
                }
                VerifyRecord::Failed { .. } => "failed verification".to_owned(),
            }),
        })
    }

    fn redeploy(&self, request: &StageRedeploy) -> Result<(), String> {
        let program = std::env::current_exe().map_err(|error| error.to_string())?;
        let mut command = Command::new(program);
        command.args(["deploy", "--redeploy-stage", "--local", "--json", "--file"]);
        command.arg(&self.path).stdin(Stdio::null());
        match &self.stack {
            Some(flags) => command.args(flags),
            None => command.args([
                "--api-id",
                request.api_id.as_str(),
                "--stage-name",
                request.stage.as_str(),
            ]),
        };
        if let Some(caller) = &request.caller {
            // A token in an argument would be in the list of processes.
            command.env(TOKEN, &caller.token);
            let value = format!("env:{TOKEN}");
            match &caller.place {
                TokenPlace::Query(name) => {
                    command.arg("--verify-query").arg(format!("{name}={value}"))
                }
                TokenPlace::Protocol(first) => {
                    if !first.is_empty() {
                        command
                            .arg("--verify-subprotocol")
                            .arg(format!("text:{first}"));
                    }
                    command.arg("--verify-subprotocol").arg(value)
                }
            };
        }
        let output = command.output().map_err(|error| error.to_string())?;
        match output.status.success() {
            true => Ok(()),
            false => Err(errors(&output.stdout)),
        }
    }
}

/// Returns the errors that a command printed as JSON, with their hints.
fn errors(output: &[u8]) -> String {
    let report: Value = serde_json::from_slice(output).unwrap_or_default();
    let errors = report["errors"].as_array().into_iter().flatten();
    let texts: Vec<_> = errors
        .map(|error| {
            let message = error["message"].as_str().unwrap_or_default();
            match error["hint"].as_str() {
                Some(hint) => format!("{message}; {hint}"),
                None => message.to_owned(),
            }
        })
        .collect();
    match texts.is_empty() {
        true => "the command that redeploys stages failed".to_owned(),
        false => texts.join("; "),
    }
}

/// Returns the lines that may contain a secret.
fn hidden_lines(linted: &LintedFile) -> impl Iterator<Item = u64> {
    let findings = linted.report.findings.iter();
    let locations = findings.map(|finding| &finding.location);
    let hidden = locations.filter(|location| location.hidden);
    hidden.map(|location| location.span.line.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_of_one_line_has_findings_without_their_text() {
        let project = DevProject {
            path: PathBuf::new(),
            stack: None,
        };
        let text = r#"{"Parameters":{"Pin":{"Type":"String","NoEcho":true,"Default":"never-shown"}},
            "Resources":{"Talk":{"Type":"AWS::ApiGatewayV2::Api","Properties":{"Name":"talk","ProtocolType":"WEBSOCKET"}}}}"#;
        let findings = |text: String| {
            let template = StackTemplate {
                file: "template.json".to_owned(),
                text,
                ..StackTemplate::default()
            };
            let findings = project.findings(&template);
            assert_ne!(findings, serde_json::json!([]));
            findings
        };
        assert!(findings(text.to_owned())[0]["text"].is_string());
        let minified = findings(text.replace('\n', ""));
        assert!(!minified.to_string().contains("never-shown"), "{minified}");
        assert_eq!(minified[0]["text"], Value::Null);
    }
}
