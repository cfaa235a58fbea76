//! Placeholders of recordings, which stand for values that differ from run to run.

use std::fmt;

use serde_json::Value;

/// Kind of values that a placeholder stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum PlaceholderKind {
    /// An ID that the server created: `<id-1>`, or `<id>` for any.
    Id,
    /// A time: `<time>`.
    Time,
    /// Any number: `<number>`.
    Number,
    /// Any text: `<string>`.
    Text,
    /// Any value: `<any>`.
    Any,
    /// The caller's token: `<token>`. A numbered one was issued by the server.
    Token,
    /// A token that was refused when it was recorded: `<invalid-token>`.
    InvalidToken,
    /// Another secret that a client sent: `<secret-1>`.
    Secret,
    /// The character `<`, where text would look like a placeholder: `<lt>`.
    LessThan,
}

/// First number that can be a time: the seconds of the year 2001. Milliseconds and microseconds are larger.
const FIRST_TIME: f64 = 1e9;

/// Reference to a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Placeholder {
    pub(crate) kind: PlaceholderKind,
    /// Number of the value; `None` if every occurrence stands for a value of its own.
    pub(crate) number: Option<u32>,
}

/// Part of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TextSegment<'t> {
    Literal(&'t str),
    Placeholder(Placeholder),
}

const NAMES: [(&str, PlaceholderKind); 9] = [
    ("invalid-token", PlaceholderKind::InvalidToken),
    ("id", PlaceholderKind::Id),
    ("time", PlaceholderKind::Time),
    ("number", PlaceholderKind::Number),
    ("string", PlaceholderKind::Text),
    ("any", PlaceholderKind::Any),
    ("token", PlaceholderKind::Token),
    ("secret", PlaceholderKind::Secret),
    ("lt", PlaceholderKind::LessThan),
];

impl PlaceholderKind {
    fn name(self) -> &'static str {
        let mut names = NAMES.iter();
        names.find(|(_, kind)| *kind == self).map_or("", |it| it.0)
    }

    /// Returns true if the kind has numbered placeholders.
    fn may_be_numbered(self) -> bool {
        use PlaceholderKind::{Id, Secret, Token};
        matches!(self, Id | Secret | Token)
    }

    /// Returns true if a text can be a value of the kind.
    pub(crate) fn accepts_text(self, text: &str) -> bool {
        match self {
            PlaceholderKind::Text | PlaceholderKind::Any => true,
            PlaceholderKind::LessThan => text == "<",
            PlaceholderKind::Number => text.parse::<f64>().is_ok(),
            PlaceholderKind::Time => looks_like_time(text) || text.parse().is_ok_and(is_time),
            PlaceholderKind::Id
            | PlaceholderKind::Token
            | PlaceholderKind::InvalidToken
            | PlaceholderKind::Secret => !text.is_empty() && text.chars().all(is_word),
        }
    }
}

impl Placeholder {
    /// Token of the caller.
    pub(crate) const TOKEN: Placeholder = Placeholder {
        kind: PlaceholderKind::Token,
        number: None,
    };

    pub(crate) fn numbered(kind: PlaceholderKind, number: u32) -> Self {
        Placeholder {
            kind,
            number: Some(number),
        }
    }

    /// Parses the text between `<` and `>`.
    fn parse(name: &str) -> Option<Self> {
        NAMES.iter().find_map(|&(known, kind)| {
            let number = match name.strip_prefix(known)? {
                "" => None,
                rest if kind.may_be_numbered() => {
                    let digits = rest.strip_prefix('-')?;
                    let number: u32 = digits.parse().ok()?;
                    // `<id-01>` would be a second name of `<id-1>`.
                    Some(number)
                        .filter(|number| *number > 0 && number.to_string() == digits)?
                        .into()
                }
                _ => return None,
            };
            Some(Placeholder { kind, number })
        })
    }

    /// Returns true if the placeholder may stand for a value.
    pub(crate) fn accepts(self, value: &Value) -> bool {
        match value {
            Value::String(text) => self.kind.accepts_text(text),
            Value::Number(number) => match self.kind {
                PlaceholderKind::Number | PlaceholderKind::Any => true,
                PlaceholderKind::Time => number.as_f64().is_some_and(is_time),
                _ => false,
            },
            _ => self.kind == PlaceholderKind::Any,
        }
    }
}

impl fmt::Display for Placeholder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.number {
            None => write!(f, "<{}>", self.kind.name()),
            Some(number) => write!(f, "<{}-{number}>", self.kind.name()),
        }
    }
}

/// Splits a text into literals and placeholders.
pub(crate) fn segments(text: &str) -> Vec<TextSegment<'_>> {
    let mut found = Vec::new();
    let (mut literal, mut from) = (0, 0);
    while let Some(start) = text[from..].find('<').map(|at| from + at) {
        let inside = &text[start + 1..];
        let placeholder = inside
            .find('>')
            .and_then(|end| Some((Placeholder::parse(&inside[..end])?, start + end + 2)));
        match placeholder {
            None => from = start + 1,
            Some((placeholder, end)) => {
                if literal < start {
                    found.push(TextSegment::Literal(&text[literal..start]));
                }
                found.push(TextSegment::Placeholder(placeholder));
                (literal, from) = (end, end);
            }
        }
    }
    if literal < text.len() {
        found.push(TextSegment::Literal(&text[literal..]));
    }
    found
}

/// Returns the placeholders of a text.
pub(crate) fn placeholders(text: &str) -> impl Iterator<Item = Placeholder> {
    segments(text)
        .into_iter()
        .filter_map(|segment| match segment {
            TextSegment::Placeholder(placeholder) => Some(placeholder),
            TextSegment::Literal(_) => None,
        })
}

/// Returns the placeholder that a whole text is.
pub(crate) fn whole(text: &str) -> Option<Placeholder> {
    Placeholder::parse(text.strip_prefix('<')?.strip_suffix('>')?)
}

/// Escapes text that would look like a placeholder.
pub(crate) fn escape_literal(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for segment in segments(text) {
        match segment {
            TextSegment::Literal(text) => escaped.push_str(text),
            TextSegment::Placeholder(placeholder) => {
                escaped.push_str("<lt>");
                escaped.push_str(&placeholder.to_string()[1..]);
            }
        }
    }
    escaped
}

/// Returns true for characters of IDs and tokens.
pub(crate) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '-' | '_' | '=' | '+' | '/' | '.' | ':' | '~')
}

fn is_time(number: f64) -> bool {
    number >= FIRST_TIME
}

/// Returns true for times as in RFC 3339: `2026-11-30T18:33:03Z`.
pub(crate) fn looks_like_time(text: &str) -> bool {
    let shape = "dddd-dd-ddTdd:dd";
    let fits = |(letter, pattern): (char, char)| match pattern {
        'd' => letter.is_ascii_digit(),
        'T' => letter == 'T' || letter == ' ',
        exact => letter == exact,
    };
    text.len() >= shape.len() && text.chars().zip(shape.chars()).all(fits)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn placeholders_are_found_in_text() {
        let id = Placeholder::numbered(PlaceholderKind::Id, 2);
        assert_eq!(
            segments("a <b> <id-2>!"),
            [
                TextSegment::Literal("a <b> "),
                TextSegment::Placeholder(id),
                TextSegment::Literal("!")
            ]
        );
        assert_eq!(whole("<id-2>"), Some(id));
        for text in [
            "<id-0>", "<id-01>", "<id-x>", "<time-1>", "<ids>", "<>", "id-1", "<id-1> ",
        ] {
            assert_eq!(whole(text), None, "{text}");
        }
    }

    #[test]
    fn a_placeholder_accepts_values_of_its_kind() {
        let accepts = |text: &str, value: Value| whole(text).unwrap().accepts(&value);
        assert!(accepts("<id>", "L0SM9cOFvHcCIhw=".into()));
        assert!(!accepts("<id>", "two words".into()));
        assert!(accepts("<time>", "2026-11-30T18:33:03Z".into()));
        assert!(accepts("<time>", 1_764_527_583.into()));
        assert!(accepts("<time>", "1764527583123".into()));
        assert!(!accepts("<time>", "soon".into()));
        assert!(!accepts("<time>", 3.into()) && !accepts("<time>", "3".into()));
        assert!(accepts("<number>", 1.5.into()));
        assert!(!accepts("<number>", Value::Null));
        assert!(accepts("<any>", Value::Null));
        assert!(!accepts("<string>", 1.into()));
    }

    proptest! {
        #[test]
        fn escaped_text_contains_no_placeholder_but_lt(text in "(<|>|id-1|time|lt|[a-z ])*") {
            let escaped = escape_literal(&text);
            let mut restored = String::new();
            for segment in segments(&escaped) {
                match segment {
                    TextSegment::Literal(text) => restored.push_str(text),
                    TextSegment::Placeholder(placeholder) => {
                        prop_assert_eq!(placeholder.kind, PlaceholderKind::LessThan);
                        restored.push('<');
                    }
                }
            }
            prop_assert_eq!(restored, text);
        }
    }
}
