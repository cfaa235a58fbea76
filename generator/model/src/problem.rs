//! Mistakes in a template.

use serde::Serialize;
use stackgen_cfn::Span;

/// Kind of a problem.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ProblemKind {
    /// The template violates the rules of its language.
    #[default]
    Template,
    /// A reference names a resource that its condition excludes, with the given or default parameters.
    ConditionIsFalse,
    /// SAM generates one logical ID for two route keys, so one of the routes is lost.
    RouteKeysCollide,
    /// SAM cannot generate a logical ID from a route key, and refuses the template.
    RouteKeyRefused,
    /// SAM refuses the template because of something else in a WebSocket API.
    SamRefused,
    /// The missing part has no effect on APIs: a layer, an event of another source.
    Unrelated,
}

/// A problem that leaves the model incomplete. Reading continues.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Problem {
    /// The message, without a full stop.
    pub message: String,
    /// The hint, if there is one.
    pub hint: Option<String>,
    /// The location; the default span if the template was built and not parsed.
    #[serde(skip)]
    pub span: Span,
    /// The kind.
    #[serde(skip)]
    pub kind: ProblemKind,
}

impl Problem {
    /// Creates a problem at a location.
    pub fn new(message: impl Into<String>, span: Span) -> Self {
        Problem {
            message: message.into(),
            hint: None,
            span,
            kind: ProblemKind::default(),
        }
    }

    /// Adds a hint.
    #[must_use]
    pub fn with_hint(self, hint: impl Into<String>) -> Self {
        Problem {
            hint: Some(hint.into()),
            ..self
        }
    }

    /// Sets the kind.
    #[must_use]
    pub(crate) fn of_kind(self, kind: ProblemKind) -> Self {
        Problem { kind, ..self }
    }
}
