//! Items of tables in the console.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::gateway::Shared;
use crate::gateway::answer::error;
use crate::tables::{ItemPage, TableItemError};

/// Selection of items.
#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
pub(super) struct ItemSearch {
    /// Text that a name or a value of the item must contain; empty for all.
    search: String,
    /// Key after which the page starts, in DynamoDB's JSON.
    after: Option<String>,
}

#[derive(Serialize)]
struct ItemList {
    /// Names of the key's attributes.
    key: Vec<String>,
    items: Vec<Value>,
    /// Number of items that were read.
    scanned: usize,
    /// Key after which the next page starts.
    next: Option<Value>,
}

/// A change of a table.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", tag = "action")]
pub(super) enum ItemChange {
    /// Stores an item. `before` is the item that the user edited.
    Put { item: Value, before: Option<Value> },
    /// Deletes an item.
    Delete { item: Value },
}

/// Returns items of a table.
pub(super) async fn list(
    State(shared): State<Arc<Shared>>,
    Path(table): Path<String>,
    Query(query): Query<ItemSearch>,
) -> Response {
    let after = query.after.as_deref().map(serde_json::from_str).transpose();
    let after = match after {
        Ok(after) => after,
        Err(wrong) => return refused(&TableItemError::NotAnItem(wrong)),
    };
    match shared.tables.items(table, query.search, after).await {
        Ok(page) => Json(ItemList::from(page)).into_response(),
        Err(wrong) => refused(&wrong),
    }
}

/// Changes an item.
pub(super) async fn change(
    State(shared): State<Arc<Shared>>,
    Path(table): Path<String>,
    Json(change): Json<ItemChange>,
) -> Response {
    let changed = match change {
        ItemChange::Put { item, before } => shared.tables.put_item(table, item, before).await,
        ItemChange::Delete { item } => shared.tables.delete_item(table, item).await,
    };
    match changed {
        Ok(()) => Json(serde_json::json!({})).into_response(),
        Err(wrong) => refused(&wrong),
    }
}

fn refused(wrong: &TableItemError) -> Response {
    let status = match wrong {
        TableItemError::Changed => StatusCode::CONFLICT,
        TableItemError::NotAnItem(_) | TableItemError::Rejected(_) => StatusCode::BAD_REQUEST,
    };
    error(status, &wrong.to_string())
}

impl From<ItemPage> for ItemList {
    fn from(page: ItemPage) -> Self {
        let ItemPage {
            key,
            items,
            scanned,
            next,
        } = page;
        ItemList {
            key,
            items,
            scanned,
            next,
        }
    }
}
