//! Findings that were there when the linter came: kept in a file, and not told.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use stackgen_lint::output::property;
use stackgen_lint::{Finding, registry};

use super::selection::RuleSelection;
use crate::bounded;
use crate::error::CliError;
use crate::file;
use crate::write::{self, Written};

/// Grows when what is in the file changes its meaning.
const VERSION: u32 = 1;

/// What is the same when lines move.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct BaselineKey {
    /// The way from the baseline's folder, with `/`.
    file: String,
    rule: String,
    resource: Option<String>,
    /// The path of the property, with dots.
    property: String,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct BaselineFile {
    version: u32,
    findings: Vec<BaselineEntry>,
}

#[derive(Deserialize, Serialize)]
struct BaselineEntry {
    #[serde(flatten)]
    key: BaselineKey,
    count: usize,
}

/// The file, and how often each finding may be met before it is told.
#[derive(Clone, Debug, Default)]
pub(super) struct Baseline {
    path: PathBuf,
    known: BTreeMap<BaselineKey, usize>,
}

impl Baseline {
    /// # Errors
    ///
    /// If the file is none, or is not there although it need be.
    pub(super) fn read(path: &Path, may_be_missing: bool) -> Result<Self, CliError> {
        let refused = |why: String, hint: &str| {
            let message = format!("cannot read {} as a baseline: {why}", path.display());
            Err(CliError::input(message).hint(hint).file(path))
        };
        let again = "`--update-baseline` writes one; move this file away first";
        let empty = Baseline {
            path: path.to_owned(),
            known: BTreeMap::new(),
        };
        let text = match bounded::read(path, bounded::MAX_JSON) {
            Ok(text) => text,
            Err(error) if error.is_not_found() && may_be_missing => return Ok(empty),
            Err(error) if error.is_not_found() => {
                let message = format!("there is no {}", path.display());
                return Err(CliError::input(message)
                    .hint("`--update-baseline` writes it")
                    .file(path));
            }
            Err(error) => {
                return refused(
                    error.to_string(),
                    "name a file that `--update-baseline` wrote",
                );
            }
        };
        let document: BaselineFile = match serde_json::from_slice(&text) {
            Ok(document) => document,
            Err(error) => return refused(error.to_string(), again),
        };
        if document.version != VERSION {
            let why = format!(
                "its version is {}, and {VERSION} is known",
                document.version
            );
            return refused(why, again);
        }
        let entries = document.findings.into_iter();
        let known = entries.map(|entry| (entry.key, entry.count)).collect();
        Ok(Baseline { known, ..empty })
    }

    /// What a file is called in it.
    pub(super) fn name(&self, path: &Path) -> String {
        let folder = match self.path.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        };
        let way = file::way(folder, path);
        way.unwrap_or_else(|_| path.display().to_string())
    }

    /// Whether a finding is held, for who does not count.
    pub(super) fn holds(&self, finding: &Finding, file: &str) -> bool {
        self.known.contains_key(&key(finding, file))
    }

    /// Takes out what is held. What is left of the baseline afterwards was not met.
    pub(super) fn take(&mut self, findings: &mut Vec<Finding>, file: &str) -> usize {
        let all = findings.len();
        findings.retain(|finding| {
            let held = self.known.get_mut(&key(finding, file));
            match held {
                Some(count) if *count > 0 => {
                    *count -= 1;
                    false
                }
                _ => true,
            }
        });
        all - findings.len()
    }

    /// What was not met and could have been: the rule is judged by, and the file was read or is gone.
    pub(super) fn stale(&self, files: &BTreeSet<String>, selection: &RuleSelection) -> Vec<String> {
        let left = self.known.iter().filter(|(_, count)| **count > 0);
        let left = left.filter(|(key, _)| self.is_about(key, files, selection));
        left.map(|(key, _)| key.shown()).collect()
    }

    /// What it is to hold instead: these findings, and what it holds of files and rules that were left out.
    pub(super) fn update<'f>(
        &mut self,
        findings: impl Iterator<Item = (&'f str, &'f Finding)>,
        files: &BTreeSet<String>,
        selection: &RuleSelection,
    ) {
        let known = std::mem::take(&mut self.known);
        let kept = known.into_iter();
        let kept = kept.filter(|(key, _)| !self.is_about(key, files, selection));
        let mut known: BTreeMap<_, _> = kept.collect();
        for (file, finding) in findings {
            *known.entry(key(finding, file)).or_insert(0) += 1;
        }
        self.known = known;
    }

    fn is_about(
        &self,
        key: &BaselineKey,
        files: &BTreeSet<String>,
        selection: &RuleSelection,
    ) -> bool {
        let rule = registry::find(&key.rule);
        let folder = self.path.parent().unwrap_or(Path::new(""));
        rule.is_none_or(|rule| selection.has(rule))
            && (files.contains(&key.file) || !folder.join(&key.file).exists())
    }

    /// Its path and its text, in the order of the files.
    fn file(&self) -> Result<(PathBuf, String), CliError> {
        let entries = self.known.iter().map(|(key, count)| BaselineEntry {
            key: key.clone(),
            count: *count,
        });
        let document = BaselineFile {
            version: VERSION,
            findings: entries.collect(),
        };
        let text = serde_json::to_string_pretty(&document)
            .map_err(|error| CliError::failed(format!("cannot write JSON: {error}")))?;
        Ok((self.path.clone(), text + "\n"))
    }

    /// Writes it.
    pub(super) fn write(&self) -> Result<Written, CliError> {
        let written = write::write_all(&[self.file()?])?;
        Ok(written.first().copied().unwrap_or(Written::Unchanged))
    }

    /// How many findings it holds.
    pub(super) fn len(&self) -> usize {
        self.known.values().sum()
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl BaselineKey {
    fn shown(&self) -> String {
        let mut text = self.rule.clone();
        if let Some(resource) = &self.resource {
            text = format!("{text} {resource}");
            if !self.property.is_empty() {
                text = format!("{text}.{}", self.property);
            }
        }
        format!("{text} in {}", self.file)
    }
}

fn key(finding: &Finding, file: &str) -> BaselineKey {
    BaselineKey {
        file: file.to_owned(),
        rule: finding.rule.id.to_owned(),
        resource: finding.place.resource.as_ref().map(ToString::to_string),
        property: property(finding),
    }
}
