//! Events in the form that was recorded from API Gateway, field by field (rows E0 to E4).
//!
//! Fields that recorded events lack are missing here, too: `body` in a CONNECT, headers in a MESSAGE, and
//! `queryStringParameters` if there is no query.

use std::time::{Duration, SystemTime};

use serde_json::{Map, Value, json};

use stackgen_websocket::{ConnectionId, Timestamp};

/// Pairs of name and value, for headers or a query.
pub type Pairs<'a> = &'a [(&'a str, &'a str)];

/// A connection to a WebSocket API, as its events describe it.
///
/// ```
/// use stackgen_websocket_testing::events::Socket;
///
/// let socket = Socket::new("L0SM9cOFvHcCIhw=");
/// let event = socket.message("sendAudio", r#"{"action":"sendAudio"}"#);
/// assert_eq!(event["requestContext"]["routeKey"], "sendAudio");
/// assert_eq!(event.get("headers"), None);
/// ```
#[derive(Clone, Debug)]
pub struct Socket {
    /// Connection ID.
    pub connection_id: ConnectionId,
    /// API ID.
    pub api_id: String,
    /// Region, part of the host name and the `methodArn`.
    pub region: String,
    /// Account ID, part of the `methodArn`.
    pub account: String,
    /// Stage.
    pub stage: String,
    /// IP address of the caller.
    pub source_ip: String,
    /// `User-Agent` header of the caller.
    pub user_agent: Option<String>,
    /// Time of the handshake.
    pub connected_at: Timestamp,
    /// Time of the events.
    pub now: Timestamp,
    /// `principalId` and context that an authorizer returned. `None` without an authorizer.
    pub authorizer: Option<Map<String, Value>>,
}

impl Socket {
    /// Returns a connection that opens now, to an API without an authorizer.
    pub fn new(connection_id: &str) -> Self {
        let now = Timestamp::from_millis(1_707_502_303_419);
        Socket {
            connection_id: ConnectionId::new(connection_id),
            api_id: "a1b2c3d4e5".to_owned(),
            region: "us-east-1".to_owned(),
            account: "123456789012".to_owned(),
            stage: "prod".to_owned(),
            source_ip: "192.0.2.1".to_owned(),
            user_agent: Some("Mozilla/5.0".to_owned()),
            connected_at: now,
            now,
            authorizer: None,
        }
    }

    /// Returns the connection with an authorizer's principal and context (row A10: later events contain strings).
    pub fn authorized(mut self, principal: &str, context: Pairs<'_>) -> Self {
        let mut authorizer = object(context);
        authorizer.insert("principalId".to_owned(), json!(principal));
        self.authorizer = Some(authorizer);
        self
    }

    /// Returns the connection with another handshake time; events are not earlier than that.
    pub fn connected_at(mut self, at: Timestamp) -> Self {
        self.connected_at = at;
        self.now = self.now.max(at);
        self
    }

    /// Returns the connection with another time for its events.
    pub fn at(mut self, now: Timestamp) -> Self {
        self.now = now;
        self
    }

    /// Returns the event of `$connect` (row E1).
    pub fn connect(&self, query: Pairs<'_>, headers: Pairs<'_>) -> Value {
        let mut event = self.handshake("$connect", query, headers, &[]);
        event.insert("isBase64Encoded".to_owned(), json!(false));
        Value::Object(event)
    }

    /// Returns the event of a REQUEST authorizer on `$connect` (row E4).
    pub fn authorize(&self, query: Pairs<'_>, headers: Pairs<'_>) -> Value {
        let upgrade = [("Connection", "upgrade"), ("Upgrade", "websocket")];
        let asking = Socket {
            authorizer: None,
            ..self.clone()
        };
        let mut event = asking.handshake("$connect", query, headers, &upgrade);
        event.insert("type".to_owned(), json!("REQUEST"));
        event.insert("methodArn".to_owned(), json!(self.method_arn()));
        event.insert("stageVariables".to_owned(), json!({}));
        for absent in ["queryStringParameters", "multiValueQueryStringParameters"] {
            event.entry(absent).or_insert_with(|| json!({}));
        }
        Value::Object(event)
    }

    /// Returns the event of a message on the route `route_key` (row E2).
    pub fn message(&self, route_key: &str, body: &str) -> Value {
        let mut context = self.context(route_key, "MESSAGE");
        context.insert("messageId".to_owned(), json!(self.unique("message")));
        json!({"requestContext": context, "body": body, "isBase64Encoded": false})
    }

    /// Returns the event of `$disconnect` (row E3).
    pub fn disconnect(&self, status_code: u16, reason: &str) -> Value {
        let mut context = self.context("$disconnect", "DISCONNECT");
        context.insert("disconnectStatusCode".to_owned(), json!(status_code));
        context.insert("disconnectReason".to_owned(), json!(reason));
        let host = self.host();
        let headers = [
            ("Host", host.as_str()),
            ("x-api-key", ""),
            ("X-Forwarded-For", ""),
            ("x-restapi", ""),
        ];
        json!({
            "headers": object(&headers),
            "multiValueHeaders": multi_value(&headers),
            "requestContext": context,
            "isBase64Encoded": false,
        })
    }

    /// Returns the `methodArn` in the authorizer's event (row A13).
    pub fn method_arn(&self) -> String {
        let Socket {
            region,
            account,
            api_id,
            stage,
            ..
        } = self;
        format!("arn:aws:execute-api:{region}:{account}:{api_id}/{stage}/$connect")
    }

    fn host(&self) -> String {
        format!("{}.execute-api.{}.amazonaws.com", self.api_id, self.region)
    }

    fn handshake(
        &self,
        route_key: &str,
        query: Pairs<'_>,
        more: Pairs<'_>,
        upgrade: Pairs<'_>,
    ) -> Map<String, Value> {
        let host = self.host();
        let mut headers = vec![
            ("Host", host.as_str()),
            ("Sec-WebSocket-Extensions", "permessage-deflate"),
            ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
            ("Sec-WebSocket-Version", "13"),
            (
                "X-Amzn-Trace-Id",
                "Root=1-65c66d5f-0123456789abcdef01234567",
            ),
            ("X-Forwarded-For", self.source_ip.as_str()),
            ("X-Forwarded-Port", "443"),
            ("X-Forwarded-Proto", "https"),
        ];
        headers.extend(
            self.user_agent
                .as_deref()
                .map(|agent| ("User-Agent", agent)),
        );
        headers.extend_from_slice(upgrade);
        headers.extend_from_slice(more);
        let mut event = Map::new();
        event.insert("headers".to_owned(), object(&headers).into());
        event.insert("multiValueHeaders".to_owned(), multi_value(&headers).into());
        if !query.is_empty() {
            event.insert("queryStringParameters".to_owned(), object(query).into());
            let multi = multi_value(query);
            event.insert("multiValueQueryStringParameters".to_owned(), multi.into());
        }
        let context = self.context(route_key, "CONNECT");
        event.insert("requestContext".to_owned(), context.into());
        event
    }

    /// Returns the request context, which every event has (row E0).
    fn context(&self, route_key: &str, event_type: &str) -> Map<String, Value> {
        let request_id = self.unique("request");
        let mut identity = object(&[("sourceIp", self.source_ip.as_str())]);
        if let Some(agent) = &self.user_agent {
            identity.insert("userAgent".to_owned(), json!(agent));
        }
        let context = json!({
            "routeKey": route_key,
            "eventType": event_type,
            "extendedRequestId": request_id,
            "requestTime": request_time(self.now),
            "messageDirection": "IN",
            "stage": self.stage,
            "connectedAt": self.connected_at,
            "requestTimeEpoch": self.now,
            "identity": identity,
            "requestId": request_id,
            "domainName": self.host(),
            "connectionId": self.connection_id,
            "apiId": self.api_id,
        });
        let Value::Object(mut context) = context else {
            unreachable!("written as an object above");
        };
        if let Some(authorizer) = &self.authorizer {
            context.insert("authorizer".to_owned(), authorizer.clone().into());
        }
        context
    }

    /// Returns an ID like API Gateway's. The same time and connection give the same ID.
    fn unique(&self, kind: &str) -> String {
        format!("{kind}-{}-{}=", self.connection_id, self.now.as_millis())
    }
}

/// A request to an HTTP API, in payload format 2.0.
#[derive(Clone, Debug)]
pub struct HttpRequest<'a> {
    /// Matched route, such as `GET /sessions/{sessionId}`.
    pub route_key: &'a str,
    /// Path, such as `/sessions/merciful-truth-455-k7dq2m9x4hw3t`.
    pub path: &'a str,
    /// Path parameters, such as `sessionId`.
    pub path_parameters: Pairs<'a>,
    /// Headers besides the usual ones, with names in lower case.
    pub headers: Pairs<'a>,
    /// Body.
    pub body: Option<&'a str>,
    /// Claims that a JWT authorizer verified, if the route has one.
    pub claims: Option<Pairs<'a>>,
    /// IP address of the caller.
    pub source_ip: &'a str,
}

impl Default for HttpRequest<'_> {
    fn default() -> Self {
        HttpRequest {
            route_key: "GET /health",
            path: "/health",
            path_parameters: &[],
            headers: &[],
            body: None,
            claims: None,
            source_ip: "192.0.2.1",
        }
    }
}

impl HttpRequest<'_> {
    /// Returns the event of this request. Header names are in lower case; the stage is `$default`.
    pub fn event(&self) -> Value {
        let (method, _) = self.route_key.split_once(' ').unwrap_or(("GET", ""));
        let now = Timestamp::from_millis(1_707_502_303_419);
        let host = "f6g7h8i9j0.execute-api.us-east-1.amazonaws.com";
        let mut event = json!({
            "version": "2.0",
            "routeKey": self.route_key,
            "rawPath": self.path,
            "rawQueryString": "",
            "headers": {
                "accept": "*/*",
                "content-length": self.body.map_or(0, str::len).to_string(),
                "host": host,
                "user-agent": "Mozilla/5.0",
                "x-amzn-trace-id": "Root=1-65c66d5f-0123456789abcdef01234567",
                "x-forwarded-for": self.source_ip,
                "x-forwarded-port": "443",
                "x-forwarded-proto": "https",
            },
            "requestContext": {
                "accountId": "123456789012",
                "apiId": "f6g7h8i9j0",
                "domainName": host,
                "domainPrefix": "f6g7h8i9j0",
                "http": {
                    "method": method,
                    "path": self.path,
                    "protocol": "HTTP/1.1",
                    "sourceIp": self.source_ip,
                    "userAgent": "Mozilla/5.0",
                },
                "requestId": "Sx4HgiIAIAMEPOw=",
                "routeKey": self.route_key,
                "stage": "$default",
                "time": request_time(now),
                "timeEpoch": now,
            },
            "isBase64Encoded": false,
        });
        if !self.path_parameters.is_empty() {
            event["pathParameters"] = object(self.path_parameters).into();
        }
        for (name, value) in self.headers {
            event["headers"][*name] = json!(value);
        }
        if let Some(body) = self.body {
            event["headers"]["content-type"] = json!("application/json");
            event["body"] = json!(body);
        }
        if let Some(claims) = self.claims {
            event["requestContext"]["authorizer"] =
                json!({"jwt": {"claims": object(claims), "scopes": null}});
        }
        event
    }
}

fn object(pairs: Pairs<'_>) -> Map<String, Value> {
    let member = |(name, value): &(&str, &str)| ((*name).to_owned(), json!(value));
    pairs.iter().map(member).collect()
}

fn multi_value(pairs: Pairs<'_>) -> Map<String, Value> {
    let mut object = Map::new();
    for (name, value) in pairs {
        let values = object
            .entry(*name)
            .or_insert_with(|| Value::Array(Vec::new()));
        if let Value::Array(values) = values {
            values.push(json!(value));
        }
    }
    object
}

/// Formats a time as `dd/Mon/yyyy:HH:mm:ss +0000`, from an HTTP date such as `Fri, 09 Feb 2024 18:11:43 GMT`.
fn request_time(at: Timestamp) -> String {
    let at = SystemTime::UNIX_EPOCH + Duration::from_millis(at.as_millis());
    let date = httpdate::fmt_http_date(at);
    let mut parts = date.split(' ').skip(1);
    let mut next = || parts.next().unwrap_or_default();
    let (day, month, year, time) = (next(), next(), next(), next());
    format!("{day}/{month}/{year}:{time} +0000")
}

#[cfg(test)]
mod tests;
