//! AWS settings of the measured code.

use stackgen_websocket::Environment;
use stackgen_websocket::aws::AwsSettings;

/// Returns Lambda's settings, with another endpoint for DynamoDB. The credentials are examples.
pub fn settings(dynamodb: &str) -> AwsSettings {
    let mut environment = Environment::new(|name: &str| {
        let value = match name {
            "AWS_REGION" => "us-east-1",
            "AWS_ACCESS_KEY_ID" => "AKIAIOSFODNN7EXAMPLE",
            "AWS_SECRET_ACCESS_KEY" => "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            "AWS_SESSION_TOKEN" => "session-token-of-nobody",
            "AWS_ENDPOINT_URL_DYNAMODB" => dynamodb,
            _ => return None,
        };
        Some(value.to_owned())
    });
    AwsSettings::read(&mut environment)
}
