//! Values of `Ref` and `GetAtt` for resources of each type.

use sha2::{Digest, Sha256};
use stackgen_gateway_common::{ArnScope, uuid_of_digest};

use super::schedule::{SCHEDULE, schedule_arn};
use super::trigger::EVENT_RULE;
use super::trigger_properties::rule_arn;

/// Returns the value of `Ref` (without an attribute) or `GetAtt` for a physical ID. `of` is the function of a version or an
/// alias, the protocol of an API, or the name of a rule or a schedule with its event bus or group. Types that the gateway does
/// not run get a plausible value.
pub(super) fn value(
    scope: &ArnScope,
    kind: &str,
    id: &str,
    of: &str,
    attribute: Option<&str>,
) -> String {
    match (kind, attribute) {
        ("AWS::ApiGatewayV2::Api", Some("ApiEndpoint")) => {
            let scheme = if of == "WEBSOCKET" { "wss" } else { "https" };
            format!("{scheme}://{}", scope.api_host(id))
        }
        ("AWS::Lambda::Version", Some("Version")) => id.to_owned(),
        ("AWS::Lambda::Version" | "AWS::Lambda::Alias", _) => {
            scope.function(of).qualified(id).to_string()
        }
        ("AWS::Lambda::Function", Some("Arn")) => scope.function(id).to_string(),
        ("AWS::IAM::Role", Some("Arn")) => scope.role(id),
        (EVENT_RULE, Some("Arn")) => rule_arn(scope, of),
        (SCHEDULE, Some("Arn")) => schedule_arn(scope, of),
        (EVENT_RULE | SCHEDULE, _) => of.rsplit('/').next().unwrap_or(of).to_owned(),
        ("AWS::Logs::LogGroup", Some("Arn")) => {
            scope.resource("logs", format_args!("log-group:{id}:*"))
        }
        ("AWS::DynamoDB::Table" | "AWS::DynamoDB::GlobalTable", Some(attribute)) => {
            let table = scope.resource("dynamodb", format_args!("table/{id}"));
            match attribute {
                "StreamArn" => format!("{table}/stream/2026-01-01T00:00:00.000"),
                _ => table,
            }
        }
        (_, attribute) => plausible_value(scope, kind, id, attribute),
    }
}

/// Returns a plausible value for types that the gateway does not run.
fn plausible_value(scope: &ArnScope, kind: &str, id: &str, attribute: Option<&str>) -> String {
    let (region, account, suffix) = (&scope.region, &scope.account, scope.url_suffix());
    match (kind, attribute) {
        ("AWS::SQS::Queue", None | Some("QueueUrl")) => {
            format!("https://sqs.{region}.{suffix}/{account}/{id}")
        }
        ("AWS::SQS::Queue", Some("Arn")) => scope.resource("sqs", id),
        ("AWS::SNS::Topic", None | Some("TopicArn")) => scope.resource("sns", id),
        (
            "AWS::StepFunctions::StateMachine" | "AWS::Serverless::StateMachine",
            None | Some("Arn"),
        ) => scope.resource("states", format_args!("stateMachine:{id}")),
        ("AWS::StepFunctions::Activity", None | Some("Arn")) => {
            scope.resource("states", format_args!("activity:{id}"))
        }
        ("AWS::Events::EventBus", Some("Arn")) => {
            scope.resource("events", format_args!("event-bus/{id}"))
        }
        ("AWS::KinesisFirehose::DeliveryStream", Some("Arn")) => {
            scope.resource("firehose", format_args!("deliverystream/{id}"))
        }
        ("AWS::SecretsManager::Secret", None) => {
            scope.resource("secretsmanager", format_args!("secret:{id}"))
        }
        ("AWS::IAM::ManagedPolicy", None) => {
            format!("arn:{}:iam::{account}:policy/{id}", scope.partition)
        }
        ("AWS::S3::Bucket", Some("Arn")) => format!("arn:{}:s3:::{id}", scope.partition),
        ("AWS::S3::Bucket", Some("DomainName")) => format!("{id}.s3.{suffix}"),
        ("AWS::S3::Bucket", Some("RegionalDomainName")) => format!("{id}.s3.{region}.{suffix}"),
        ("AWS::Cognito::IdentityPool", None) => {
            format!("{region}:{}", uuid_of_digest(&Sha256::digest(id)))
        }
        ("AWS::Cognito::UserPool", attribute) => {
            let pool = format!("{region}_{}", generated_suffix(id));
            let provider = format!("cognito-idp.{region}.{suffix}/{pool}");
            match attribute {
                None | Some("UserPoolId") => pool,
                Some("ProviderName") => provider,
                Some("ProviderURL") => format!("https://{provider}"),
                Some(_) => scope.resource("cognito-idp", format_args!("userpool/{pool}")),
            }
        }
        (_, None) => id.to_owned(),
        (kind, Some("Arn")) => {
            let mut words = kind.split("::").skip(1);
            let service = words.next().unwrap_or_default().to_lowercase();
            let word = words.next().unwrap_or_default().to_lowercase();
            scope.resource(&service, format_args!("{word}/{id}"))
        }
        (_, Some("Name" | "QueueName" | "TopicName" | "Id" | "APIKeyId")) => id.to_owned(),
        (_, Some(attribute)) => format!("{id}.{attribute}"),
    }
}

/// Returns the function's name in a `FunctionName` property, which may be a name, an ARN, or a name with a qualifier.
pub(super) fn function_name(text: &str) -> &str {
    let name = match text.split_once(":function:") {
        Some((_, name)) => name,
        None => text,
    };
    name.split(':').next().unwrap_or(name)
}

/// Returns the part after the last `-`: the random part of a generated name.
fn generated_suffix(id: &str) -> &str {
    id.rsplit('-').next().unwrap_or(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_to_resources_of_other_services_are_what_their_calls_need() {
        let scope = ArnScope::default();
        for (kind, attribute, expected) in [
            (
                "SQS::Queue",
                None,
                "https://sqs.us-east-1.amazonaws.com/000000000000/a",
            ),
            (
                "SQS::Queue",
                Some("Arn"),
                "arn:aws:sqs:us-east-1:000000000000:a",
            ),
            ("SQS::Queue", Some("QueueName"), "a"),
            ("SNS::Topic", None, "arn:aws:sns:us-east-1:000000000000:a"),
            (
                "SNS::Topic",
                Some("TopicArn"),
                "arn:aws:sns:us-east-1:000000000000:a",
            ),
            (
                "StepFunctions::StateMachine",
                None,
                "arn:aws:states:us-east-1:000000000000:stateMachine:a",
            ),
            (
                "Serverless::StateMachine",
                Some("Arn"),
                "arn:aws:states:us-east-1:000000000000:stateMachine:a",
            ),
            ("StepFunctions::StateMachine", Some("Name"), "a"),
            (
                "StepFunctions::Activity",
                None,
                "arn:aws:states:us-east-1:000000000000:activity:a",
            ),
            ("Events::EventBus", None, "a"),
            (
                "Events::EventBus",
                Some("Arn"),
                "arn:aws:events:us-east-1:000000000000:event-bus/a",
            ),
            ("Kinesis::Stream", None, "a"),
            (
                "Kinesis::Stream",
                Some("Arn"),
                "arn:aws:kinesis:us-east-1:000000000000:stream/a",
            ),
            ("KinesisFirehose::DeliveryStream", None, "a"),
            (
                "KinesisFirehose::DeliveryStream",
                Some("Arn"),
                "arn:aws:firehose:us-east-1:000000000000:deliverystream/a",
            ),
        ] {
            let kind = format!("AWS::{kind}");
            let value = plausible_value(&scope, &kind, "a", attribute);
            assert_eq!(value, expected, "{kind} {attribute:?}");
        }
    }
}
