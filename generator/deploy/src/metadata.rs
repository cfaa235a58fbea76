//! The description of a deployment as stackgen writes and reads it:
//! `stackgen sha256:… format:2 digest:1 tried:… by:… run:… previous:… git:… env:… account:… calls:…`.

use std::fmt;

use serde::Serialize;
use stackgen_model::SnapshotDigest;
use time::OffsetDateTime;

use crate::timestamp::iso8601;
use crate::{CalledVersion, DeploymentId, DeploymentInfo};

/// The longest description that API Gateway accepts, in characters.
const LONGEST: usize = 1024;

/// The format version. Version 1 has no `format:`, `tried:`, `by:`, `failed:` and `previous:`.
const FORMAT: u32 = 2;

/// The record of a failed verification in version 1.
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
    /// Another tool, or a newer stackgen with a description that this one cannot read.
    Unknown,
}

/// The record of a deployment's last verification.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", tag = "result")]
pub enum VerifyRecord {
    /// Every caller got the expected answer, and at least one reached the integration of `$connect`.
    #[serde(rename = "passed")]
    Verified {
        /// The time in ISO 8601.
        at: String,
        /// The names of the callers.
        callers: Vec<String>,
    },
    /// A caller got an unexpected answer.
    Failed {
        /// The time in ISO 8601. Version 1 does not record it.
        at: Option<String>,
    },
}

impl VerifyRecord {
    /// Returns the record of a verification that passed.
    pub fn verified<'a>(at: OffsetDateTime, callers: impl IntoIterator<Item = &'a str>) -> Self {
        VerifyRecord::Verified {
            at: iso8601(at),
            callers: callers.into_iter().map(one_word).collect(),
        }
    }

    /// Returns the record of a verification that failed.
    pub fn failed(at: OffsetDateTime) -> Self {
        VerifyRecord::Failed {
            at: Some(iso8601(at)),
        }
    }
}

/// The content of a deployment's description.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeploymentMetadata {
    /// The format version.
    pub format: u32,
    /// The digest of the snapshot.
    pub digest: SnapshotDigest,
    /// The commit, with `-dirty` if files differed from it; `none` outside of git. Templates name no commit.
    pub git: Option<String>,
    /// The environment of the stack.
    pub environment: Option<String>,
    /// A word that no other run has. It identifies a deployment whose CreateDeployment got no answer.
    pub run: Option<String>,
    /// The deployment that the stage served when this one was created.
    pub previous: Option<DeploymentId>,
    /// The digest of the account's wiring, if it differs: a template names versions, roles and parameters by logical IDs.
    #[serde(skip)]
    pub account: Option<SnapshotDigest>,
    /// The function versions that it calls; `None` if they are not known.
    #[serde(skip)]
    pub calls: Option<Vec<CalledVersion>>,
    /// The last verification.
    #[serde(rename = "trial")]
    pub verification: Option<VerifyRecord>,
}

impl DeploymentMetadata {
    /// Returns the metadata of a new deployment, which is not verified yet.
    pub fn new(digest: SnapshotDigest) -> Self {
        DeploymentMetadata {
            format: FORMAT,
            digest,
            git: None,
            environment: None,
            run: None,
            previous: None,
            account: None,
            calls: None,
            verification: None,
        }
    }

    /// Parses a description. Unknown words, order and white space do not matter. Returns `None` for a description that
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
        let verified = value("tried:").map(|at| VerifyRecord::Verified {
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
            account: value("account:").and_then(|digest| digest.parse().ok()),
            calls: value("calls:")
                .and_then(|all| all.split(',').map(CalledVersion::parse).collect()),
            verification: failed.map(|at| VerifyRecord::Failed { at }).or(verified),
        })
    }

    /// True if this is the digest of the deployment, in the template or in the account.
    pub fn has_digest(&self, digest: &SnapshotDigest) -> bool {
        self.digest == *digest || self.account.as_ref() == Some(digest)
    }

    /// True if the last verification failed.
    pub fn is_failed(&self) -> bool {
        matches!(self.verification, Some(VerifyRecord::Failed { .. }))
    }

    /// True if the last verification passed.
    pub fn is_verified(&self) -> bool {
        matches!(self.verification, Some(VerifyRecord::Verified { .. }))
    }
}

/// The description, at most 1,024 characters. A word that does not fit is left out.
impl fmt::Display for DeploymentMetadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut words = vec![
            format!("format:{FORMAT}"),
            format!("digest:{}", SnapshotDigest::VERSION),
        ];
        match &self.verification {
            Some(VerifyRecord::Verified { at, callers }) => {
                words.push(format!("tried:{}", one_word(at)));
                if !callers.is_empty() {
                    words.push(format!("by:{}", one_word(&callers.join(","))));
                }
            }
            Some(VerifyRecord::Failed { at: Some(at) }) => {
                words.push(format!("failed:{}", one_word(at)));
            }
            Some(VerifyRecord::Failed { at: None }) => words.push(FAILED_V1.to_owned()),
            None => {}
        }
        let account = self.account.as_ref().map(ToString::to_string);
        let calls = self.calls.as_deref().filter(|calls| !calls.is_empty());
        let calls = calls.map(|calls| {
            let calls: Vec<_> = calls.iter().map(ToString::to_string).collect();
            calls.join(",")
        });
        let optional = [
            ("run", self.run.as_deref()),
            ("previous", self.previous.as_ref().map(DeploymentId::as_str)),
            ("git", self.git.as_deref()),
            ("env", self.environment.as_deref()),
            ("account", account.as_deref()),
            // The last one: it is the longest.
            ("calls", calls.as_deref()),
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

impl DeploymentInfo {
    /// Parses the description.
    pub fn metadata(&self) -> Option<DeploymentMetadata> {
        DeploymentMetadata::parse(self.description.as_deref()?)
    }

    /// Returns the origin. Only a redeploy names a commit: templates are the same on every machine.
    pub fn created_by(&self) -> CreatedBy {
        match self.metadata() {
            _ if self.auto_deployed => CreatedBy::AutoDeploy,
            None => CreatedBy::Unknown,
            Some(metadata) if metadata.git.is_some() => CreatedBy::Redeploy,
            Some(_) => CreatedBy::Template,
        }
    }
}
