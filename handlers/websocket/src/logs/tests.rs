use std::sync::{Arc, Mutex};

use super::*;

#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Returns the lines that the crate `app` logs at a level.
fn logged(level: Level, log: impl FnOnce()) -> Vec<Value> {
    let written = Written::default();
    let writer = written.clone();
    let subscriber = subscriber(level, &["app"], move || writer.clone());
    tracing::subscriber::with_default(subscriber, log);
    let bytes = written.0.lock().unwrap();
    let text = std::str::from_utf8(&bytes).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn a_line_has_timestamp_level_message_and_target() {
    let lines = logged(Level::INFO, || {
        tracing::info!(target: "app::join", "Session {}", "joined");
    });
    let [line] = lines.as_slice() else {
        panic!("one line");
    };
    let keys: Vec<_> = line.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["timestamp", "level", "message", "target"]);
    assert_eq!(line["level"], "INFO");
    assert_eq!(line["message"], "Session joined");
    assert_eq!(line["target"], "app::join");
    let timestamp = line["timestamp"].as_str().unwrap();
    assert!(
        timestamp.starts_with("20") && timestamp.ends_with('Z'),
        "{timestamp}"
    );
}

#[test]
fn fields_keep_their_types() {
    let lines = logged(Level::INFO, || {
        let error: &(dyn std::error::Error + 'static) = &io::Error::other("broken");
        tracing::info!(target: "app", u = 1_u64, i = -1_i64, f = 0.5, b = true, s = "a\"b", d = ?Some(1), p = %2, error);
    });
    let line = lines[0].as_object().unwrap();
    let fields: Vec<_> = line.iter().skip(4).collect();
    let expected = serde_json::json!({
        "u": 1, "i": -1, "f": 0.5, "b": true, "s": "a\"b", "d": "Some(1)", "p": "2", "error": "broken",
    });
    assert_eq!(
        fields,
        expected.as_object().unwrap().iter().collect::<Vec<_>>()
    );
    assert_eq!(line["message"], Value::Null);
}

#[test]
fn fields_of_spans_are_added_and_the_innermost_wins() {
    let lines = logged(Level::INFO, || {
        let outer = tracing::info_span!(target: "app", "outer", id = 1, role = "listener", late = tracing::field::Empty);
        let inner = tracing::info_span!(target: "app", parent: &outer, "inner", id = 2);
        outer.record("late", true);
        let _entered = inner.enter();
        tracing::info!(target: "app", role = "speaker", level = "no", "Inside");
    });
    let line = &lines[0];
    assert_eq!(line["id"], 2);
    assert_eq!(line["role"], "speaker");
    assert_eq!(line["late"], true);
    assert_eq!(
        line["level"], "INFO",
        "a field does not hide what the line is"
    );
}

#[test]
fn the_level_applies_to_own_crates_and_others_only_warn() {
    let log = || {
        tracing::trace!(target: "app::deep", "own");
        tracing::trace!(target: "stackgen_websocket::broadcast", "library");
        tracing::info!(target: "hyper", "other");
        tracing::warn!(target: "hyper", "warning");
    };
    let messages = |level| -> Vec<Value> {
        let lines = logged(level, log).into_iter();
        lines.map(|line| line["message"].clone()).collect()
    };
    assert_eq!(messages(Level::TRACE), ["own", "library", "warning"]);
    assert_eq!(messages(Level::INFO), ["warning"]);
    assert_eq!(messages(Level::ERROR), Vec::<Value>::new());
}

#[test]
fn a_request_span_has_its_ids_at_every_level() {
    let mut context = ApiGatewayWebsocketProxyRequestContext::default();
    context.request_id = Some("r=".to_owned());
    context.connection_id = Some("c=".to_owned());
    let lines = logged(Level::ERROR, || {
        request_span(&context).in_scope(|| tracing::error!(target: "app", "Failed"));
    });
    assert_eq!(lines[0]["requestId"], "r=");
    assert_eq!(lines[0]["connectionId"], "c=");
    assert_eq!(lines[0].get("routeKey"), None);
}

#[test]
fn the_level_is_read_and_is_info_by_default() {
    for (value, expected) in [
        (None, Level::INFO),
        (Some("error"), Level::ERROR),
        (Some("warn"), Level::WARN),
        (Some("INFO"), Level::INFO),
        (Some("debug"), Level::DEBUG),
        (Some("trace"), Level::TRACE),
    ] {
        let mut environment = Environment::new(|_: &str| value.map(str::to_owned));
        let level = level(&mut environment);
        assert_eq!(environment.finish(level), Ok(expected));
    }
}
