//! Request parameters of integrations (row M24).

use http::{HeaderMap, HeaderName, HeaderValue, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use stackgen_vtl::select_text;

use super::super::failure::IntegrationFailure;
use super::MappingContext;
use crate::apis::StoredIntegration;

/// Characters of a value that are encoded in paths and query strings: all except those that RFC 3986 calls unreserved.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Headers that the connection to the backend determines.
const OF_CONNECTION: [HeaderName; 6] = [
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// Parameters of a request to a backend.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in super::super) struct IntegrationParameters {
    pub(in super::super) headers: HeaderMap,
    /// Query string, encoded.
    pub(in super::super) query: String,
    /// Variables of the path, with encoded values.
    path: Vec<(String, String)>,
}

impl IntegrationParameters {
    /// Replaces the variables `{name}` of a path or URI.
    pub(in super::super) fn fill(&self, uri: &str) -> String {
        let filled = self.path.iter();
        filled.fold(uri.to_owned(), |uri, (name, value)| {
            uri.replace(&format!("{{{name}}}"), value)
        })
    }
}

/// Maps the values of a message or handshake to the parameters of a request. A source without a value sets no parameter.
///
/// # Errors
///
/// If a source or a destination is not valid, or a value cannot be in a header.
pub(in super::super) fn map_parameters(
    integration: &StoredIntegration,
    body: &str,
    context: MappingContext<'_>,
) -> Result<IntegrationParameters, IntegrationFailure> {
    let mut mapped = IntegrationParameters::default();
    let sources = Sources { body, context };
    let mut query = Vec::new();
    for (destination, source) in &integration.request_parameters {
        let failure = |reason: &str| {
            IntegrationFailure::unreachable(format!(
                "RequestParameters: {destination}: {reason}; see `stackgen explain M24`"
            ))
        };
        let target = destination.strip_prefix("integration.request.");
        let target = target.and_then(|target| target.split_once('.'));
        let (kind, name) = target.ok_or_else(|| {
            failure("it does not begin with integration.request.header, .querystring or .path")
        })?;
        // Static values are encoded already.
        let is_static = source.starts_with('\'');
        let encoded = |value: &str| match is_static {
            true => value.to_owned(),
            false => utf8_percent_encode(value, RESERVED).to_string(),
        };
        for value in sources.values(source).map_err(|reason| failure(&reason))? {
            match kind {
                "header" | "multivalueheader" => {
                    let (name, value) = header(name, &value).map_err(failure)?;
                    mapped.headers.append(name, value);
                }
                "querystring" | "multivaluequerystring" => {
                    let name = utf8_percent_encode(name, RESERVED);
                    query.push(format!("{name}={}", encoded(&value)));
                }
                "path" => mapped.path.push((name.to_owned(), encoded(&value))),
                _ => return Err(failure("the place is none of header, querystring and path")),
            }
        }
    }
    mapped.query = query.join("&");
    Ok(mapped)
}

fn header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), &'static str> {
    let name = HeaderName::try_from(name).map_err(|_| "this is no name of a header")?;
    if OF_CONNECTION.contains(&name) {
        return Err("this header cannot be set");
    }
    let value = HeaderValue::try_from(value).map_err(|_| "the value cannot be in a header")?;
    Ok((name, value))
}

/// Sources of values.
struct Sources<'a> {
    body: &'a str,
    context: MappingContext<'a>,
}

impl Sources<'_> {
    /// Returns the values of a source. Only multi-value sources have more than one.
    fn values(&self, source: &str) -> Result<Vec<String>, String> {
        if let Some(text) = source.strip_prefix('\'') {
            let text = text.strip_suffix('\'');
            let text = text.ok_or("a static value needs a quote at both ends")?;
            return Ok(vec![text.to_owned()]);
        }
        let one = |value: Option<String>| Ok(value.into_iter().collect());
        if let Some(name) = source.strip_prefix("context.") {
            let value = self.context.request.variable(name);
            return one(value.map(|value| value.into_owned()));
        }
        if let Some(name) = source.strip_prefix("stageVariables.") {
            return one(self.context.stage_variables.get(name).cloned());
        }
        // The service model writes `method`, the developer guide `route`.
        let request = source
            .strip_prefix("route.request.")
            .or_else(|| source.strip_prefix("method.request."));
        match request.map(|request| request.split_once('.').unwrap_or((request, ""))) {
            Some(("body", "")) => one((!self.body.is_empty()).then(|| self.body.to_owned())),
            Some(("body", path)) => {
                let value = select_text(self.body, &format!("$.{path}"));
                one(value.map_err(|error| error.to_string())?)
            }
            Some((place, name)) if !name.is_empty() => self.handshake_values(place, name),
            _ => Err(format!(
                "{source} is no source: write 'text', context.NAME, stageVariables.NAME, route.request.body.PATH, or for $connect route.request.header.NAME or route.request.querystring.NAME"
            )),
        }
    }

    /// Returns the values of a header or query parameter of the handshake. Messages have none (row E2).
    fn handshake_values(&self, place: &str, name: &str) -> Result<Vec<String>, String> {
        let Some(handshake) = self.context.handshake else {
            return match place {
                "header" | "querystring" | "multivalueheader" | "multivaluequerystring" => {
                    Ok(Vec::new())
                }
                _ => Err(format!("requests have no place {place}")),
            };
        };
        let one = |value: Option<String>| Ok(value.into_iter().collect());
        match place {
            "header" => one(handshake.header(name).map(str::to_owned)),
            "querystring" => one(handshake.parameter(name).map(|value| value.into_owned())),
            "multivalueheader" => Ok(handshake.header_values(name)),
            "multivaluequerystring" => Ok(handshake.parameter_values(name)),
            _ => Err(format!("requests have no place {place}")),
        }
    }
}
