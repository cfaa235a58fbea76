//! Functions, and which of them an API calls.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use aws_sdk_lambda::operation::get_function_configuration::GetFunctionConfigurationOutput;
use aws_sdk_lambda::operation::update_function_code::UpdateFunctionCodeOutput;
use aws_sdk_lambda::types::{LastUpdateStatus, State};
use aws_smithy_types::Blob;
use stackgen_deploy::{
    AccountError, ApiId, CallTarget, CodeStore, FunctionName, FunctionState, FunctionVersion,
    UpdateStatus,
};

use crate::Aws;
use crate::error::Call;

type Answer<T> = Result<T, AccountError>;

impl CodeStore for Aws {
    async fn function(
        &self,
        name: &FunctionName,
        version: Option<&FunctionVersion>,
    ) -> Answer<FunctionState> {
        let call = Call::new(
            "GetFunctionConfiguration",
            format!("lambda:GetFunctionConfiguration on function {name}"),
        );
        let request = self
            .lambda
            .get_function_configuration()
            .function_name(name.as_str());
        let request = request.set_qualifier(version.map(ToString::to_string));
        let found = call.answer(request.send().await)?;
        let code = found
            .code_sha256()
            .ok_or_else(|| call.lacks("CodeSha256"))?;
        let reason = found.last_update_status_reason().or(found.state_reason());
        Ok(FunctionState {
            code_sha256: code.to_owned(),
            configuration: frozen(&found),
            update: update(found.state(), found.last_update_status(), reason),
        })
    }

    async fn update_code(&self, name: &FunctionName, zip: &[u8]) -> Answer<FunctionState> {
        let call = Call::new(
            "UpdateFunctionCode",
            format!("lambda:UpdateFunctionCode on function {name}"),
        );
        let request = self
            .lambda
            .update_function_code()
            .function_name(name.as_str());
        let found: UpdateFunctionCodeOutput =
            call.answer(request.zip_file(Blob::new(zip)).send().await)?;
        let reason = found.last_update_status_reason().or(found.state_reason());
        Ok(FunctionState {
            code_sha256: found.code_sha256().unwrap_or_default().to_owned(),
            configuration: 0,
            update: update(found.state(), found.last_update_status(), reason),
        })
    }

    async fn publish(&self, name: &FunctionName, code_sha256: &str) -> Answer<FunctionVersion> {
        let call = Call::new(
            "PublishVersion",
            format!("lambda:PublishVersion on function {name}"),
        );
        let request = self.lambda.publish_version().function_name(name.as_str());
        let published = call.answer(request.code_sha256(code_sha256).send().await)?;
        let version = published.version().ok_or_else(|| call.lacks("version"))?;
        Ok(FunctionVersion::new(version))
    }
}

fn update(
    state: Option<&State>,
    last: Option<&LastUpdateStatus>,
    reason: Option<&str>,
) -> UpdateStatus {
    let failed = || UpdateStatus::Failed(reason.unwrap_or("no reason is given").to_owned());
    match (state, last) {
        (Some(State::Failed), _) | (_, Some(LastUpdateStatus::Failed)) => failed(),
        (Some(State::Pending), _) | (_, Some(LastUpdateStatus::InProgress)) => {
            UpdateStatus::InProgress
        }
        _ => UpdateStatus::Successful,
    }
}

/// What freezes in a version besides the code, as a number: it holds values that nobody is to read.
fn frozen(found: &GetFunctionConfigurationOutput) -> u64 {
    let variables = found
        .environment()
        .and_then(|environment| environment.variables());
    let variables: BTreeMap<_, _> = variables.into_iter().flatten().collect();
    let layers: Vec<_> = found.layers().iter().map(|layer| layer.arn()).collect();
    let mut hasher = DefaultHasher::new();
    (
        found.runtime().map(|runtime| runtime.as_str()),
        found.role(),
        found.handler(),
    )
        .hash(&mut hasher);
    (found.timeout(), found.memory_size(), variables, layers).hash(&mut hasher);
    let rest = (
        found.description(),
        found.architectures(),
        found.ephemeral_storage(),
        found.kms_key_arn(),
    );
    format!(
        "{rest:?}{:?}{:?}",
        found.logging_config(),
        found.tracing_config()
    )
    .hash(&mut hasher);
    hasher.finish()
}

impl CallTarget for Aws {
    async fn retarget_integration(&self, api: &ApiId, integration: &str, uri: &str) -> Answer<()> {
        let permission = format!("apigateway:PATCH on /apis/{api}/integrations/{integration}");
        let call = Call::new("UpdateIntegration", permission);
        let request = self
            .gateway
            .update_integration()
            .api_id(api.as_str())
            .integration_id(integration);
        call.answer(request.integration_uri(uri).send().await)
            .map(drop)
    }

    async fn retarget_authorizer(&self, api: &ApiId, authorizer: &str, uri: &str) -> Answer<()> {
        let permission = format!("apigateway:PATCH on /apis/{api}/authorizers/{authorizer}");
        let call = Call::new("UpdateAuthorizer", permission);
        let request = self
            .gateway
            .update_authorizer()
            .api_id(api.as_str())
            .authorizer_id(authorizer);
        call.answer(request.authorizer_uri(uri).send().await)
            .map(drop)
    }
}
