//! Events for functions and authorizers, in both payload formats.

use serde_json::{Map, Value, json};

use super::Exchange;
use super::authorization::RequestAuthorization;
use super::request::{HttpRequest, decoded};
use super::route::RouteMatch;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// A matched request, from which events are built.
#[derive(Clone, Copy)]
pub(super) struct EventBuilder<'a> {
    pub(super) exchange: &'a Exchange<'a>,
    pub(super) matched: &'a RouteMatch,
}

impl EventBuilder<'_> {
    /// Returns the event in format 2.0, which leaves out missing values.
    pub(super) fn event_v2(&self, authorized: &RequestAuthorization) -> Map<String, Value> {
        let request = self.exchange.request;
        let mut event = self.head_v2();
        let mut context = self.context_v2();
        if let Some(authorizer) = authorized.context_v2() {
            context.insert("authorizer".to_owned(), authorizer);
        }
        event.insert("requestContext".to_owned(), context.into());
        self.tail_v2(&mut event);
        let (body, encoded) = body(request);
        if let Some(body) = body {
            event.insert("body".to_owned(), body.into());
        }
        event.insert("isBase64Encoded".to_owned(), encoded.into());
        event
    }

    /// Returns the authorizer's event in format 2.0.
    pub(super) fn authorizer_v2(&self, identity: &[String]) -> Map<String, Value> {
        let mut event = object(json!({
            "version": "2.0",
            "type": "REQUEST",
            "routeArn": self.route_arn(),
            "identitySource": identity,
        }));
        let head = self.head_v2().into_iter();
        event.extend(head.filter(|(name, _)| name != "version"));
        event.insert("requestContext".to_owned(), self.context_v2().into());
        self.tail_v2(&mut event);
        event
    }

    fn head_v2(&self) -> Map<String, Value> {
        let request = self.exchange.request;
        let mut event = object(json!({
            "version": "2.0",
            "routeKey": self.matched.route.route_key,
            "rawPath": request.path,
            "rawQueryString": request.query,
        }));
        if !request.cookies.is_empty() {
            event.insert("cookies".to_owned(), json!(request.cookies));
        }
        event.insert("headers".to_owned(), joined(&request.headers));
        let parameters = grouped(&request.parameters);
        if !parameters.is_empty() {
            event.insert("queryStringParameters".to_owned(), joined(&parameters));
        }
        event
    }

    fn tail_v2(&self, event: &mut Map<String, Value>) {
        if let Some(parameters) = self.path_parameters() {
            event.insert("pathParameters".to_owned(), parameters);
        }
        if let Some(variables) = self.stage_variables() {
            event.insert("stageVariables".to_owned(), variables);
        }
    }

    fn context_v2(&self) -> Map<String, Value> {
        let (exchange, request) = (self.exchange, self.exchange.request);
        object(json!({
            "accountId": exchange.api.plane.settings.scope.account,
            "apiId": exchange.api.api,
            "domainName": request.domain,
            "domainPrefix": exchange.api.api,
            "http": {
                "method": request.method.as_str(),
                "path": request.path,
                "protocol": request.protocol,
                "sourceIp": request.source_ip,
                "userAgent": request.header("user-agent").unwrap_or_default(),
            },
            "requestId": request.id,
            "routeKey": self.matched.route.route_key,
            "stage": exchange.served.stage.stage_name,
            "time": request.at.request_time(),
            "timeEpoch": request.at,
        }))
    }

    /// Returns the event in format 1.0, in which missing values are null.
    pub(super) fn event_v1(&self, authorized: &RequestAuthorization) -> Map<String, Value> {
        let request = self.exchange.request;
        let mut event = object(json!({ "version": "1.0" }));
        event.extend(self.head_v1());
        event.insert(
            "multiValueHeaders".to_owned(),
            many(&request.headers_and_cookies()),
        );
        let parameters = grouped(&request.parameters);
        let multi = match parameters.is_empty() {
            true => Value::Null,
            false => many(&parameters),
        };
        event.insert("multiValueQueryStringParameters".to_owned(), multi);
        let mut context = self.context_v1();
        context.insert("authorizer".to_owned(), authorized.context_v1());
        event.insert("requestContext".to_owned(), context.into());
        let (body, encoded) = body(request);
        event.insert("body".to_owned(), body.into());
        event.insert("isBase64Encoded".to_owned(), encoded.into());
        event
    }

    /// Returns the authorizer's event in format 1.0.
    pub(super) fn authorizer_v1(&self, identity: &[String]) -> Map<String, Value> {
        let identity = identity.join(",");
        let mut event = object(json!({
            "version": "1.0",
            "type": "REQUEST",
            "methodArn": self.route_arn(),
            "identitySource": identity,
            "authorizationToken": identity,
        }));
        event.extend(self.head_v1());
        event.insert("requestContext".to_owned(), self.context_v1().into());
        event
    }

    fn head_v1(&self) -> Map<String, Value> {
        let request = self.exchange.request;
        let parameters = grouped(&request.parameters);
        object(json!({
            "resource": self.resource(),
            "path": request.path,
            "httpMethod": request.method.as_str(),
            "headers": last(&request.headers_and_cookies()),
            "queryStringParameters": match parameters.is_empty() {
                true => Value::Null,
                false => last(&parameters),
            },
            "pathParameters": self.path_parameters(),
            "stageVariables": self.stage_variables(),
        }))
    }

    fn context_v1(&self) -> Map<String, Value> {
        let (exchange, request) = (self.exchange, self.exchange.request);
        object(json!({
            "accountId": exchange.api.plane.settings.scope.account,
            "apiId": exchange.api.api,
            "domainName": request.domain,
            "domainPrefix": exchange.api.api,
            "extendedRequestId": request.id,
            "httpMethod": request.method.as_str(),
            "identity": {
                "accessKey": null,
                "accountId": null,
                "caller": null,
                "cognitoAuthenticationProvider": null,
                "cognitoAuthenticationType": null,
                "cognitoIdentityId": null,
                "cognitoIdentityPoolId": null,
                "principalOrgId": null,
                "sourceIp": request.source_ip,
                "user": null,
                "userAgent": request.header("user-agent").unwrap_or_default(),
                "userArn": null,
            },
            "path": request.path,
            "protocol": request.protocol,
            "requestId": request.id,
            "requestTime": request.at.request_time(),
            "requestTimeEpoch": request.at,
            "resourceId": self.matched.route.route_key,
            "resourcePath": self.resource(),
            "stage": exchange.served.stage.stage_name,
        }))
    }

    /// Returns the path in the route's key, or `$default`.
    fn resource(&self) -> &str {
        let key = self.matched.route.route_key.as_str();
        key.split_once(' ').map_or(key, |(_, path)| path)
    }

    /// Returns the ARN that an authorizer's policy must allow. It contains the request's own method and path.
    pub(super) fn route_arn(&self) -> String {
        let path = decoded(self.exchange.path);
        let method = &self.exchange.request.method;
        self.exchange.arn(format_args!("{method}{path}"))
    }

    /// Returns the ARN that the function's policy must allow (row C7). It contains the request's method and the route's
    /// path, which a source ARN such as `arn:aws:execute-api:…:{api}/*/*/sessions/{id}` matches.
    pub(super) fn source_arn(&self) -> String {
        let method = self.exchange.request.method.as_str();
        match self.matched.route.route_key.as_str().split_once(' ') {
            Some((_, path)) => self.exchange.arn(format_args!("{method}{path}")),
            None => self.exchange.arn(format_args!("$default")),
        }
    }

    fn path_parameters(&self) -> Option<Value> {
        let parameters = self.matched.parameters.iter();
        let map: Map<String, Value> = parameters
            .map(|(name, value)| (name.clone(), value.clone().into()))
            .collect();
        (!map.is_empty()).then(|| map.into())
    }

    fn stage_variables(&self) -> Option<Value> {
        let variables = &self.exchange.served.stage.stage_variables;
        (!variables.is_empty()).then(|| json!(variables))
    }
}

impl HttpRequest {
    /// Returns the headers with the cookies among them, as format 1.0 has it.
    fn headers_and_cookies(&self) -> Vec<(String, Vec<String>)> {
        let mut headers = self.headers.clone();
        if !self.cookies.is_empty() {
            headers.push(("cookie".to_owned(), vec![self.cookies.join("; ")]));
        }
        headers
    }
}

/// Returns the body for an event, and true if it is encoded in base64.
fn body(request: &HttpRequest) -> (Option<String>, bool) {
    if request.body.is_empty() {
        return (None, false);
    }
    match std::str::from_utf8(&request.body) {
        Ok(text) if request.has_text_body() => (Some(text.to_owned()), false),
        _ => (Some(STANDARD.encode(&request.body)), true),
    }
}

fn grouped(pairs: &[(String, String)]) -> Vec<(String, Vec<String>)> {
    let mut grouped: Vec<(String, Vec<String>)> = Vec::new();
    for (name, value) in pairs {
        match grouped.iter_mut().find(|(one, _)| one == name) {
            Some((_, values)) => values.push(value.clone()),
            None => grouped.push((name.clone(), vec![value.clone()])),
        }
    }
    grouped
}

fn joined(values: &[(String, Vec<String>)]) -> Value {
    map(values, |values| values.join(",").into())
}

fn last(values: &[(String, Vec<String>)]) -> Value {
    map(values, |values| values.last().cloned().into())
}

fn many(values: &[(String, Vec<String>)]) -> Value {
    map(values, |values| values.into())
}

fn map(values: &[(String, Vec<String>)], of: impl Fn(&[String]) -> Value) -> Value {
    let entries = values.iter();
    let entries = entries.map(|(name, values)| (name.clone(), of(values)));
    Value::Object(entries.collect())
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}
