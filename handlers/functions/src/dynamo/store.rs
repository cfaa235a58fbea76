//! Requests to DynamoDB: reads, single writes and transactions, with retries.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, TransactWriteItem};
use live_session_core::ports::StoreResult;
use live_session_core::{ConnectionId, SessionId};

use super::buckets::BucketsInUse;
use super::call::{
    Cancellation, ConditionResult, RequestFailure, RetryPolicy, StoreCall, classify_cancellation,
};
use super::item::Item;
use super::schema::{CONNECTIONS, SESSIONS};
use super::write::{ConditionalWrite, ItemChange, OLD_ITEM};

/// Names of the tables. A function's settings have the tables that it uses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TableNames {
    /// Table of sessions.
    pub sessions: String,
    /// Table of connections.
    pub connections: String,
    /// Table of rate limits.
    pub rate_limits: Option<String>,
    /// Table of connect tickets.
    pub tickets: Option<String>,
}

/// Settings for requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreSettings {
    /// Retry policy.
    pub retry: RetryPolicy,
    /// Retry policy for rate limits. It is shorter, because requests that are allowed without a check should not wait
    /// long.
    pub rate_retry: RetryPolicy,
    /// Maximum number of listeners per page. With `None`, DynamoDB's limit of 1 MB applies: some thousands.
    pub page: Option<i32>,
}

impl Default for StoreSettings {
    fn default() -> Self {
        let retry = RetryPolicy::default();
        let rate_retry = RetryPolicy {
            budget: Duration::from_millis(1000),
            request_timeout: Duration::from_millis(400),
            ..retry
        };
        StoreSettings {
            retry,
            rate_retry,
            page: None,
        }
    }
}

/// The ports' stores in DynamoDB: sessions, connections and rate limits.
#[derive(Clone, Debug)]
pub struct DynamoStore {
    pub(super) client: Client,
    pub(super) tables: TableNames,
    pub(super) settings: StoreSettings,
    pub(super) buckets_in_use: Arc<BucketsInUse>,
}

/// Result of a single write.
#[derive(Debug)]
pub(super) enum WriteResult {
    /// The write happened. Contains the new item of an update, or the old one of a deletion.
    Done(Option<Item>),
    /// The condition was false. Contains the item, if it exists.
    ConditionFailed(Option<Item>),
}

impl DynamoStore {
    /// Returns a store on these tables. Turns off the client's own retries: see [`RetryPolicy`].
    pub fn new(client: &Client, tables: TableNames, settings: StoreSettings) -> Self {
        let config = client
            .config()
            .to_builder()
            .retry_config(RetryConfig::disabled());
        DynamoStore {
            client: Client::from_conf(config.build()),
            tables,
            settings,
            buckets_in_use: Arc::default(),
        }
    }

    pub(super) fn call(&self, operation: &'static str) -> StoreCall {
        StoreCall::new(operation, self.settings.retry)
    }

    /// Reads an item, with a strongly consistent read.
    pub(super) async fn get(
        &self,
        call: &mut StoreCall,
        table: &str,
        key: Item,
    ) -> StoreResult<Option<Item>> {
        loop {
            let request = self
                .client
                .get_item()
                .table_name(table)
                .set_key(Some(key.clone()));
            match call.send(request.consistent_read(true).send()).await {
                Ok(answer) => return Ok(answer.item),
                Err(failed) => call.pause_before_retry(failed).await?,
            }
        }
    }

    /// Performs a single write.
    pub(super) async fn write(
        &self,
        call: &mut StoreCall,
        write: ConditionalWrite,
    ) -> StoreResult<WriteResult> {
        loop {
            match self.write_once(call, write.clone()).await {
                Ok(item) => return Ok(WriteResult::Done(item)),
                Err(RequestFailure::Condition(item)) => {
                    return Ok(WriteResult::ConditionFailed(item));
                }
                Err(failed) => call.pause_before_write(failed).await?,
            }
        }
    }

    async fn write_once(
        &self,
        call: &StoreCall,
        write: ConditionalWrite,
    ) -> Result<Option<Item>, RequestFailure> {
        let (names, values) = (write.names(), write.values());
        // The SDK's three request types have these methods in common, but no trait.
        macro_rules! request {
            ($request:expr) => {
                $request
                    .table_name(write.table)
                    .condition_expression(write.condition)
                    .set_expression_attribute_names(names)
                    .set_expression_attribute_values(values)
                    .return_values_on_condition_check_failure(OLD_ITEM)
                    .send()
            };
        }
        match write.change {
            ItemChange::Put(item) => {
                let request = self.client.put_item().set_item(Some(item));
                call.send(request!(request)).await.map(|_| None)
            }
            ItemChange::Update { key, expression } => {
                let request = self.client.update_item().set_key(Some(key));
                let request = request
                    .update_expression(expression)
                    .return_values(ReturnValue::AllNew);
                call.send(request!(request))
                    .await
                    .map(|answer| answer.attributes)
            }
            ItemChange::Delete(key) => {
                let request = self.client.delete_item().set_key(Some(key));
                let request = request.return_values(ReturnValue::AllOld);
                call.send(request!(request))
                    .await
                    .map(|answer| answer.attributes)
            }
            ItemChange::Check(_) => Err(RequestFailure::Permanent(
                "a condition check alone writes nothing".to_owned(),
            )),
        }
    }

    /// Performs several writes in one transaction. Returns the result of each condition in `Err` if one was false.
    pub(super) async fn transact(
        &self,
        call: &mut StoreCall,
        writes: Vec<ConditionalWrite>,
    ) -> StoreResult<Result<(), Vec<ConditionResult>>> {
        self.transact_anew(call, || writes.clone()).await
    }

    /// Performs writes in one transaction. After a conflict it calls `writes` again, which may choose other items.
    pub(super) async fn transact_anew(
        &self,
        call: &mut StoreCall,
        mut writes: impl FnMut() -> Vec<ConditionalWrite> + Send,
    ) -> StoreResult<Result<(), Vec<ConditionResult>>> {
        let mut parts = parts(writes());
        let mut token = new_token();
        loop {
            let request = self
                .client
                .transact_write_items()
                .set_transact_items(Some(parts.clone()));
            match call.send(request.client_request_token(&token).send()).await {
                Ok(_) => return Ok(Ok(())),
                Err(RequestFailure::Canceled(reasons)) => match classify_cancellation(&reasons) {
                    Cancellation::Conditions(checks) => return Ok(Err(checks)),
                    Cancellation::Conflict => {
                        // That transaction is over without effect; the retry is a new one.
                        token = new_token();
                        call.pause_before_write(RequestFailure::Rejected).await?;
                        parts = self::parts(writes());
                    }
                    Cancellation::Other => {
                        call.pause_before_write(RequestFailure::Canceled(reasons))
                            .await?
                    }
                },
                // The same token makes the retry idempotent: if the first request succeeded and only its response was
                // lost, DynamoDB answers with success and writes nothing.
                Err(failed) => call.pause_before_write(failed).await?,
            }
        }
    }
}

fn parts(writes: Vec<ConditionalWrite>) -> Vec<TransactWriteItem> {
    let parts = writes.into_iter().map(ConditionalWrite::into_part);
    parts.collect()
}

/// Returns a client request token, which identifies a transaction for ten minutes. It must be unique, but not secret.
fn new_token() -> String {
    format!("{:032x}", fastrand::u128(..))
}

pub(super) fn session_key(id: &SessionId) -> Item {
    key(SESSIONS.key, id.as_str())
}

pub(super) fn connection_key(id: &ConnectionId) -> Item {
    key(CONNECTIONS.key, id.as_str())
}

pub(super) fn key(name: &str, value: &str) -> Item {
    Item::from([(name.to_owned(), AttributeValue::S(value.to_owned()))])
}
