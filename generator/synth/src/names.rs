//! Logical IDs and physical names.
//!
//! A route's logical ID depends only on its key, so that a new route never renames another. Two routes with the same
//! key cannot exist at the same time, as they would while CloudFormation replaces one with the other (row D14). If
//! capitalisation loses information about a key, its logical ID contains a digest of the key.

use crate::digest::short_digest;

/// Returns the name of a resource in an environment: `session-authorizer-dev`.
pub(crate) fn physical_name(name: &str, environment: &str) -> String {
    format!("{name}-{environment}")
}

/// Converts `session-authorizer` to `SessionAuthorizer`.
pub(crate) fn pascal_case(name: &str) -> String {
    name.split(|c: char| !c.is_ascii_alphanumeric())
        .map(capitalise)
        .collect()
}

/// Converts `RateLimits` and `rate-limits` to `RATE_LIMITS`.
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

/// Returns the logical ID of a WebSocket route: `ConnectRoute` for `$connect`, `JoinSessionRoute` for `joinSession`.
pub(crate) fn websocket_route_id(key: &str) -> String {
    let reserved = ["connect", "disconnect", "default"];
    let is_camel_case = key.starts_with(|c: char| c.is_ascii_lowercase())
        && key.chars().all(|c| c.is_ascii_alphanumeric());
    let is_reserved = key
        .strip_prefix('$')
        .is_some_and(|name| reserved.contains(&name));
    let is_unambiguous = is_reserved || (is_camel_case && !reserved.contains(&key));
    format!(
        "{}Route{}",
        pascal_case(key),
        if is_unambiguous {
            String::new()
        } else {
            short_digest(key)
        }
    )
}

/// Returns the logical ID of an HTTP route: `PatchSessionsParamHttpRoute` for `PATCH /sessions/{sessionId}`. It does
/// not contain the names of path parameters, because keys that differ only in those are the same route.
pub(crate) fn http_route_id(key: &str) -> String {
    let Some((method, path)) = key.split_once(' ') else {
        return "DefaultHttpRoute".to_owned();
    };
    let segments: Vec<_> = path
        .split('/')
        .filter(|segment| !segment.is_empty())
        .collect();
    let is_unambiguous = segments
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
                    pascal_case(s)
                }
            })
            .collect(),
    };
    let suffix = if is_unambiguous {
        String::new()
    } else {
        short_digest(&route_shape(key))
    };
    format!(
        "{}{path}HttpRoute{suffix}",
        capitalise(&method.to_ascii_lowercase())
    )
}

/// Returns a route key without the names of its path parameters. API Gateway compares routes by this.
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
    fn a_route_key_that_capitalisation_makes_ambiguous_gets_a_digest() {
        assert_eq!(websocket_route_id("$connect"), "ConnectRoute");
        assert_eq!(websocket_route_id("joinSession"), "JoinSessionRoute");
        for key in ["connect", "JoinSession", "join_session", "join/session"] {
            let id = websocket_route_id(key);
            assert!(id.chars().all(|c| c.is_ascii_alphanumeric()), "{id}");
            assert!(
                !["ConnectRoute", "JoinSessionRoute"].contains(&id.as_str()),
                "{key} became {id}"
            );
        }
    }

    #[test]
    fn http_route_ids_differ_exactly_where_api_gateway_sees_two_routes() {
        assert_eq!(http_route_id("GET /"), "GetRootHttpRoute");
        assert_eq!(
            http_route_id("PATCH /sessions/{sessionId}"),
            "PatchSessionsParamHttpRoute"
        );
        assert_eq!(http_route_id("GET /a/{x}"), http_route_id("GET /a/{y}"));
        assert_ne!(http_route_id("GET /a/{x}"), http_route_id("GET /a/{x+}"));
        assert_ne!(http_route_id("GET /a/b"), http_route_id("GET /aB"));
        assert_ne!(http_route_id("GET /a/param"), http_route_id("GET /a/{b}"));
    }

    #[test]
    fn table_names_become_names_of_environment_variables() {
        assert_eq!(screaming_snake("RateLimits"), "RATE_LIMITS");
        assert_eq!(screaming_snake("rate-limits"), "RATE_LIMITS");
        assert_eq!(screaming_snake("Sessions"), "SESSIONS");
    }
}
