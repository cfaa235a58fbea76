//! Logs: one flat line of JSON per event, so that CloudWatch Logs Insights finds every field by name.
//!
//! `{"timestamp":…,"level":"INFO","message":"Clean disconnect","target":…,"lambdaRequestId":…,"connectionId":…}`
//!
//! A line contains the fields of the event and of the spans around it. If names repeat, the innermost value wins. (The
//! JSON format of `tracing-subscriber` nests the fields of spans, and other layers write a name twice.)

use std::fmt::Debug;
use std::io::{self, Write};

use aws_lambda_events::apigw::ApiGatewayWebsocketProxyRequestContext;
use serde_json::{Map, Value};
use tracing::field::{self, Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Span, Subscriber, level_filters::LevelFilter};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

use crate::{Environment, Lookup};

/// Reads the log level from `LOG_LEVEL`: error, warn, info (the default), debug or trace.
pub fn level(environment: &mut Environment<impl Lookup>) -> Level {
    let levels = [
        ("error", Level::ERROR),
        ("warn", Level::WARN),
        ("info", Level::INFO),
        ("debug", Level::DEBUG),
        ("trace", Level::TRACE),
    ];
    environment.choice_or("LOG_LEVEL", &levels, Level::INFO)
}

/// Returns a subscriber that writes lines of JSON.
///
/// `level` applies to this library and to the crates in `own`, by prefix of the target. All other crates log only
/// warnings and errors: at lower levels, HTTP clients and the Lambda runtime log whole messages and tokens.
pub fn subscriber<W>(level: Level, own: &[&str], writer: W) -> impl Subscriber + Send + Sync
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let level = LevelFilter::from_level(level);
    let own = own.iter().copied().chain([env!("CARGO_CRATE_NAME")]);
    let targets = Targets::new()
        .with_default(level.min(LevelFilter::WARN))
        .with_targets(own.map(|target| (target, level)));
    let lines = JsonLines(writer);
    tracing_subscriber::registry().with(lines.with_filter(targets))
}

/// Returns the span for an event of a WebSocket API. It adds `requestId`, `connectionId` and `routeKey` to every line,
/// and `sessionId` and `role` once the function [records](Span::record) them.
///
/// Its level is error, so that the IDs are on all lines at any `LOG_LEVEL`.
pub fn request_span(context: &ApiGatewayWebsocketProxyRequestContext) -> Span {
    tracing::error_span!(
        "request",
        requestId = context.request_id.as_deref(),
        connectionId = context.connection_id.as_deref(),
        routeKey = context.route_key.as_deref(),
        sessionId = field::Empty,
        role = field::Empty,
    )
}

struct JsonLines<W>(W);

impl<S, W> Layer<S> for JsonLines<W>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + 'static,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if let Some(span) = context.span(id) {
            let mut fields = Fields::default();
            attributes.record(&mut fields);
            span.extensions_mut().insert(fields);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<Fields>()
        {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        for span in context
            .event_scope(event)
            .into_iter()
            .flat_map(|spans| spans.from_root())
        {
            if let Some(Fields(outer)) = span.extensions().get() {
                fields.0.extend(outer.clone());
            }
        }
        event.record(&mut fields);
        // A failure to write a line cannot be logged either.
        let _ = self.write(event, fields);
    }
}

impl<W: for<'a> MakeWriter<'a>> JsonLines<W> {
    /// Writes a line in one call, so that lines of other threads do not mix with it.
    fn write(&self, event: &Event<'_>, Fields(mut fields): Fields) -> io::Result<()> {
        let metadata = event.metadata();
        let mut line = Map::new();
        line.insert("timestamp".to_owned(), now().into());
        line.insert("level".to_owned(), metadata.level().as_str().into());
        let message = fields.shift_remove("message").unwrap_or_default();
        line.insert("message".to_owned(), message);
        line.insert("target".to_owned(), metadata.target().into());
        for (name, value) in fields {
            line.entry(name).or_insert(value);
        }
        let mut line = serde_json::to_vec(&line)?;
        line.push(b'\n');
        self.0.make_writer_for(metadata).write_all(&line)
    }
}

fn now() -> String {
    let mut text = String::new();
    // Writing to a string never fails.
    let _ = SystemTime.format_time(&mut Writer::new(&mut text));
    text
}

/// Fields of a span or an event.
#[derive(Default)]
struct Fields(Map<String, Value>);

impl Fields {
    fn insert(&mut self, field: &Field, value: impl Into<Value>) {
        self.0.insert(field.name().to_owned(), value.into());
    }
}

impl Visit for Fields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.insert(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.insert(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.insert(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.insert(field, value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.insert(field, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.insert(field, format!("{value:?}"));
    }
}

#[cfg(test)]
mod tests;
