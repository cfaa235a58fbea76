//! The account as `stackgen doctor` reads it.

mod functions;
mod logs;
mod metrics;
mod network;
mod roles;
mod stage;
mod tables;

use serde_json::json;
use stackgen_deploy::{AccountErrorKind, AccountResult, ApiId, FunctionName, StageName};
use stackgen_diagnose::doctor::{
    DoctorAccount, FoundLines, FunctionDetails, LogSearch, MetricName, MetricSeries, MetricSpan,
    SimulatedRight, StageSettings, TableDetails,
};

use crate::Aws;
use crate::operation::AwsOperation;
use crate::permissions::AwsCall;
use crate::signed::{SignedRequest, SignedService, encoded};

impl DoctorAccount for Aws {
    async fn stage_settings(&self, api: &ApiId, stage: &StageName) -> AccountResult<StageSettings> {
        self.read_stage_settings(api, stage).await
    }

    async fn function_details(
        &self,
        name: &FunctionName,
        qualifier: Option<&str>,
    ) -> AccountResult<FunctionDetails> {
        self.read_function(name, qualifier).await
    }

    async fn function_policy(
        &self,
        name: &FunctionName,
        qualifier: Option<&str>,
    ) -> AccountResult<Option<String>> {
        self.read_function_policy(name, qualifier).await
    }

    async fn simulate_right(
        &self,
        role: &str,
        action: &str,
        resource: &str,
    ) -> AccountResult<SimulatedRight> {
        self.simulate(role, action, resource).await
    }

    async fn role_policies(&self, role: &str) -> AccountResult<Vec<String>> {
        self.read_role_policies(role).await
    }

    async fn table(&self, name: &str) -> AccountResult<TableDetails> {
        self.read_table(name).await
    }

    async fn time_to_live(&self, table: &str) -> AccountResult<Option<String>> {
        self.read_time_to_live(table).await
    }

    async fn some_keys(&self, table: &str, key: &str, limit: i32) -> AccountResult<Vec<String>> {
        self.read_keys(table, key, limit).await
    }

    async fn connection_exists(&self, endpoint: &str, connection: &str) -> AccountResult<bool> {
        let (host, stage) = endpoint.rsplit_once('/').unwrap_or((endpoint, ""));
        let path = format!("/{stage}/@connections/{}", encoded(connection));
        // No name server knows an emulator's host, and its own endpoint serves connections of every API.
        let host = match (&self.endpoint_url, host.contains(".localhost")) {
            (Some(url), true) => url.trim_end_matches('/'),
            _ => host,
        };
        let call = AwsCall::GetConnection;
        let operation = AwsOperation::on(call, format_args!("{stage}/GET/@connections/*"));
        let request = SignedRequest::rest("GET", path, String::new()).to(host.to_owned());
        match self
            .send_signed(SignedService::ExecuteApi, call, &operation, request)
            .await
        {
            Ok(_) => Ok(true),
            Err(error) if error.kind == AccountErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn log_lines(&self, search: &LogSearch) -> AccountResult<FoundLines> {
        self.read_log_lines(search).await
    }

    async fn metric_sums(
        &self,
        metrics: &[MetricName],
        span: MetricSpan,
    ) -> AccountResult<Vec<MetricSeries>> {
        self.read_metric_sums(metrics, span).await
    }

    async fn private_api_endpoints(&self, vpc: &str) -> AccountResult<Vec<String>> {
        self.read_private_endpoints(vpc).await
    }

    async fn set_log_role(&self, role: &str) -> AccountResult<()> {
        let change = json!({ "op": "replace", "path": "/cloudwatchRoleArn", "value": role });
        let body = json!({ "patchOperations": [change] }).to_string();
        let operation = AwsOperation::gateway(AwsCall::UpdateAccount, "/account");
        let request = SignedRequest::rest("PATCH", "/account".to_owned(), body);
        let call = AwsCall::UpdateAccount;
        self.send_signed(SignedService::ApiGateway, call, &operation, request)
            .await
            .map(drop)
    }

    async fn delete_record(&self, table: &str, key: &str, value: &str) -> AccountResult<()> {
        self.delete_item(table, key, value).await
    }
}
