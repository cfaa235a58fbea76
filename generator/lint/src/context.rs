//! Input of a rule's check.

use stackgen_model::{Api, Model};

use crate::facts::Facts;

/// A template's model, its earlier revision and facts about both.
pub(crate) struct RuleContext<'a> {
    pub(crate) model: &'a Model,
    /// The template's earlier revision.
    pub(crate) previous: Option<&'a Model>,
    pub(crate) facts: Facts<'a>,
}

impl<'a> RuleContext<'a> {
    pub(crate) fn new(model: &'a Model, previous: Option<&'a Model>) -> RuleContext<'a> {
        RuleContext {
            model,
            previous,
            facts: Facts::new(model, previous),
        }
    }

    /// Returns the WebSocket APIs of the template.
    pub(crate) fn websockets(&self) -> impl Iterator<Item = &'a Api> + use<'a> {
        self.facts.websockets()
    }

    /// Returns true if the template shows everything that an API has. Only then is what is absent missing.
    pub(crate) fn is_complete(&self, api: &Api) -> bool {
        self.facts.is_complete(api)
    }
}
