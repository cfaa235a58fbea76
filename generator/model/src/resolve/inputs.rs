//! Known values besides the template.

use std::collections::BTreeMap;

use super::Pseudo;

/// Values at deploy time: parameters, and pseudo parameters such as the region.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inputs {
    parameters: BTreeMap<String, String>,
    pseudo: BTreeMap<Pseudo, String>,
}

impl Inputs {
    /// No inputs.
    pub fn none() -> Self {
        Self::default()
    }

    /// Sets a parameter. The value replaces its default.
    #[must_use]
    pub fn with_parameter(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.parameters.insert(name.into(), value.into());
        self
    }

    /// Sets a pseudo parameter.
    #[must_use]
    pub fn with_pseudo(mut self, pseudo: Pseudo, value: impl Into<String>) -> Self {
        self.pseudo.insert(pseudo, value.into());
        self
    }

    /// Returns the value of a parameter.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(String::as_str)
    }

    /// Returns the value of a pseudo parameter.
    pub fn pseudo(&self, pseudo: Pseudo) -> Option<&str> {
        self.pseudo.get(&pseudo).map(String::as_str)
    }
}
