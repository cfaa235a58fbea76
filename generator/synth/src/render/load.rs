//! The load that the stack is made for, as metadata that `stackgen cost` and the linter read.

use stackgen_cfn::{Map, Node};

use crate::spec::{Duration, LoadSpec};

/// Returns the keys that are set, with plain numbers in place of durations.
pub(super) fn metadata(load: &LoadSpec) -> Node {
    let count = |value: Option<u32>| value.map(|value| Node::from(i64::from(value)));
    let time = |value: Option<Duration>, unit: f64| {
        value.map(|value| number(value.millis() as f64 / unit))
    };
    let number = |value: Option<f64>| value.map(number);
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

/// Returns a number. CloudFormation's metadata has no fractions, so that these are text.
fn number(value: f64) -> Node {
    match value.fract() == 0.0 && value.abs() < 1e15 {
        true => Node::from(value as i64),
        false => Node::from(value.to_string().as_str()),
    }
}
