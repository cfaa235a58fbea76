//! Baselines: files of known findings, which are not reported.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use stackgen_lint::output::property;
use stackgen_lint::{Finding, registry};

use super::selection::RuleSelection;
use crate::bounded;
use crate::error::CliError;
use crate::file;
use crate::write::{self, Written};

/// Version of the file's format.
const VERSION: u32 = 1;

/// Identity of a finding, which stays the same when lines move.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct BaselineKey {
    /// Path from the baseline's folder, with `/`.
    file: String,
    rule: String,
    resource: Option<String>,
    /// Path of the property, with dots.
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

/// A baseline: the number of known findings by identity.
#[derive(Clone, Debug, Default)]
pub(super) struct Baseline {
    path: PathBuf,
    known: BTreeMap<BaselineKey, usize>,
}

impl Baseline {
    /// Reads a baseline.
    ///
    /// # Errors
    ///
    /// If the file is not a baseline, or is missing and must not be.
    pub(super) fn read(path: &Path, may_be_missing: bool) -> Result<Self, CliError> {
        let refused = |why: String, hint: &str| {
            let message = format!("cannot read the baseline {}: {why}", path.display());
            Err(CliError::input(message).hint(hint).file(path))
        };
        let recreate = "move this file away, and create one with `--update-baseline`";
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
                    .hint("create it with `--update-baseline`")
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
            Err(error) => return refused(error.to_string(), recreate),
        };
        if document.version != VERSION {
            let why = format!(
                "its version is {}, but this stackgen reads version {VERSION}",
                document.version
            );
            return refused(why, recreate);
        }
        let entries = document.findings.into_iter();
        let known = entries.map(|entry| (entry.key, entry.count)).collect();
        Ok(Baseline { known, ..empty })
    }

    /// Returns the name of a file in the baseline.
    pub(super) fn name(&self, path: &Path) -> String {
        let folder = match self.path.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        };
        let relative = file::relative_path(folder, path);
        relative.unwrap_or_else(|_| path.display().to_string())
    }

    /// Returns true if the baseline has a finding, however often.
    pub(super) fn contains(&self, finding: &Finding, file: &str) -> bool {
        self.known.contains_key(&key(finding, file))
    }

    /// Removes known findings, and returns their number. The entries that remain in the baseline were not found.
    pub(super) fn remove_known(&mut self, findings: &mut Vec<Finding>, file: &str) -> usize {
        let all = findings.len();
        findings.retain(|finding| {
            let known = self.known.get_mut(&key(finding, file));
            match known {
                Some(count) if *count > 0 => {
                    *count -= 1;
                    false
                }
                _ => true,
            }
        });
        all - findings.len()
    }

    /// Returns entries that were not found although their rule was applied and their file was read or is gone.
    pub(super) fn stale(&self, files: &BTreeSet<String>, selection: &RuleSelection) -> Vec<String> {
        let unmet = self.known.iter().filter(|(_, count)| **count > 0);
        let stale = unmet.filter(|(key, _)| self.covers(key, files, selection));
        stale.map(|(key, _)| key.to_string()).collect()
    }

    /// Replaces the entries by findings. Entries of files and rules that were left out stay.
    pub(super) fn update<'f>(
        &mut self,
        findings: impl Iterator<Item = (&'f str, &'f Finding)>,
        files: &BTreeSet<String>,
        selection: &RuleSelection,
    ) {
        let known = std::mem::take(&mut self.known);
        let others = known.into_iter();
        let others = others.filter(|(key, _)| !self.covers(key, files, selection));
        let mut known: BTreeMap<_, _> = others.collect();
        for (file, finding) in findings {
            *known.entry(key(finding, file)).or_insert(0) += 1;
        }
        self.known = known;
    }

    /// Returns true if the run would have found the entry.
    fn covers(
        &self,
        key: &BaselineKey,
        files: &BTreeSet<String>,
        selection: &RuleSelection,
    ) -> bool {
        let rule = registry::find(&key.rule);
        let folder = self.path.parent().unwrap_or(Path::new(""));
        rule.is_none_or(|rule| selection.includes(rule))
            && (files.contains(&key.file) || !folder.join(&key.file).exists())
    }

    /// Returns path and text, in the order of the files.
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

    /// Writes the file.
    pub(super) fn write(&self) -> Result<Written, CliError> {
        let written = write::write_all(&[self.file()?])?;
        Ok(written.first().copied().unwrap_or(Written::Unchanged))
    }

    /// Returns the number of findings.
    pub(super) fn len(&self) -> usize {
        self.known.values().sum()
    }

    /// Returns the path.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl fmt::Display for BaselineKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rule)?;
        if let Some(resource) = &self.resource {
            write!(f, " {resource}")?;
            if !self.property.is_empty() {
                write!(f, ".{}", self.property)?;
            }
        }
        write!(f, " in {}", self.file)
    }
}

fn key(finding: &Finding, file: &str) -> BaselineKey {
    BaselineKey {
        file: file.to_owned(),
        rule: finding.rule.id.to_owned(),
        resource: finding.location.resource.as_ref().map(ToString::to_string),
        property: property(finding),
    }
}
