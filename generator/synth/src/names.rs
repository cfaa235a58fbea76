//! Logical ids and physical names.
//!
//! A route's logical id is a function of its key alone, so that a new route never renames another: two routes of
//! one key cannot both exist while CloudFormation replaces one by the other (row D14). Keys whose spelling does
//! not survive capitalisation get a digest of the key.

use crate::digest;

/// The environment's copy of a name: `session-authorizer-dev`.
pub(crate) fn physical(name: &str, environment: &str) -> String {
    format!("{name}-{environment}")
}

/// `session-authorizer` to `SessionAuthorizer`.
pub(crate) fn pascal(name: &str) -> String {
    name.split(|c: char| !c.is_ascii_alphanumeric())
        .map(capitalise)
        .collect()
}

/// `RateLimits` and `rate-limits` to `RATE_LIMITS`.
pub(crate) fn screaming_snake(name: &str) -> String {
    let mut out = String::new();
    let mut after_lower = false;
    for c in name.chars() {
        if !c.is_ascii_alphanumeric() {
            out.push('_');
            after_lower = false;
            continue;
        }
        if c.is_ascii_uppercase() && after_lower {
            out.push('_');
        }
        out.push(c.to_ascii_uppercase());
        after_lower = !c.is_ascii_uppercase();
    }
    out
}

/// The logical id of a WebSocket route: `$connect` to `ConnectRoute`, `joinSession` to `JoinSessionRoute`.
pub(crate) fn websocket_route(key: &str) -> String {
    let reserved = ["connect", "disconnect", "default"];
    let camel = key.starts_with(|c: char| c.is_ascii_lowercase())
        && key.chars().all(|c| c.is_ascii_alphanumeric());
    let own = key
        .strip_prefix('$')
        .is_some_and(|name| reserved.contains(&name));
    let faithful = own || (camel && !reserved.contains(&key));
    format!(
        "{}Route{}",
        pascal(key),
        if faithful {
            String::new()
        } else {
            digest::short(key)
        }
    )
}

/// The logical id of an HTTP route: `PATCH /sessions/{sessionId}` to `PatchSessionsParamHttpRoute`. A path
/// parameter's name is not part of it, for two routes that differ in it alone are one route.
pub(crate) fn http_route(key: &str) -> String {
    let Some((method, path)) = key.split_once(' ') else {
        return "DefaultHttpRoute".to_owned();
    };
    let segments: Vec<_> = path
        .split('/')
        .filter(|segment| !segment.is_empty())
        .collect();
    let faithful = segments
        .iter()
        .all(|segment| match segment.strip_prefix('{') {
            Some(parameter) => !parameter.contains('+'),
            None => {
                segment.starts_with(|c: char| c.is_ascii_lowercase())
                    && segment
                        .chars()
                        .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
                    && !matches!(*segment, "param" | "root")
            }
        });
    let path: String = match segments.as_slice() {
        [] => "Root".to_owned(),
        segments => segments
            .iter()
            .map(|s| {
                if s.starts_with('{') {
                    "Param".to_owned()
                } else {
                    pascal(s)
                }
            })
            .collect(),
    };
    let suffix = if faithful {
        String::new()
    } else {
        digest::short(&route_shape(key))
    };
    format!(
        "{}{path}HttpRoute{suffix}",
        capitalise(&method.to_ascii_lowercase())
    )
}

/// A route key with its parameters' names left out: what API Gateway tells routes apart by.
pub(crate) fn route_shape(key: &str) -> String {
    let mut shape = String::new();
    let mut inside = false;
    for c in key.chars() {
        match c {
            '{' => inside = true,
            '}' => inside = false,
            '+' if inside => {}
            _ if inside => continue,
            _ => {}
        }
        shape.push(c);
    }
    shape
}

fn capitalise(word: &str) -> String {
    let mut chars = word.chars();
    match chars.next() {
        Some(first) => first.to_ascii_uppercase().to_string() + chars.as_str(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_key_that_capitalisation_would_confuse_gets_a_digest() {
        assert_eq!(websocket_route("$connect"), "ConnectRoute");
        assert_eq!(websocket_route("joinSession"), "JoinSessionRoute");
        for key in ["connect", "JoinSession", "join_session", "join/session"] {
            let id = websocket_route(key);
            assert!(id.chars().all(|c| c.is_ascii_alphanumeric()), "{id}");
            assert!(
                !["ConnectRoute", "JoinSessionRoute"].contains(&id.as_str()),
                "{key} became {id}"
            );
        }
    }

    #[test]
    fn http_routes_are_told_apart_as_api_gateway_does() {
        assert_eq!(http_route("GET /"), "GetRootHttpRoute");
        assert_eq!(
            http_route("PATCH /sessions/{sessionId}"),
            "PatchSessionsParamHttpRoute"
        );
        assert_eq!(http_route("GET /a/{x}"), http_route("GET /a/{y}"));
        assert_ne!(http_route("GET /a/{x}"), http_route("GET /a/{x+}"));
        assert_ne!(http_route("GET /a/b"), http_route("GET /aB"));
        assert_ne!(http_route("GET /a/param"), http_route("GET /a/{b}"));
    }

    #[test]
    fn tables_become_environment_variables() {
        assert_eq!(screaming_snake("RateLimits"), "RATE_LIMITS");
        assert_eq!(screaming_snake("rate-limits"), "RATE_LIMITS");
        assert_eq!(screaming_snake("Sessions"), "SESSIONS");
    }
}
