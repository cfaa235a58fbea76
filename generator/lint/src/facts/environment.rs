//! Lists the environment variables of functions.

use std::collections::HashSet;

use stackgen_cfn::{Node, Span};
use stackgen_model::{Function, Piece, Resolved, Text};

use crate::facts::Facts;
use crate::{Finding, Location};

/// A variable in a function's environment.
#[derive(Clone, Copy)]
pub(crate) struct EnvironmentVariable<'a> {
    pub(crate) function: &'a Function,
    pub(crate) name: &'a str,
    pub(crate) value: &'a Resolved,
}

impl<'a> EnvironmentVariable<'a> {
    fn path(&self) -> [&'a str; 3] {
        ["Environment", "Variables", self.name]
    }

    pub(crate) fn location(&self) -> Location {
        Location::of(&self.function.resource, &self.path())
    }

    /// Returns the location of its name, or that of its value if SAM generates the function.
    pub(crate) fn key_location(&self) -> Location {
        let location = self.location();
        let variables = self.function.resource.node(&["Environment", "Variables"]);
        let entry = variables.and_then(|node| node.as_map()?.entry(self.name));
        match entry.map(|entry| entry.key_span) {
            Some(span) if span.file.is_some() => Location { span, ..location },
            _ => location,
        }
    }

    /// Returns true if the function's code is in the template and does not read the variable, as placeholder code does
    /// not.
    pub(crate) fn is_unread(&self) -> bool {
        inline_code(self.function).is_some_and(|code| !contains_any(code, &[self.name]))
    }

    /// Returns its value in the file.
    pub(crate) fn node(&self) -> Option<&'a Node> {
        self.function.resource.node(&self.path())
    }
}

/// Returns the code of a function, if it is in the template.
pub(crate) fn inline_code(function: &Function) -> Option<&Text> {
    match function.code.as_ref()?.get("ZipFile")? {
        Resolved::Text(code) => Some(code),
        _ => None,
    }
}

/// Returns true if the code contains one of the words.
pub(crate) fn contains_any(code: &Text, words: &[&str]) -> bool {
    let has = |piece: &Piece| match piece {
        Piece::Literal(text) => words.iter().any(|word| text.contains(word)),
        _ => false,
    };
    code.pieces().iter().any(has)
}

/// Returns the variables of all functions.
pub(crate) fn variables<'a>(facts: &Facts<'a>) -> impl Iterator<Item = EnvironmentVariable<'a>> {
    let functions = facts.model.functions.iter();
    functions.flat_map(|function| {
        let variables = function.environment.value().into_iter().flatten();
        variables.map(move |(name, value)| EnvironmentVariable {
            function,
            name,
            value,
        })
    })
}

/// Keeps one finding per location, because SAM's `Globals` add one variable to many functions.
pub(crate) fn one_per_location(findings: impl IntoIterator<Item = Finding>) -> Vec<Finding> {
    let mut seen: HashSet<Span> = HashSet::new();
    let new = |finding: &Finding| {
        let span = finding.location.span;
        span.file.is_none() || seen.insert(span)
    };
    findings.into_iter().filter(new).collect()
}
