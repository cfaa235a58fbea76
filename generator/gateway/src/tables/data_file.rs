//! Checks the file that stores the tables.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use dynoxide::DynoxideError;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::TablesError;

/// First bytes of every SQLite database.
const MAGIC: &[u8] = b"SQLite format 3\0";

/// Counts all tables and those that only the gateway's databases have. A new database has `_config` first.
const COUNT_TABLES: &str =
    "SELECT count(*), sum(name IN ('_config', '_tables')) FROM sqlite_schema WHERE type = 'table'";

/// Rejects a file that is not a database of the gateway. The file is never changed.
///
/// # Errors
///
/// [`TablesError::NotADatabase`], [`TablesError::Foreign`] or [`TablesError::Damaged`].
pub(super) fn check(path: &Path) -> Result<(), TablesError> {
    let not_a_database = || TablesError::NotADatabase {
        path: path.to_owned(),
    };
    if path.is_dir() {
        return Err(not_a_database());
    }
    match starts_like_sqlite(path) {
        Ok(Some(true)) => {}
        Ok(Some(false)) => return Err(not_a_database()),
        // The file does not exist yet, or opening it will report why it cannot be read.
        Ok(None) | Err(_) => return Ok(()),
    }
    match is_gateway_database(path) {
        Ok(true) => Ok(()),
        Ok(false) => Err(TablesError::Foreign {
            path: path.to_owned(),
        }),
        Err(error) if means_damage(&error) => Err(TablesError::Damaged {
            path: path.to_owned(),
            source: error.into(),
        }),
        // Opening it will report the same error.
        Err(_) => Ok(()),
    }
}

/// Returns true if the file starts like a SQLite database, and `None` if it is empty, which counts as a new file.
fn starts_like_sqlite(path: &Path) -> io::Result<Option<bool>> {
    let mut start = Vec::new();
    File::open(path)?
        .take(MAGIC.len() as u64)
        .read_to_end(&mut start)?;
    Ok((!start.is_empty()).then(|| start == MAGIC))
}

/// Returns true for a database of the gateway or one without tables.
fn is_gateway_database(path: &Path) -> rusqlite::Result<bool> {
    let database = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    database.query_row(COUNT_TABLES, [], |row| {
        let (tables, ours): (u64, Option<u64>) = (row.get(0)?, row.get(1)?);
        Ok(tables == 0 || ours.is_some_and(|ours| ours > 0))
    })
}

fn means_damage(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error_code();
    matches!(
        code,
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt)
    )
}

/// Returns true if the error says that the database's file is damaged.
pub(super) fn is_damage_error(error: &DynoxideError) -> bool {
    matches!(error, DynoxideError::SqliteError(error) if means_damage(error))
}
