//! The description of a deployment as stackgen writes and reads it:
//! `stackgen sha256:… format:2 digest:1 tried:… by:… run:… previous:… git:… env:…`.

use std::fmt;

use serde::Serialize;
use stackgen_model::SnapshotDigest;

use crate::{Deployment, DeploymentId, Timestamp};

/// The longest description that API Gateway takes, in characters.
const LONGEST: usize = 1024;

/// The version of the words in a description. Version 1 has no `format:`, `tried:`, `by:`, `failed:` and `previous:`.
const FORMAT: u32 = 2;

/// The mark of a failed trial in version 1.
const FAILED_V1: &str = "verify:failed";

/// The origin of a deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CreatedBy {
    /// `stackgen deploy --redeploy-stage`.
    Redeploy,
    /// CloudFormation, from a template that stackgen rendered.
    Template,
    /// API Gateway itself (row D4).
    AutoDeploy,
    /// Another tool, or a newer stackgen whose description this one cannot read.
    Unknown,
}

/// The result of the last trial of a deployment that served a stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", tag = "result")]
pub enum TrialResult {
    /// Every caller got the answer that was expected, and one got through to the integration of `$connect`.
    Passed {
        /// The time of the trial, in ISO 8601.
        at: String,
        /// The names of the callers.
        callers: Vec<String>,
    },
    /// A caller got another answer.
    Failed {
        /// The time of the trial, in ISO 8601; not recorded in version 1.
        at: Option<String>,
    },
}

impl TrialResult {
    /// A trial that passed.
    pub fn passed<'a>(at: Timestamp, callers: impl IntoIterator<Item = &'a str>) -> Self {
        TrialResult::Passed {
            at: at.to_string(),
            callers: callers.into_iter().map(one_word).collect(),
        }
    }

    /// A trial that failed.
    pub fn failed(at: Timestamp) -> Self {
        TrialResult::Failed {
            at: Some(at.to_string()),
        }
    }
}

/// The facts that stackgen writes into the description of a deployment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeploymentMetadata {
    /// The version of the description's words.
    pub format: u32,
    /// The digest of the snapshot.
    pub digest: SnapshotDigest,
    /// The commit, with `-dirty` if files differed from it; `none` outside of git. Templates name no commit.
    pub git: Option<String>,
    /// The environment of the stack.
    pub environment: Option<String>,
    /// A word that no other run has: what it made is found again if an answer is lost.
    pub run: Option<String>,
    /// The deployment that the stage served when this one was made.
    pub previous: Option<DeploymentId>,
    /// The last trial; `None` if it was never tried.
    pub trial: Option<TrialResult>,
}

impl DeploymentMetadata {
    /// Metadata of a new deployment, which was not tried yet.
    pub fn new(digest: SnapshotDigest) -> Self {
        DeploymentMetadata {
            format: FORMAT,
            digest,
            git: None,
            environment: None,
            run: None,
            previous: None,
            trial: None,
        }
    }

    /// Reads a description. Unknown words, order and white space do not matter. Returns `None` for a description that
    /// stackgen did not write, and for one in a newer format or with a digest of another version.
    pub fn parse(description: &str) -> Option<DeploymentMetadata> {
        let mut words = description.split_whitespace();
        if words.next() != Some("stackgen") {
            return None;
        }
        let words: Vec<&str> = words.collect();
        let value = |key: &str| {
            let found = words.iter().find_map(|word| word.strip_prefix(key));
            found.filter(|value| !value.is_empty())
        };
        let version = |key: &str| value(key).map_or(Some(1), |version| version.parse().ok());
        let format = version("format:")?;
        if format > FORMAT || version("digest:")? != SnapshotDigest::VERSION {
            return None;
        }
        let failed = value("failed:").map(|at| Some(at.to_owned()));
        let failed = failed.or_else(|| words.contains(&FAILED_V1).then_some(None));
        let passed = value("tried:").map(|at| TrialResult::Passed {
            at: at.to_owned(),
            callers: value("by:")
                .map(|names| names.split(',').map(str::to_owned).collect())
                .unwrap_or_default(),
        });
        Some(DeploymentMetadata {
            format,
            digest: value("sha256:")?.parse().ok()?,
            git: value("git:").map(str::to_owned),
            environment: value("env:").map(str::to_owned),
            run: value("run:").map(str::to_owned),
            previous: value("previous:").map(DeploymentId::new),
            trial: failed.map(|at| TrialResult::Failed { at }).or(passed),
        })
    }

    /// True if the last trial failed.
    pub fn failed(&self) -> bool {
        matches!(self.trial, Some(TrialResult::Failed { .. }))
    }

    /// True if the last trial passed.
    pub fn passed(&self) -> bool {
        matches!(self.trial, Some(TrialResult::Passed { .. }))
    }
}

/// The description itself, at most 1,024 characters. A word that does not fit is left out.
impl fmt::Display for DeploymentMetadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut words = vec![
            format!("format:{FORMAT}"),
            format!("digest:{}", SnapshotDigest::VERSION),
        ];
        match &self.trial {
            Some(TrialResult::Passed { at, callers }) => {
                words.push(format!("tried:{}", one_word(at)));
                if !callers.is_empty() {
                    words.push(format!("by:{}", one_word(&callers.join(","))));
                }
            }
            Some(TrialResult::Failed { at: Some(at) }) => {
                words.push(format!("failed:{}", one_word(at)));
            }
            Some(TrialResult::Failed { at: None }) => words.push(FAILED_V1.to_owned()),
            None => {}
        }
        let optional = [
            ("run", self.run.as_deref()),
            ("previous", self.previous.as_ref().map(DeploymentId::as_str)),
            ("git", self.git.as_deref()),
            ("env", self.environment.as_deref()),
        ];
        for (key, value) in optional {
            words.extend(value.map(|value| format!("{key}:{}", one_word(value))));
        }
        let mut text = format!("stackgen sha256:{}", self.digest);
        for word in words {
            if text.chars().count() + 1 + word.chars().count() <= LONGEST {
                text.push(' ');
                text.push_str(&word);
            }
        }
        f.write_str(&text)
    }
}

fn one_word(value: &str) -> String {
    value.split_whitespace().collect::<Vec<_>>().join("_")
}

impl Deployment {
    /// Returns what stackgen wrote into the description.
    pub fn metadata(&self) -> Option<DeploymentMetadata> {
        DeploymentMetadata::parse(self.description.as_deref()?)
    }

    /// Returns the origin. Templates name no commit, so that they are the same on every machine.
    pub fn created_by(&self) -> CreatedBy {
        match self.metadata() {
            _ if self.auto_deployed => CreatedBy::AutoDeploy,
            None => CreatedBy::Unknown,
            Some(metadata) if metadata.git.is_some() => CreatedBy::Redeploy,
            Some(_) => CreatedBy::Template,
        }
    }
}
