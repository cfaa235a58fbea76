//! The stream of events, as the control endpoint and `stackgen dev --json` write it.

use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings};
use serde::Serialize;

use super::RecordedEvent;

/// A line of the stream, or the data of a server-sent event.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum StreamLine<'a> {
    /// An event of the gateway.
    Recorded(&'a RecordedEvent),
    /// A note about the stream itself. It has no number.
    Note(StreamNote),
}

/// A note about the stream itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    tag = "event"
)]
pub enum StreamNote {
    /// The stream begins. Only the control endpoint sends it, first on each connection.
    Started {
        /// Name of this run of the gateway. Numbers of events of another run have no meaning.
        run: String,
    },
    /// Events were dropped before this reader got them, because it read too slowly or was away too long.
    Dropped {
        /// Number of dropped events.
        count: u64,
    },
}

/// Returns the JSON Schema of a line of the stream.
pub fn stream_schema() -> Schema {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    let mut schema = SchemaGenerator::new(settings).into_root_schema_for::<StreamLine<'static>>();
    schema.insert(
        "title".to_owned(),
        "Events of the local gateway of stackgen".into(),
    );
    schema
}
