//! Formats of strings in `verify`: names of callers and headers, values, methods and paths.

use super::{FormatError, METHODS};
use crate::spec::{VerifyValue, VerifyValueError};

/// Headers that WebSocket and HTTP clients set themselves.
const CLIENT_HEADERS: [&str; 5] = [
    "connection",
    "content-length",
    "host",
    "transfer-encoding",
    "upgrade",
];

pub(super) fn caller_name(text: &str) -> Option<FormatError> {
    let fits = (1..=40).contains(&text.len())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
    (!fits).then(|| {
        FormatError::new(
            format!("`{}` is not a valid caller name", text.escape_debug()),
            "use letters, digits, `-` and `_`, at most 40 characters",
        )
    })
}

pub(super) fn value(text: &str) -> Option<FormatError> {
    let error = VerifyValue::parse(text).err()?;
    let hint = match error {
        VerifyValueError::UnknownForm => {
            "write `env:NAME` for an environment variable, `command:LINE` for the output of a command, or \
             `text:VALUE` for a value that is not secret; keep tokens out of this file"
        }
        VerifyValueError::VariableName => {
            "use letters, digits and `_`, and do not begin with a digit, such as `env:TOKEN`"
        }
        VerifyValueError::NoCommand => "write a command, such as `command:./mint-token speaker`",
        VerifyValueError::ControlCharacter => "remove them; put a long command in a script",
    };
    Some(FormatError::new(error.to_string(), hint))
}

pub(super) fn query_parameter_name(text: &str) -> Option<FormatError> {
    let fits = !text.is_empty() && !text.contains(char::is_control);
    (!fits).then(|| {
        FormatError::new(
            format!(
                "`{}` is not a valid query parameter name",
                text.escape_debug()
            ),
            "write the name without encoding; stackgen encodes it",
        )
    })
}

pub(super) fn client_header_name(text: &str) -> Option<FormatError> {
    let lower = text.to_ascii_lowercase();
    if CLIENT_HEADERS.contains(&lower.as_str()) || lower.starts_with("sec-websocket-") {
        let hint = match lower.as_str() {
            "sec-websocket-protocol" => "list the subprotocols under `subprotocols`",
            _ => "remove it",
        };
        return Some(FormatError::new(
            format!("`{text}` is a header that the client sets itself"),
            hint,
        ));
    }
    (!is_http_token(text)).then(|| {
        FormatError::new(
            format!("`{}` is not a valid header name", text.escape_debug()),
            "use letters, digits and ``!#$%&'*+-.^_`|~``, such as `Authorization`",
        )
    })
}

pub(super) fn http_method(text: &str) -> Option<FormatError> {
    let fits = text != "ANY" && METHODS.contains(&text);
    (!fits).then(|| {
        FormatError::new(
            format!("`{}` is not a valid request method", text.escape_debug()),
            "use `GET`, `HEAD`, `OPTIONS`, `POST`, `PUT`, `PATCH` or `DELETE`",
        )
    })
}

pub(super) fn http_path(text: &str) -> Option<FormatError> {
    let is_path_character = |c: char| c.is_ascii_graphic() && !"?#\"<>\\^`{|}".contains(c);
    let fits = text.starts_with('/') && text.chars().all(is_path_character);
    (!fits).then(|| {
        let hint = match text.contains('?') {
            true => "write the part after `?` under `query`",
            false => {
                "begin with `/`, leave out the stage, as in `/health`, and percent-encode special characters (`%20`)"
            }
        };
        FormatError::new(
            format!("`{}` is not a valid request path", text.escape_debug()),
            hint,
        )
    })
}

/// Returns true for a token as RFC 9110 defines it. Header names and subprotocols are tokens.
pub(in crate::check) fn is_http_token(text: &str) -> bool {
    !text.is_empty()
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c))
}
