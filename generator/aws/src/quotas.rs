//! Quotas, and how much of them is used.

use aws_sdk_cloudformation::types::StackStatus;
use serde_json::{Value, json};
use stackgen_deploy::stack::quotas::QuotaUsage;
use stackgen_deploy::stack::{FunctionQuotas, QuotaReader};
use stackgen_deploy::{Account as _, AccountErrorKind, AccountResult, FunctionName};

use crate::Aws;
use crate::operation::AwsOperation;
use crate::pages::pages;
use crate::permissions::AwsCall;
use crate::signed::{SignedRequest, SignedService, texts};

impl FunctionQuotas for Aws {
    async fn unreserved_concurrency(&self) -> AccountResult<u32> {
        let operation = AwsOperation::unlimited(AwsCall::GetAccountSettings);
        let found = operation.result(self.lambda.get_account_settings().send().await)?;
        let limit = found
            .account_limit()
            .ok_or_else(|| operation.lacks("AccountLimit"))?;
        let unreserved = limit.unreserved_concurrent_executions().unwrap_or_default();
        Ok(u32::try_from(unreserved).unwrap_or_default())
    }

    async fn reserved_concurrency(&self, function: &FunctionName) -> AccountResult<Option<u32>> {
        let operation = AwsOperation::lambda(AwsCall::GetFunctionConcurrency, function);
        let request = self.lambda.get_function_concurrency();
        let found = request.function_name(function.as_str()).send().await;
        match operation.result(found) {
            Ok(found) => {
                let reserved = found.reserved_concurrent_executions();
                Ok(reserved.and_then(|reserved| u32::try_from(reserved).ok()))
            }
            Err(error) if error.kind == AccountErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl QuotaReader for Aws {
    async fn code_storage(&self) -> AccountResult<QuotaUsage> {
        let operation = AwsOperation::unlimited(AwsCall::GetAccountSettings);
        let found = operation.result(self.lambda.get_account_settings().send().await)?;
        let limit = found.account_limit().map(|limit| limit.total_code_size());
        let usage = found.account_usage().map(|usage| usage.total_code_size());
        let number = |value: Option<i64>, name| {
            let value = value.and_then(|value| u64::try_from(value).ok());
            value.ok_or_else(|| operation.lacks(name))
        };
        Ok(QuotaUsage {
            used: number(usage, "AccountUsage")?,
            // Emulators answer 0 for what they do not know.
            limit: number(limit.filter(|limit| *limit > 0), "AccountLimit")?,
        })
    }

    async fn roles(&self) -> AccountResult<QuotaUsage> {
        let call = AwsCall::GetAccountSummary;
        let operation = AwsOperation::unlimited(call);
        let answer = self.ask_iam(call, call.name(), &[]).await?;
        // A map: elements `entry` with `key` and `value`.
        let texts = |element| texts(&answer, element).ok_or_else(|| operation.lacks("XML"));
        let (keys, values) = (texts("key")?, texts("value")?);
        let number = |name: &'static str| {
            let index = keys.iter().position(|key| key == name);
            let value = index.and_then(|index| values.get(index)?.parse().ok());
            value.ok_or_else(|| operation.lacks(name))
        };
        Ok(QuotaUsage {
            used: number("Roles")?,
            limit: number("RolesQuota")?,
        })
    }

    async fn stack_quota(&self) -> AccountResult<Option<u64>> {
        let operation = AwsOperation::unlimited(AwsCall::DescribeAccountLimits);
        let found = pages(&operation, |token| async {
            let request = self.cloudformation.describe_account_limits();
            let page = operation.result(request.set_next_token(token).send().await)?;
            Ok((page.account_limits.unwrap_or_default(), page.next_token))
        });
        let found = found.await?;
        let mut limits = found.iter();
        let limit = limits.find(|limit| limit.name() == Some("StackLimit"));
        Ok(limit.and_then(|limit| u64::try_from(limit.value()?).ok()))
    }

    async fn stack_count(&self) -> AccountResult<u64> {
        let operation = AwsOperation::on(AwsCall::ListStacks, "*");
        let exists = StackStatus::values().iter().copied();
        let exists = exists.filter(|status| *status != StackStatus::DeleteComplete.as_str());
        let exists: Vec<_> = exists.map(StackStatus::from).collect();
        let found = pages(&operation, |token| async {
            let request = self.cloudformation.list_stacks().set_next_token(token);
            let request = request.set_stack_status_filter(Some(exists.clone()));
            let page = operation.result(request.send().await)?;
            Ok((page.stack_summaries.unwrap_or_default(), page.next_token))
        });
        Ok(u64::try_from(found.await?.len()).unwrap_or(u64::MAX))
    }

    async fn api_count(&self) -> AccountResult<u64> {
        Ok(u64::try_from(self.apis().await?.len()).unwrap_or(u64::MAX))
    }

    async fn gateway_quota(&self, code: &str) -> AccountResult<Option<u64>> {
        let call = AwsCall::GetServiceQuota;
        let operation = AwsOperation::on(call, format_args!("quota {code} of apigateway"));
        let body = json!({ "ServiceCode": "apigateway", "QuotaCode": code });
        let request = SignedRequest::json("ServiceQuotasV20190624.GetServiceQuota", "1.1", &body);
        let answer = self
            .send_signed(SignedService::ServiceQuotas, call, &operation, request)
            .await;
        let answer = match answer {
            Err(error) if error.kind == AccountErrorKind::NotFound => return Ok(None),
            answer => answer?,
        };
        let answer: Value = serde_json::from_str(&answer).map_err(|_| operation.lacks("JSON"))?;
        // Quotas are whole numbers, which Service Quotas writes with a decimal point.
        let value = answer["Quota"]["Value"].as_f64();
        let value = value.and_then(|value| format!("{value:.0}").parse().ok());
        Ok(value)
    }
}
