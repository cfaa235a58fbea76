//! Streams of tables, which record their changes.

use std::sync::{Arc, Mutex, PoisonError};

use dynoxide::DynoxideError;
use dynoxide::actions::describe_stream::DescribeStreamRequest;
use dynoxide::actions::describe_table::DescribeTableRequest;
use dynoxide::actions::get_records::GetRecordsRequest;
use dynoxide::actions::get_shard_iterator::GetShardIteratorRequest;
use serde_json::Value as Json;

use super::{Tables, TablesError};

/// Position in the stream of a table. Clones share it.
#[derive(Clone, Debug)]
pub struct StreamPosition(Arc<Mutex<String>>);

impl StreamPosition {
    /// Returns the shard iterator.
    pub(crate) fn get(&self) -> String {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Sets the shard iterator.
    pub(crate) fn set(&self, iterator: String) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = iterator;
    }
}

impl Tables {
    /// Returns true if there is a table with this name.
    pub async fn exists(&self, table: &str) -> bool {
        let (database, table_name) = (self.database.clone(), table.to_owned());
        let found = tokio::task::spawn_blocking(move || {
            let request = DescribeTableRequest { table_name };
            database.describe_table(request).is_ok()
        });
        found.await.unwrap_or_default()
    }

    /// Returns the position after the last record of a table's stream.
    ///
    /// # Errors
    ///
    /// If the table has no stream.
    pub async fn stream_end(&self, table: &str) -> Result<StreamPosition, TablesError> {
        let (database, table) = (self.database.clone(), table.to_owned());
        let found = tokio::task::spawn_blocking(move || {
            // The local endpoint identifies streams by their tables.
            let stream_arn = format!("arn:aws:dynamodb:local:0:table/{table}/stream/latest");
            let described = database.describe_stream(DescribeStreamRequest {
                stream_arn: stream_arn.clone(),
                ..DescribeStreamRequest::default()
            });
            let shard = described.map(|stream| stream.stream_description.shards);
            let shard = shard.map(|shards| shards.into_iter().next());
            let iterator = shard.and_then(|shard| {
                database.get_shard_iterator(GetShardIteratorRequest {
                    stream_arn,
                    shard_id: shard.map(|shard| shard.shard_id).unwrap_or_default(),
                    shard_iterator_type: "LATEST".to_owned(),
                    sequence_number: None,
                })
            });
            match iterator {
                Ok(iterator) => Ok(iterator.shard_iterator.unwrap_or_default()),
                Err(DynoxideError::ResourceNotFoundException(_)) => {
                    Err(TablesError::NoStream { table })
                }
                Err(source) => Err(TablesError::Refused { table, source }),
            }
        });
        let iterator = found.await.unwrap_or_else(|error| {
            // The task is never cancelled, so it has panicked.
            std::panic::resume_unwind(error.into_panic())
        })?;
        Ok(StreamPosition(Arc::new(Mutex::new(iterator))))
    }

    /// Returns at most `max` records after an iterator, oldest first, and the iterator after them.
    ///
    /// # Errors
    ///
    /// If the table was deleted.
    pub async fn stream_records(
        &self,
        iterator: &str,
        max: usize,
    ) -> Result<(Vec<Json>, String), DynoxideError> {
        let (database, iterator) = (self.database.clone(), iterator.to_owned());
        let read = tokio::task::spawn_blocking(move || {
            let answer = database.get_records(GetRecordsRequest {
                shard_iterator: iterator.clone(),
                limit: Some(max),
            })?;
            let records = answer.records.iter();
            let records = records.map(|record| serde_json::to_value(record).unwrap_or_default());
            let next = answer.next_shard_iterator.unwrap_or(iterator);
            Ok((records.collect(), next))
        });
        read.await
            .unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
    }
}
