//! Answers of integrations that are no proxies (rows M22, M23).

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use fancy_regex::Regex;
use stackgen_gateway_common::RouteKey;

use super::super::answer::IntegrationAnswer;
use super::super::failure::IntegrationFailure;
use super::{MappingContext, render, select_template};
use crate::apis::{Snapshot, StoredIntegration};

/// Answer of a backend.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in super::super) struct BackendAnswer {
    pub(in super::super) status: u16,
    pub(in super::super) headers: BTreeMap<String, String>,
    /// Body as text; bytes that are no text are replaced.
    pub(in super::super) body: String,
    /// Message of the error that a function returned.
    pub(in super::super) error_message: Option<String>,
    /// Body as it was received.
    pub(in super::super) bytes: Bytes,
}

/// Selects the integration response for an answer, and renders its template.
pub(in super::super) fn map_response(
    snapshot: &Snapshot,
    integration: &StoredIntegration,
    answer: &BackendAnswer,
    context: MappingContext<'_>,
) -> Result<IntegrationAnswer, IntegrationFailure> {
    let responses = snapshot
        .integration_responses
        .get(&integration.integration_id);
    let responses = responses.map_or(&[][..], |all| all.as_slice());
    let find = |is_it: &dyn Fn(&str) -> bool| {
        let mut all = responses.iter();
        all.find(|it| is_it(&it.integration_response_key))
    };
    let status = answer.status.to_string();
    let mut values = answer.error_message.iter().chain([&status]);
    let response = values
        .find_map(|value| find(&|key| matches(key, value)))
        .or_else(|| find(&|key| key == RouteKey::DEFAULT));
    let strategy = response.and_then(|it| it.content_handling_strategy.as_deref());
    let body = converted(answer, strategy);
    let template = response.and_then(|it| {
        let expression = it.template_selection_expression.as_deref();
        select_template(&it.response_templates, expression, &body)
    });
    let body = match template {
        Some(template) => render("response", template, &body, context)?,
        None => body,
    };
    Ok(IntegrationAnswer::Mapped {
        status: answer.status,
        body: Some(body).filter(|body| !body.is_empty()),
        protocol: None,
    })
}

/// Converts the body between bytes and base64 (row M10).
fn converted(answer: &BackendAnswer, strategy: Option<&str>) -> String {
    match strategy {
        Some("CONVERT_TO_TEXT") => STANDARD.encode(&answer.bytes),
        Some("CONVERT_TO_BINARY") => match STANDARD.decode(&answer.bytes) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(_) => answer.body.clone(),
        },
        _ => answer.body.clone(),
    }
}

/// Matches a response key: a regular expression between slashes, for the whole value (row M22).
fn matches(key: &str, value: &str) -> bool {
    let pattern = key.strip_prefix('/').and_then(|key| key.strip_suffix('/'));
    let regex = pattern.and_then(|pattern| Regex::new(&format!("^(?:{pattern})$")).ok());
    regex.is_some_and(|regex| regex.is_match(value).unwrap_or(false))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_m22_a_response_key_is_a_regular_expression_between_slashes() {
        for (key, value, expected) in [
            ("/404/", "404", true),
            ("/4\\d{2}/", "404", true),
            ("/4\\d{2}/", "1404", false),
            ("/no .*/", "no such item", true),
            ("404", "404", false),
            ("/[/", "[", false),
            ("$default", "$default", false),
        ] {
            assert_eq!(matches(key, value), expected, "{key} on {value}");
        }
    }
}
