//! Paths of plain HTTP requests.

use percent_encoding::percent_decode_str;

/// Target of a plain HTTP request to a WebSocket API.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum PathTarget {
    /// Stage: `/{stage}`.
    Stage(String),
    /// Connection: `/{stage}/@connections/{id}`, with the ID decoded once (row K5).
    Connection {
        /// Stage.
        stage: String,
        /// Connection ID, as the client sent it.
        id: String,
    },
    /// Connection by its ID alone: `/@connections/{id}`, as at a custom domain that is mapped to a stage.
    MappedConnection(String),
}

/// Parses a path as it was sent. IDs are base64, so a `/` in an ID is encoded.
pub(super) fn parse_target(path: &str) -> Option<PathTarget> {
    let mut segments = path.strip_prefix('/')?.split('/').map(decoded);
    let stage = segments.next()??;
    let rest: Vec<Option<String>> = segments.collect();
    match rest.as_slice() {
        _ if stage.is_empty() => None,
        [] => Some(PathTarget::Stage(stage)),
        [Some(id)] if stage == "@connections" && !id.is_empty() => {
            Some(PathTarget::MappedConnection(id.clone()))
        }
        [Some(end)] if end.is_empty() => Some(PathTarget::Stage(stage)),
        // The AWS SDK for JavaScript sends two slashes if the endpoint ends with one. That API Gateway accepts them is inferred
        // from applications that do so.
        [Some(empty), Some(name), Some(id)]
            if empty.is_empty() && name == "@connections" && !id.is_empty() =>
        {
            let id = id.clone();
            Some(PathTarget::Connection { stage, id })
        }
        [Some(name), Some(id)] if name == "@connections" && !id.is_empty() => {
            let id = id.clone();
            Some(PathTarget::Connection { stage, id })
        }
        _ => None,
    }
}

fn decoded(segment: &str) -> Option<String> {
    let text = percent_decode_str(segment).decode_utf8().ok()?;
    Some(text.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connection(stage: &str, id: &str) -> Option<PathTarget> {
        Some(PathTarget::Connection {
            stage: stage.to_owned(),
            id: id.to_owned(),
        })
    }

    #[test]
    fn row_k5_an_id_is_decoded_exactly_once() {
        assert_eq!(
            parse_target("/dev/@connections/L0SM9cOFvHcCIhw%3D"),
            connection("dev", "L0SM9cOFvHcCIhw=")
        );
        assert_eq!(
            parse_target("/dev/%40connections/a%2Fb="),
            connection("dev", "a/b=")
        );
        assert_eq!(
            parse_target("/dev/@connections/abc%253D"),
            connection("dev", "abc%3D")
        );
        assert_eq!(parse_target("/dev//@connections/a"), connection("dev", "a"));
        assert_eq!(
            parse_target("/@connections/a%3D"),
            Some(PathTarget::MappedConnection("a=".to_owned()))
        );
    }

    #[test]
    fn unknown_paths_are_refused() {
        for path in [
            "",
            "/",
            "//@connections/a",
            "/dev/@connections",
            "/dev/x",
            "/dev/@connections/",
            "/dev/@connections/a/b",
            "/%ff",
        ] {
            assert_eq!(parse_target(path), None, "{path}");
        }
        assert_eq!(
            parse_target("/dev"),
            Some(PathTarget::Stage("dev".to_owned()))
        );
        assert_eq!(
            parse_target("/dev/"),
            Some(PathTarget::Stage("dev".to_owned()))
        );
    }

    proptest::proptest! {
        #[test]
        fn row_k5_any_id_that_is_encoded_once_is_decoded(id in ".{1,20}") {
            let encoded = percent_encoding::utf8_percent_encode(&id, percent_encoding::NON_ALPHANUMERIC);
            let target = parse_target(&format!("/dev/%40connections/{encoded}"));
            proptest::prop_assert_eq!(target, connection("dev", &id));
        }
    }
}
