//! Requests of routes to services of AWS: the URI, what is sent by default, and what the role must allow.

use stackgen_cfn::{Intrinsic, IntrinsicCall, Node, get_att, join, list, r#ref, sub};

use super::context::RenderContext;
use super::keys;
use super::policy::{allow, table_statements};
use crate::names::pascal_case;
use crate::spec::{Expression, RouteBackend, RouteSpec, ServiceSpec, TableAction};

/// Request of a route to a service.
pub(super) struct ServiceRequest {
    /// Integration URI.
    pub(super) uri: Node,
    /// Headers of the request.
    pub(super) headers: &'static [(&'static str, &'static str)],
    /// Variable of the templates.
    pub(super) variable: Option<TemplateVariable>,
    /// Template that sends the message, unless the route has its own.
    pub(super) default_request: Option<String>,
    /// Statements of the role.
    pub(super) statements: Vec<Node>,
}

/// Variable that a route's templates can use.
pub(super) struct TemplateVariable {
    pub(super) name: &'static str,
    pub(super) value: Node,
}

const FORM: &[(&str, &str)] = &[("Content-Type", "'application/x-www-form-urlencoded'")];
/// Message as the content of a JSON string. The method escapes apostrophes, which JSON does not allow.
const ESCAPED: &str = r#"$util.escapeJavaScript($input.body).replaceAll("\\'", "'")"#;

/// Returns the request of a route to a service of AWS, or `None` for another backend.
pub(super) fn service_request(
    context: &RenderContext<'_>,
    route: &RouteSpec,
    backend: RouteBackend<'_>,
) -> Option<ServiceRequest> {
    Some(match backend {
        RouteBackend::Table(name) => table(context, route, name),
        RouteBackend::Queue(queue) => self::queue(context, queue),
        RouteBackend::Topic(topic) => ServiceRequest {
            headers: FORM,
            default_request: Some(
                "Action=Publish&TopicArn=$util.urlEncode($topic)&Message=$util.urlEncode($input.body)"
                    .to_owned(),
            ),
            ..of_arn("sns", "Publish", "topic", reference(topic))
        },
        RouteBackend::StateMachine(machine) => {
            let action = route.action.as_deref().unwrap_or("StartExecution");
            let request = format!(r#"{{"stateMachineArn": "$stateMachine", "input": "{ESCAPED}"}}"#);
            ServiceRequest {
                default_request: Some(request),
                ..of_arn("states", action, "stateMachine", reference(machine))
            }
        }
        RouteBackend::EventBus(bus) => {
            let source = &context.spec.name;
            let request = format!(
                r#"{{"Entries": [{{"EventBusName": "$eventBus", "Source": "{source}", "DetailType": "$context.routeKey", "Detail": "{ESCAPED}"}}]}}"#
            );
            ServiceRequest {
                headers: &[
                    ("Content-Type", "'application/x-amz-json-1.1'"),
                    ("X-Amz-Target", "'AWSEvents.PutEvents'"),
                ],
                default_request: Some(request),
                ..of_arn("events", "PutEvents", "eventBus", arn(bus))
            }
        }
        RouteBackend::Stream(stream) => ServiceRequest {
            headers: &[("Content-Type", "'application/x-amz-json-1.1'")],
            default_request: Some(
                r#"{"StreamARN": "$stream", "Data": "$util.base64Encode($input.body)", "PartitionKey": "$context.connectionId"}"#
                    .to_owned(),
            ),
            ..of_arn("kinesis", "PutRecord", "stream", arn(stream))
        },
        RouteBackend::Service(service) => self::service(service),
        _ => return None,
    })
}

/// Request that calls an action on one resource, which the templates know as `variable`.
fn of_arn(service: &str, action: &str, variable: &'static str, arn: Node) -> ServiceRequest {
    ServiceRequest {
        uri: uri(service, &format!("action/{action}")),
        headers: &[],
        variable: Some(TemplateVariable {
            name: variable,
            value: arn.clone(),
        }),
        default_request: None,
        statements: vec![allow([format!("{service}:{action}")], vec![arn])],
    }
}

fn table(context: &RenderContext<'_>, route: &RouteSpec, name: &str) -> ServiceRequest {
    let action = route.action.as_deref().unwrap_or_default();
    let id = format!("{}Table", pascal_case(name));
    // The check of the file requires that both exist.
    let known = TableAction::parse(action).zip(context.spec.tables.get(name));
    let statements = known.map(|(action, table)| {
        table_statements(
            name,
            table,
            &[action].into(),
            keys::table_key(context, table),
        )
    });
    ServiceRequest {
        uri: uri("dynamodb", &format!("action/{action}")),
        headers: &[],
        variable: Some(TemplateVariable {
            name: "table",
            value: r#ref(id),
        }),
        default_request: None,
        statements: statements.unwrap_or_default(),
    }
}

/// Request that sends a message to a queue. Its URI contains the queue's account and name.
fn queue(context: &RenderContext<'_>, queue: &Expression) -> ServiceRequest {
    let uri = match queue_logical_id(context, queue) {
        Some(id) => uri(
            "sqs",
            &format!("path/${{AWS::AccountId}}/${{{id}.QueueName}}"),
        ),
        None => match queue.0.as_str() {
            Some(arn) => {
                let part = |index| arn.split(':').nth(index).unwrap_or_default();
                uri("sqs", &format!("path/{}/{}", part(4), part(5)))
            }
            None => {
                let part = |index| arn_part(&queue.0, index);
                join("", [uri("sqs", "path/"), part(4), "/".into(), part(5)])
            }
        },
    };
    ServiceRequest {
        uri,
        headers: FORM,
        variable: None,
        default_request: Some(
            "Action=SendMessage&MessageBody=$util.urlEncode($input.body)".to_owned(),
        ),
        statements: std::iter::once(allow(
            ["sqs:SendMessage".to_owned()],
            vec![queue_arn(context, queue)],
        ))
        .chain(keys::queue_key(context, queue).map(keys::allow_send))
        .collect(),
    }
}

fn service(service: &ServiceSpec) -> ServiceRequest {
    let name = &service.name;
    let action = service.action.as_deref().unwrap_or_default();
    let uri = match &service.path {
        None => uri(name, &format!("action/{action}")),
        Some(path) => match path.0.as_str() {
            Some(path) => uri(name, &format!("path/{}", path.replace("${", "${!"))),
            None => join("", [uri(name, "path/"), path.0.clone()]),
        },
    };
    let permission = service.permission.clone();
    let permission = permission.unwrap_or_else(|| format!("{name}:{action}"));
    let resource = service.resource.as_ref().map(|it| it.0.clone());
    ServiceRequest {
        uri,
        headers: &[],
        variable: None,
        default_request: None,
        statements: vec![allow([permission], resource.into_iter().collect())],
    }
}

/// Returns the integration URI of an action or a path of a service.
fn uri(service: &str, target: &str) -> Node {
    sub(format!(
        "arn:${{AWS::Partition}}:apigateway:${{AWS::Region}}:{service}:{target}"
    ))
}

/// Returns a part of an ARN that an intrinsic function returns.
fn arn_part(arn: &Node, index: i64) -> Node {
    let split = IntrinsicCall::new(Intrinsic::Split, list([Node::from(":"), arn.clone()]));
    let select = list([Node::from(index), split.into()]);
    IntrinsicCall::new(Intrinsic::Select, select).into()
}

/// Returns the logical ID, if an expression is one and not an ARN.
pub(crate) fn logical_id(expression: &Expression) -> Option<&str> {
    let text = expression.0.as_str();
    text.filter(|text| !text.starts_with("arn:"))
}

/// Returns the logical ID of a queue of this file.
pub(super) fn queue_id(name: &str) -> String {
    format!("{}Queue", pascal_case(name))
}

/// Returns the logical ID of a queue, which is named under `queues` or by the logical ID itself, unless an expression is an
/// ARN.
fn queue_logical_id(context: &RenderContext<'_>, queue: &Expression) -> Option<String> {
    let id = logical_id(queue)?;
    Some(match context.spec.queues.contains_key(id) {
        true => queue_id(id),
        false => id.to_owned(),
    })
}

/// Returns the ARN of a queue.
pub(super) fn queue_arn(context: &RenderContext<'_>, queue: &Expression) -> Node {
    match queue_logical_id(context, queue) {
        Some(id) => get_att(id, "Arn"),
        None => queue.0.clone(),
    }
}

/// Returns the ARN of a resource whose `Ref` is the ARN.
pub(super) fn reference(expression: &Expression) -> Node {
    match logical_id(expression) {
        Some(id) => r#ref(id),
        None => expression.0.clone(),
    }
}

/// Returns the ARN of a resource that has the attribute `Arn`.
pub(super) fn arn(expression: &Expression) -> Node {
    match logical_id(expression) {
        Some(id) => get_att(id, "Arn"),
        None => expression.0.clone(),
    }
}
