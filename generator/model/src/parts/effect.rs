//! What a change of a property takes to be live.

use serde::Serialize;

use super::Kind;

/// What a change takes to be live.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Effect {
    /// An API deployment: the stage serves the old wiring until it points at a new one (rows D1, D7).
    Wiring,
    /// Nothing but the update of the stack: code behind an unqualified ARN or an alias is live at once (row D2).
    Code,
    /// A deployment that calls a new version of the function: its callers are pinned to versions.
    PinnedCode,
    /// Nothing but the update of the stack.
    Settings,
    /// The resource is replaced: it gets another physical id.
    Replaces,
}

/// Properties of an api that no deployment snapshots.
const API_SETTINGS: &[&str] = &[
    "Name",
    "Description",
    "Tags",
    "Version",
    "IpAddressType",
    "FailOnWarnings",
];

/// What freezes in a function's version: its code and its configuration.
const FUNCTION_SETTINGS: &[&str] = &[
    "ReservedConcurrentExecutions",
    "RecursiveLoop",
    "Tags",
    "RuntimeManagementConfig",
    "CodeSigningConfigArn",
];

/// True when the property is part of what a deployment snapshots (row D1). `Body` is what is left of an OpenAPI
/// document besides the routes and authorizers in it.
pub(crate) fn in_snapshot(kind: &Kind, property: &str) -> bool {
    match kind {
        Kind::Api => property != "ProtocolType" && !API_SETTINGS.contains(&property),
        Kind::Route | Kind::Integration | Kind::Authorizer | Kind::Model => true,
        _ => false,
    }
}

/// What a change of a property takes to be live.
pub(crate) fn effect(kind: &Kind, property: &str) -> Effect {
    if in_snapshot(kind, property) {
        Effect::Wiring
    } else if replaces(kind, property) {
        Effect::Replaces
    } else {
        match kind {
            Kind::Function if !FUNCTION_SETTINGS.contains(&property) => Effect::Code,
            Kind::Version | Kind::Alias => Effect::Code,
            _ => Effect::Settings,
        }
    }
}

/// Create-only properties.
fn replaces(kind: &Kind, property: &str) -> bool {
    let create_only: &[&str] = match kind {
        Kind::Api => &["ProtocolType"],
        Kind::Stage => &["StageName"],
        Kind::Function => &["FunctionName", "PackageType", "TenancyConfig"],
        Kind::Alias => &["Name", "FunctionName"],
        Kind::Role => &["RoleName", "Path"],
        Kind::Table => &[
            "TableName",
            "KeySchema",
            "LocalSecondaryIndexes",
            "ImportSourceSpecification",
        ],
        Kind::LogGroup => &["LogGroupName"],
        Kind::Other(kind) => match kind.as_str() {
            "AWS::ApiGatewayV2::DomainName" => &["DomainName"],
            "AWS::CloudWatch::Alarm" => &["AlarmName"],
            "AWS::CloudWatch::Dashboard" => &["DashboardName"],
            "AWS::S3::Bucket" => &["BucketName"],
            "AWS::SNS::Topic" => &["TopicName"],
            "AWS::SQS::Queue" => &["QueueName", "FifoQueue"],
            _ => &[],
        },
        _ => &[],
    };
    create_only.contains(&property)
}
