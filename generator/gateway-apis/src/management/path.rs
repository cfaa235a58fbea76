//! Paths of plain HTTP requests.

use percent_encoding::percent_decode_str;

/// Target of a plain HTTP request to a WebSocket API.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// Stage: `/{stage}`.
    Stage(String),
    /// Connection: `/{stage}/@connections/{id}`, with the ID decoded once (row K5).
    Connection {
        /// Stage.
        stage: String,
        /// Connection ID, as the client sent it.
        id: String,
    },
}

/// Parses a path as it was sent. IDs are base64, so a `/` in an ID is encoded.
pub(super) fn target(path: &str) -> Option<Target> {
    let mut segments = path.strip_prefix('/')?.split('/').map(decoded);
    let stage = segments.next()??;
    let rest: Vec<Option<String>> = segments.collect();
    match rest.as_slice() {
        _ if stage.is_empty() => None,
        [] => Some(Target::Stage(stage)),
        [Some(end)] if end.is_empty() => Some(Target::Stage(stage)),
        [Some(name), Some(id)] if name == "@connections" && !id.is_empty() => {
            let id = id.clone();
            Some(Target::Connection { stage, id })
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

    fn connection(stage: &str, id: &str) -> Option<Target> {
        Some(Target::Connection {
            stage: stage.to_owned(),
            id: id.to_owned(),
        })
    }

    #[test]
    fn row_k5_an_id_is_decoded_exactly_once() {
        assert_eq!(
            target("/dev/@connections/L0SM9cOFvHcCIhw%3D"),
            connection("dev", "L0SM9cOFvHcCIhw=")
        );
        assert_eq!(
            target("/dev/%40connections/a%2Fb="),
            connection("dev", "a/b=")
        );
        assert_eq!(
            target("/dev/@connections/abc%253D"),
            connection("dev", "abc%3D")
        );
    }

    #[test]
    fn paths_that_name_nothing_are_refused() {
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
            assert_eq!(target(path), None, "{path}");
        }
        assert_eq!(target("/dev"), Some(Target::Stage("dev".to_owned())));
        assert_eq!(target("/dev/"), Some(Target::Stage("dev".to_owned())));
    }

    proptest::proptest! {
        #[test]
        fn row_k5_any_id_that_is_encoded_once_is_read_back(id in ".{1,20}") {
            let encoded = percent_encoding::utf8_percent_encode(&id, percent_encoding::NON_ALPHANUMERIC);
            let target = target(&format!("/dev/%40connections/{encoded}"));
            proptest::prop_assert_eq!(target, connection("dev", &id));
        }
    }
}
