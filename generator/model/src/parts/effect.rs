//! What a change of a property takes to be live.

use serde::Serialize;
use serde_json::{Map, Value as Json};

use super::Kind;
use super::names::name_property;

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
    /// Nothing that the stack can do: CloudFormation does not replace a resource whose name stays.
    Refused,
    /// A call of its own: the update merges, and what is gone from the template stays on in the account (row D12).
    Lingers,
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

/// True when what is gone from this place stays on in the account: updates of stages and of CORS merge (row D12).
pub(crate) fn lingers(kind: &Kind, path: &str) -> bool {
    match kind {
        Kind::Api => path == "CorsConfiguration",
        Kind::Stage => {
            let property = path.split('.').next().unwrap_or_default();
            let merged = [
                "AccessLogSettings",
                "DefaultRouteSettings",
                "RouteSettings",
                "StageVariables",
            ];
            merged.contains(&property)
        }
        _ => false,
    }
}

/// True when a resource has a name of its own that does not change, so that CloudFormation will not replace it.
pub(crate) fn keeps_name(
    kind: &Kind,
    before: &Map<String, Json>,
    after: &Map<String, Json>,
) -> bool {
    let resource_type = match kind {
        Kind::Function => "AWS::Lambda::Function",
        Kind::Role => "AWS::IAM::Role",
        Kind::Table => "AWS::DynamoDB::Table",
        Kind::Other(resource_type) => resource_type,
        // Other names are part of a longer id: a stage's and an alias's are unique in their api or function only.
        _ => return false,
    };
    name_property(resource_type).is_some_and(|name| {
        let known = |content: &Map<String, Json>| {
            let name = content.get(name).and_then(Json::as_str);
            name.filter(|name| !name.contains("${?")).map(str::to_owned)
        };
        replaces(kind, name) && known(before).is_some() && known(before) == known(after)
    })
}

/// Create-only properties, as the schemas of the CloudFormation registry list them.
pub(crate) fn replaces(kind: &Kind, property: &str) -> bool {
    let create_only: &[&str] = match kind {
        Kind::Api => &["ProtocolType"],
        Kind::Stage => &["StageName"],
        Kind::Function => &["FunctionName", "PackageType", "TenancyConfig"],
        Kind::Version => &[
            "CodeSha256",
            "Description",
            "FunctionName",
            "ProvisionedConcurrencyConfig",
            "RuntimePolicy",
        ],
        Kind::Alias => &["Name", "FunctionName"],
        Kind::Mapping => &["DomainName"],
        // All that it has; a condition is not a property.
        Kind::Permission => return property != "Condition",
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
            "AWS::ApiGatewayV2::IntegrationResponse" => &["ApiId", "IntegrationId"],
            "AWS::ApiGatewayV2::RouteResponse" => &["ApiId", "RouteId"],
            "AWS::CloudWatch::Alarm" | "AWS::CloudWatch::CompositeAlarm" => &["AlarmName"],
            "AWS::CloudWatch::Dashboard" => &["DashboardName"],
            "AWS::IAM::ManagedPolicy" => &["Description", "ManagedPolicyName", "Path"],
            "AWS::Route53::RecordSet" => &["HostedZoneId", "HostedZoneName"],
            "AWS::S3::Bucket" => &["BucketName"],
            "AWS::SNS::Topic" => &["FifoTopic", "TopicName"],
            "AWS::SQS::Queue" => &["QueueName", "FifoQueue"],
            // Parts of an api that the model knows cannot change their api: they are told as parts of it.
            other if other.starts_with("AWS::ApiGatewayV2::") => &["ApiId"],
            _ => &[],
        },
        _ => &[],
    };
    create_only.contains(&property)
}
