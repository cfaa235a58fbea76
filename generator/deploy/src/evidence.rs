//! The evidence of a verification: callers, the answers that they got, and the judgements.

use std::fmt;

use serde::Serialize;

/// A caller that a stage is verified as. The [`StageClient`](crate::StageClient) knows by its name what it sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallerProfile {
    /// The name: letters, digits, hyphens and underscores.
    pub name: String,
    /// True if it has credentials, so that an authorizer that refuses it is wrong.
    pub has_credentials: bool,
    /// The expected status. `None` expects 101 of a WebSocket API, and any answer of the integration of an HTTP API.
    pub status: Option<u16>,
    /// The path of a request to an HTTP API, if the caller declares none.
    pub path: Option<String>,
}

impl CallerProfile {
    /// A caller without credentials.
    pub fn anonymous() -> Self {
        CallerProfile {
            name: "anonymous".to_owned(),
            has_credentials: false,
            status: None,
            path: None,
        }
    }
}

/// The answer to a handshake with a WebSocket API, or to a request to an HTTP API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum HandshakeAnswer {
    /// The status of the answer. It is 101 if a WebSocket was opened.
    Answered(u16),
    /// The reason why no answer came.
    Unanswered(String),
    /// A WebSocket was opened, but the expected message did not arrive.
    Unmet(String),
}

/// The judgement of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Judgement {
    /// The integration answered as expected.
    Verified,
    /// The authorizer, IAM or an API key refused the caller, so the integration did not run.
    AuthorizerOnly,
    /// The answer was not the expected one.
    Failed,
}

/// An answer, and its judgement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct VerifyAttempt {
    /// The name of the caller.
    pub caller: String,
    /// The answer.
    #[serde(flatten)]
    pub answer: HandshakeAnswer,
    /// The judgement.
    pub judgement: Judgement,
    /// An explanation of the answer.
    pub meaning: String,
}

/// All answers of a verification.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct VerifyEvidence {
    /// The URL of the stage.
    pub url: String,
    /// Every handshake or request, in order.
    #[serde(rename = "handshakes")]
    pub attempts: Vec<VerifyAttempt>,
    /// The meaning of the answer that decided.
    pub meaning: String,
}

impl fmt::Display for VerifyEvidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let attempts = match self.attempts.len() {
            1 => "1 attempt".to_owned(),
            many => format!("{many} attempts"),
        };
        write!(f, "{} ({attempts})", self.meaning)
    }
}
