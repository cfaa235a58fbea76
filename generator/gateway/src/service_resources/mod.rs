//! Creates resources of templates at the endpoint for services that do not run here. A resource that exists there already is
//! updated, so that a start after a start succeeds.

mod event_bus;
mod parameter;
mod queue;
mod rule;
mod secret;
mod state_machine;
mod storage;
mod stream;
mod task_bridge;
mod tasks;
mod topic;

use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use serde_json::Value as Json;
use stackgen_gateway_common::ArnScope;
use stackgen_gateway_stack::{
    EmulatedState, ServiceResource, ServiceResourceError, ServiceResources, StoredResource,
};

use crate::outbound::OtherServices;
use crate::outbound::service_client::{CallError, ServiceClient};
use task_bridge::TaskBridge;

/// Longest time to create or remove a resource, with all calls that it needs.
const LIMIT: Duration = Duration::from_secs(60);

/// Creates the resources.
pub(crate) struct EndpointResources {
    client: ServiceClient,
    tasks: TaskBridge,
}

impl EndpointResources {
    /// Creates the resources at the endpoint of `others`. Tasks of state machines call back to `endpoint`, the control endpoint
    /// of the gateway.
    pub(crate) fn new(others: Arc<OtherServices>, scope: ArnScope, endpoint: &str) -> Self {
        let client = ServiceClient { others, scope };
        EndpointResources {
            tasks: TaskBridge::new(client.clone(), endpoint),
            client,
        }
    }

    async fn put_one(
        &self,
        resource: &ServiceResource,
        before: Option<&EmulatedState>,
    ) -> Result<StoredResource, CallError> {
        let client = &self.client;
        match resource.kind.as_str() {
            "AWS::Events::EventBus" => event_bus::put(client, resource).await,
            "AWS::Events::Rule" => rule::put(client, resource, before).await,
            "AWS::Kinesis::Stream" => stream::put(client, resource).await,
            "AWS::S3::Bucket" => storage::put(client, resource, before).await,
            "AWS::SNS::Subscription" => topic::put_subscription(client, resource, before).await,
            "AWS::SNS::Topic" => topic::put(client, resource, before).await,
            "AWS::SQS::Queue" => queue::put(client, resource, before).await,
            "AWS::SSM::Parameter" => parameter::put(client, resource, before).await,
            "AWS::SecretsManager::Secret" => secret::put(client, resource, before).await,
            "AWS::StepFunctions::Activity" => state_machine::put_activity(client, resource).await,
            _ => state_machine::put(client, &self.tasks, resource).await,
        }
    }
}

impl ServiceResources for EndpointResources {
    fn put<'a>(
        &'a self,
        resource: &'a ServiceResource,
        before: Option<&'a EmulatedState>,
    ) -> BoxFuture<'a, Result<StoredResource, ServiceResourceError>> {
        Box::pin(within_limit(self.put_one(resource, before)))
    }

    fn remove<'a>(
        &'a self,
        existing: &'a EmulatedState,
    ) -> BoxFuture<'a, Result<(), ServiceResourceError>> {
        let resource = &existing.desired;
        match resource.kind.as_str() {
            "AWS::Events::Rule" => Box::pin(within_limit(rule::remove(&self.client, resource))),
            _ => Box::pin(within_limit(topic::remove_subscription(
                &self.client,
                resource,
            ))),
        }
    }
}

async fn within_limit<T>(
    calls: impl Future<Output = Result<T, CallError>>,
) -> Result<T, ServiceResourceError> {
    match tokio::time::timeout(LIMIT, calls).await {
        Ok(result) => result.map_err(|error| ServiceResourceError {
            message: error.to_string(),
            is_unreachable: matches!(error, CallError::Unreachable(_)),
        }),
        Err(_) => Err(ServiceResourceError {
            message: format!("no answer in {} s", LIMIT.as_secs()),
            is_unreachable: true,
        }),
    }
}

/// Returns a property as text: JSON if it is no text, as services want their policies.
fn text(resource: &ServiceResource, name: &str) -> Option<String> {
    Some(match resource.properties.get(name)? {
        Json::Null => return None,
        Json::String(text) => text.clone(),
        value => value.to_string(),
    })
}

/// Returns the properties that exist as texts.
fn texts(resource: &ServiceResource, names: &[&str]) -> Vec<(String, String)> {
    let texts = names.iter();
    texts
        .filter_map(|name| Some(((*name).to_owned(), text(resource, name)?)))
        .collect()
}

/// Returns true if the template had another value of a property earlier in this session.
fn is_changed(before: Option<&EmulatedState>, name: &str, value: &str) -> bool {
    before.is_some_and(|before| text(&before.desired, name).as_deref() != Some(value))
}

/// Returns the note on a value that stays.
fn unchanged_note(property: &str) -> String {
    format!(
        "it keeps its value in the emulator, which is not the {property} of the template: delete it there to get that one"
    )
}

/// Returns the note on something that exists with a setting that cannot be changed.
fn existing_note(setting: impl Display, wanted: impl Display) -> String {
    format!("it exists in the emulator and keeps {setting}: delete it there to get {wanted}")
}

/// Returns a member of an answer.
fn member(answer: &Json, name: &str) -> String {
    answer[name].as_str().unwrap_or_default().to_owned()
}

/// Returns `None` for a refusal with a code, such as the one for what exists already.
fn unless_refused(result: Result<Json, CallError>, code: &str) -> Result<Option<Json>, CallError> {
    match result {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.is(code) => Ok(None),
        Err(error) => Err(error),
    }
}
