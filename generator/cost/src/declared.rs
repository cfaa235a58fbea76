//! The load that a template declares.

use stackgen_model::Resolved;

use crate::Load;

/// The load under `Metadata.Stackgen.Load` of a template.
#[derive(Clone, Debug, PartialEq)]
pub struct DeclaredLoad {
    /// Route that receives the messages.
    pub route: Option<String>,
    /// The load, with defaults for the keys that are absent.
    pub load: Load,
}

impl DeclaredLoad {
    /// Reads the metadata. Returns `None` if the template declares no load. A value that is not of the kind that stackgen
    /// renders counts as absent.
    pub fn read(metadata: &Resolved) -> Option<DeclaredLoad> {
        metadata.as_map()?;
        let default = Load::default();
        let count = |key: &str| u32::try_from(metadata.get(key)?.as_int()?).ok();
        let number = |key: &str| number(metadata.get(key)?);
        Some(DeclaredLoad {
            route: metadata
                .get("Route")
                .and_then(Resolved::as_literal)
                .map(str::to_owned),
            load: Load {
                senders: count("Senders").unwrap_or(default.senders),
                listeners: count("Listeners").unwrap_or(default.listeners),
                rate: number("Rate").unwrap_or(default.rate),
                size: count("Size").unwrap_or(default.size),
                hours: number("Hours").unwrap_or(default.hours),
                join_seconds: number("JoinSeconds").unwrap_or(default.join_seconds),
                connection_minutes: number("ConnectionMinutes")
                    .unwrap_or(default.connection_minutes),
                invocations: count("Invocations").unwrap_or(default.invocations),
                invocation_millis: number("InvocationMillis").unwrap_or(default.invocation_millis),
                read_units: number("ReadUnits"),
                write_units: number("WriteUnits").unwrap_or(default.write_units),
                log_bytes: count("LogBytes").unwrap_or(default.log_bytes),
                paced: metadata
                    .get("Paced")
                    .and_then(Resolved::as_bool)
                    .unwrap_or(default.paced),
            },
        })
    }
}

/// Returns a number, whether the template writes it as a number or as text.
pub fn number(value: &Resolved) -> Option<f64> {
    match value {
        Resolved::Float(number) => Some(*number),
        value => value.to_text()?.as_literal()?.parse().ok(),
    }
}
