//! Permissions that calls of integrations need (row M23).

use bytes::Bytes;
use serde_json::Value;
use stackgen_gateway_common::ArnScope;
use stackgen_gateway_common::services::{ServiceCall, ServiceOperation};

use crate::outbound::actions::{action, form_value};

/// Returns the action of a call and the resources that it is about. `None` if they are not known,
/// because the request does not name them.
pub(super) fn needed(call: &ServiceCall, scope: &ArnScope) -> Option<(String, Vec<String>)> {
    let action = action(call)?;
    let request = Request {
        call,
        json: serde_json::from_slice(&call.body).unwrap_or_default(),
    };
    let arn = |resource: String| scope.resource(&call.service, resource);
    let arns: Vec<String> = match call.service.as_str() {
        "dynamodb" => {
            let mut tables = tables(&call.body);
            if tables.is_empty() {
                tables.push("*".to_owned());
            }
            let tables = tables.into_iter();
            tables.map(|table| arn(format!("table/{table}"))).collect()
        }
        "sqs" => request.queue(scope).into_iter().collect(),
        "sns" => request.first(&["TopicArn", "TargetArn"]),
        "states" => request.first(&["stateMachineArn", "executionArn"]),
        "events" if action == "PutEvents" => request.event_buses(scope),
        "kinesis" => match request.text("StreamName") {
            Some(name) => vec![arn(format!("stream/{name}"))],
            None => request.first(&["StreamARN"]),
        },
        "firehose" => {
            let name = request.text("DeliveryStreamName");
            name.map(|name| arn(format!("deliverystream/{name}")))
                .into_iter()
                .collect()
        }
        _ => Vec::new(),
    };
    (!arns.is_empty()).then(|| (format!("{}:{action}", call.service), arns))
}

/// Request of a call: JSON or a form.
struct Request<'a> {
    call: &'a ServiceCall,
    json: Value,
}

impl Request<'_> {
    fn text(&self, name: &str) -> Option<String> {
        let member = self.json[name].as_str().map(str::to_owned);
        member.or_else(|| form_value(self.call, name))
    }

    /// Returns the first parameter that is present.
    fn first(&self, names: &[&str]) -> Vec<String> {
        let found = names.iter().find_map(|name| self.text(name));
        found.into_iter().collect()
    }

    /// Returns the queue of the path `/{account}/{name}`, or of `QueueUrl`.
    fn queue(&self, scope: &ArnScope) -> Option<String> {
        let url = match &self.call.operation {
            ServiceOperation::Path(path) if path.trim_matches('/').contains('/') => path.clone(),
            _ => self.text("QueueUrl")?,
        };
        let path = url.split('?').next()?.trim_end_matches('/');
        let mut parts = path.rsplit('/');
        let (name, account) = (parts.next()?, parts.next()?);
        let (partition, region) = (&scope.partition, &scope.region);
        Some(format!("arn:{partition}:sqs:{region}:{account}:{name}"))
    }

    /// Returns the event buses of the entries of `PutEvents`.
    fn event_buses(&self, scope: &ArnScope) -> Vec<String> {
        let entries = self.json["Entries"].as_array().into_iter().flatten();
        let buses = entries.map(|entry| match entry["EventBusName"].as_str() {
            Some(arn) if arn.starts_with("arn:") => arn.to_owned(),
            name => {
                let name = name.unwrap_or("default");
                scope.resource("events", format_args!("event-bus/{name}"))
            }
        });
        buses.collect()
    }
}

/// Returns the tables, or the index, that a request names: `TableName` with or without `IndexName`, the keys of
/// `RequestItems`, or those of `TransactItems`.
fn tables(body: &Bytes) -> Vec<String> {
    let Ok(request) = serde_json::from_slice::<Value>(body) else {
        return Vec::new();
    };
    // A table may be named by its ARN.
    let table = |name: &str| name.rsplit("table/").next().unwrap_or(name).to_owned();
    if let Some(name) = request["TableName"].as_str() {
        return vec![match request["IndexName"].as_str() {
            Some(index) => format!("{}/index/{index}", table(name)),
            None => table(name),
        }];
    }
    let batch = request["RequestItems"].as_object().into_iter();
    let batch = batch.flat_map(|items| items.keys()).map(|name| table(name));
    let transaction = request["TransactItems"].as_array().into_iter().flatten();
    let transaction = transaction
        .filter_map(Value::as_object)
        .flat_map(|item| item.values())
        .filter_map(|action| action["TableName"].as_str())
        .map(table);
    batch.chain(transaction).collect()
}

#[cfg(test)]
mod tests {
    use http::header::CONTENT_TYPE;
    use http::{HeaderMap, HeaderValue, Method};

    use super::*;

    #[test]
    fn row_m23_the_tables_and_indexes_of_a_request_are_found() {
        let cases = [
            (r#"{"TableName":"notes"}"#, vec!["notes"]),
            (
                r#"{"TableName":"notes","IndexName":"by-user"}"#,
                vec!["notes/index/by-user"],
            ),
            (
                r#"{"TableName":"arn:aws:dynamodb:r:1:table/notes"}"#,
                vec!["notes"],
            ),
            (r#"{"RequestItems":{"a":[],"b":[]}}"#, vec!["a", "b"]),
            (
                r#"{"TransactItems":[{"Put":{"TableName":"a"}},{"ConditionCheck":{"TableName":"b"}}]}"#,
                vec!["a", "b"],
            ),
            (r#"{"Statement":"SELECT 1"}"#, vec![]),
            ("nothing", vec![]),
        ];
        for (body, expected) in cases {
            assert_eq!(tables(&Bytes::from(body)), expected, "{body}");
        }
    }

    fn call(service: &str, operation: ServiceOperation, body: &str) -> ServiceCall {
        let form = HeaderValue::from_static("application/x-www-form-urlencoded");
        ServiceCall {
            service: service.to_owned(),
            operation,
            method: Method::POST,
            headers: HeaderMap::from_iter([(CONTENT_TYPE, form)]),
            query: String::new(),
            body: body.to_owned().into(),
            role: "role".to_owned(),
        }
    }

    #[test]
    fn row_m23_a_call_needs_a_permission_for_the_resource_that_it_names() {
        let action = |name: &str| ServiceOperation::Action(name.to_owned());
        let path = |path: &str| ServiceOperation::Path(path.to_owned());
        for (service, operation, body, expected) in [
            (
                "sqs",
                path("/7/jobs"),
                "Action=SendMessage",
                "sqs:SendMessage arn:aws:sqs:us-east-1:7:jobs",
            ),
            (
                "sqs",
                action("SendMessage"),
                "QueueUrl=http%3A%2F%2Fh%2F7%2Fjobs",
                "sqs:SendMessage arn:aws:sqs:us-east-1:7:jobs",
            ),
            (
                "sns",
                action("Publish"),
                "TopicArn=arn%3Ax&Message=a",
                "sns:Publish arn:x",
            ),
            (
                "states",
                action("StartExecution"),
                r#"{"stateMachineArn":"arn:m"}"#,
                "states:StartExecution arn:m",
            ),
            (
                "events",
                action("PutEvents"),
                r#"{"Entries":[{"EventBusName":"b"},{"EventBusName":"arn:c"},{}]}"#,
                "events:PutEvents arn:aws:events:us-east-1:000000000000:event-bus/b arn:c arn:aws:events:us-east-1:000000000000:event-bus/default",
            ),
            (
                "kinesis",
                action("PutRecord"),
                r#"{"StreamName":"s"}"#,
                "kinesis:PutRecord arn:aws:kinesis:us-east-1:000000000000:stream/s",
            ),
            (
                "firehose",
                action("PutRecord"),
                r#"{"DeliveryStreamName":"d"}"#,
                "firehose:PutRecord arn:aws:firehose:us-east-1:000000000000:deliverystream/d",
            ),
            (
                "dynamodb",
                action("PutItem"),
                r#"{"TableName":"t"}"#,
                "dynamodb:PutItem arn:aws:dynamodb:us-east-1:000000000000:table/t",
            ),
        ] {
            let (action, arns) =
                needed(&call(service, operation, body), &ArnScope::default()).unwrap();
            assert_eq!(format!("{action} {}", arns.join(" ")), expected);
        }
        let unknown = call("translate", action("TranslateText"), "{}");
        assert_eq!(needed(&unknown, &ArnScope::default()), None);
    }
}
