//! What is wrong with a template as a template.

use serde::Serialize;
use stackgen_cfn::Span;

/// What sort of problem it is, for whoever tells sorts apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ProblemKind {
    /// The template breaks the rules of its language.
    #[default]
    Template,
    /// A resource is named that its condition leaves out, as parameters have their defaults or what was given.
    LeftOut,
    /// SAM makes one logical id of two route keys, and one of the routes is lost.
    RouteKeysCollide,
    /// SAM makes no logical id of a route key, and refuses the template.
    RouteKeyRefused,
    /// What the model does not hold has no part in what apis are wired of: a layer, an event of another source.
    Aside,
}

/// Something that keeps the model from saying all there is to say. Reading goes on.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Problem {
    /// What is wrong, as a sentence without its full stop.
    pub message: String,
    /// What to do about it, when there is something to say.
    pub hint: Option<String>,
    /// Where; the default span when the template was built and not read.
    #[serde(skip)]
    pub span: Span,
    /// What sort of problem.
    #[serde(skip)]
    pub kind: ProblemKind,
}

impl Problem {
    /// A problem at a place.
    pub fn new(message: impl Into<String>, span: Span) -> Self {
        Problem {
            message: message.into(),
            hint: None,
            span,
            kind: ProblemKind::default(),
        }
    }

    /// The same problem with advice.
    #[must_use]
    pub fn with_hint(self, hint: impl Into<String>) -> Self {
        Problem {
            hint: Some(hint.into()),
            ..self
        }
    }

    /// The same problem, of that kind.
    #[must_use]
    pub(crate) fn of_kind(self, kind: ProblemKind) -> Self {
        Problem { kind, ..self }
    }
}
