//! Reading tables, and comparing connection records with the connections.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::try_join_all;
use stackgen_deploy::DeployError;

use super::{ExaminedAccount, Gatherer};
use crate::doctor::checks::is_connection_key;
use crate::doctor::evidence::{RecordSample, TableFacts};
use crate::doctor::part::EvidencePart;
use crate::doctor::ports::TableDetails;
use crate::doctor::reader::EvidenceReader;

/// Resource type of tables.
const TABLE_TYPE: &str = "AWS::DynamoDB::Table";

/// Number of records to read from a table.
const SAMPLE: i32 = 25;

/// Number of records to compare: each takes a call to @connections, which share a quota with all messages (row L5).
const COMPARED: usize = 10;

impl<A: ExaminedAccount> Gatherer<'_, A> {
    /// Reads the tables of the project and of the stack.
    pub(super) async fn tables(
        &self,
        by: &EvidenceReader<'_>,
    ) -> Result<BTreeMap<String, Option<TableFacts>>, DeployError> {
        if !self.needs(EvidencePart::Tables) {
            return Ok(BTreeMap::new());
        }
        let mut names: BTreeSet<String> = self.request.project.tables.keys().cloned().collect();
        let resources = by.owner().into_iter().flat_map(|owner| &owner.resources);
        let tables = resources.filter(|resource| resource.kind == TABLE_TYPE);
        names.extend(tables.filter_map(|table| table.physical_id.clone()));
        let found = try_join_all(names.iter().map(|name| self.table(name))).await?;
        self.done(EvidencePart::Tables, by);
        let found = names.into_iter().zip(found);
        Ok(found
            .filter_map(|(name, table)| Some((name, table?)))
            .collect())
    }

    async fn table(&self, name: &str) -> Result<Option<Option<TableFacts>>, DeployError> {
        let part = EvidencePart::Tables;
        let details = self.find(part, || self.account.table(name)).await?;
        let Some(Some(details)) = details else {
            return Ok(details.map(|_| None));
        };
        let ttl = self.read(part, || self.account.time_to_live(name)).await?;
        Ok(Some(Some(TableFacts { details, ttl })))
    }

    /// Compares some records of each table that holds connection IDs with the connections.
    pub(super) async fn records(
        &self,
        by: &EvidenceReader<'_>,
    ) -> Result<Vec<RecordSample>, DeployError> {
        if !self.needs(EvidencePart::Records) {
            return Ok(Vec::new());
        }
        let samples = self.samples(by).await;
        self.done(EvidencePart::Records, by);
        samples
    }

    async fn samples(&self, by: &EvidenceReader<'_>) -> Result<Vec<RecordSample>, DeployError> {
        let (part, endpoint) = (EvidencePart::Records, by.management_endpoint());
        let mut samples = Vec::new();
        for (name, table) in by.tables() {
            let Some((table, key)) = table
                .as_ref()
                .and_then(|table| Some((table, connection_key(&table.details)?)))
            else {
                continue;
            };
            if table.details.status != "ACTIVE" {
                self.note_reason(part, format!("table {name} is {}", table.details.status));
                continue;
            }
            let Some(endpoint) = &endpoint else {
                let message = "only a custom domain name leads to the API, and its path for @connections is unknown";
                self.note_reason(part, message);
                continue;
            };
            let keys = self
                .read(part, || self.account.some_keys(name, &key, SAMPLE))
                .await?;
            let mut keys: Vec<_> = keys.unwrap_or_default();
            keys.sort();
            keys.dedup();
            keys.truncate(COMPARED);
            let exist = keys.iter().map(|id| self.connection_exists(endpoint, id));
            let exist = try_join_all(exist).await?;
            let compared = exist.iter().flatten().count();
            let orphans = keys.into_iter().zip(exist);
            samples.push(RecordSample {
                table: name.clone(),
                key,
                compared,
                orphans: orphans
                    .filter(|(_, exists)| *exists == Some(false))
                    .map(|(id, _)| id)
                    .collect(),
            });
        }
        Ok(samples)
    }

    async fn connection_exists(
        &self,
        endpoint: &str,
        id: &str,
    ) -> Result<Option<bool>, DeployError> {
        self.read(EvidencePart::Records, || {
            self.account.connection_exists(endpoint, id)
        })
        .await
    }
}

/// Returns the key attribute of a table that holds connection IDs.
fn connection_key(details: &TableDetails) -> Option<String> {
    let mut keys = [Some(&details.partition_key), details.sort_key.as_ref()]
        .into_iter()
        .flatten();
    keys.find(|name| is_connection_key(name)).cloned()
}
