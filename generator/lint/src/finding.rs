//! What a rule has to say: what, where, why and how to fix it.

use serde::{Deserialize, Serialize};
use stackgen_cfn::Span;
use stackgen_model::{LogicalId, Resource};

use crate::{Fix, Rule};

/// How bad a mistake is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Worth knowing; nothing fails because of it.
    Note,
    /// It works, and it will hurt: in an incident, in a redeployment, in security.
    Warning,
    /// It does not deploy, or does not do what it is there for.
    Error,
}

/// How sure a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Confidence {
    /// The template does not tell all; the finding says what is not known.
    Low,
    /// The template speaks for it, and there may be a reason that it does not show.
    Medium,
    /// The template leaves no doubt.
    High,
}

/// A mistake at a place.
#[derive(Clone, Debug)]
pub struct Finding {
    /// What kind of mistake.
    pub rule: &'static Rule,
    /// The rule's; a finding of low confidence is a note.
    pub severity: Severity,
    /// The rule's, or less.
    pub confidence: Confidence,
    /// What is wrong here, as a sentence without its full stop.
    pub message: String,
    /// Where.
    pub place: Place,
    /// Other places that make it a mistake.
    pub related: Vec<Related>,
    /// What to do about it here.
    pub hint: Option<String>,
    /// What `--fix` does about it.
    pub fix: Option<Fix>,
}

/// A property of a resource, or something of the template that is in no resource.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The resource.
    pub resource: Option<LogicalId>,
    /// The path of the property under `Properties`, or the section of the template: `["Target"]`.
    pub path: Vec<String>,
    /// Where it stands, or the nearest thing around it; the default span in a template that was rendered and not read.
    pub span: Span,
    /// True when what stands there is not to be shown: a report names the place and leaves its line out.
    pub hidden: bool,
}

/// Another place, and what it has to do with the finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Related {
    /// Where.
    pub place: Place,
    /// A few words that are shown beside it.
    pub label: String,
}

impl Place {
    /// A property of a resource, given its path; the resource itself for an empty path. A property that is absent has
    /// the place of what it is absent from.
    pub fn of(resource: &Resource, path: &[&str]) -> Place {
        Place {
            resource: Some(resource.logical_id.clone()),
            path: path.iter().map(|&part| part.to_owned()).collect(),
            span: match path {
                [] => resource.span,
                path => resource.location(path),
            },
            hidden: false,
        }
    }

    /// The key of a property whose value is a mapping, rather than the first line of that.
    pub(crate) fn of_key(resource: &Resource, path: &[&str]) -> Place {
        let place = Place::of(resource, path);
        let key = path.split_last().and_then(|(last, owner)| {
            let owner = resource.node(owner)?.as_map()?;
            Some(owner.entry(last)?.key_span)
        });
        match key.filter(|span| span.file.is_some()) {
            Some(span) => Place { span, ..place },
            None => place,
        }
    }

    /// A stretch of the template that belongs to no resource.
    pub fn at(span: Span) -> Place {
        Place {
            span,
            ..Place::default()
        }
    }

    /// The same place, whose line no report shows: a secret stands there.
    #[must_use]
    pub fn hidden(self) -> Place {
        Place {
            hidden: true,
            ..self
        }
    }
}

impl Finding {
    /// A finding of a rule.
    pub fn new(rule: &'static Rule, place: Place, message: impl Into<String>) -> Finding {
        Finding {
            rule,
            severity: rule.severity,
            confidence: rule.confidence,
            message: message.into(),
            place,
            related: Vec::new(),
            hint: None,
            fix: None,
        }
    }

    /// With another place.
    #[must_use]
    pub fn related(mut self, place: Place, label: impl Into<String>) -> Finding {
        let label = label.into();
        self.related.push(Related { place, label });
        self
    }

    /// With what to do.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Finding {
        Finding {
            hint: Some(hint.into()),
            ..self
        }
    }

    /// With what `--fix` does, if it can be done here.
    #[must_use]
    pub fn fix(self, fix: Option<Fix>) -> Finding {
        debug_assert!(
            fix.is_none() || self.rule.fixable,
            "{} is not fixable",
            self.rule.id
        );
        Finding { fix, ..self }
    }

    /// With less confidence than the rule has. Of low confidence, it is a note.
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
