//! What a deployment says of itself: `stackgen sha256:… git:… env:…`.

use std::fmt;

use serde::Serialize;
use stackgen_model::SnapshotDigest;

use crate::Deployment;

/// The longest description that API Gateway takes.
const LONGEST: usize = 1024;

/// A mark of a deployment that did not answer as it should when it was tried.
const FAILED: &str = "verify:failed";

/// Who made a deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CreatedBy {
    /// `stackgen deploy --redeploy-stage`.
    Redeploy,
    /// CloudFormation, from a template that stackgen rendered.
    Template,
    /// API Gateway itself (row D4).
    AutoDeploy,
    /// Anybody else.
    Unknown,
}

/// What stackgen writes into the description of a deployment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeploymentMetadata {
    /// The digest of what it froze.
    pub digest: SnapshotDigest,
    /// The commit that was deployed, with `-dirty` when files differed; `none` outside of git. Templates say none.
    pub git: Option<String>,
    /// The environment of the stack.
    pub environment: Option<String>,
    /// Whether it did not answer as it should when it was tried.
    pub failed: bool,
}

impl DeploymentMetadata {
    /// Reads a description. Words that it does not know, their order and their spaces mean nothing; without the first
    /// word and a digest it is none of stackgen's.
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
        Some(DeploymentMetadata {
            digest: value("sha256:")?.parse().ok()?,
            git: value("git:").map(str::to_owned),
            environment: value("env:").map(str::to_owned),
            failed: words.contains(&FAILED),
        })
    }
}

/// The description itself, at most 1,024 characters long: what would not fit is left out as a whole.
impl fmt::Display for DeploymentMetadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = format!("stackgen sha256:{}", self.digest);
        let word = |key: &str, value: &Option<String>| {
            value
                .as_ref()
                .map(|value| format!(" {key}:{}", one_word(value)))
        };
        let failed = self.failed.then(|| format!(" {FAILED}"));
        let words = [
            failed,
            word("git", &self.git),
            word("env", &self.environment),
        ];
        for word in words.into_iter().flatten() {
            if text.chars().count() + word.chars().count() <= LONGEST {
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
    /// What stackgen wrote into it.
    pub fn label(&self) -> Option<DeploymentMetadata> {
        DeploymentMetadata::parse(self.description.as_deref()?)
    }

    /// Who made it. Templates name no commit, since they are the same on every machine.
    pub fn maker(&self) -> CreatedBy {
        match self.label() {
            _ if self.auto_deployed => CreatedBy::AutoDeploy,
            None => CreatedBy::Unknown,
            Some(label) if label.git.is_some() => CreatedBy::Redeploy,
            Some(_) => CreatedBy::Template,
        }
    }
}
