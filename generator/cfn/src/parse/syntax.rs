//! Messages for syntax errors of the YAML parser.

use super::ParseErrorKind;

const INDENT: &str = "check the indentation of this line and the one above";
const QUOTE: &str = "quote the text if it should begin with this character";
const COLON: &str = "check the indentation, or quote the text before this if it contains `: `";

/// Part of the parser's message, and our message and hint for it. The first match counts.
const MESSAGES: &[(&str, &str, Option<&str>)] = &[
    (
        "unprintable character",
        "NUL characters are not allowed",
        None,
    ),
    (
        "found unknown anchor",
        "no anchor with this name comes before the alias",
        Some("quote the text if it should begin with `*`"),
    ),
    (
        "scanning an anchor or alias",
        "`*` and `&` begin an alias and an anchor, and a name must follow",
        Some("quote the text: '*'"),
    ),
    (
        "did not find expected key",
        "expected a key of the mapping",
        Some(INDENT),
    ),
    (
        "expected '-' indicator",
        "expected the next `- ` of the list",
        Some(INDENT),
    ),
    (
        "invalid indentation",
        "this indentation matches no mapping or list above",
        Some(INDENT),
    ),
    (
        "wrongly indented line",
        "this line is indented less than the text block around it",
        Some(INDENT),
    ),
    (
        "mapping values are not allowed",
        "a `:` is not allowed here",
        Some(COLON),
    ),
    (
        "block sequence entries are not allowed",
        "a list item is not allowed here",
        Some(INDENT),
    ),
    (
        "simple key expect",
        "expected a `:` after this key",
        Some(INDENT),
    ),
    (
        "tab",
        "a tab cannot indent YAML",
        Some("indent with spaces"),
    ),
    (
        "expected ',' or '}'",
        "expected `,` or `}` in the mapping",
        Some("close the brace, or quote the text that contains it"),
    ),
    (
        "expected ',' or ']'",
        "expected `,` or `]` in the list",
        Some("close the bracket, or quote the text that contains it"),
    ),
    (
        "illegal placement of ':'",
        "a list in brackets ends before this `:`",
        Some("close the bracket, or quote the text that contains it"),
    ),
    (
        "misplaced bracket",
        "this bracket closes nothing",
        Some(QUOTE),
    ),
    (
        "unexpected end of stream",
        "this quote is never closed",
        Some("close it, or double it if it belongs to the text"),
    ),
    ("unexpected end of plain scalar", "expected a value", None),
    (
        "did not find expected node content",
        "expected a value",
        None,
    ),
    (
        "invalid trailing content after",
        "text follows the closing quote",
        Some("quote the whole value"),
    ),
    (
        "unknown escape",
        "unknown escape in a double-quoted string",
        Some("use single quotes, in which `\\` is itself"),
    ),
    (
        "invalid Unicode character escape",
        "this escape is not a Unicode character",
        None,
    ),
    (
        "expected hexadecimal",
        "expected hexadecimal digits after the escape",
        None,
    ),
    (
        "comment intercepting",
        "a comment interrupts a text of several lines",
        Some("quote the text, or use `|`"),
    ),
    (
        "comments must be separated",
        "a comment needs a space before its `#`",
        Some("quote the text if `#` belongs to it"),
    ),
    (
        "handle wasn't declared",
        "this tag's prefix is not declared",
        None,
    ),
    (
        "unexpected character",
        "no value can begin with this character",
        Some(QUOTE),
    ),
    (
        "byte order mark",
        "a byte order mark inside the document",
        None,
    ),
    (
        "expected <document start>",
        "text follows the end of the document",
        Some(INDENT),
    ),
];

/// Returns the error for a message of the YAML parser. `rest` is the text from the location of the error.
pub(super) fn kind(info: &str, rest: &str) -> ParseErrorKind {
    if info.contains("recursion limit") {
        return ParseErrorKind::TooDeep;
    }
    if info.contains("did not find expected") && rest.starts_with('!') {
        return ParseErrorKind::Syntax {
            message: "a value cannot have two tags".to_owned(),
            hint: Some("write the outer function in its long form: `Fn::Base64: !Sub …`"),
        };
    }
    let known = MESSAGES.iter().find(|(theirs, ..)| info.contains(theirs));
    let (message, hint) = match known {
        Some(&(_, ours, hint)) => (ours.to_owned(), hint),
        None => (info.to_owned(), None),
    };
    ParseErrorKind::Syntax { message, hint }
}
