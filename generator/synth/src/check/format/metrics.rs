//! Formats of names of metrics.

use super::FormatError;

/// Maximum length of a namespace, or of the name of a dimension (a CloudWatch quota).
const MAX_LENGTH: usize = 255;

pub(super) fn namespace(text: &str) -> Option<FormatError> {
    if text.starts_with("AWS/") {
        return Some(FormatError::new(
            format!("`{text}` is a namespace of AWS"),
            "name the namespace in which the functions publish, or declare the alarm under `resources`",
        ));
    }
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || ".-_/#:".contains(c);
    let fits = (1..=MAX_LENGTH).contains(&text.len()) && text.chars().all(is_allowed);
    (!fits).then(|| {
        FormatError::new(
            format!("`{text}` is not a namespace of metrics"),
            "use letters, digits, `.`, `-`, `_`, `/`, `#` and `:`, at most 255 characters",
        )
    })
}

pub(super) fn dimension(text: &str) -> Option<FormatError> {
    let is_ascii = text.chars().all(|c| c.is_ascii_graphic());
    let fits = (1..=MAX_LENGTH).contains(&text.len()) && is_ascii && !text.starts_with(':');
    (!fits).then(|| {
        FormatError::new(
            format!("`{text}` is not a name of a dimension"),
            "use ASCII characters without spaces, and do not begin with `:`",
        )
    })
}
