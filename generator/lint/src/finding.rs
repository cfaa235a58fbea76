//! A finding: the mistake, its location, its severity and its fix.

use serde::{Deserialize, Serialize};
use stackgen_cfn::Span;
use stackgen_model::{LogicalId, Resource};

use crate::{Fix, Rule};

/// Severity of a mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Worth knowing; nothing fails.
    Note,
    /// Works and causes trouble later: in an incident, on a redeployment, or in security.
    Warning,
    /// Does not deploy or does not work as intended.
    Error,
}

/// Confidence in a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Confidence {
    /// Something is unknown; the finding names it.
    Low,
    /// The template supports the finding, but may not show a reason against it.
    Medium,
    /// The template leaves no doubt.
    High,
}

/// A mistake at a location.
#[derive(Clone, Debug)]
pub struct Finding {
    /// Rule that found it.
    pub rule: &'static Rule,
    /// Severity of the rule, or a note if the confidence is low.
    pub severity: Severity,
    /// Confidence of the rule, or lower.
    pub confidence: Confidence,
    /// Description of the mistake: a sentence without a full stop.
    pub message: String,
    /// Location of the mistake.
    pub location: Location,
    /// Other locations that explain it.
    pub related: Vec<Related>,
    /// Advice.
    pub hint: Option<String>,
    /// Fix that `--fix` applies.
    pub fix: Option<Fix>,
}

/// A property of a resource, or a part of the template outside resources.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Location {
    /// Logical ID of the resource.
    pub resource: Option<LogicalId>,
    /// Path of the property below `Properties`, or the section of the template: `["Target"]`.
    pub path: Vec<String>,
    /// Span in the file, or that of the nearest parent; the default span in a template that was not read from a file.
    pub span: Span,
    /// True if reports must not show the line, because it may contain a secret.
    pub hidden: bool,
}

/// Another location of a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Related {
    /// The location.
    pub location: Location,
    /// A few words that are shown at the location.
    pub label: String,
}

impl Location {
    /// Returns the location of a property, or of the resource if the path is empty. An absent property has the location
    /// of its parent.
    pub fn of(resource: &Resource, path: &[&str]) -> Location {
        Location {
            resource: Some(resource.logical_id.clone()),
            path: path.iter().map(|&part| part.to_owned()).collect(),
            span: match path {
                [] => resource.span,
                path => resource.location(path),
            },
            hidden: false,
        }
    }

    /// Returns the location of a property's key, instead of the first line of its value.
    pub(crate) fn of_key(resource: &Resource, path: &[&str]) -> Location {
        let location = Location::of(resource, path);
        let key = path.split_last().and_then(|(last, owner)| {
            let owner = resource.node(owner)?.as_map()?;
            Some(owner.entry(last)?.key_span)
        });
        match key.filter(|span| span.file.is_some()) {
            Some(span) => Location { span, ..location },
            None => location,
        }
    }

    /// Returns a location outside resources.
    pub fn at(span: Span) -> Location {
        Location {
            span,
            ..Location::default()
        }
    }

    /// Hides the line of this location in reports.
    #[must_use]
    pub fn hidden(self) -> Location {
        Location {
            hidden: true,
            ..self
        }
    }
}

impl Finding {
    /// Creates a finding of a rule.
    pub fn new(rule: &'static Rule, location: Location, message: impl Into<String>) -> Finding {
        Finding {
            rule,
            severity: rule.severity,
            confidence: rule.confidence,
            message: message.into(),
            location,
            related: Vec::new(),
            hint: None,
            fix: None,
        }
    }

    /// Adds another location.
    #[must_use]
    pub fn related(mut self, location: Location, label: impl Into<String>) -> Finding {
        let label = label.into();
        self.related.push(Related { location, label });
        self
    }

    /// Sets the hint.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Finding {
        Finding {
            hint: Some(hint.into()),
            ..self
        }
    }

    /// Sets the fix, if there is one.
    #[must_use]
    pub fn fix(self, fix: Option<Fix>) -> Finding {
        debug_assert!(
            fix.is_none() || self.rule.fixable,
            "{} is not fixable",
            self.rule.id
        );
        Finding { fix, ..self }
    }

    /// Lowers the confidence. With low confidence the finding is a note.
    #[must_use]
    pub fn with_confidence(self, confidence: Confidence) -> Finding {
        let severity = match confidence {
            Confidence::Low => Severity::Note,
            _ => self.severity,
        };
        Finding {
            confidence: confidence.min(self.confidence),
            severity,
            ..self
        }
    }
}
