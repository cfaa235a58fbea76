//! Events for functions (rows E0 to E4).

use std::borrow::Cow;
use std::net::IpAddr;

use bytes::Bytes;
use indexmap::IndexMap;
use serde::Serialize;
use stackgen_gateway_common::{EpochMillis, FederatedCaller, request_id};

use super::client::Client;
use super::principal::Principal;
use crate::apis::Pairs;

/// `requestContext`: the connection and the request of an event (row E0).
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RequestContext<'a> {
    pub(super) route_key: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) message_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) disconnect_status_code: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) authorizer: Option<&'a Principal>,
    pub(super) event_type: EventType,
    pub(super) extended_request_id: String,
    pub(super) request_time: String,
    pub(super) message_direction: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) disconnect_reason: Option<String>,
    pub(super) stage: &'a str,
    pub(super) connected_at: EpochMillis,
    pub(super) request_time_epoch: EpochMillis,
    pub(super) identity: RequestIdentity<'a>,
    pub(super) request_id: String,
    pub(super) domain_name: &'a str,
    pub(super) connection_id: &'a str,
    pub(super) api_id: &'a str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum EventType {
    Connect,
    Message,
    Disconnect,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RequestIdentity<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) user_agent: Option<&'a str>,
    pub(super) source_ip: IpAddr,
    /// Caller, if credentials of an identity pool signed the handshake of a route with IAM authorization.
    #[serde(flatten)]
    pub(super) federated: Option<&'a FederatedCaller>,
}

/// Time and ID of a request.
#[derive(Clone, Debug)]
pub(super) struct RequestStamp {
    pub(super) at: EpochMillis,
    pub(super) request_id: String,
}

impl RequestStamp {
    /// Returns the current time with a new request ID.
    pub(super) fn now() -> Self {
        RequestStamp {
            at: EpochMillis::now(),
            request_id: request_id(),
        }
    }
}

impl<'a> RequestContext<'a> {
    /// Creates the context of a client's request.
    pub(super) fn new(
        client: &'a Client,
        event_type: EventType,
        route_key: &'a str,
        RequestStamp { at, request_id }: RequestStamp,
    ) -> Self {
        let connection = &client.connection;
        RequestContext {
            route_key,
            message_id: (event_type == EventType::Message)
                .then(stackgen_gateway_common::request_id),
            disconnect_status_code: None,
            authorizer: client.principal.as_ref(),
            event_type,
            extended_request_id: request_id.clone(),
            request_time: at.request_time(),
            message_direction: "IN",
            disconnect_reason: None,
            stage: connection.stage.as_str(),
            connected_at: connection.connected_at,
            request_time_epoch: at,
            identity: RequestIdentity {
                user_agent: connection.user_agent.as_deref(),
                source_ip: connection.source_ip,
                federated: client.federated.as_ref(),
            },
            request_id,
            domain_name: &client.domain,
            connection_id: connection.id.as_str(),
            api_id: connection.api.as_str(),
        }
    }

    /// Sets the caller that the handshake was authorized for.
    pub(super) fn of_caller(
        mut self,
        principal: Option<&'a Principal>,
        federated: Option<&'a FederatedCaller>,
    ) -> Self {
        self.authorizer = principal;
        self.identity.federated = federated;
        self
    }

    /// Returns the value of a `context.` variable, for identity sources (row A3) and access logs (row L1).
    pub(super) fn variable(&self, name: &str) -> Option<Cow<'_, str>> {
        Some(match name {
            "apiId" => self.api_id.into(),
            "connectionId" => self.connection_id.into(),
            "connectedAt" => self.connected_at.as_millis().to_string().into(),
            "domainName" => self.domain_name.into(),
            "eventType" => match self.event_type {
                EventType::Connect => "CONNECT".into(),
                EventType::Message => "MESSAGE".into(),
                EventType::Disconnect => "DISCONNECT".into(),
            },
            "messageDirection" => self.message_direction.into(),
            "messageId" => self.message_id.as_deref()?.into(),
            "requestId" => self.request_id.as_str().into(),
            "extendedRequestId" => self.extended_request_id.as_str().into(),
            "requestTime" => self.request_time.as_str().into(),
            "requestTimeEpoch" => self.request_time_epoch.as_millis().to_string().into(),
            "routeKey" if self.route_key.is_empty() => return None,
            "routeKey" => self.route_key.into(),
            "stage" => self.stage.into(),
            "identity.sourceIp" => self.identity.source_ip.to_string().into(),
            "identity.userAgent" => self.identity.user_agent?.into(),
            "authorizer.principalId" => self.authorizer?.id.as_str().into(),
            other => {
                let key = other.strip_prefix("authorizer.")?;
                self.authorizer?.context.get(key)?.as_str().into()
            }
        })
    }
}

/// Names with all their values, from which the single-value and multi-value maps of events are built.
#[derive(Debug, Default)]
pub(super) struct MultiValues<'a>(IndexMap<Cow<'a, str>, Vec<Cow<'a, str>>>);

impl<'a> MultiValues<'a> {
    /// Collects pairs by name. With `ignore_case`, names that differ only in case are the same.
    pub(super) fn collect(
        pairs: impl IntoIterator<Item = (Cow<'a, str>, Cow<'a, str>)>,
        ignore_case: bool,
    ) -> Self {
        let mut all: IndexMap<Cow<'a, str>, Vec<Cow<'a, str>>> = IndexMap::new();
        for (name, value) in pairs {
            let known = match all.get_index_of(&name) {
                None if ignore_case => all.keys().position(|it| it.eq_ignore_ascii_case(&name)),
                found => found,
            };
            match known.and_then(|at| all.get_index_mut(at)) {
                Some((_, values)) => values.push(value),
                None => {
                    all.insert(name, vec![value]);
                }
            }
        }
        MultiValues(all)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the first value of a name, in any case.
    pub(super) fn first(&self, name: &str) -> Option<&str> {
        let mut all = self.0.iter();
        let (_, values) = all.find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        values.first().map(AsRef::as_ref)
    }

    /// Returns all pairs of a name and a value.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        let all = self.0.iter();
        all.flat_map(|(name, values)| values.iter().map(move |value| (&**name, &**value)))
    }

    fn single(&self) -> IndexMap<&str, &str> {
        self.0
            .iter()
            .map(|(name, values)| (&**name, values.last().map_or("", |value| &**value)))
            .collect()
    }

    fn multi(&self) -> &IndexMap<Cow<'a, str>, Vec<Cow<'a, str>>> {
        &self.0
    }
}

/// Builds the event of `$connect` (row E1).
pub(super) fn connect(
    headers: &MultiValues<'_>,
    query: &MultiValues<'_>,
    stage_variables: &Pairs,
    context: &RequestContext<'_>,
) -> Bytes {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct ConnectEvent<'a, M> {
        headers: IndexMap<&'a str, &'a str>,
        multi_value_headers: M,
        #[serde(skip_serializing_if = "IndexMap::is_empty")]
        query_string_parameters: IndexMap<&'a str, &'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        multi_value_query_string_parameters: Option<M>,
        #[serde(skip_serializing_if = "IndexMap::is_empty")]
        stage_variables: &'a Pairs,
        request_context: &'a RequestContext<'a>,
        is_base64_encoded: bool,
    }
    json(&ConnectEvent {
        headers: headers.single(),
        multi_value_headers: headers.multi(),
        query_string_parameters: query.single(),
        multi_value_query_string_parameters: (!query.is_empty()).then(|| query.multi()),
        stage_variables,
        request_context: context,
        is_base64_encoded: false,
    })
}

/// Builds the event of a REQUEST authorizer (row E4).
pub(super) fn authorizer(
    method_arn: &str,
    headers: &MultiValues<'_>,
    query: &MultiValues<'_>,
    stage_variables: &Pairs,
    context: &RequestContext<'_>,
) -> Bytes {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct AuthorizerEvent<'a, M> {
        #[serde(rename = "type")]
        kind: &'static str,
        method_arn: &'a str,
        headers: IndexMap<&'a str, &'a str>,
        multi_value_headers: M,
        query_string_parameters: IndexMap<&'a str, &'a str>,
        multi_value_query_string_parameters: M,
        stage_variables: &'a Pairs,
        request_context: &'a RequestContext<'a>,
    }
    json(&AuthorizerEvent {
        kind: "REQUEST",
        method_arn,
        headers: headers.single(),
        multi_value_headers: headers.multi(),
        query_string_parameters: query.single(),
        multi_value_query_string_parameters: query.multi(),
        stage_variables,
        request_context: context,
    })
}

/// Builds the event of a message (row E2).
pub(super) fn message(
    context: &RequestContext<'_>,
    body: &str,
    is_base64_encoded: bool,
    stage_variables: &Pairs,
) -> Bytes {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct MessageEvent<'a> {
        #[serde(skip_serializing_if = "IndexMap::is_empty")]
        stage_variables: &'a Pairs,
        request_context: &'a RequestContext<'a>,
        body: &'a str,
        is_base64_encoded: bool,
    }
    json(&MessageEvent {
        stage_variables,
        request_context: context,
        body,
        is_base64_encoded,
    })
}

/// Builds the event of `$disconnect` (row E3).
pub(super) fn disconnect(context: &RequestContext<'_>, stage_variables: &Pairs) -> Bytes {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct DisconnectEvent<'a> {
        headers: IndexMap<&'a str, &'a str>,
        multi_value_headers: IndexMap<&'a str, [&'a str; 1]>,
        #[serde(skip_serializing_if = "IndexMap::is_empty")]
        stage_variables: &'a Pairs,
        request_context: &'a RequestContext<'a>,
        is_base64_encoded: bool,
    }
    let headers = [
        ("Host", context.domain_name),
        ("x-api-key", ""),
        ("X-Forwarded-For", ""),
        ("x-restapi", ""),
    ];
    json(&DisconnectEvent {
        headers: headers.into_iter().collect(),
        multi_value_headers: headers
            .into_iter()
            .map(|(name, value)| (name, [value]))
            .collect(),
        stage_variables,
        request_context: context,
        is_base64_encoded: false,
    })
}

fn json(event: &impl Serialize) -> Bytes {
    // Cannot fail: events are maps with text keys, texts and numbers.
    serde_json::to_vec(event).unwrap_or_default().into()
}
