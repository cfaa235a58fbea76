//! The event history of CloudTrail.

use serde_json::{Value, json};
use stackgen_deploy::status::{ChangeTrail, TrailCall};
use stackgen_deploy::{AccountResult, ApiId, OffsetDateTime};

use crate::Aws;
use crate::operation::AwsOperation;
use crate::pages::pages;
use crate::permissions::AwsCall;
use crate::signed::{SignedRequest, SignedService};

/// Target of LookupEvents.
const LOOKUP: &str = "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents";

/// Name by which CloudFormation calls other services for its caller.
const CLOUD_FORMATION: &str = "cloudformation.amazonaws.com";

impl ChangeTrail for Aws {
    async fn calls(
        &self,
        operation: &'static str,
        since: OffsetDateTime,
    ) -> AccountResult<Vec<TrailCall>> {
        let call = AwsCall::LookupEvents;
        let lookup = AwsOperation::on(call, format_args!("events {operation}"));
        let attribute = json!({ "AttributeKey": "EventName", "AttributeValue": operation });
        let found = pages(&lookup, |token| async {
            let mut body = json!({
                "LookupAttributes": [attribute],
                "StartTime": since.unix_timestamp(),
                "MaxResults": 50,
            });
            if let Some(token) = token {
                body["NextToken"] = token.into();
            }
            let request = SignedRequest::json(LOOKUP, "1.1", &body);
            let answer = self
                .send_signed(SignedService::CloudTrail, call, &lookup, request)
                .await?;
            let mut answer: Value =
                serde_json::from_str(&answer).map_err(|_| lookup.lacks("JSON"))?;
            let Value::Array(events) = answer["Events"].take() else {
                return Err(lookup.lacks("Events"));
            };
            let next = answer["NextToken"].as_str().map(str::to_owned);
            Ok((events, next))
        });
        let found = found.await?;
        Ok(found.iter().filter_map(recorded_call).collect())
    }
}

/// Converts an event; `None` for one of another service, or of a call that failed.
fn recorded_call(event: &Value) -> Option<TrailCall> {
    // `CreateRoute` is an operation of EC2, too.
    let source = event["EventSource"].as_str()?;
    if !matches!(
        source,
        "apigateway.amazonaws.com" | "apigatewayv2.amazonaws.com"
    ) {
        return None;
    }
    let record: Value = serde_json::from_str(event["CloudTrailEvent"].as_str()?).ok()?;
    if record["errorCode"].is_string() {
        return None;
    }
    let request = &record["requestParameters"];
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let identity = &record["userIdentity"];
    let callers = [&identity["invokedBy"], &record["sourceIPAddress"]];
    let seconds = event["EventTime"].as_f64()?;
    Some(TrailCall {
        operation: text(&event["EventName"])?,
        at: OffsetDateTime::from_unix_timestamp(seconds.floor() as i64).ok()?,
        by: text(&event["Username"])
            .or_else(|| text(&identity["arn"]))
            .unwrap_or_else(|| "somebody".to_owned()),
        api: request["apiId"].as_str().map(ApiId::new),
        route_key: text(&request["routeKey"]),
        deployment: text(&record["responseElements"]["deploymentId"]),
        by_cloudformation: callers.iter().any(|caller| **caller == CLOUD_FORMATION),
    })
}
