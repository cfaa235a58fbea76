//! Sources of log lines, and their lines.

use std::sync::Arc;

use serde::Serialize;

use super::access_format::AccessFormat;

/// A log group of a stage.
#[derive(Clone, Debug)]
pub struct LogSource {
    /// Short name: `access`, `execution`, or the name of the function.
    pub name: String,
    /// Name of the log group.
    pub group: String,
    /// ARN of the log group, once it is known to exist.
    pub arn: Option<String>,
    /// Size of the stored events in bytes, once it is known.
    pub stored_bytes: Option<u64>,
    /// Days for which events are stored, if that is limited.
    pub retention_days: Option<u32>,
    /// Creation of the group, in milliseconds since 1970.
    pub created: Option<i64>,
    /// Kind of the lines.
    pub kind: SourceKind,
}

/// Kind of a source's lines.
#[derive(Clone, Debug)]
pub enum SourceKind {
    /// Access log of the stage, in the format that the stage sets.
    Access(AccessFormat),
    /// Execution log of the stage.
    Execution,
    /// Log of a function that only authorizes connections.
    Authorizer,
    /// Log of a function.
    Function,
    /// Log group that the user named.
    Named,
}

impl SourceKind {
    /// Returns the kind as a word.
    pub fn word(&self) -> &'static str {
        match self {
            SourceKind::Access(_) => "access",
            SourceKind::Execution => "execution",
            SourceKind::Authorizer => "authorizer",
            SourceKind::Function => "function",
            SourceKind::Named => "group",
        }
    }

    /// True for the log of a function: its streams are execution environments, which run one invocation at a time.
    pub(crate) fn is_function(&self) -> bool {
        matches!(
            self,
            SourceKind::Authorizer | SourceKind::Function | SourceKind::Named
        )
    }
}

/// A line of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// Index of the source.
    pub source: usize,
    /// Time of the event, in milliseconds since 1970.
    pub at: i64,
    /// Time at which CloudWatch Logs received it.
    pub ingested: i64,
    /// Log stream.
    pub stream: Arc<str>,
    /// The line.
    pub message: Box<str>,
}

/// Level of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "UPPERCASE")]
#[allow(missing_docs, reason = "the names are those of the logs")]
pub enum LineLevel {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
}

impl LineLevel {
    /// Parses a level, in any case and with the usual synonyms.
    pub fn parse(text: &str) -> Option<LineLevel> {
        let is = |names: &[&str]| names.iter().any(|name| text.eq_ignore_ascii_case(name));
        Some(match text {
            _ if is(&["error", "err", "fatal", "critical", "severe", "panic"]) => LineLevel::Error,
            _ if is(&["warn", "warning"]) => LineLevel::Warn,
            _ if is(&["info", "information", "notice"]) => LineLevel::Info,
            _ if is(&["debug", "fine"]) => LineLevel::Debug,
            _ if is(&["trace", "verbose"]) => LineLevel::Trace,
            _ => return None,
        })
    }

    /// Returns the level as a word of at most five letters.
    pub fn word(self) -> &'static str {
        match self {
            LineLevel::Trace => "TRACE",
            LineLevel::Debug => "DEBUG",
            LineLevel::Info => "INFO",
            LineLevel::Warn => "WARN",
            LineLevel::Error => "ERROR",
        }
    }
}
