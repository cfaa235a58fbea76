//! Quotas of Lambda.

use stackgen_deploy::stack::FunctionQuotas;
use stackgen_deploy::{AccountErrorKind, AccountResult, FunctionName};

use crate::Aws;
use crate::operation::AwsOperation;
use crate::permissions::AwsCall;

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
