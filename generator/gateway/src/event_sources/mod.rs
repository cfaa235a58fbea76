//! Event source mappings: read queues of SQS, streams of Kinesis and streams of the local tables, and invoke functions with
//! batches of records.
//!
//! Queues and streams of Kinesis are read from the endpoint for services that do not run here.

mod data_stream;
mod delivery;
mod ordered;
mod queue;
mod queue_client;
mod queue_event;
mod shards;
mod stream;
mod stream_event;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use stackgen_gateway_common::{ArnScope, Event, Events};
use stackgen_gateway_lambda::functions::Functions;
use stackgen_gateway_stack::{EventSource, EventSourceError, EventSourceMapping, EventSources};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use crate::outbound::OtherServices;
use crate::tables::{StreamPosition, Tables};
use shards::ShardPositions;

/// Reads the sources of all mappings.
pub(crate) struct EventSourcePollers {
    context: Arc<PollerContext>,
    running: Mutex<HashMap<String, RunningMapping>>,
}

/// Services that pollers use.
struct PollerContext {
    scope: ArnScope,
    functions: Arc<Functions>,
    tables: Arc<Tables>,
    others: Arc<OtherServices>,
    events: Events,
    /// Delay before the first retry of a batch of a stream. It doubles with every retry.
    retry: Duration,
    /// Cancelled when the gateway stops.
    stop: CancellationToken,
    tasks: TaskTracker,
}

/// A mapping whose source is read until this is dropped.
struct RunningMapping {
    mapping: EventSourceMapping,
    /// Position in the stream of a table, which an updated mapping continues.
    position: Option<StreamPosition>,
    /// Positions in a stream of Kinesis.
    shards: ShardPositions,
    _reading: Option<DropGuard>,
}

impl EventSourcePollers {
    pub(crate) fn new(
        functions: &Arc<Functions>,
        tables: &Arc<Tables>,
        others: &Arc<OtherServices>,
        events: Events,
        retry: Duration,
    ) -> Self {
        EventSourcePollers {
            context: Arc::new(PollerContext {
                scope: functions.scope().clone(),
                functions: functions.clone(),
                tables: tables.clone(),
                others: others.clone(),
                events,
                retry,
                stop: CancellationToken::new(),
                tasks: TaskTracker::new(),
            }),
            running: Mutex::default(),
        }
    }

    /// Stops reading. Batches that are being processed are abandoned: their messages stay in the queue.
    pub(crate) async fn stop(&self) {
        self.context.stop.cancel();
        self.running().clear();
        self.context.tasks.close();
        self.context.tasks.wait().await;
    }

    /// Returns all mappings, sorted by their sources.
    pub(crate) fn mappings(&self) -> Vec<EventSourceMapping> {
        let running = self.running();
        let mut mappings: Vec<_> = running.values().map(|it| it.mapping.clone()).collect();
        mappings.sort_by(|a, b| a.source_arn.cmp(&b.source_arn));
        mappings
    }

    fn running(&self) -> MutexGuard<'_, HashMap<String, RunningMapping>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the position from which a stream is read: that of the running mapping, or the end of the stream.
    async fn position(
        &self,
        id: &str,
        mapping: &EventSourceMapping,
        table: &str,
    ) -> Result<StreamPosition, EventSourceError> {
        if let Some(running) = self.running().get(id)
            && running.mapping.source_arn == mapping.source_arn
            && let Some(position) = &running.position
        {
            return Ok(position.clone());
        }
        let position = self.context.tables.stream_end(table).await;
        position.map_err(|error| EventSourceError {
            message: error.to_string(),
            hint: Some("set StreamSpecification of the table".to_owned()),
        })
    }

    /// Starts to read the source of a mapping, unless it is disabled or the source cannot be read here.
    fn start(
        &self,
        mapping: &EventSourceMapping,
        position: Option<&StreamPosition>,
        shards: &ShardPositions,
    ) -> Option<DropGuard> {
        if !mapping.enabled {
            return None;
        }
        let (context, mapping) = (self.context.clone(), mapping.clone());
        let reading = self.context.stop.child_token();
        let stop = reading.clone();
        match (&mapping.source, position) {
            (EventSource::Queue { .. }, _) if context.others.url().is_some() => {
                let read = queue::read(context, mapping, reading.clone());
                self.context.tasks.spawn(read);
            }
            (EventSource::TableStream { .. }, Some(position)) => {
                let read = stream::read(context, mapping, position.clone());
                let read = async move { stop.run_until_cancelled_owned(read).await };
                self.context.tasks.spawn(read);
            }
            (EventSource::DataStream { .. }, _) if context.others.url().is_some() => {
                let read = data_stream::read(context, mapping, shards.clone());
                let read = async move { stop.run_until_cancelled_owned(read).await };
                self.context.tasks.spawn(read);
            }
            _ => return None,
        }
        Some(reading.drop_guard())
    }
}

impl EventSources for EventSourcePollers {
    fn put<'a>(
        &'a self,
        id: &'a str,
        mapping: EventSourceMapping,
    ) -> BoxFuture<'a, Result<(), EventSourceError>> {
        Box::pin(async move {
            let position = match &mapping.source {
                EventSource::TableStream { table } if self.context.tables.exists(table).await => {
                    Some(self.position(id, &mapping, table).await?)
                }
                _ => None,
            };
            // The old reader stops before the new one starts.
            let old = self.running().remove(id);
            let old = old.filter(|old| old.mapping.source_arn == mapping.source_arn);
            let shards = old.map(|old| old.shards.clone()).unwrap_or_default();
            let reading = self.start(&mapping, position.as_ref(), &shards);
            let running = RunningMapping {
                mapping,
                position,
                shards,
                _reading: reading,
            };
            self.running().insert(id.to_owned(), running);
            Ok(())
        })
    }

    fn delete(&self, id: &str) {
        self.running().remove(id);
    }

    fn notes(&self, mapping: &EventSourceMapping) -> Vec<String> {
        let note = match &mapping.source {
            EventSource::Queue { name, .. } if self.context.others.url().is_none() => format!(
                "messages of the queue {name} invoke no function; start `stackgen dev` with --services URL to read the \
                 queue of an emulator of AWS"
            ),
            EventSource::DataStream { name } if self.context.others.url().is_none() => format!(
                "records of the stream {name} invoke no function; start `stackgen dev` with --services URL to read the stream \
                 of an emulator of AWS"
            ),
            EventSource::Other { service } => format!(
                "records of {service} invoke no function: the local gateway reads queues, streams of Kinesis and streams of its \
                 tables"
            ),
            EventSource::TableStream { table } if !self.reads_stream(mapping) => {
                format!(
                    "changes of the table {table} invoke no function: the template does not create it"
                )
            }
            _ => return Vec::new(),
        };
        vec![note]
    }
}

impl EventSourcePollers {
    fn reads_stream(&self, mapping: &EventSourceMapping) -> bool {
        let running = self.running();
        let mut running = running.values();
        running.any(|one| one.mapping.source_arn == mapping.source_arn && one.position.is_some())
    }
}

impl PollerContext {
    /// Reports a source that cannot be read.
    fn report(&self, service: &str, operation: &str, reason: String) {
        self.events.send(Event::ServiceNotRun {
            service: service.to_owned(),
            operation: operation.to_owned(),
            reason,
        });
    }
}
