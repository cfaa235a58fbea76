//! Formats of the strings of integrations.

use super::FormatError;

/// Names of parameters of the request to a backend: `header.X`, `querystring.X` and `path.X`.
pub(super) fn request_parameter(text: &str) -> Option<FormatError> {
    let fits = ["header.", "querystring.", "path."].iter().any(|place| {
        text.strip_prefix(place)
            .is_some_and(|name| !name.is_empty() && !name.contains([' ', ',']))
    });
    (!fits).then(|| {
        let hint = match text.strip_prefix("integration.request.") {
            Some(rest) => format!("write `{rest}`"),
            None => {
                "write `header.X-Room`, `querystring.room`, or `path.room` for `{room}` in the path"
                    .to_owned()
            }
        };
        FormatError::new(format!("`{text}` is not a request parameter"), hint).row("M24")
    })
}

const METHODS: [&str; 7] = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"];

pub(super) fn method(text: &str) -> Option<FormatError> {
    (!METHODS.contains(&text)).then(|| {
        FormatError::new(
            format!("`{text}` is not a method of an integration"),
            "write `GET`, `POST`, `PUT`, `PATCH`, `DELETE`, `HEAD` or `OPTIONS`",
        )
    })
}

pub(super) fn selection_expression(text: &str) -> Option<FormatError> {
    let fits = text.contains("$request.body") || text.contains("${request.body");
    (!fits).then(|| {
        FormatError::new(
            format!("`{text}` does not read the message"),
            "write `$request.body.kind`, or `${request.body.a}/${request.body.b}` for more than one field",
        )
        .row("M21")
    })
}

pub(super) fn response_key(text: &str) -> Option<FormatError> {
    let pattern = text
        .strip_prefix('/')
        .and_then(|text| text.strip_suffix('/'));
    let fits = text == "$default" || pattern.is_some_and(|pattern| !pattern.is_empty());
    (!fits).then(|| {
        let example = match text.trim_matches('/') {
            "" => "200",
            pattern => pattern,
        };
        FormatError::new(
            format!("`{text}` is not a key of an integration response"),
            format!(
                "write a regular expression between slashes, such as `/{example}/`, or `$default`"
            ),
        )
        .row("M22")
    })
}

pub(super) fn service_name(text: &str) -> Option<FormatError> {
    let fits = !text.is_empty()
        && text
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c));
    (!fits).then(|| {
        FormatError::new(
            format!("`{text}` is not the name of a service"),
            "write its name in integration URIs, such as `ssm` or `s3`",
        )
    })
}

pub(super) fn service_action(text: &str) -> Option<FormatError> {
    let fits = text.starts_with(|c: char| c.is_ascii_uppercase())
        && text.chars().all(|c| c.is_ascii_alphanumeric());
    (!fits).then(|| {
        FormatError::new(
            format!("`{text}` is not an action of a service"),
            "write its name in the service's API reference, such as `GetParameter`",
        )
    })
}

pub(super) fn iam_action(text: &str) -> Option<FormatError> {
    let fits = text.split_once(':').is_some_and(|(service, action)| {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
        !service.is_empty()
            && service.chars().all(plain)
            && !action.is_empty()
            && action.chars().all(|c| c.is_ascii_alphanumeric())
    });
    (!fits).then(|| {
        FormatError::new(
            format!("`{text}` is not an IAM action"),
            "write one action, such as `ssm:GetParameter`",
        )
    })
}
