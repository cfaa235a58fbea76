//! Resources of services that do not run here, which the endpoint of the user's has.

use std::collections::BTreeMap;

use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};
use stackgen_gateway_common::{ArnScope, FunctionArn};
use thiserror::Error;

use super::trigger::{EVENT_RULE, SUBSCRIPTION};

/// Creates resources at the endpoint for services that do not run here.
pub trait ServiceResources: Send + Sync + 'static {
    /// Creates a resource, or updates the one with this name. `before` is what was put last, if that was in this session.
    fn put<'a>(
        &'a self,
        resource: &'a ServiceResource,
        before: Option<&'a EmulatedState>,
    ) -> BoxFuture<'a, Result<StoredResource, ServiceResourceError>>;

    /// Removes a rule or a subscription.
    fn remove<'a>(
        &'a self,
        existing: &'a EmulatedState,
    ) -> BoxFuture<'a, Result<(), ServiceResourceError>>;
}

/// Resource that was put at the endpoint in this session.
#[derive(Clone, Debug, PartialEq)]
pub struct EmulatedState {
    /// Type in the template.
    pub(super) kind: String,
    /// Properties that it was put with.
    pub desired: ServiceResource,
    /// Answer.
    pub stored: StoredResource,
}

impl EmulatedState {
    /// Returns true for types that go on to act on messages and events when they have left the template. The others may contain
    /// data, and stay.
    pub(super) fn is_removed(&self) -> bool {
        matches!(self.kind.as_str(), EVENT_RULE | SUBSCRIPTION)
    }
}

/// Resource to create, with all references resolved.
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceResource {
    /// Name of the stack.
    pub stack: String,
    /// Resource type.
    pub kind: String,
    /// Name.
    pub name: String,
    /// Properties by their names in the template.
    pub properties: Map<String, Json>,
}

/// Resource that exists at the endpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoredResource {
    /// Value of `Ref`.
    pub reference: String,
    /// Values of `Fn::GetAtt`.
    pub attributes: BTreeMap<String, String>,
    /// Parts of the resource that do nothing at the endpoint, as sentences about it.
    pub notes: Vec<String>,
}

impl StoredResource {
    /// Creates a resource with a value of `Ref`.
    pub fn new(reference: impl Into<String>) -> Self {
        StoredResource {
            reference: reference.into(),
            ..StoredResource::default()
        }
    }

    /// Adds a value of `Fn::GetAtt`.
    #[must_use]
    pub fn with(mut self, attribute: &str, value: impl Into<String>) -> Self {
        self.attributes.insert(attribute.to_owned(), value.into());
        self
    }

    /// Returns the value of `Ref` (without an attribute) or `Fn::GetAtt`.
    pub(super) fn value(&self, attribute: Option<&str>) -> Option<&str> {
        match attribute {
            None => Some(&self.reference),
            Some(attribute) => self.attributes.get(attribute).map(String::as_str),
        }
    }
}

/// Failure of [`ServiceResources::put`].
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct ServiceResourceError {
    /// Message, in the service's words if it comes from there.
    pub message: String,
    /// True if the endpoint does not answer, so that further calls would fail in the same way.
    pub is_unreachable: bool,
}

/// Resource of the template at the endpoint for services that do not run here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EmulatedResource {
    /// Logical ID.
    pub logical_id: String,
    /// Resource type.
    pub kind: String,
    /// Name.
    pub name: String,
}

/// Types that are created there.
pub(super) const STATE_MACHINE: &str = "AWS::StepFunctions::StateMachine";
pub(super) const SAM_STATE_MACHINE: &str = "AWS::Serverless::StateMachine";

/// Properties of queues that are used.
const QUEUE: &[&str] = &[
    "ContentBasedDeduplication",
    "DeduplicationScope",
    "DelaySeconds",
    "FifoQueue",
    "FifoThroughputLimit",
    "MaximumMessageSize",
    "MessageRetentionPeriod",
    "QueueName",
    "ReceiveMessageWaitTimeSeconds",
    "RedriveAllowPolicy",
    "RedrivePolicy",
    "VisibilityTimeout",
];

/// Properties of rules that are used.
const RULE: &[&str] = &[
    "Description",
    "EventBusName",
    "EventPattern",
    "Name",
    "RoleArn",
    "ScheduleExpression",
    "State",
    "Targets",
];

/// Properties of subscriptions that are used.
const SUBSCRIBED: &[&str] = &[
    "Endpoint",
    "FilterPolicy",
    "FilterPolicyScope",
    "Protocol",
    "RawMessageDelivery",
    "TopicArn",
];

/// Properties of state machines that are used, by CloudFormation's names.
const MACHINE: &[&str] = &[
    "Definition",
    "DefinitionString",
    "DefinitionSubstitutions",
    "RoleArn",
    "StateMachineName",
    "StateMachineType",
];

/// Returns the properties that are used of a type, or `None` for types that are not created at the endpoint.
pub(super) fn emulated_properties(kind: &str) -> Option<&'static [&'static str]> {
    Some(match kind {
        "AWS::Events::EventBus" => &["Name"],
        EVENT_RULE => RULE,
        "AWS::Kinesis::Stream" => &["Name", "ShardCount", "StreamModeDetails"],
        "AWS::S3::Bucket" => &["BucketName", "VersioningConfiguration"],
        SUBSCRIPTION => SUBSCRIBED,
        "AWS::SNS::Topic" => &[
            "ContentBasedDeduplication",
            "DisplayName",
            "FifoTopic",
            "Subscription",
            "TopicName",
        ],
        "AWS::SQS::Queue" => QUEUE,
        "AWS::SSM::Parameter" => &["Name", "Type", "Value"],
        "AWS::SecretsManager::Secret" => &["GenerateSecretString", "Name", "SecretString"],
        "AWS::StepFunctions::Activity" => &["Name"],
        STATE_MACHINE => MACHINE,
        SAM_STATE_MACHINE => &[
            "Definition",
            "DefinitionSubstitutions",
            "Name",
            "Role",
            "Type",
        ],
        _ => return None,
    })
}

/// Returns the properties whose change has an effect on AWS and none at the endpoint.
pub(super) fn ignored_properties(kind: &str) -> &'static [&'static str] {
    match kind {
        "AWS::S3::Bucket" => &[
            "CorsConfiguration",
            "LifecycleConfiguration",
            "NotificationConfiguration",
            "WebsiteConfiguration",
        ],
        "AWS::SecretsManager::Secret" => &["ReplicaRegions"],
        SAM_STATE_MACHINE => &["Events"],
        _ => &[],
    }
}

/// Removes what the gateway itself does: functions that are subscribed, and functions and event buses that are targets of rules.
/// Returns false if nothing is left for the endpoint.
pub(super) fn without_local(resource: &mut ServiceResource, scope: &ArnScope) -> bool {
    match resource.kind.as_str() {
        SUBSCRIPTION => resource.properties.get("Protocol") != Some(&Json::from("lambda")),
        EVENT_RULE => {
            let targets = resource.properties.get_mut("Targets");
            let Some(targets) = targets.and_then(Json::as_array_mut) else {
                return false;
            };
            targets.retain(|target| {
                !is_local_target(target["Arn"].as_str().unwrap_or_default(), scope)
            });
            !targets.is_empty()
        }
        _ => true,
    }
}

/// Returns true for targets of rules that the gateway reaches.
fn is_local_target(arn: &str, scope: &ArnScope) -> bool {
    let is_function = FunctionArn::parse(arn).is_some_and(|function| function.scope == *scope);
    is_function || arn.starts_with(&scope.resource("events", "event-bus/"))
}
