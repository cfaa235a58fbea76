//! Local DynamoDB: an embedded endpoint with a template's tables, in memory or in a file.
//!
//! Backups, encryption and capacity of tables are ignored.

mod data_file;
mod definition;
mod items;
mod proxy;
mod stream;
mod template;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use axum::Router;
use dynoxide::Database;
use dynoxide::DynoxideError;
use dynoxide::actions::create_table::{CreateTableRequest, StreamSpecification};
use dynoxide::actions::delete_table::DeleteTableRequest;
use dynoxide::actions::describe_table::DescribeTableRequest;
use dynoxide::actions::describe_time_to_live::DescribeTimeToLiveRequest;
use dynoxide::actions::update_table::{
    CreateGsiAction, DeleteGsiAction, GlobalSecondaryIndexUpdate, UpdateTableRequest,
};
use dynoxide::actions::update_time_to_live::{TimeToLiveSpecification, UpdateTimeToLiveRequest};
use thiserror::Error;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

pub use definition::{
    AttributeType, IndexProjection, KeyType, SecondaryIndex, TableDefinition, TableKeyAttribute,
};
pub(crate) use items::{ItemPage, TableItemError};
pub use stream::StreamPosition;

/// DynamoDB endpoint with its tables. It stops when it is dropped.
pub struct Tables {
    database: Database,
    data: Option<PathBuf>,
    address: SocketAddr,
    _running: DropGuard,
}

/// Result of [`Tables::create_or_update`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableChange {
    /// The table was created.
    Created,
    /// The table existed and did not change.
    Unchanged,
    /// The indexes, the stream or the time to live of the existing table changed. Its items stay.
    Updated,
}

/// Error of the tables.
#[derive(Debug, Error)]
pub enum TablesError {
    /// The data file cannot be path.
    #[error("cannot open the data file {}: {source}", path.display())]
    Open {
        /// Data file.
        path: PathBuf,
        /// Cause.
        source: DynoxideError,
    },
    /// The data file is not a database.
    #[error("{} is not a database, so it cannot store the tables", path.display())]
    NotADatabase {
        /// Data file.
        path: PathBuf,
    },
    /// The data file is a database of another program.
    #[error("{} is a database of another program, so it cannot store the tables", path.display())]
    Foreign {
        /// Data file.
        path: PathBuf,
    },
    /// The data file is a damaged database.
    #[error("the data file {} is damaged: {source}", path.display())]
    Damaged {
        /// Data file.
        path: PathBuf,
        /// Error of the database.
        source: DynoxideError,
    },
    /// The folder of the data file cannot be created.
    #[error("cannot create the folder of the data file {}: {source}", path.display())]
    Folder {
        /// Data file.
        path: PathBuf,
        /// Cause.
        source: std::io::Error,
    },
    /// No port on loopback is free.
    #[error("the DynamoDB endpoint cannot listen on loopback: {0}")]
    Listen(std::io::Error),
    /// The port that was named cannot be used.
    #[error("the DynamoDB endpoint cannot listen on port {port}: {source}")]
    Port {
        /// The port.
        port: u16,
        /// Error of the system.
        source: std::io::Error,
    },
    /// DynamoDB rejects a table.
    #[error("table {table}: {source}")]
    Refused {
        /// Name of the table.
        table: String,
        /// Error of DynamoDB.
        source: DynoxideError,
    },
    /// The table has no stream.
    #[error("table {table} has no stream")]
    NoStream {
        /// Name of the table.
        table: String,
    },
    /// The key or the local indexes of a table changed, which requires a new table.
    #[error(
        "cannot change the {what} of table {table}, for which CloudFormation replaces the table: {}",
        start_over_hint(data.as_deref())
    )]
    Replaced {
        /// Name of the table.
        table: String,
        /// `key` or `local indexes`.
        what: &'static str,
        /// Data file that stores the table.
        data: Option<PathBuf>,
    },
}

impl TablesError {
    /// Returns advice for errors of the data file.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            TablesError::NotADatabase { .. } | TablesError::Foreign { .. } => {
                Some("name another file; this one was not changed")
            }
            TablesError::Damaged { .. } => Some("move the file away, or name another one"),
            TablesError::Port { .. } => {
                Some("stop the program that listens there, or name another port")
            }
            _ => None,
        }
    }
}

fn start_over_hint(data: Option<&Path>) -> String {
    match data {
        Some(path) => format!("remove {} to start over", path.display()),
        None => "restart the gateway to start over".to_owned(),
    }
}

impl Tables {
    /// Default interval between two removals of expired items. DynamoDB itself takes up to a few days.
    pub const SWEEP: Duration = Duration::from_secs(5);

    /// Opens the data file, or a database in memory if there is none, and serves it on a free port of loopback. Removes expired
    /// items at the interval `sweep`.
    ///
    /// # Errors
    ///
    /// If the file cannot be used or no port is free.
    pub async fn start(data: Option<&Path>, sweep: Duration) -> Result<Self, TablesError> {
        Self::start_on(data, None, sweep).await
    }

    /// Does the same on a named port, for code that calls DynamoDB at a fixed address.
    ///
    /// # Errors
    ///
    /// If the file or the port cannot be used.
    pub async fn start_on(
        data: Option<&Path>,
        port: Option<u16>,
        sweep: Duration,
    ) -> Result<Self, TablesError> {
        let data = data.map(Path::to_path_buf);
        let path = data.clone();
        let database = tokio::task::spawn_blocking(move || open(path.as_deref()));
        let database = database.await.unwrap_or_else(|error| {
            // The task is never cancelled, so it has panicked.
            std::panic::resume_unwind(error.into_panic())
        })?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port.unwrap_or(0))).await;
        let listener = listener.map_err(|source| match port {
            Some(port) => TablesError::Port { port, source },
            None => TablesError::Listen(source),
        })?;
        let address = listener.local_addr().map_err(TablesError::Listen)?;
        let stop = CancellationToken::new();
        tokio::spawn(dynoxide::server::serve_with_shutdown(
            listener,
            database.clone(),
            stop.clone().cancelled_owned(),
        ));
        tokio::spawn(
            stop.clone()
                .run_until_cancelled_owned(remove_expired(database.clone(), sweep)),
        );
        Ok(Tables {
            database,
            data,
            address,
            _running: stop.drop_guard(),
        })
    }

    /// Returns the URL of the endpoint, `http://127.0.0.1:{port}`, for `AWS_ENDPOINT_URL_DYNAMODB`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns a router that forwards requests to the endpoint.
    pub fn router(&self) -> Router {
        proxy::router(self.address)
    }

    /// Creates a table, or updates the global indexes, the stream and the time to live of the existing one. Its items stay.
    ///
    /// # Errors
    ///
    /// If DynamoDB rejects the table, or it exists with another key or other local indexes.
    pub async fn create_or_update(
        &self,
        table: TableDefinition,
    ) -> Result<TableChange, TablesError> {
        let (database, data) = (self.database.clone(), self.data.clone());
        let created =
            tokio::task::spawn_blocking(move || create_or_update(&database, &table, data));
        created
            .await
            .unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
    }

    /// Deletes a table with its items. Succeeds if it does not exist.
    ///
    /// # Errors
    ///
    /// If DynamoDB rejects the deletion.
    pub async fn remove(&self, table: &str) -> Result<(), TablesError> {
        let (database, table) = (self.database.clone(), table.to_owned());
        let removed = tokio::task::spawn_blocking(move || {
            let request = DeleteTableRequest {
                table_name: table.clone(),
            };
            match database.delete_table(request) {
                Ok(_) | Err(DynoxideError::ResourceNotFoundException(_)) => Ok(()),
                Err(source) => Err(TablesError::Refused { table, source }),
            }
        });
        removed
            .await
            .unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
    }
}

fn open(data: Option<&Path>) -> Result<Database, TablesError> {
    let Some(path) = data else {
        return Database::memory().map_err(|source| TablesError::Open {
            path: ":memory:".into(),
            source,
        });
    };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|source| TablesError::Folder {
            path: path.to_owned(),
            source,
        })?;
    }
    data_file::check(path)?;
    let open = match path.to_str() {
        Some(text) => Database::new(text),
        None => Err(DynoxideError::InternalServerError(
            "its path is not UTF-8".to_owned(),
        )),
    };
    open.map_err(|source| {
        let path = path.to_owned();
        match data_file::is_damage_error(&source) {
            true => TablesError::Damaged { path, source },
            false => TablesError::Open { path, source },
        }
    })
}

/// Removes expired items at an interval until the task is stopped.
async fn remove_expired(database: Database, every: Duration) {
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let database = database.clone();
        // Errors are ignored: the next sweep tries again.
        let _ = tokio::task::spawn_blocking(move || database.sweep_ttl()).await;
    }
}

fn create_or_update(
    database: &Database,
    table: &TableDefinition,
    data: Option<PathBuf>,
) -> Result<TableChange, TablesError> {
    let path = data.clone().unwrap_or_default();
    let refused = |source| match data_file::is_damage_error(&source) {
        true => TablesError::Damaged {
            path: path.clone(),
            source,
        },
        false => TablesError::Refused {
            table: table.name.clone(),
            source,
        },
    };
    let describe = DescribeTableRequest {
        table_name: table.name.clone(),
    };
    let table_changed = match database.describe_table(describe) {
        Ok(found) => {
            let found = TableDefinition::from_description(&found.table);
            if let Some(what) = table.needs_replacement(&found) {
                let table = table.name.clone();
                return Err(TablesError::Replaced { table, what, data });
            }
            let indexes = update_indexes(database, table, &found).map_err(refused)?;
            indexes | update_stream(database, table, &found).map_err(refused)?
        }
        Err(DynoxideError::ResourceNotFoundException(_)) => {
            let request = CreateTableRequest::from(table);
            database.create_table(request).map_err(refused)?;
            update_time_to_live(database, table).map_err(refused)?;
            return Ok(TableChange::Created);
        }
        Err(error) => return Err(refused(error)),
    };
    let time_to_live_changed = update_time_to_live(database, table).map_err(refused)?;
    Ok(match table_changed || time_to_live_changed {
        true => TableChange::Updated,
        false => TableChange::Unchanged,
    })
}

/// Creates and deletes global indexes, one per request as DynamoDB requires. Returns true if there was a change.
fn update_indexes(
    database: &Database,
    desired: &TableDefinition,
    found: &TableDefinition,
) -> Result<bool, DynoxideError> {
    let gone = found
        .global()
        .filter(|index| !desired.indexes.contains(index));
    let gone = gone.map(|index| GlobalSecondaryIndexUpdate {
        delete: Some(DeleteGsiAction {
            index_name: index.name.clone(),
        }),
        ..GlobalSecondaryIndexUpdate::default()
    });
    let new = desired
        .global()
        .filter(|index| !found.indexes.contains(index));
    let new = new.map(|index| GlobalSecondaryIndexUpdate {
        create: Some(CreateGsiAction {
            index_name: index.name.clone(),
            key_schema: index.key_schema(),
            projection: index.projection.clone().into(),
        }),
        ..GlobalSecondaryIndexUpdate::default()
    });
    let mut any = false;
    for update in gone.chain(new) {
        any = true;
        database.update_table(UpdateTableRequest {
            table_name: desired.name.clone(),
            attribute_definitions: Some(desired.attribute_definitions()),
            global_secondary_index_updates: Some(vec![update]),
            ..UpdateTableRequest::default()
        })?;
    }
    Ok(any)
}

/// Enables, changes or disables the stream. Returns true if it changed. Positions in a stream that is enabled again stay valid.
fn update_stream(
    database: &Database,
    desired: &TableDefinition,
    found: &TableDefinition,
) -> Result<bool, DynoxideError> {
    if desired.stream_view == found.stream_view {
        return Ok(false);
    }
    let update = |view: Option<String>| {
        database.update_table(UpdateTableRequest {
            table_name: desired.name.clone(),
            stream_specification: Some(StreamSpecification {
                stream_enabled: view.is_some(),
                stream_view_type: view,
            }),
            ..UpdateTableRequest::default()
        })
    };
    if found.stream_view.is_some() {
        update(None)?;
    }
    if desired.stream_view.is_some() {
        update(desired.stream_view.clone())?;
    }
    Ok(true)
}

/// Sets the time to live. Returns true if it changed. DynamoDB requires that the old one is disabled first.
fn update_time_to_live(
    database: &Database,
    desired: &TableDefinition,
) -> Result<bool, DynoxideError> {
    let request = DescribeTimeToLiveRequest {
        table_name: desired.name.clone(),
    };
    let found = database.describe_time_to_live(request)?;
    let found = found.time_to_live_description.attribute_name;
    if found == desired.ttl_attribute {
        return Ok(false);
    }
    let set = |attribute: String, enabled| {
        database.update_time_to_live(UpdateTimeToLiveRequest {
            table_name: desired.name.clone(),
            time_to_live_specification: TimeToLiveSpecification {
                attribute_name: attribute,
                enabled,
            },
        })
    };
    if let Some(attribute) = found {
        set(attribute, false)?;
    }
    if let Some(attribute) = desired.ttl_attribute.clone() {
        set(attribute, true)?;
    }
    Ok(true)
}
