//! Which types of resources run here, in which order they are made, and why the others do not.

/// When resources of a type are made: what they need comes before them. They are deleted in the opposite order. `None`
/// for types that are not run here.
pub(super) fn rank(kind: &str) -> Option<u8> {
    Some(match kind {
        "AWS::DynamoDB::Table" | "AWS::DynamoDB::GlobalTable" | "AWS::Logs::LogGroup" => 0,
        "AWS::IAM::Role" => 1,
        "AWS::ApiGatewayV2::Api" => 2,
        "AWS::Lambda::Function" => 3,
        "AWS::Lambda::Version" => 4,
        "AWS::Lambda::Alias" => 5,
        "AWS::Lambda::Permission" => 6,
        "AWS::ApiGatewayV2::Authorizer"
        | "AWS::ApiGatewayV2::Model"
        | "AWS::ApiGatewayV2::Integration" => 7,
        "AWS::ApiGatewayV2::IntegrationResponse" | "AWS::ApiGatewayV2::Route" => 8,
        "AWS::ApiGatewayV2::RouteResponse" => 9,
        "AWS::ApiGatewayV2::Deployment" => 10,
        "AWS::ApiGatewayV2::Stage" => 11,
        _ => return None,
    })
}

/// Parts of an api that a deployment freezes: they may go while a stage serves them.
pub(super) fn is_wiring(kind: &str) -> bool {
    matches!(rank(kind), Some(7..=9))
}

/// Properties whose change replaces a resource.
pub(super) fn create_only(kind: &str) -> &'static [&'static str] {
    match kind {
        "AWS::ApiGatewayV2::Api" => &["ProtocolType"],
        "AWS::ApiGatewayV2::Stage" => &["ApiId", "StageName"],
        "AWS::ApiGatewayV2::RouteResponse" => &["ApiId", "RouteId"],
        "AWS::ApiGatewayV2::IntegrationResponse" => &["ApiId", "IntegrationId"],
        kind if kind.starts_with("AWS::ApiGatewayV2::") => &["ApiId"],
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
        "AWS::Logs::LogGroup" => &["LogGroupName"],
        _ => &[],
    }
}

/// True when an account has one thing of a name, so that CloudFormation cannot make the new one before the old one goes.
pub(super) fn is_named_once(kind: &str) -> bool {
    matches!(
        kind,
        "AWS::DynamoDB::Table"
            | "AWS::DynamoDB::GlobalTable"
            | "AWS::IAM::Role"
            | "AWS::Lambda::Function"
            | "AWS::Logs::LogGroup"
    )
}

/// Why a type is not run here; `None` for what is part of something that is, or says nothing about what runs.
pub(super) fn reason(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "AWS::CDK::Metadata"
        | "AWS::IAM::Policy"
        | "AWS::IAM::ManagedPolicy"
        | "AWS::ApiGateway::Account" => return None,
        "AWS::CloudWatch::Alarm" | "AWS::CloudWatch::CompositeAlarm" => {
            "metrics are not kept here, so nothing alarms"
        }
        "AWS::CloudWatch::Dashboard" => "metrics are not kept here, so there is nothing to show",
        "AWS::ApiGatewayV2::DomainName" | "AWS::ApiGatewayV2::ApiMapping" => {
            "custom domains lead nowhere here: use the stage's own URL"
        }
        "AWS::Cognito::UserPool" | "AWS::Cognito::UserPoolClient" => {
            "tokens come from the local issuer instead"
        }
        "AWS::Lambda::EventSourceMapping" => "only apis and callers of Invoke run functions here",
        "AWS::Lambda::LayerVersion" => "layers are not unpacked here",
        "AWS::Lambda::Url" => "function URLs are not served here",
        kind if kind.starts_with("AWS::ApiGateway::") => "REST APIs are not served here",
        _ => "there is no such service here; what refers to it gets a plausible name",
    })
}
