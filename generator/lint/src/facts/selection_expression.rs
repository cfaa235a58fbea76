//! Splits selection expressions (row M1) into text and variables.

use stackgen_model::{Api, Text};

/// A selection expression.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct SelectionExpression<'e> {
    /// The expression in the template.
    pub(crate) expression: &'e str,
    /// Text before, between and after the variables.
    texts: Vec<String>,
    /// The variables: `request.body.action`.
    pub(crate) variables: Vec<&'e str>,
}

/// Prefixes of variables without braces.
const VARIABLES: &[&str] = &["request.", "context.", "stageVariables."];

impl<'e> SelectionExpression<'e> {
    /// Returns the route selection expression of an API, if it is known.
    pub(crate) fn of_api(api: &'e Api) -> Option<SelectionExpression<'e>> {
        let expression = api.route_selection_expression.as_ref();
        expression
            .and_then(Text::as_literal)
            .map(SelectionExpression::new)
    }

    /// Parses an expression. A variable without braces extends to the end.
    pub(crate) fn new(expression: &'e str) -> SelectionExpression<'e> {
        let mut parts = SelectionExpression {
            expression,
            texts: vec![String::new()],
            variables: Vec::new(),
        };
        let mut rest = expression;
        while let Some(at) = rest.find('$') {
            let (before, after) = (&rest[..at], &rest[at + 1..]);
            let escaped = before.strip_suffix('\\');
            parts.text(escaped.unwrap_or(before));
            let braced = after.strip_prefix('{');
            let bare = VARIABLES.iter().any(|prefix| after.starts_with(prefix));
            rest = match (escaped, braced) {
                (None, Some(inside)) => {
                    let (variable, after) = inside.split_once('}').unwrap_or((inside, ""));
                    parts.variable(variable);
                    after
                }
                (None, None) if bare => {
                    parts.variable(after);
                    ""
                }
                _ => {
                    parts.text("$");
                    after
                }
            };
        }
        parts.text(rest);
        parts
    }

    fn text(&mut self, text: &str) {
        if let Some(last) = self.texts.last_mut() {
            last.push_str(text);
        }
    }

    fn variable(&mut self, name: &'e str) {
        self.variables.push(name);
        self.texts.push(String::new());
    }

    /// Returns the value of an expression without variables.
    pub(crate) fn constant(&self) -> Option<&str> {
        match self.texts.as_slice() {
            [text] => Some(text),
            _ => None,
        }
    }

    /// Returns true if the expression has this value for some message.
    pub(crate) fn can_produce(&self, key: &str) -> bool {
        let [first, between @ .., last] = self.texts.as_slice() else {
            return self.constant() == Some(key);
        };
        let inner = key
            .strip_prefix(first.as_str())
            .and_then(|rest| rest.strip_suffix(last.as_str()));
        let found = |rest: &'_ str, text: &String| rest.find(text).map(|at| at + text.len());
        let Some(mut rest) = inner else {
            return false;
        };
        for text in between {
            match found(rest, text) {
                Some(end) => rest = &rest[end..],
                None => return false,
            }
        }
        true
    }
}

/// Returns true for a variable whose `$` is missing: `request.body.action`.
pub(crate) fn is_bare_variable(expression: &str) -> bool {
    let mut prefixes = VARIABLES.iter().chain(&["integration.response."]);
    prefixes.any(|prefix| expression.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::SelectionExpression;

    #[test]
    fn expressions_are_split_into_text_and_variables() {
        for (expression, fixed, variables) in [
            ("$request.body.action", None, &["request.body.action"][..]),
            (
                "${request.body.a}/${request.body.b}",
                None,
                &["request.body.a", "request.body.b"],
            ),
            ("request.body.action", Some("request.body.action"), &[]),
            ("$default", Some("$default"), &[]),
            ("\\$default", Some("$default"), &[]),
            ("$", Some("$"), &[]),
            ("", Some(""), &[]),
            ("${request.body.a", None, &["request.body.a"]),
        ] {
            let selection = SelectionExpression::new(expression);
            assert_eq!(selection.constant(), fixed, "{expression}");
            assert_eq!(selection.variables, variables, "{expression}");
        }
    }

    #[test]
    fn produced_keys_contain_the_text_of_the_expression() {
        for (expression, key, yields) in [
            ("$request.body.action", "GET /x", true),
            ("v1-${request.body.a}", "v1-join", true),
            ("v1-${request.body.a}", "join", false),
            ("${request.body.a}/${request.body.b}", "a/b", true),
            ("${request.body.a}/${request.body.b}", "/", true),
            ("${request.body.a}/${request.body.b}", "join", false),
            ("a${request.body.a}a", "a", false),
            ("a${request.body.a}a", "aa", true),
            ("fixed", "fixed", true),
            ("fixed", "other", false),
        ] {
            let selection = SelectionExpression::new(expression);
            assert_eq!(selection.can_produce(key), yields, "{expression} {key}");
        }
    }
}
