//! Configuration and policies of functions.

use aws_sdk_lambda::types::{LastUpdateStatus, State};
use stackgen_deploy::{AccountErrorKind, AccountResult, FunctionName};
use stackgen_diagnose::doctor::{FunctionDetails, VariableValue};

use crate::Aws;
use crate::operation::AwsOperation;
use crate::permissions::AwsCall;

impl Aws {
    pub(super) async fn read_function(
        &self,
        name: &FunctionName,
        qualifier: Option<&str>,
    ) -> AccountResult<FunctionDetails> {
        let operation = AwsOperation::lambda(AwsCall::GetFunctionConfiguration, name);
        let request = self
            .lambda
            .get_function_configuration()
            .function_name(name.as_str());
        let found = request
            .set_qualifier(qualifier.map(str::to_owned))
            .send()
            .await;
        let found = operation.result(found)?;
        let text = |value: Option<&str>| value.filter(|value| !value.is_empty()).map(str::to_owned);
        let variables = found
            .environment()
            .and_then(|environment| environment.variables());
        let variables = variables.into_iter().flatten();
        Ok(FunctionDetails {
            state: text(found.state().map(State::as_str)),
            state_reason: text(found.state_reason()),
            last_update: text(found.last_update_status().map(LastUpdateStatus::as_str)),
            last_update_reason: text(found.last_update_status_reason()),
            code_sha256: text(found.code_sha256()),
            role: text(found.role()),
            environment: variables
                .map(|(name, value)| (name.clone(), VariableValue(value.clone())))
                .collect(),
            vpc: text(found.vpc_config().and_then(|vpc| vpc.vpc_id())),
            log_group: text(
                found
                    .logging_config()
                    .and_then(|logging| logging.log_group()),
            ),
            timeout_seconds: found.timeout(),
        })
    }

    pub(super) async fn read_function_policy(
        &self,
        name: &FunctionName,
        qualifier: Option<&str>,
    ) -> AccountResult<Option<String>> {
        let operation = AwsOperation::lambda(AwsCall::GetPolicy, name);
        let request = self.lambda.get_policy().function_name(name.as_str());
        let found = request
            .set_qualifier(qualifier.map(str::to_owned))
            .send()
            .await;
        match operation.result(found) {
            Ok(found) => Ok(found.policy().map(str::to_owned)),
            // Without a statement, there is no policy.
            Err(error) if error.kind == AccountErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}
