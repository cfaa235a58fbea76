//! Tables of DynamoDB.

use serde_json::{Value, json};
use stackgen_deploy::AccountResult;
use stackgen_diagnose::doctor::TableDetails;

use crate::Aws;
use crate::operation::AwsOperation;
use crate::permissions::AwsCall;
use crate::signed::{SignedRequest, SignedService};

impl Aws {
    pub(crate) async fn call_table(
        &self,
        call: AwsCall,
        table: &str,
        body: Value,
    ) -> AccountResult<Value> {
        let operation = AwsOperation::on(call, format_args!("table {table}"));
        let target = format!("DynamoDB_20120810.{}", call.name());
        let request = SignedRequest::json(&target, "1.0", &body);
        let answer = self
            .send_signed(SignedService::DynamoDb, call, &operation, request)
            .await?;
        serde_json::from_str(&answer).map_err(|_| operation.lacks("JSON"))
    }

    pub(super) async fn read_table(&self, name: &str) -> AccountResult<TableDetails> {
        let body = json!({ "TableName": name });
        let found = self.call_table(AwsCall::DescribeTable, name, body).await?;
        let table = &found["Table"];
        let key = |kind: &str| {
            let keys = table["KeySchema"].as_array().into_iter().flatten();
            let mut of_kind = keys.filter(|key| key["KeyType"] == kind);
            Some(of_kind.next()?["AttributeName"].as_str()?.to_owned())
        };
        let indexes = table["GlobalSecondaryIndexes"]
            .as_array()
            .into_iter()
            .flatten();
        let index = |index: &Value| {
            let status = index["IndexStatus"].as_str().unwrap_or("ACTIVE");
            Some((index["IndexName"].as_str()?.to_owned(), status.to_owned()))
        };
        Ok(TableDetails {
            status: table["TableStatus"].as_str().unwrap_or_default().to_owned(),
            partition_key: key("HASH").unwrap_or_default(),
            sort_key: key("RANGE"),
            indexes: indexes.filter_map(index).collect(),
        })
    }

    pub(super) async fn read_time_to_live(&self, table: &str) -> AccountResult<Option<String>> {
        let body = json!({ "TableName": table });
        let found = self
            .call_table(AwsCall::DescribeTimeToLive, table, body)
            .await?;
        let description = &found["TimeToLiveDescription"];
        let is_on = matches!(
            description["TimeToLiveStatus"].as_str(),
            Some("ENABLED" | "ENABLING")
        );
        let attribute = description["AttributeName"].as_str().filter(|_| is_on);
        Ok(attribute.map(str::to_owned))
    }

    pub(super) async fn read_keys(
        &self,
        table: &str,
        key: &str,
        limit: i32,
    ) -> AccountResult<Vec<String>> {
        let body = json!({
            "TableName": table,
            "Limit": limit,
            "ProjectionExpression": "#key",
            "ExpressionAttributeNames": { "#key": key },
        });
        let found = self.call_table(AwsCall::Scan, table, body).await?;
        let items = found["Items"].as_array().into_iter().flatten();
        let keys = items.filter_map(|item| item[key]["S"].as_str());
        Ok(keys.map(str::to_owned).collect())
    }

    pub(super) async fn delete_item(
        &self,
        table: &str,
        key: &str,
        value: &str,
    ) -> AccountResult<()> {
        let body = json!({ "TableName": table, "Key": { key: { "S": value } } });
        self.call_table(AwsCall::DeleteItem, table, body)
            .await
            .map(drop)
    }
}
