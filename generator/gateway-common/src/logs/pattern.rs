//! Filter patterns: terms alone.

use thiserror::Error;

/// A filter pattern of terms: all plain ones occur, none with `-` does, and of those with `?` at least one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pattern {
    all: Vec<String>,
    any: Vec<String>,
    none: Vec<String>,
}

/// A pattern of a kind that is not understood here.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "Invalid filter pattern: {0} is not supported by the local logs; use terms: word, \"a phrase\", -not, ?either"
)]
pub struct PatternError(&'static str);

impl Pattern {
    /// Reads a pattern; an empty one matches everything.
    ///
    /// # Errors
    ///
    /// If it is one for JSON, for columns or with a regular expression.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let mut pattern = Pattern::default();
        let mut rest = text.trim();
        match rest.as_bytes().first() {
            Some(b'{') => return Err(PatternError("a JSON pattern")),
            Some(b'[') => return Err(PatternError("a pattern of columns")),
            _ => {}
        }
        while !rest.is_empty() {
            let (list, after) = match rest.as_bytes()[0] {
                b'-' => (&mut pattern.none, &rest[1..]),
                b'?' => (&mut pattern.any, &rest[1..]),
                b'%' => return Err(PatternError("a regular expression")),
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

    /// True when a message matches. Case counts.
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
        let matches =
            |pattern: &str, text: &str| Pattern::parse(pattern).expect("a pattern").matches(text);
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
    fn patterns_of_other_kinds_are_refused_and_not_misread() {
        for text in ["{ $.level = \"ERROR\" }", "[ip, user]", "%[0-9]%"] {
            assert!(Pattern::parse(text).is_err(), "{text}");
        }
    }
}
