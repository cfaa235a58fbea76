//! Calls of schedules to targets that are not functions.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Method, Response};
use serde_json::{Value as Json, json};
use stackgen_gateway_common::services::{ServiceCall, ServiceError, ServiceOperation};
use stackgen_gateway_common::{ArnScope, FunctionArn};
use stackgen_gateway_stack::ScheduleTarget;

use crate::outbound::service_client::{read_json, read_xml};
use crate::query_protocol::{FORM, encode_form};

/// Call with which a schedule reaches its target.
pub(crate) enum TargetCall {
    /// Invocation of a function.
    Function(FunctionArn),
    /// Call of another service.
    Service(ServiceCall),
}

/// Returns the call with which a schedule reaches a target.
pub(crate) fn call(
    target: &ScheduleTarget,
    input: &str,
    role: &str,
    scope: &ArnScope,
) -> TargetCall {
    let mut call = match target {
        ScheduleTarget::Function(function) => return TargetCall::Function(function.clone()),
        ScheduleTarget::Queue { name, group } => to_queue(name, group.as_deref(), input, scope),
        ScheduleTarget::Topic { arn } => {
            let pairs = [
                ("Action", "Publish"),
                ("Version", "2010-03-31"),
                ("TopicArn", arn),
                ("Message", input),
            ];
            let operation = ServiceOperation::Action("Publish".to_owned());
            of_form("sns", operation, &pairs)
        }
        ScheduleTarget::Bus {
            name,
            detail_type,
            source,
        } => {
            let entry = json!({
                "EventBusName": name,
                "DetailType": detail_type,
                "Source": source,
                "Detail": input,
            });
            of_json("events", "PutEvents", &json!({ "Entries": [entry] }))
        }
        ScheduleTarget::StateMachine { arn } => {
            let body = json!({ "stateMachineArn": arn, "input": input });
            of_json("states", "StartExecution", &body)
        }
        ScheduleTarget::Stream {
            name,
            partition_key,
        } => {
            let data = STANDARD.encode(input);
            let body = json!({ "StreamName": name, "PartitionKey": partition_key, "Data": data });
            of_json("kinesis", "PutRecord", &body)
        }
    };
    role.clone_into(&mut call.role);
    TargetCall::Service(call)
}

fn to_queue(name: &str, group: Option<&str>, input: &str, scope: &ArnScope) -> ServiceCall {
    let mut pairs = vec![
        ("Action", "SendMessage"),
        ("Version", "2012-11-05"),
        ("MessageBody", input),
    ];
    pairs.extend(group.map(|group| ("MessageGroupId", group)));
    let path = format!("/{}/{name}", scope.account);
    of_form("sqs", ServiceOperation::Path(path), &pairs)
}

/// Returns a call of an action of a JSON protocol.
fn of_json(service: &str, action: &str, body: &Json) -> ServiceCall {
    ServiceCall {
        service: service.to_owned(),
        operation: ServiceOperation::Action(action.to_owned()),
        method: Method::POST,
        headers: HeaderMap::new(),
        query: String::new(),
        body: body.to_string().into(),
        role: String::new(),
    }
}

/// Returns a call of the Query protocol.
fn of_form(service: &str, operation: ServiceOperation, pairs: &[(&str, &str)]) -> ServiceCall {
    let form = HeaderValue::from_static(FORM);
    ServiceCall {
        operation,
        headers: HeaderMap::from_iter([(CONTENT_TYPE, form)]),
        body: encode_form(pairs).into(),
        ..of_json(service, "", &Json::Null)
    }
}

/// Returns the reason why a call failed.
pub(crate) fn failure(
    service: &str,
    answer: Result<Response<Bytes>, ServiceError>,
) -> Option<String> {
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => return Some(error.to_string()),
    };
    let read = match service {
        "sqs" | "sns" => read_xml(service, &answer).map(|_| Json::Null),
        _ => read_json(service, &answer),
    };
    match read {
        // `PutEvents` succeeds although an entry fails.
        Ok(answer) => answer["Entries"][0]["ErrorMessage"]
            .as_str()
            .map(str::to_owned),
        Err(error) => Some(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_of_a_fifo_queue_has_its_group() {
        let target = ScheduleTarget::Queue {
            name: "jobs.fifo".to_owned(),
            group: Some("a".to_owned()),
        };
        let TargetCall::Service(call) = call(&target, "a & b", "role", &ArnScope::default()) else {
            panic!("a call of a service");
        };
        let path = ServiceOperation::Path("/000000000000/jobs.fifo".to_owned());
        assert_eq!(call.operation, path);
        let body =
            "Action=SendMessage&Version=2012%2D11%2D05&MessageBody=a%20%26%20b&MessageGroupId=a";
        assert_eq!(call.body, body);
    }

    #[test]
    fn an_entry_that_failed_in_a_successful_answer_is_a_failure() {
        let answer = json!({ "FailedEntryCount": 1, "Entries": [{ "ErrorMessage": "no" }] });
        let answer = Response::new(Bytes::from(answer.to_string()));
        assert_eq!(failure("events", Ok(answer)).as_deref(), Some("no"));
        let answer = Response::new(Bytes::from(r#"{"Entries":[{"EventId":"1"}]}"#));
        assert_eq!(failure("events", Ok(answer)), None);
    }
}
