//! Calls to CloudFormation.

use aws_sdk_cloudformation::types::{
    Capability, ChangeSetType, DeploymentConfig, DeploymentConfigMode, OnFailure, OnStackFailure,
    Parameter, StackStatus as SdkStatus, Tag, TemplateStage,
};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use stackgen_deploy::stack::{
    ChangeSet, ChangeSetId, EventScope, ParameterValue, StackDescription, StackEvent, StackId,
    StackName, StackReader, StackRequest, StackResource, StackService, StartedOperation,
    TemplateLocation, ValidationFinding,
};
use stackgen_deploy::{AccountError, AccountErrorKind, AccountResult, OffsetDateTime};

use crate::Aws;
use crate::operation::AwsOperation;
use crate::pages::pages;
use crate::permissions::AwsCall;
use crate::{events, stacks};

impl StackReader for Aws {
    async fn stack(&self, name_or_id: &str) -> AccountResult<Option<StackDescription>> {
        let operation = operation(AwsCall::DescribeStacks, name_or_id);
        let request = self.cloudformation.describe_stacks().stack_name(name_or_id);
        let found = request.send().await;
        // CloudFormation answers with the error of bad input.
        let is_missing = found.as_ref().err().is_some_and(|error| {
            let message = error.message().unwrap_or_default();
            error.code() == Some("ValidationError") && message.contains("does not exist")
        });
        if is_missing {
            return Ok(None);
        }
        let found = operation.result(found)?;
        Ok(found.stacks().first().and_then(stacks::stack))
    }

    async fn resources(&self, stack: &StackId) -> AccountResult<Vec<StackResource>> {
        let operation = operation(AwsCall::ListStackResources, stack.as_str());
        let found = pages(&operation, |token| async {
            let request = self.cloudformation.list_stack_resources();
            let request = request.stack_name(stack.as_str()).set_next_token(token);
            let page = operation.result(request.send().await)?;
            let resources = page.stack_resource_summaries.unwrap_or_default();
            Ok((resources, page.next_token))
        });
        Ok(found.await?.iter().filter_map(stacks::resource).collect())
    }

    async fn events_since(
        &self,
        stack: &StackId,
        since: OffsetDateTime,
    ) -> AccountResult<Vec<StackEvent>> {
        let mut found = self
            .events_down_to(stack, |event| event.time < since)
            .await?;
        found.retain(|event| event.time >= since);
        Ok(found)
    }

    async fn template(&self, stack: &StackId) -> AccountResult<String> {
        let operation = operation(AwsCall::GetTemplate, stack.as_str());
        let request = self.cloudformation.get_template();
        let request = request.stack_name(stack.as_str());
        let request = request.template_stage(TemplateStage::Processed);
        let found = operation.result(request.send().await)?;
        let template = found.template_body().map(str::to_owned);
        template.ok_or_else(|| operation.lacks("TemplateBody"))
    }
}

impl StackService for Aws {
    async fn deleted_stacks(&self, name: &StackName) -> AccountResult<Vec<StackId>> {
        let operation = operation(AwsCall::ListStacks, "*");
        let found = pages(&operation, |token| async {
            let request = self.cloudformation.list_stacks().set_next_token(token);
            let request = request.stack_status_filter(SdkStatus::DeleteComplete);
            let page = operation.result(request.send().await)?;
            Ok((page.stack_summaries.unwrap_or_default(), page.next_token))
        });
        let mut found: Vec<_> = found.await?;
        found.retain(|stack| stack.stack_name() == Some(name.as_str()));
        found.sort_by_key(|stack| std::cmp::Reverse(stack.deletion_time().map(|time| time.secs())));
        let ids = found.iter().filter_map(|stack| stack.stack_id());
        Ok(ids.map(StackId::new).collect())
    }

    async fn create_change_set(&self, request: &StackRequest) -> AccountResult<ChangeSetId> {
        let operation = operation(AwsCall::CreateChangeSet, request.stack.as_str());
        let sent = SentRequest::new(request);
        let call = self.cloudformation.create_change_set();
        let call = call
            .stack_name(request.stack.as_str())
            .change_set_name(&request.change_set)
            .description(&request.description)
            .set_template_url(sent.template_url)
            .set_template_body(sent.template_body)
            .set_parameters(sent.parameters)
            .set_tags(sent.tags)
            .set_capabilities(sent.capabilities)
            .set_role_arn(request.role_arn.clone())
            .set_deployment_config(sent.deployment_config);
        let call = match request.creates {
            true => call
                .change_set_type(ChangeSetType::Create)
                .on_stack_failure(OnStackFailure::Delete),
            false => call.change_set_type(ChangeSetType::Update),
        };
        let created = operation.result(call.send().await)?;
        let id = created.id().ok_or_else(|| operation.lacks("Id"))?;
        Ok(ChangeSetId::new(id))
    }

    async fn change_set(&self, stack: &str, name_or_id: &str) -> AccountResult<Option<ChangeSet>> {
        let operation = operation(AwsCall::DescribeChangeSet, stack);
        let found = pages(&operation, |token| async {
            let request = self.cloudformation.describe_change_set();
            let request = request
                .change_set_name(name_or_id)
                .set_stack_name((!stack.is_empty()).then(|| stack.to_owned()))
                .include_property_values(true)
                .set_next_token(token);
            let page = operation.result(request.send().await)?;
            let next = page.next_token.clone();
            Ok((vec![page], next))
        });
        match found.await {
            Ok(found) => Ok(stacks::change_set(&found)),
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn create_stack(
        &self,
        request: &StackRequest,
        token: &str,
    ) -> AccountResult<StartedOperation> {
        let operation = operation(AwsCall::CreateStack, request.stack.as_str());
        let sent = SentRequest::new(request);
        let call = self.cloudformation.create_stack();
        let call = call
            .stack_name(request.stack.as_str())
            .set_template_url(sent.template_url)
            .set_template_body(sent.template_body)
            .set_parameters(sent.parameters)
            .set_tags(sent.tags)
            .set_capabilities(sent.capabilities)
            .set_role_arn(request.role_arn.clone())
            .set_deployment_config(sent.deployment_config)
            .on_failure(OnFailure::Delete)
            .client_request_token(token);
        let created = operation.result(call.send().await)?;
        let started = stacks::started(created.stack_id(), created.operation_id());
        started.ok_or_else(|| operation.lacks("StackId"))
    }

    async fn update_stack(
        &self,
        request: &StackRequest,
        token: &str,
    ) -> AccountResult<Option<StartedOperation>> {
        let operation = operation(AwsCall::UpdateStack, request.stack.as_str());
        let sent = SentRequest::new(request);
        let call = self.cloudformation.update_stack();
        let call = call
            .stack_name(request.stack.as_str())
            .set_template_url(sent.template_url)
            .set_template_body(sent.template_body)
            .set_parameters(sent.parameters)
            .set_tags(sent.tags)
            .set_capabilities(sent.capabilities)
            .set_role_arn(request.role_arn.clone())
            .set_deployment_config(sent.deployment_config)
            .client_request_token(token);
        let updated = match operation.result(call.send().await) {
            // CloudFormation answers with the error of bad input.
            Err(error) if error.message.contains("No updates are to be performed") => {
                return Ok(None);
            }
            updated => updated?,
        };
        let started = stacks::started(updated.stack_id(), updated.operation_id());
        started.map(Some).ok_or_else(|| operation.lacks("StackId"))
    }

    async fn set_stack_policy(&self, stack: &StackId, policy: &str) -> AccountResult<()> {
        let operation = operation(AwsCall::SetStackPolicy, stack.as_str());
        let call = self.cloudformation.set_stack_policy();
        let call = call.stack_name(stack.as_str()).stack_policy_body(policy);
        operation.result(call.send().await).map(drop)
    }

    async fn execute_change_set(&self, change_set: &ChangeSetId, token: &str) -> AccountResult<()> {
        let operation = operation(AwsCall::ExecuteChangeSet, change_set.as_str());
        let request = self.cloudformation.execute_change_set();
        let request = request.change_set_name(change_set.as_str());
        let request = request.client_request_token(token);
        operation.result(request.send().await).map(drop)
    }

    async fn delete_change_set(&self, change_set: &ChangeSetId) -> AccountResult<()> {
        let operation = operation(AwsCall::DeleteChangeSet, change_set.as_str());
        let request = self.cloudformation.delete_change_set();
        let request = request.change_set_name(change_set.as_str());
        operation.result(request.send().await).map(drop)
    }

    async fn events(&self, stack: &StackId, until: Option<&str>) -> AccountResult<Vec<StackEvent>> {
        self.events_down_to(stack, |event| until == Some(event.id.as_str()))
            .await
    }

    async fn validation_findings(
        &self,
        change_set: &ChangeSetId,
    ) -> AccountResult<Vec<ValidationFinding>> {
        let operation = operation(AwsCall::DescribeEvents, change_set.as_str());
        let found = pages(&operation, |token| async {
            let request = self.cloudformation.describe_events();
            let request = request.change_set_name(change_set.as_str());
            let page = operation.result(request.set_next_token(token).send().await)?;
            Ok((page.operation_events.unwrap_or_default(), page.next_token))
        });
        let found = found.await?;
        Ok(found
            .iter()
            .filter_map(events::validation_finding)
            .collect())
    }

    async fn operation_events(
        &self,
        scope: &EventScope,
        until: Option<&str>,
    ) -> AccountResult<Vec<StackEvent>> {
        let (stack, id) = match scope {
            EventScope::Operation(id) => (None, Some(id.as_str())),
            EventScope::Stack(stack) => (Some(stack.as_str()), None),
        };
        let target = match (stack, id) {
            (Some(stack), _) => format!("stack {stack}"),
            (_, id) => format!("operation {}", id.unwrap_or_default()),
        };
        let operation = AwsOperation::on(AwsCall::DescribeEvents, target);
        let found = pages(&operation, |token| async {
            let request = self.cloudformation.describe_events();
            let request = request.set_stack_name(stack.map(str::to_owned));
            let request = request.set_operation_id(id.map(str::to_owned));
            let page = operation.result(request.set_next_token(token).send().await)?;
            let events = page.operation_events.unwrap_or_default();
            let events: Vec<_> = events.iter().filter_map(events::event).collect();
            let next = page.next_token;
            let next = next.filter(|_| !events::is_last_page(&events, until));
            Ok((events, next))
        });
        Ok(events::latest_first(found.await?))
    }

    async fn delete_stack(
        &self,
        stack: &StackId,
        role_arn: Option<&str>,
        token: &str,
    ) -> AccountResult<()> {
        let operation = operation(AwsCall::DeleteStack, stack.as_str());
        let request = self.cloudformation.delete_stack();
        let request = request.stack_name(stack.as_str());
        let request = request.set_role_arn(role_arn.map(str::to_owned));
        let request = request.client_request_token(token);
        operation.result(request.send().await).map(drop)
    }

    async fn cancel_update(&self, stack: &StackId) -> AccountResult<()> {
        let operation = operation(AwsCall::CancelUpdateStack, stack.as_str());
        let request = self.cloudformation.cancel_update_stack();
        let request = request.stack_name(stack.as_str());
        operation.result(request.send().await).map(drop)
    }
}

/// Parts of a request that creations, updates and change sets share, in the types of the SDK.
struct SentRequest {
    template_url: Option<String>,
    template_body: Option<String>,
    parameters: Option<Vec<Parameter>>,
    tags: Option<Vec<Tag>>,
    capabilities: Option<Vec<Capability>>,
    deployment_config: Option<DeploymentConfig>,
}

impl SentRequest {
    fn new(request: &StackRequest) -> Self {
        let parameter = |(name, value): &(String, ParameterValue)| {
            let parameter = Parameter::builder().parameter_key(name);
            match value {
                ParameterValue::Value(value) => parameter.parameter_value(value).build(),
                ParameterValue::Previous => parameter.use_previous_value(true).build(),
            }
        };
        let tag = |(key, value): &(String, String)| Tag::builder().key(key).value(value).build();
        let capability = |name: &String| Capability::from(name.as_str());
        let (template_url, template_body) = match &request.template {
            TemplateLocation::Url(url) => (Some(url.clone()), None),
            TemplateLocation::Inline(body) => (None, Some(body.clone())),
        };
        SentRequest {
            template_url,
            template_body,
            parameters: some(request.parameters.iter().map(parameter)),
            // An empty list would remove the stack's tags.
            tags: some(request.tags.iter().map(tag)),
            capabilities: some(request.capabilities.iter().map(capability)),
            // Rollback stays on: that is the default.
            deployment_config: request.express.then(|| {
                let express = DeploymentConfig::builder().mode(DeploymentConfigMode::Express);
                express.build()
            }),
        }
    }
}

impl Aws {
    /// Returns events of a stack, the latest first, down to a page that has the last one.
    async fn events_down_to(
        &self,
        stack: &StackId,
        is_last: impl Fn(&StackEvent) -> bool,
    ) -> AccountResult<Vec<StackEvent>> {
        let operation = operation(AwsCall::DescribeStackEvents, stack.as_str());
        pages(&operation, |token| async {
            let request = self.cloudformation.describe_stack_events();
            let request = request.stack_name(stack.as_str()).set_next_token(token);
            let page = operation.result(request.send().await)?;
            let events = page.stack_events.unwrap_or_default();
            let events: Vec<_> = events.iter().filter_map(stacks::event).collect();
            let next = page.next_token.filter(|_| !events.iter().any(&is_last));
            Ok((events, next))
        })
        .await
    }
}

/// Returns a list unless it is empty.
fn some<T>(items: impl Iterator<Item = T>) -> Option<Vec<T>> {
    let items: Vec<T> = items.collect();
    (!items.is_empty()).then_some(items)
}

/// Returns an operation on a stack.
fn operation(call: AwsCall, stack: &str) -> AwsOperation {
    AwsOperation::on(call, format_args!("stack {stack}"))
}

/// True if there is no such change set, or no such stack.
fn is_missing(error: &AccountError) -> bool {
    error.kind == AccountErrorKind::NotFound || error.message.contains("does not exist")
}
