//! Formats of strings, by the `format` keyword of the schema.

mod integration;
mod metrics;
mod schedule;
mod verify;

use stackgen_cfn::Span;

use crate::LocatedError;
use crate::requirement;
use crate::spec::{Duration, VERIFY_VALUE_FORMAT};

pub(super) use verify::is_http_token;

/// Error of a string whose span is not known yet.
pub(super) struct FormatError {
    message: String,
    hint: String,
    row: Option<&'static str>,
}

impl FormatError {
    fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        FormatError {
            message: message.into(),
            hint: hint.into(),
            row: None,
        }
    }

    fn row(self, row: &'static str) -> Self {
        FormatError {
            row: Some(row),
            ..self
        }
    }

    pub(super) fn at(self, span: Span) -> LocatedError {
        LocatedError {
            row: self.row,
            ..LocatedError::new(span, self.message).hint(self.hint)
        }
    }
}

/// Checks a string against a format of the schema. Returns `None` if the string matches.
pub(super) fn check(format: &str, text: &str) -> Option<FormatError> {
    match format {
        "stack-name" => name(text, "stack name", 100, "-"),
        "account-id" => account_id(text),
        "region" => region(text),
        "stackgen-version" => stackgen_version(text),
        "function-name" => name(text, "function name", 50, "-_"),
        "table-name" => name(text, "table name", 200, "-_."),
        "index-name" => index_name(text),
        "api-name" => name(text, "API name", 100, "-_. "),
        "stage-name" => stage_name(text),
        "cargo-binary" => name(text, "cargo binary name", 64, "-_"),
        "environment-name" => environment_name(text),
        "environment-variable" => environment_variable(text),
        "relative-path" => relative_path(text),
        "duration-with-unit" => Duration::parse(text).is_none().then(|| {
            FormatError::new(
                format!("`{text}` is not a duration"),
                "write a whole number and its unit: `500ms`, `5s`, `10m`, `1h`",
            )
        }),
        "route-key" => route_key(text),
        "http-route-key" => http_route_key(text),
        "route-selection-expression" => route_selection_expression(text),
        "request-parameter" => integration::request_parameter(text),
        "integration-method" => integration::method(text),
        "selection-expression" => integration::selection_expression(text),
        "response-key" => integration::response_key(text),
        "service-name" => integration::service_name(text),
        "service-action" => integration::service_action(text),
        "iam-action" => integration::iam_action(text),
        "identity-source" => identity_source(text),
        "http-identity-source" => http_identity_source(text),
        "access-log-format" => access_log_format(text),
        "queue-name" => name(text, "queue name", 60, "-_"),
        "model-name" => name(text, "model name", 100, ""),
        "alarm-name" => name(text, "alarm name", 100, "-_"),
        "metric-namespace" => metrics::namespace(text),
        "metric-dimension" => metrics::dimension(text),
        "schedule-expression" => schedule::expression(text),
        "time-zone" => schedule::time_zone(text),
        "verify-caller-name" => verify::caller_name(text),
        VERIFY_VALUE_FORMAT => verify::value(text),
        "query-parameter-name" => verify::query_parameter_name(text),
        "client-header-name" => verify::client_header_name(text),
        "http-method" => verify::http_method(text),
        "http-path" => verify::http_path(text),
        _ => None,
    }
}

fn name(text: &str, kind: &str, max_length: usize, punctuation: &str) -> Option<FormatError> {
    let characters_fit = text
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || punctuation.contains(c));
    let begins = text.starts_with(|c: char| c.is_ascii_alphabetic());
    if !text.is_empty() && text.len() <= max_length && characters_fit && begins {
        return None;
    }
    let punctuation: Vec<_> = punctuation.chars().map(|c| format!("`{c}`")).collect();
    Some(FormatError::new(
        format!("`{text}` is not a valid {kind}"),
        format!(
            "use letters{}, begin with a letter, at most {max_length} characters",
            match punctuation.as_slice() {
                [] => " and digits".to_owned(),
                punctuation => format!(", digits and {}", punctuation.join(" ")),
            }
        ),
    ))
}

fn account_id(text: &str) -> Option<FormatError> {
    let fits = text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    (!fits).then(|| {
        FormatError::new(
            format!("`{text}` is not the ID of an AWS account"),
            "write its 12 digits in quotes: `'123456789012'`",
        )
    })
}

fn region(text: &str) -> Option<FormatError> {
    let parts: Vec<_> = text.split('-').collect();
    let is_part = |part: &&str| {
        let is_lower = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        !part.is_empty() && part.chars().all(is_lower)
    };
    let ends_in_number = parts
        .last()
        .is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_digit()));
    let fits = parts.len() >= 3 && parts.iter().all(is_part) && ends_in_number;
    (!fits).then(|| {
        FormatError::new(
            format!("`{text}` is not a region"),
            "write its code, such as `eu-central-1`",
        )
    })
}

fn stackgen_version(text: &str) -> Option<FormatError> {
    (!requirement::is_valid(text)).then(|| {
        FormatError::new(
            format!("`{text}` is not a requirement for a version"),
            "write it as in a Cargo.toml: `'>=0.1'`",
        )
    })
}

fn index_name(text: &str) -> Option<FormatError> {
    let fits = (3..=255).contains(&text.len())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    (!fits).then(|| {
        FormatError::new(
            format!("`{text}` is not a valid index name"),
            "use 3 to 255 letters, digits, `-`, `_` and `.`",
        )
    })
}

fn stage_name(text: &str) -> Option<FormatError> {
    let fits = !text.is_empty()
        && text.len() <= 128
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
    (!fits && text != "$default").then(|| {
        FormatError::new(
            format!("`{text}` is not a valid stage name"),
            "use letters, digits, `-` and `_`, at most 128 characters",
        )
    })
}

fn environment_name(text: &str) -> Option<FormatError> {
    let fits = text.len() <= 20
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    (!fits).then(|| {
        FormatError::new(
            format!("`{text}` is not a valid environment name"),
            "use lower-case letters, digits and `-`, begin with a letter, at most 20 characters: every name ends in it",
        )
    })
}

fn environment_variable(text: &str) -> Option<FormatError> {
    if stackgen_model::is_reserved_variable(text) {
        let hint = match text {
            "AWS_REGION" | "AWS_DEFAULT_REGION" => {
                "remove it, and read `AWS_REGION`, which Lambda sets in every function"
            }
            _ => "remove it: Lambda sets it in every function, and refuses a function that sets it",
        };
        return Some(FormatError::new(
            format!("`{text}` is reserved by Lambda"),
            hint,
        ));
    }
    let fits = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.len() >= 2
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    (!fits).then(|| {
        FormatError::new(
            format!("`{text}` is not a valid environment variable name"),
            "use letters, digits and `_`, begin with a letter, at least 2 characters",
        )
    })
}

fn relative_path(text: &str) -> Option<FormatError> {
    let fits = !text.is_empty() && !text.starts_with('/') && !text.contains(['\\', ':', '\0']);
    (!fits).then(|| {
        FormatError::new(
            format!("`{text}` is not a path relative to this file"),
            "separate folders with `/`, and do not begin with one",
        )
    })
}

fn route_key(text: &str) -> Option<FormatError> {
    if text.is_empty() || text.len() > 128 {
        return Some(FormatError::new(
            "a route key must have 1 to 128 characters",
            "write a value that the route selection expression selects",
        ));
    }
    if text.starts_with('$') && !matches!(text, "$connect" | "$disconnect" | "$default") {
        let hint = "remove the `$`, or use `$connect`, `$disconnect` or `$default`: API Gateway reserves keys that \
            begin with `$`";
        return Some(
            FormatError::new(format!("`{text}` is not a valid route key"), hint).row("F2"),
        );
    }
    if text.contains(|c: char| matches!(c, '*' | '?') || c.is_control()) {
        let text = text.escape_debug();
        let hint = "remove wildcards and control characters: with `*` or `?` in its source, the invoke permission \
            would allow other routes";
        return Some(FormatError::new(
            format!("`{text}` is not a valid route key"),
            hint,
        ));
    }
    None
}

const METHODS: [&str; 8] = [
    "ANY", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT",
];

fn http_route_key(text: &str) -> Option<FormatError> {
    if text == "$default" {
        return None;
    }
    let fits = text
        .split_once(' ')
        .is_some_and(|(method, path)| METHODS.contains(&method) && path_fits(path));
    (!fits).then(|| {
        FormatError::new(
            format!("`{text}` is not a valid route key of an HTTP API"),
            "write a method and a path, such as `POST /sessions` or `GET /sessions/{sessionId}`, or `$default`",
        )
    })
}

fn path_fits(path: &str) -> bool {
    let Some(rest) = path.strip_prefix('/') else {
        return false;
    };
    let segments: Vec<_> = rest.split('/').collect();
    rest.is_empty()
        || segments
            .iter()
            .enumerate()
            .all(|(index, segment)| match segment.strip_prefix('{') {
                Some(parameter) => parameter.strip_suffix('}').is_some_and(|name| {
                    let (name, greedy) = name
                        .strip_suffix('+')
                        .map_or((name, false), |name| (name, true));
                    let last = index + 1 == segments.len();
                    !name.is_empty()
                        && (!greedy || last)
                        && name
                            .chars()
                            .all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
                }),
                None => !segment.is_empty() && !segment.contains(['{', '}', ' ', '?', '#', '*']),
            })
}

fn route_selection_expression(text: &str) -> Option<FormatError> {
    let fits = text.starts_with("$request.body.") && text.len() > "$request.body.".len()
        || text.starts_with("${request.body.");
    (!fits).then(|| {
        FormatError::new(
            format!("`{text}` is not a valid route selection expression"),
            "write `$request.body.action`, or `${request.body.a}/${request.body.b}` for more than one field",
        )
        .row("M1")
    })
}

fn identity_source(text: &str) -> Option<FormatError> {
    if let Some(rest) = text.strip_prefix("$request.") {
        let hint = format!("write `route.request.{rest}`; this is the syntax of HTTP APIs");
        return Some(
            FormatError::new(
                format!("`{text}` is not an identity source of a WebSocket API"),
                hint,
            )
            .row("A3"),
        );
    }
    let fits = [
        "route.request.header.",
        "route.request.querystring.",
        "context.",
        "stageVariables.",
    ]
    .iter()
    .any(|prefix| {
        text.strip_prefix(prefix)
            .is_some_and(|name| !name.is_empty() && !name.contains([' ', ',']))
    });
    (!fits).then(|| {
        FormatError::new(
            format!("`{text}` is not an identity source"),
            "write `route.request.querystring.token`, `route.request.header.Authorization`, `context.…` or \
             `stageVariables.…`",
        )
        .row("A3")
    })
}

fn http_identity_source(text: &str) -> Option<FormatError> {
    let fits = ["$request.header.", "$request.querystring."]
        .iter()
        .any(|prefix| {
            text.strip_prefix(prefix)
                .is_some_and(|name| !name.is_empty())
        });
    (!fits).then(|| {
        FormatError::new(
            format!("`{text}` is not an identity source of an HTTP API"),
            "write `$request.header.Authorization` or `$request.querystring.token`",
        )
    })
}

fn access_log_format(text: &str) -> Option<FormatError> {
    let fits = text.contains("$context.requestId") || text.contains("$context.extendedRequestId");
    (!fits).then(|| {
        FormatError::new(
            "the access log format lacks the request ID",
            "add `$context.requestId` or `$context.extendedRequestId`",
        )
        .row("L2")
    })
}
