//! Resource types: those that the gateway runs, their order of creation, and the reasons for the others.

use super::async_invoke::EVENT_INVOKE_CONFIG;
use super::custom_resources;
use super::event_source::EVENT_SOURCE_MAPPING;
use super::schedule::SCHEDULE;
use super::trigger::{EVENT_BUS, EVENT_RULE, SUBSCRIPTION, TOPIC};
use super::trigger_properties::is_trigger;

/// Returns the position of a type in the order of creation, or `None` for types that the gateway does not run. Resources
/// come after those that they need, and are deleted in reverse order.
pub(super) fn creation_order(kind: &str) -> Option<u8> {
    Some(match kind {
        "AWS::DynamoDB::Table"
        | "AWS::DynamoDB::GlobalTable"
        | "AWS::Logs::LogGroup"
        | EVENT_BUS
        | TOPIC => 0,
        "AWS::IAM::Role" => 1,
        "AWS::ApiGatewayV2::Api" => 2,
        "AWS::Lambda::Function" => 3,
        "AWS::Lambda::Version" => 4,
        "AWS::Lambda::Alias" => 5,
        "AWS::Lambda::Permission" | EVENT_INVOKE_CONFIG => 6,
        "AWS::ApiGatewayV2::Authorizer"
        | "AWS::ApiGatewayV2::Model"
        | "AWS::ApiGatewayV2::Integration" => 7,
        "AWS::ApiGatewayV2::IntegrationResponse" | "AWS::ApiGatewayV2::Route" => 8,
        "AWS::ApiGatewayV2::RouteResponse" => 9,
        "AWS::ApiGatewayV2::Deployment" => 10,
        "AWS::ApiGatewayV2::Stage" => 11,
        "AWS::ApiGateway::ApiKey" | "AWS::ApiGateway::UsagePlan" => 12,
        "AWS::ApiGateway::UsagePlanKey" => 13,
        // Last, because the functions may post to connections of the stages.
        EVENT_SOURCE_MAPPING | SCHEDULE | EVENT_RULE | SUBSCRIPTION => 14,
        _ => return None,
    })
}

/// Returns true for types without which the rest of the template runs. They are left out with a note if the template alone
/// does not determine them.
pub(super) fn is_optional(kind: &str) -> bool {
    matches!(kind, EVENT_SOURCE_MAPPING | EVENT_INVOKE_CONFIG | SCHEDULE) || is_trigger(kind)
}

/// Returns true for types that a deployment snapshots. They may be deleted while a stage serves them.
pub(super) fn is_wiring(kind: &str) -> bool {
    matches!(creation_order(kind), Some(7..=9))
}

/// Returns the properties whose change replaces a resource.
pub(super) fn create_only(kind: &str) -> &'static [&'static str] {
    match kind {
        "AWS::ApiGatewayV2::Api" => &["ProtocolType"],
        "AWS::ApiGatewayV2::Stage" => &["ApiId", "StageName"],
        "AWS::ApiGatewayV2::RouteResponse" => &["ApiId", "RouteId"],
        "AWS::ApiGatewayV2::IntegrationResponse" => &["ApiId", "IntegrationId"],
        kind if kind.starts_with("AWS::ApiGatewayV2::") => &["ApiId"],
        "AWS::ApiGateway::ApiKey" => &["Name", "Value"],
        "AWS::ApiGateway::UsagePlanKey" => &["KeyId", "UsagePlanId"],
        "AWS::DynamoDB::Table" => &["TableName", "KeySchema", "LocalSecondaryIndexes"],
        "AWS::DynamoDB::GlobalTable" => &["TableName", "KeySchema", "LocalSecondaryIndexes"],
        "AWS::IAM::Role" => &["RoleName"],
        "AWS::Lambda::Alias" => &["Name", "FunctionName"],
        "AWS::Lambda::Function" => &["FunctionName"],
        "AWS::Lambda::Permission" => &[
            "FunctionName",
            "Action",
            "Principal",
            "SourceArn",
            "SourceAccount",
        ],
        "AWS::Lambda::Version" => &["Description", "FunctionName"],
        EVENT_INVOKE_CONFIG => &["FunctionName", "Qualifier"],
        SCHEDULE => &["Name", "GroupName"],
        EVENT_SOURCE_MAPPING => &[
            "EventSourceArn",
            "StartingPosition",
            "StartingPositionTimestamp",
        ],
        "AWS::Logs::LogGroup" => &["LogGroupName"],
        EVENT_BUS | EVENT_RULE => &["Name"],
        SUBSCRIPTION => &["Endpoint", "Protocol", "TopicArn"],
        TOPIC => &["TopicName"],
        _ => &[],
    }
}

/// Returns true for types with unique names, of which CloudFormation cannot create the new resource before it deletes the
/// old one.
pub(super) fn has_unique_name(kind: &str) -> bool {
    matches!(
        kind,
        "AWS::DynamoDB::Table"
            | "AWS::DynamoDB::GlobalTable"
            | "AWS::IAM::Role"
            | "AWS::Lambda::Function"
            | "AWS::Logs::LogGroup"
    )
}

/// Returns the reason why the gateway does not run a type. `None` for types that are read as part of others or have no effect
/// at run time.
pub(super) fn not_run_reason(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "AWS::CDK::Metadata"
        | "AWS::Lambda::LayerVersion"
        | "AWS::IAM::Policy"
        | "AWS::IAM::ManagedPolicy"
        | "AWS::ApiGateway::Account"
        // The gateway's own identities read them.
        | "AWS::Cognito::IdentityPool"
        | "AWS::Cognito::IdentityPoolRoleAttachment" => return None,
        "AWS::CloudWatch::Alarm" | "AWS::CloudWatch::CompositeAlarm" => {
            "the local gateway stores no metrics, so alarms never fire"
        }
        "AWS::CloudWatch::Dashboard" => "the local gateway stores no metrics to show",
        "AWS::ApiGatewayV2::DomainName" | "AWS::ApiGatewayV2::ApiMapping" => {
            "custom domains are not served locally: use the stage's own URL"
        }
        "AWS::Cognito::UserPool" | "AWS::Cognito::UserPoolClient" => {
            "the local issuer mints tokens instead"
        }
        "AWS::CloudFormation::Stack" | "AWS::Serverless::Application" => {
            "nested stacks are not run: run the nested template by itself, with `stackgen dev` and its file"
        }
        "AWS::Lambda::Url" => "function URLs are not served locally",
        kind if custom_resources::is_custom(kind) => {
            "custom resources are not run; their attributes get plausible values"
        }
        kind if kind.starts_with("AWS::ApiGateway::") => "REST APIs are not served locally",
        _ => "the local gateway does not run this service; references to it get a plausible name",
    })
}
