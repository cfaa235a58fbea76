//! Tables of the account.

use futures_util::future::BoxFuture;
use serde_json::{Map, Value as Json};
use thiserror::Error;

/// Creates, updates and deletes the tables of templates.
pub trait TableStore: Send + Sync + 'static {
    /// Creates the table that the properties of an `AWS::DynamoDB::Table` describe, or updates the table of that name.
    fn put<'a>(
        &'a self,
        name: &'a str,
        properties: &'a Map<String, Json>,
    ) -> BoxFuture<'a, Result<(), TableStoreError>>;

    /// Deletes a table with its items, if it exists.
    fn delete<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), TableStoreError>>;
}

/// Failure of a [`TableStore`].
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct TableStoreError {
    /// Message, in DynamoDB's words if it comes from there.
    pub message: String,
    /// Advice.
    pub hint: Option<String>,
}
