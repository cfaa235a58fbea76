//! The load that the stack is made for, as metadata that `stackgen cost` and the linter read.

use stackgen_cfn::{Map, Node, Value};

use crate::spec::{Duration, LoadSpec};

/// Returns the keys that are set, with plain numbers in place of durations.
pub(super) fn metadata(load: &LoadSpec) -> Node {
    let count = |value: Option<u32>| value.map(|value| Node::from(i64::from(value)));
    let number = |value: Option<f64>| value.map(|value| Node::new(Value::Float(value)));
    let time = |value: Option<Duration>, unit: f64| {
        value.map(|value| Node::new(Value::Float(value.millis() as f64 / unit)))
    };
    let keys = [
        ("Route", load.route.as_deref().map(Node::from)),
        ("Senders", count(load.senders)),
        ("Listeners", count(load.listeners)),
        ("Rate", number(load.rate)),
        ("Size", count(load.size)),
        ("Hours", number(load.hours)),
        ("JoinSeconds", time(load.join_within, 1000.0)),
        ("ConnectionMinutes", time(load.connection_time, 60_000.0)),
        ("Invocations", count(load.invocations)),
        ("InvocationMillis", time(load.duration, 1.0)),
        ("ReadUnits", number(load.read_units)),
        ("WriteUnits", number(load.write_units)),
        ("LogBytes", count(load.log_bytes)),
        ("Paced", load.paced.map(Node::from)),
    ];
    let set = keys
        .into_iter()
        .filter_map(|(key, value)| Some((key, value?)));
    set.collect::<Map>().into()
}
