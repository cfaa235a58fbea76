//! Filter patterns. Only patterns of terms are supported.

use thiserror::Error;

/// Filter pattern of terms. All plain terms must occur, no term with `-`, and at least one of those with `?`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FilterPattern {
    all: Vec<String>,
    any: Vec<String>,
    none: Vec<String>,
}

/// Pattern of a kind that is not supported.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "Invalid filter pattern: {0} is not supported by the local logs; use terms: word, \"a phrase\", -not, ?either"
)]
pub struct FilterPatternError(&'static str);

impl FilterPattern {
    /// Parses a pattern. An empty pattern matches everything.
    ///
    /// # Errors
    ///
    /// If it is a pattern for JSON or columns, or contains a regular expression.
    pub fn parse(text: &str) -> Result<Self, FilterPatternError> {
        let mut pattern = FilterPattern::default();
        let mut rest = text.trim();
        match rest.as_bytes().first() {
            Some(b'{') => return Err(FilterPatternError("a JSON pattern")),
            Some(b'[') => return Err(FilterPatternError("a pattern of columns")),
            _ => {}
        }
        while !rest.is_empty() {
            let (list, after) = match rest.as_bytes()[0] {
                b'-' => (&mut pattern.none, &rest[1..]),
                b'?' => (&mut pattern.any, &rest[1..]),
                b'%' => return Err(FilterPatternError("a regular expression")),
                _ => (&mut pattern.all, rest),
            };
            let (term, after) = match after.strip_prefix('"') {
                Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
                None => after.split_once(char::is_whitespace).unwrap_or((after, "")),
            };
            list.push(term.to_owned());
            rest = after.trim_start();
        }
        Ok(pattern)
    }

    /// Returns true if a message matches. Case matters.
    pub fn matches(&self, message: &str) -> bool {
        let occurs = |term: &String| message.contains(term.as_str());
        self.all.iter().all(occurs)
            && !self.none.iter().any(occurs)
            && (self.any.is_empty() || self.any.iter().any(occurs))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_are_required_excluded_or_alternatives() {
        let matches = |pattern: &str, text: &str| {
            FilterPattern::parse(pattern)
                .expect("a pattern")
                .matches(text)
        };
        assert!(matches("", "anything"));
        assert!(matches("ERROR code", "code 7: ERROR"));
        assert!(!matches("ERROR code", "ERROR"));
        assert!(!matches("error", "ERROR"));
        assert!(matches("\"code 7\"", "a code 7"));
        assert!(!matches("\"code 7\"", "7 code"));
        assert!(!matches("ERROR -7", "ERROR 7"));
        assert!(matches("?a ?b", "b"));
        assert!(!matches("?a ?b", "c"));
    }

    #[test]
    fn unsupported_patterns_are_errors() {
        for text in ["{ $.level = \"ERROR\" }", "[ip, user]", "%[0-9]%"] {
            assert!(FilterPattern::parse(text).is_err(), "{text}");
        }
    }
}
