//! Values of a line of the access log.

use std::borrow::Cow;
use std::fmt::Write as _;

use serde_json::Value as Json;

use super::access_format::AccessFormat;
use super::field::LineField;

/// A request, as the access log describes it (row L1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(
    missing_docs,
    reason = "the names are those of API Gateway's variables"
)]
pub struct AccessRecord<'m> {
    pub event: Option<AccessEvent>,
    pub connection: Option<Cow<'m, str>>,
    pub request: Option<Cow<'m, str>>,
    pub extended: Option<Cow<'m, str>>,
    pub route: Option<Cow<'m, str>>,
    pub status: Option<u16>,
    pub connected_at: Option<i64>,
    pub request_at: Option<i64>,
    pub source_ip: Option<Cow<'m, str>>,
    pub user_agent: Option<Cow<'m, str>>,
    pub principal: Option<Cow<'m, str>>,
    pub authorizer_status: Option<u16>,
    pub authorizer_latency: Option<u64>,
    pub authorizer_error: Option<Cow<'m, str>>,
    pub authorizer_request: Option<Cow<'m, str>>,
    pub integration_status: Option<u16>,
    pub integration_latency: Option<u64>,
    pub integration_error: Option<Cow<'m, str>>,
    pub integration_request: Option<Cow<'m, str>>,
    pub error_message: Option<Cow<'m, str>>,
    pub error_type: Option<Cow<'m, str>>,
    /// Other variables, such as a key of the authorizer's context.
    pub others: Vec<(Cow<'m, str>, Cow<'m, str>)>,
}

/// Type of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are API Gateway's")]
pub enum AccessEvent {
    Connect,
    Message,
    Disconnect,
}

/// Parses a line by the format, or else as JSON whose keys are the names of variables.
pub(crate) fn access_record<'m>(format: &AccessFormat, line: &'m str) -> Option<AccessRecord<'m>> {
    let mut record = AccessRecord::default();
    if let Some(values) = format.values(line) {
        for (name, value) in values {
            record.set(name, value);
        }
    } else {
        let Ok(Json::Object(members)) = serde_json::from_str(line) else {
            return None;
        };
        for (name, value) in members {
            let text = match value {
                Json::String(text) => text,
                Json::Null | Json::Array(_) | Json::Object(_) => continue,
                other => other.to_string(),
            };
            if !matches!(text.as_str(), "" | "-") {
                record.set_by_key(name, text.into());
            }
        }
    }
    (record.request.is_some() || record.extended.is_some() || record.connection.is_some())
        .then_some(record)
}

impl<'m> AccessRecord<'m> {
    fn set(&mut self, variable: &str, value: Cow<'m, str>) {
        let number = || value.parse::<u64>().ok();
        let status = || value.parse::<u16>().ok();
        match variable {
            "eventType" => self.event = AccessEvent::parse(&value),
            "connectionId" => self.connection = Some(value),
            "requestId" => self.request = Some(value),
            "extendedRequestId" => self.extended = Some(value),
            "routeKey" => self.route = Some(value),
            "status" => self.status = status(),
            "connectedAt" => self.connected_at = value.parse().ok(),
            "requestTimeEpoch" => self.request_at = value.parse().ok(),
            "identity.sourceIp" => self.source_ip = Some(value),
            "identity.userAgent" => self.user_agent = Some(value),
            "authorizer.principalId" => self.principal = Some(value),
            "authorizer.status" | "authorizer.integrationStatus" | "authorize.status" => {
                self.authorizer_status = status();
            }
            "authorizer.latency" | "authorizer.integrationLatency" | "authorize.latency" => {
                self.authorizer_latency = number();
            }
            "authorizer.error" | "authorize.error" => self.authorizer_error = Some(value),
            "authorizer.requestId" => self.authorizer_request = Some(value),
            "integration.status" | "integration.integrationStatus" | "integrationStatus" => {
                self.integration_status = status();
            }
            "integrationLatency" | "integration.latency" => self.integration_latency = number(),
            "integration.error" | "integrationErrorMessage" => self.integration_error = Some(value),
            "integration.requestId" | "awsEndpointRequestId" => {
                self.integration_request = Some(value);
            }
            "error.message" | "error.messageString" => {
                let text = value.trim_matches('"');
                self.error_message = Some(text.to_owned().into());
            }
            "error.responseType" => self.error_type = Some(value),
            // The entry has its own time, and the API and the stage are known.
            "requestTime" | "apiId" | "stage" | "domainName" | "messageId" => {}
            other => self.others.push((other.to_owned().into(), value)),
        }
    }

    /// Sets a value by the key of a line whose format is unknown. Keys are those of stackgen and of AWS's examples.
    fn set_by_key(&mut self, key: String, value: Cow<'m, str>) {
        let variable = match key.as_str() {
            "ip" | "sourceIp" => "identity.sourceIp",
            "userAgent" => "identity.userAgent",
            "principalId" => "authorizer.principalId",
            "authorizerStatus" => "authorizer.status",
            "authorizerLatency" => "authorizer.latency",
            "authorizerError" => "authorizer.error",
            "integrationError" => "integration.error",
            "errorMessage" => "error.message",
            "errorResponseType" => "error.responseType",
            other => other,
        };
        self.set(variable, value);
    }

    /// Returns the type of the event, by the route if the line does not contain it.
    pub fn event(&self) -> Option<AccessEvent> {
        self.event.or_else(|| {
            Some(match self.route.as_deref()? {
                "$connect" => AccessEvent::Connect,
                "$disconnect" => AccessEvent::Disconnect,
                _ => AccessEvent::Message,
            })
        })
    }

    /// True if the request failed or was refused.
    pub fn is_failure(&self) -> bool {
        self.error_message.is_some() || self.status.is_some_and(|status| status >= 400)
    }

    /// Returns route and status in a few words.
    pub(crate) fn summary(&self) -> String {
        let route = match (&self.route, self.event()) {
            (Some(route), _) => route.as_ref(),
            (None, Some(AccessEvent::Connect)) => "$connect",
            (None, Some(AccessEvent::Disconnect)) => "$disconnect",
            (None, _) => "(no route)",
        };
        let mut text = route.to_owned();
        if let Some(status) = self.status {
            let _ = write!(text, " {status}");
        }
        if let Some(error) = &self.error_message {
            let _ = write!(text, " {error}");
        }
        text
    }

    /// Returns the fields that matter beside the summary.
    pub(crate) fn fields(&self) -> Vec<LineField<'m>> {
        let mut fields = Vec::new();
        let mut add = |name: &'static str, value: Option<Cow<'m, str>>| {
            fields.extend(value.map(|value| LineField {
                name: name.into(),
                value,
            }));
        };
        let millis = |latency: Option<u64>| latency.map(|ms| Cow::Owned(format!("{ms}ms")));
        let number = |status: Option<u16>| status.map(|status| Cow::Owned(status.to_string()));
        add("authorizer", millis(self.authorizer_latency));
        let refused = self.authorizer_status.filter(|status| *status >= 400);
        add("authorizerStatus", number(refused));
        add("authorizerError", self.authorizer_error.clone());
        add("integration", millis(self.integration_latency));
        let failed = self.integration_status.filter(|status| *status >= 400);
        add("integrationStatus", number(failed));
        add("integrationError", self.integration_error.clone());
        add("errorType", self.error_type.clone());
        add("principalId", self.principal.clone());
        add("sourceIp", self.source_ip.clone());
        let others = self.others.iter();
        fields.extend(others.map(|(name, value)| LineField {
            name: name.clone(),
            value: value.clone(),
        }));
        fields
    }
}

impl AccessEvent {
    fn parse(text: &str) -> Option<AccessEvent> {
        match text {
            "CONNECT" => Some(AccessEvent::Connect),
            "MESSAGE" => Some(AccessEvent::Message),
            "DISCONNECT" => Some(AccessEvent::Disconnect),
            _ => None,
        }
    }
}
