//! Requests to services by integrations of the type `AWS` (row M23).

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request};
use stackgen_gateway_common::ArnScope;
use stackgen_gateway_common::services::{ServiceCall, ServiceError, ServiceOperation};

use super::s3_actions;
use crate::query_protocol::{form, parameter};

/// Header that names the action of the JSON protocols.
pub(crate) const TARGET: &str = "x-amz-target";

/// Protocol of a service's actions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ActionProtocol {
    /// JSON of a version, with the target `{prefix}.{action}`.
    Json {
        prefix: &'static str,
        version: &'static str,
    },
    /// The parameters `Action` and `Version`, in a form or in the query string.
    Query { version: &'static str },
}

/// Returns the protocol of a service's actions, by botocore's service models. `None` for services without such a protocol, and
/// for unknown ones.
fn protocol(service: &str) -> Option<ActionProtocol> {
    let json = |version, prefix| Some(ActionProtocol::Json { prefix, version });
    let query = |version| Some(ActionProtocol::Query { version });
    match service {
        "athena" => json("1.1", "AmazonAthena"),
        "autoscaling" => query("2011-01-01"),
        "cloudformation" => query("2010-05-15"),
        "codebuild" => json("1.1", "CodeBuild_20161006"),
        "codepipeline" => json("1.1", "CodePipeline_20150709"),
        "cognito-idp" => json("1.1", "AWSCognitoIdentityProviderService"),
        "comprehend" => json("1.1", "Comprehend_20171127"),
        "dynamodb" => json("1.0", "DynamoDB_20120810"),
        "ec2" => query("2016-11-15"),
        "ecs" => json("1.1", "AmazonEC2ContainerServiceV20141113"),
        "email" | "ses" => query("2010-12-01"),
        "events" => json("1.1", "AWSEvents"),
        "firehose" => json("1.1", "Firehose_20150804"),
        "glue" => json("1.1", "AWSGlue"),
        "iam" => query("2010-05-08"),
        "kinesis" => json("1.1", "Kinesis_20131202"),
        "kms" => json("1.1", "TrentService"),
        "logs" => json("1.1", "Logs_20140328"),
        "monitoring" => query("2010-08-01"),
        "rds" => query("2014-10-31"),
        "rekognition" => json("1.1", "RekognitionService"),
        "secretsmanager" => json("1.1", "secretsmanager"),
        "sns" => query("2010-03-31"),
        "sqs" => query("2012-11-05"),
        "ssm" => json("1.1", "AmazonSSM"),
        "states" => json("1.0", "AWSStepFunctions"),
        "sts" => query("2011-06-15"),
        "textract" => json("1.1", "Textract"),
        "translate" => json("1.1", "AWSShineFrontendService_20170701"),
        _ => None,
    }
}

/// Returns the name that requests to a service are signed for.
fn signing_name(service: &str) -> &str {
    match service {
        "email" => "ses",
        "iot" => "iotdata",
        "bedrock-runtime" => "bedrock",
        other => other,
    }
}

/// Builds the request of a call, with a relative URI. It is signed with credentials that nobody verifies; emulators read the
/// service, the region and the account from them.
///
/// # Errors
///
/// If the protocol of the service's actions is unknown, a parameter of S3's path is missing, or the path is not valid.
pub(crate) fn request(
    call: &ServiceCall,
    scope: &ArnScope,
) -> Result<Request<Bytes>, ServiceError> {
    match call_of_s3(call)? {
        Some(call) => request_of(&call, scope),
        None => request_of(call, scope),
    }
}

fn request_of(call: &ServiceCall, scope: &ArnScope) -> Result<Request<Bytes>, ServiceError> {
    let mut headers = HeaderMap::new();
    let mut method = call.method.clone();
    let mut path = "/".to_owned();
    let mut query = Vec::new();
    let mut content_type = "application/json".to_owned();
    match &call.operation {
        ServiceOperation::Path(given) => path.clone_from(given),
        ServiceOperation::Action(action) => {
            let (name, parameters) = action.split_once('&').unwrap_or((action, ""));
            match protocol(&call.service) {
                Some(ActionProtocol::Json { prefix, version }) => {
                    method = Method::POST;
                    content_type = format!("application/x-amz-json-{version}");
                    let target = format!("{prefix}.{name}");
                    headers.insert(TARGET, header(call, target)?);
                }
                Some(ActionProtocol::Query { version }) => {
                    if form_value(call, "Action").is_none() {
                        query.push(format!("Action={name}&Version={version}"));
                    }
                }
                None => {
                    return Err(ServiceError::UnknownProtocol {
                        service: call.service.clone(),
                        action: name.to_owned(),
                    });
                }
            }
            query.push(parameters.to_owned());
        }
    }
    query.push(call.query.clone());
    query.retain(|part| !part.is_empty());
    if !query.is_empty() {
        path.push(if path.contains('?') { '&' } else { '?' });
        path.push_str(&query.join("&"));
    }
    headers.insert(CONTENT_TYPE, header(call, content_type)?);
    for name in call.headers.keys() {
        headers.remove(name);
    }
    headers.extend(call.headers.clone());
    let credential = format!(
        "AWS4-HMAC-SHA256 Credential={}/20260101/{}/{}/aws4_request, SignedHeaders=host, Signature=0",
        scope.account,
        scope.region,
        signing_name(&call.service)
    );
    headers.insert(AUTHORIZATION, header(call, credential)?);
    headers.insert(
        HeaderName::from_static("x-amz-date"),
        HeaderValue::from_static("20260101T000000Z"),
    );
    let mut request = Request::new(call.body.clone());
    *request.uri_mut() = path
        .parse()
        .map_err(|_| invalid(call, format!("{path} is not a path")))?;
    *request.method_mut() = method;
    *request.headers_mut() = headers;
    Ok(request)
}

/// Returns the call of a path in place of an action of S3. `None` for other calls, and for actions that are not known.
fn call_of_s3(call: &ServiceCall) -> Result<Option<ServiceCall>, ServiceError> {
    let ServiceOperation::Action(action) = &call.operation else {
        return Ok(None);
    };
    if call.service != "s3" {
        return Ok(None);
    }
    let (name, parameters) = action.split_once('&').unwrap_or((action, ""));
    let parameters = format!("{parameters}&{}", call.query);
    let Some(request) = s3_actions::request(name, &parameters) else {
        return Ok(None);
    };
    let missing = |parameter| invalid(call, format!("its action {name} needs {parameter}"));
    let request = request.map_err(missing)?;
    Ok(Some(ServiceCall {
        operation: ServiceOperation::Path(request.path),
        method: request.method,
        query: request.query,
        ..call.clone()
    }))
}

/// Returns the name of the action that a call requests, if it names one: in its URI, the target, or the form.
pub(crate) fn action(call: &ServiceCall) -> Option<String> {
    if let ServiceOperation::Action(action) = &call.operation {
        let name = action.split('&').next().unwrap_or_default();
        return Some(name.to_owned());
    }
    let target = call.headers.get(TARGET).and_then(|it| it.to_str().ok());
    let target = target.and_then(|target| target.rsplit('.').next());
    target
        .map(str::to_owned)
        .or_else(|| form_value(call, "Action"))
}

/// Returns a parameter of the query string, or of the body if it is a form.
pub(crate) fn form_value(call: &ServiceCall, name: &str) -> Option<String> {
    let of_uri = match &call.operation {
        ServiceOperation::Action(text) => text.split_once('&'),
        ServiceOperation::Path(text) => text.split_once('?'),
    };
    let texts = [
        of_uri.map_or("", |(_, query)| query),
        &call.query,
        form(&call.headers, &call.body).unwrap_or_default(),
    ];
    texts.into_iter().find_map(|text| parameter(text, name))
}

fn header(call: &ServiceCall, text: String) -> Result<HeaderValue, ServiceError> {
    HeaderValue::try_from(text).map_err(|error| invalid(call, error.to_string()))
}

fn invalid(call: &ServiceCall, reason: String) -> ServiceError {
    ServiceError::InvalidRequest {
        service: call.service.clone(),
        reason,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query_protocol::FORM;

    fn call(service: &str, operation: ServiceOperation) -> ServiceCall {
        ServiceCall {
            service: service.to_owned(),
            operation,
            method: Method::POST,
            headers: HeaderMap::new(),
            query: String::new(),
            body: Bytes::new(),
            role: "role".to_owned(),
        }
    }

    fn of_action(service: &str, action: &str) -> ServiceCall {
        call(service, ServiceOperation::Action(action.to_owned()))
    }

    fn of_path(service: &str, path: &str) -> ServiceCall {
        call(service, ServiceOperation::Path(path.to_owned()))
    }

    fn built(call: &ServiceCall) -> Request<Bytes> {
        request(call, &ArnScope::default()).unwrap()
    }

    fn value<'a>(request: &'a Request<Bytes>, name: &str) -> &'a str {
        let value = request.headers().get(name);
        value.map_or("", |value| value.to_str().unwrap())
    }

    #[test]
    fn row_m23_an_action_of_a_json_service_is_a_target() {
        for (service, target, content_type) in [
            (
                "dynamodb",
                "DynamoDB_20120810.Act",
                "application/x-amz-json-1.0",
            ),
            (
                "states",
                "AWSStepFunctions.Act",
                "application/x-amz-json-1.0",
            ),
            ("events", "AWSEvents.Act", "application/x-amz-json-1.1"),
            (
                "kinesis",
                "Kinesis_20131202.Act",
                "application/x-amz-json-1.1",
            ),
        ] {
            let mut of_get = of_action(service, "Act");
            of_get.method = Method::GET;
            let request = built(&of_get);
            assert_eq!(request.method(), Method::POST);
            assert_eq!(request.uri(), "/");
            assert_eq!(value(&request, TARGET), target);
            assert_eq!(value(&request, "content-type"), content_type);
            let scope =
                format!("Credential=000000000000/20260101/us-east-1/{service}/aws4_request");
            assert!(value(&request, "authorization").contains(&scope));
        }
    }

    #[test]
    fn row_m23_an_action_of_a_query_service_is_a_parameter_unless_the_form_has_it() {
        let mut publish = of_action("sns", "Publish&Subject=a");
        publish.query = "TopicArn=b".to_owned();
        assert_eq!(
            built(&publish).uri(),
            "/?Action=Publish&Version=2010-03-31&Subject=a&TopicArn=b"
        );
        let form = HeaderValue::from_static(FORM);
        publish.headers.insert(CONTENT_TYPE, form);
        publish.body = "Action=Publish&Message=c".into();
        let request = built(&publish);
        assert_eq!(request.uri(), "/?Subject=a&TopicArn=b");
        assert_eq!(value(&request, "content-type"), FORM);
        let email = built(&of_action("email", "SendEmail"));
        assert!(value(&email, "authorization").contains("/ses/aws4_request"));
    }

    #[test]
    fn row_m23_a_path_keeps_its_method_and_its_query_string() {
        let mut get = of_path("s3", "/bucket/key?versionId=1");
        get.method = Method::GET;
        get.query = "x=y".to_owned();
        let request = built(&get);
        assert_eq!(request.method(), Method::GET);
        assert_eq!(request.uri(), "/bucket/key?versionId=1&x=y");
        assert_eq!(value(&request, "content-type"), "application/json");
        let error = super::request(&of_path("s3", "/a b"), &ArnScope::default());
        let message = error.unwrap_err().to_string();
        assert_eq!(message, "cannot call s3: /a b is not a path");
    }

    #[test]
    fn an_action_of_a_service_without_a_known_protocol_is_an_error() {
        for (action, reason) in [
            ("Unknown&Bucket=a", "`path/` instead of `action/Unknown`"),
            (
                "GetObject&Bucket=a",
                "cannot call s3: its action GetObject needs Key",
            ),
        ] {
            let error = request(&of_action("s3", action), &ArnScope::default());
            let message = error.unwrap_err().to_string();
            assert!(message.contains(reason), "{message}");
        }
    }

    #[test]
    fn row_m23_an_action_of_s3_takes_parameters_of_its_uri_and_of_the_integration() {
        let mut get = of_action("s3", "GetObject&Bucket=photos");
        get.query = "Key=a.png".to_owned();
        let request = built(&get);
        assert_eq!(request.method(), Method::GET);
        assert_eq!(request.uri(), "/photos/a.png");
        assert!(value(&request, "authorization").contains("/s3/aws4_request"));
    }

    #[test]
    fn the_action_of_a_call_is_in_its_uri_its_target_or_its_form() {
        let mut form = of_path("sqs", "/1/queue");
        assert_eq!(action(&form), None);
        form.body = "Action=SendMessage&MessageBody=a+b%21\n".into();
        assert_eq!(action(&form), None);
        form.headers
            .insert(CONTENT_TYPE, HeaderValue::from_static(FORM));
        assert_eq!(action(&form).as_deref(), Some("SendMessage"));
        assert_eq!(form_value(&form, "MessageBody").as_deref(), Some("a b!"));
        form.headers
            .insert(TARGET, HeaderValue::from_static("AmazonSQS.ReceiveMessage"));
        assert_eq!(action(&form).as_deref(), Some("ReceiveMessage"));
        let of_uri = of_action("sns", "Publish&TopicArn=a");
        assert_eq!(action(&of_uri).as_deref(), Some("Publish"));
        let in_query = of_path("sqs", "/1/queue?Action=SendMessage");
        assert_eq!(action(&in_query).as_deref(), Some("SendMessage"));
    }
}
