//! What is wrong with a template as a template.

use serde::Serialize;
use stackgen_cfn::Span;

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
}

impl Problem {
    /// A problem at a place.
    pub fn new(message: impl Into<String>, span: Span) -> Self {
        Problem {
            message: message.into(),
            hint: None,
            span,
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
}
