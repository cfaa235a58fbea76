//! Effects of changes: what a change takes to go live.

use serde::Serialize;
use serde_json::{Map, Value as Json};

use super::PartKind;
use super::canon::UNKNOWN_START;
use super::names::name_property;

/// The step that makes a change live.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum ChangeEffect {
    /// A deployment. Until then the stage serves the old wiring (rows D1, D7).
    Wiring,
    /// Only the stack update: code behind an unqualified ARN or an alias is live at once (row D2).
    Code,
    /// A deployment that invokes a new version of the function: its callers are pinned to versions.
    PinnedCode,
    /// Only the stack update.
    Settings,
    /// A replacement of the resource, which gets another physical ID.
    Replaces,
    /// The stack cannot apply it: CloudFormation does not replace a resource whose name stays.
    Refused,
    /// The stack cannot apply it: the key and the projection of an index do not change.
    FixedIndex,
    /// Several updates: one update of a table adds or deletes one index.
    OneIndex,
    /// A separate call: updates merge, so a removed property stays on in the account (row D12).
    Lingers,
}

impl ChangeEffect {
    /// True if the change goes live only with a deployment.
    pub fn needs_deployment(self) -> bool {
        matches!(self, ChangeEffect::Wiring | ChangeEffect::PinnedCode)
    }
}

/// Properties of an API that no deployment snapshots.
const API_SETTINGS: &[&str] = &[
    "Name",
    "Description",
    "Tags",
    "Version",
    "IpAddressType",
    "FailOnWarnings",
];

/// Properties of a function that its versions do not freeze.
const FUNCTION_SETTINGS: &[&str] = &[
    "ReservedConcurrentExecutions",
    "RecursiveLoop",
    "Tags",
    "RuntimeManagementConfig",
    "CodeSigningConfigArn",
];

/// True if the property is part of the snapshot (row D1). `Body` is the rest of an OpenAPI document, without its routes
/// and authorizers.
pub(crate) fn in_snapshot(kind: &PartKind, property: &str) -> bool {
    match kind {
        PartKind::Api => property != "ProtocolType" && !API_SETTINGS.contains(&property),
        PartKind::Route | PartKind::Integration | PartKind::Authorizer | PartKind::Model => true,
        _ => false,
    }
}

/// Returns what a change of a property takes to go live.
pub(crate) fn effect(kind: &PartKind, property: &str) -> ChangeEffect {
    if in_snapshot(kind, property) {
        ChangeEffect::Wiring
    } else if replaces(kind, property) {
        ChangeEffect::Replaces
    } else {
        match kind {
            PartKind::Function if !FUNCTION_SETTINGS.contains(&property) => ChangeEffect::Code,
            PartKind::Version | PartKind::Alias => ChangeEffect::Code,
            _ => ChangeEffect::Settings,
        }
    }
}

/// True if a property stays on in the account after it leaves the template: updates of stages and of CORS merge (row
/// D12).
pub(crate) fn lingers(kind: &PartKind, path: &str) -> bool {
    match kind {
        PartKind::Api => path == "CorsConfiguration",
        PartKind::Stage => {
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

/// True if the resource has a fixed name that does not change, so that CloudFormation cannot replace it.
pub(crate) fn keeps_name(
    kind: &PartKind,
    before: &Map<String, Json>,
    after: &Map<String, Json>,
) -> bool {
    let resource_type = match kind {
        PartKind::Function => "AWS::Lambda::Function",
        PartKind::Role => "AWS::IAM::Role",
        PartKind::Table => "AWS::DynamoDB::Table",
        PartKind::Other(resource_type) => resource_type,
        // Other names are part of a longer ID: names of stages and aliases are unique in their API or function only.
        _ => return false,
    };
    name_property(resource_type).is_some_and(|name| {
        let known = |content: &Map<String, Json>| {
            let name = content.get(name).and_then(Json::as_str);
            name.filter(|name| !name.contains(UNKNOWN_START))
                .map(str::to_owned)
        };
        replaces(kind, name) && known(before).is_some() && known(before) == known(after)
    })
}

/// True if the property is create-only, as the schemas of the CloudFormation registry list it.
pub(crate) fn replaces(kind: &PartKind, property: &str) -> bool {
    let create_only: &[&str] = match kind {
        PartKind::Api => &["ProtocolType"],
        PartKind::Stage => &["StageName"],
        PartKind::Function => &["FunctionName", "PackageType", "TenancyConfig"],
        PartKind::Version => &[
            "CodeSha256",
            "Description",
            "FunctionName",
            "ProvisionedConcurrencyConfig",
            "RuntimePolicy",
        ],
        PartKind::Alias => &["Name", "FunctionName"],
        PartKind::Mapping => &["DomainName"],
        // All properties; a condition is not a property.
        PartKind::Permission => return property != "Condition",
        PartKind::Role => &["RoleName", "Path"],
        PartKind::Table => &[
            "TableName",
            "KeySchema",
            "LocalSecondaryIndexes",
            "ImportSourceSpecification",
        ],
        PartKind::LogGroup => &["LogGroupName"],
        PartKind::Other(kind) => match kind.as_str() {
            "AWS::ApiGatewayV2::DomainName" => &["DomainName"],
            "AWS::ApiGatewayV2::IntegrationResponse" => &["ApiId", "IntegrationId"],
            "AWS::ApiGatewayV2::RouteResponse" => &["ApiId", "RouteId"],
            "AWS::CloudWatch::Alarm" | "AWS::CloudWatch::CompositeAlarm" => &["AlarmName"],
            "AWS::CloudWatch::Dashboard" => &["DashboardName"],
            "AWS::IAM::ManagedPolicy" => &["Description", "ManagedPolicyName", "Path"],
            "AWS::Lambda::EventInvokeConfig" => &["FunctionName", "Qualifier"],
            "AWS::Lambda::EventSourceMapping" => &[
                "EventSourceArn",
                "StartingPosition",
                "StartingPositionTimestamp",
            ],
            "AWS::Scheduler::Schedule" => &["Name"],
            "AWS::Route53::RecordSet" => &["HostedZoneId", "HostedZoneName"],
            "AWS::S3::Bucket" => &["BucketName"],
            "AWS::SNS::Topic" => &["FifoTopic", "TopicName"],
            "AWS::SQS::Queue" => &["QueueName", "FifoQueue"],
            // The model knows these as parts of their API, which cannot change.
            other if other.starts_with("AWS::ApiGatewayV2::") => &["ApiId"],
            _ => &[],
        },
        _ => &[],
    };
    create_only.contains(&property)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_start_in_a_stream_replaces_an_event_source_mapping() {
        let kind = PartKind::Other("AWS::Lambda::EventSourceMapping".to_owned());
        for (property, expected) in [
            ("StartingPosition", ChangeEffect::Replaces),
            ("StartingPositionTimestamp", ChangeEffect::Replaces),
            ("BatchSize", ChangeEffect::Settings),
        ] {
            assert_eq!(effect(&kind, property), expected, "{property}");
        }
    }
}
