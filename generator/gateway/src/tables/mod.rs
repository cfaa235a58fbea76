//! DynamoDB: an embedded endpoint with a template's tables, in memory or in a file.
//!
//! Streams, backups, encryption and capacity of a table mean nothing here; tables are made without them.

mod data_file;
mod description;
mod proxy;
mod template;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use axum::Router;
use dynoxide::Database;
use dynoxide::DynoxideError;
use dynoxide::actions::create_table::CreateTableRequest;
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

pub use description::{AttributeType, Index, KeyAttribute, KeyType, Projection, Table};

/// The endpoint with its tables. It ends when it is dropped.
pub struct Tables {
    database: Database,
    data: Option<PathBuf>,
    address: SocketAddr,
    _running: DropGuard,
}

/// What [`Tables::create`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Created {
    /// There was no such table.
    New,
    /// The table is as it was, with its items.
    Kept,
    /// The table has its items, and other indexes or another time to live than before.
    Updated,
}

/// Why there are no tables.
#[derive(Debug, Error)]
pub enum TablesError {
    /// The data file cannot be used.
    #[error("the tables' data file {} cannot be used: {source}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        source: DynoxideError,
    },
    /// The data file is something else.
    #[error("{} is not a database: it cannot keep the tables", path.display())]
    NotADatabase {
        /// The file.
        path: PathBuf,
    },
    /// The data file is a database of another program.
    #[error("{} is a database of another program: it cannot keep the tables", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// The data file is a database that is damaged.
    #[error("the tables' data file {} is damaged: {source}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What the database found.
        source: DynoxideError,
    },
    /// The folder of the data file cannot be made.
    #[error("the folder of the tables' data file {} cannot be made: {source}", path.display())]
    Folder {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// No port of loopback is free.
    #[error("the DynamoDB endpoint cannot listen on loopback: {0}")]
    ApiListener(std::io::Error),
    /// A table cannot be made as it is described.
    #[error("table {table}: {source}")]
    Refused {
        /// The table.
        table: String,
        /// DynamoDB's own words.
        source: DynoxideError,
    },
    /// A table is there with another key or other local indexes, which no table can change.
    #[error(
        "table {table} exists with other keys ({what}), and CloudFormation would replace it: {}",
        hint(data.as_deref())
    )]
    Replaced {
        /// The table.
        table: String,
        /// `key` or `local indexes`.
        what: &'static str,
        /// Where the table is kept.
        data: Option<PathBuf>,
    },
}

impl TablesError {
    /// What to do about a data file that cannot be used.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            TablesError::NotADatabase { .. } | TablesError::Foreign { .. } => {
                Some("name another file: nothing in this one was changed")
            }
            TablesError::Damaged { .. } => Some("move the file away, or name another one"),
            _ => None,
        }
    }
}

fn hint(data: Option<&Path>) -> String {
    match data {
        Some(path) => format!("remove {} to begin anew", path.display()),
        None => "start again to begin anew".to_owned(),
    }
}

impl Tables {
    /// How often items are looked through for those that have expired. DynamoDB itself takes up to some days.
    pub const SWEEP: Duration = Duration::from_secs(5);

    /// Opens the data file, or a database in memory without one, and serves it on a free port of loopback. Items that
    /// have expired go every so often.
    ///
    /// # Errors
    ///
    /// If the file cannot be used or no port is free.
    pub async fn start(data: Option<&Path>, sweep: Duration) -> Result<Self, TablesError> {
        let data = data.map(Path::to_path_buf);
        let opened = data.clone();
        let database = tokio::task::spawn_blocking(move || open(opened.as_deref()));
        let database = database.await.unwrap_or_else(|stopped| {
            // It was not cancelled, so that it can only have panicked.
            std::panic::resume_unwind(stopped.into_panic())
        })?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener = listener.map_err(TablesError::ApiListener)?;
        let address = listener.local_addr().map_err(TablesError::ApiListener)?;
        let stop = CancellationToken::new();
        tokio::spawn(dynoxide::server::serve_with_shutdown(
            listener,
            database.clone(),
            stop.clone().cancelled_owned(),
        ));
        tokio::spawn(
            stop.clone()
                .run_until_cancelled_owned(expire(database.clone(), sweep)),
        );
        Ok(Tables {
            database,
            data,
            address,
            _running: stop.drop_guard(),
        })
    }

    /// `http://127.0.0.1:{port}`: what `AWS_ENDPOINT_URL_DYNAMODB` of functions is.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Hands requests of AWS clients that arrived elsewhere to the endpoint.
    pub fn router(&self) -> Router {
        proxy::router(self.address)
    }

    /// Makes a table as it is described, or brings the one of that name there: its global indexes and its time to live
    /// change, its items stay.
    ///
    /// # Errors
    ///
    /// If the description makes no table, or one with another key is there.
    pub async fn create(&self, table: Table) -> Result<Created, TablesError> {
        let (database, data) = (self.database.clone(), self.data.clone());
        let created = tokio::task::spawn_blocking(move || create(&database, &table, data));
        created
            .await
            .unwrap_or_else(|stopped| std::panic::resume_unwind(stopped.into_panic()))
    }

    /// Deletes a table with its items. One that is not there is deleted already.
    ///
    /// # Errors
    ///
    /// If DynamoDB refuses.
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
            .unwrap_or_else(|stopped| std::panic::resume_unwind(stopped.into_panic()))
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
            "its path is no UTF-8".to_owned(),
        )),
    };
    open.map_err(|source| {
        let path = path.to_owned();
        match data_file::finds_damage(&source) {
            true => TablesError::Damaged { path, source },
            false => TablesError::Open { path, source },
        }
    })
}

/// Removes expired items, for ever.
async fn expire(database: Database, every: Duration) {
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let database = database.clone();
        // What cannot be swept is swept the next time; nobody waits for it.
        let _ = tokio::task::spawn_blocking(move || database.sweep_ttl()).await;
    }
}

fn create(
    database: &Database,
    table: &Table,
    data: Option<PathBuf>,
) -> Result<Created, TablesError> {
    let path = data.clone().unwrap_or_default();
    let refused = |source| match data_file::finds_damage(&source) {
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
    let indexed = match database.describe_table(describe) {
        Ok(found) => {
            let found = Table::of(&found.table);
            if let Some(what) = table.needs_replacement(&found) {
                let table = table.name.clone();
                return Err(TablesError::Replaced { table, what, data });
            }
            update_indexes(database, table, &found).map_err(refused)?
        }
        Err(DynoxideError::ResourceNotFoundException(_)) => {
            let request = CreateTableRequest::from(table);
            database.create_table(request).map_err(refused)?;
            update_expiry(database, table).map_err(refused)?;
            return Ok(Created::New);
        }
        Err(error) => return Err(refused(error)),
    };
    let expiring = update_expiry(database, table).map_err(refused)?;
    Ok(match indexed || expiring {
        true => Created::Updated,
        false => Created::Kept,
    })
}

/// Makes and removes global indexes, one at a time as DynamoDB wants it; true if there was anything to do.
fn update_indexes(
    database: &Database,
    wanted: &Table,
    found: &Table,
) -> Result<bool, DynoxideError> {
    let gone = found
        .global()
        .filter(|index| !wanted.indexes.contains(index));
    let gone = gone.map(|index| GlobalSecondaryIndexUpdate {
        delete: Some(DeleteGsiAction {
            index_name: index.name.clone(),
        }),
        ..GlobalSecondaryIndexUpdate::default()
    });
    let new = wanted
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
            table_name: wanted.name.clone(),
            attribute_definitions: Some(wanted.attribute_definitions()),
            global_secondary_index_updates: Some(vec![update]),
            ..UpdateTableRequest::default()
        })?;
    }
    Ok(any)
}

/// Sets the time to live; true if it was another one. DynamoDB wants the old one switched off first.
fn update_expiry(database: &Database, wanted: &Table) -> Result<bool, DynoxideError> {
    let request = DescribeTimeToLiveRequest {
        table_name: wanted.name.clone(),
    };
    let found = database.describe_time_to_live(request)?;
    let found = found.time_to_live_description.attribute_name;
    if found == wanted.ttl_attribute {
        return Ok(false);
    }
    let set = |attribute: String, enabled| {
        database.update_time_to_live(UpdateTimeToLiveRequest {
            table_name: wanted.name.clone(),
            time_to_live_specification: TimeToLiveSpecification {
                attribute_name: attribute,
                enabled,
            },
        })
    };
    if let Some(attribute) = found {
        set(attribute, false)?;
    }
    if let Some(attribute) = wanted.ttl_attribute.clone() {
        set(attribute, true)?;
    }
    Ok(true)
}
