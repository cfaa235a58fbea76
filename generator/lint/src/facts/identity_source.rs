//! Checks identity sources, which a handshake must contain before API Gateway invokes the authorizer (rows A2, A3).

use stackgen_cfn::Node;
use stackgen_model::{Authorizer, Resolved};

use crate::Location;
use crate::fix::{self, Edit};

/// A known identity source of an authorizer.
pub(crate) struct IdentitySource<'a> {
    pub(crate) authorizer: &'a Authorizer,
    /// Text in the template; several sources can be separated by commas.
    pub(crate) text: &'a str,
    path: Vec<String>,
}

/// Syntax of an identity source.
#[derive(Debug, PartialEq)]
pub(crate) enum SourceSyntax {
    /// Valid for WebSocket APIs.
    Valid,
    /// Valid for HTTP APIs or REST APIs, with the equivalent for WebSocket APIs.
    OtherApiType(String),
    /// Invalid, with the source that was probably intended.
    Malformed(Option<String>),
}

/// Returns the known identity sources of an authorizer.
pub(crate) fn known_sources(authorizer: &Authorizer) -> impl Iterator<Item = IdentitySource<'_>> {
    let value = authorizer.resource.properties.get("IdentitySource");
    let is_list = value.is_some_and(|value| value.as_list().is_some());
    let items = value.map(Resolved::one_or_many).unwrap_or_default();
    items.iter().enumerate().filter_map(move |(index, item)| {
        let text = item.as_literal().filter(|text| !text.is_empty())?;
        let index = is_list.then(|| index.to_string());
        let path = std::iter::once("IdentitySource".to_owned()).chain(index);
        Some(IdentitySource {
            authorizer,
            text,
            path: path.collect(),
        })
    })
}

impl<'a> IdentitySource<'a> {
    fn path(&self) -> Vec<&str> {
        self.path.iter().map(String::as_str).collect()
    }

    /// Returns the location of its text.
    pub(crate) fn location(&self) -> Location {
        Location::of(&self.authorizer.resource, &self.path())
    }

    /// Returns the single sources.
    pub(crate) fn parts(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let parts = self.text.split(',').map(str::trim);
        parts.filter(|part| !part.is_empty())
    }

    /// Replaces its text, if that is literal in the template.
    pub(crate) fn replace(&self, with: &str) -> Option<Edit> {
        let path = self.path();
        let written = self
            .authorizer
            .resource
            .node(&path)
            .and_then(Node::as_str)?;
        (written == self.text)
            .then(|| fix::replace(&self.authorizer.resource, &path, with))
            .flatten()
    }
}

/// Checks the syntax of a single source, as API Gateway does.
pub(crate) fn check_syntax(source: &str) -> SourceSyntax {
    if is_valid(source) {
        return SourceSyntax::Valid;
    }
    let foreign = [
        ("$request.", "route.request."),
        ("$route.request.", "route.request."),
        ("method.request.", "route.request."),
        ("integration.request.", "route.request."),
        ("request.", "route.request."),
        ("$context.", "context."),
        ("$stageVariables.", "stageVariables."),
    ];
    let here =
        |(prefix, own): &(&str, &str)| Some(format!("{own}{}", source.strip_prefix(prefix)?));
    let corrected = foreign.iter().find_map(here);
    if let Some(corrected) = corrected.filter(|corrected| is_valid(corrected)) {
        return SourceSyntax::OtherApiType(corrected);
    }
    let corrections = [
        ("header", "header."),
        ("headers", "header."),
        ("query", "querystring."),
        ("querystring", "querystring."),
        ("querystringparameters", "querystring."),
    ];
    let rest = ["route.request.", "$request.", "method.request.", ""]
        .iter()
        .find_map(|prefix| source.strip_prefix(prefix));
    let guess = rest.and_then(|rest| rest.split_once('.'));
    let guess = guess.and_then(|(kind, name)| {
        let kind = kind.to_ascii_lowercase();
        let (_, right) = corrections.iter().find(|(word, _)| *word == kind)?;
        Some(format!("route.request.{right}{name}"))
    });
    SourceSyntax::Malformed(guess.filter(|guess| is_valid(guess)))
}

fn is_valid(source: &str) -> bool {
    // The multi-value forms are documented only for route request parameters, so they are accepted.
    let forms = [
        "route.request.header.",
        "route.request.querystring.",
        "route.request.multivalueheader.",
        "route.request.multivaluequerystring.",
        "context.",
        "stageVariables.",
    ];
    let name = forms.iter().find_map(|form| source.strip_prefix(form));
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    name.is_some_and(|name| !name.is_empty() && name.chars().all(is_allowed))
}

/// Returns the header that a source reads.
pub(crate) fn header(source: &str) -> Option<&str> {
    let forms = ["route.request.header.", "route.request.multivalueheader."];
    forms.iter().find_map(|form| source.strip_prefix(form))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_of_websocket_apis_are_valid() {
        for source in [
            "route.request.header.Sec-WebSocket-Protocol",
            "route.request.querystring.access_token",
            "context.identity.sourceIp",
            "stageVariables.tenant",
        ] {
            assert_eq!(check_syntax(source), SourceSyntax::Valid, "{source}");
        }
    }

    #[test]
    fn sources_of_other_api_types_are_corrected() {
        for (source, right) in [
            (
                "$request.header.Authorization",
                "route.request.header.Authorization",
            ),
            (
                "method.request.querystring.token",
                "route.request.querystring.token",
            ),
            (
                "request.querystring.token",
                "route.request.querystring.token",
            ),
            ("$context.identity.sourceIp", "context.identity.sourceIp"),
            ("$stageVariables.tenant", "stageVariables.tenant"),
        ] {
            assert_eq!(
                check_syntax(source),
                SourceSyntax::OtherApiType(right.to_owned()),
                "{source}"
            );
        }
    }

    #[test]
    fn malformed_sources_get_a_guess() {
        let corrections = |text: &str| SourceSyntax::Malformed(Some(text.to_owned()));
        assert_eq!(
            check_syntax("route.request.headers.Auth"),
            corrections("route.request.header.Auth")
        );
        assert_eq!(
            check_syntax("route.request.queryStringParameters.token"),
            corrections("route.request.querystring.token")
        );
        assert_eq!(
            check_syntax("header.Auth"),
            corrections("route.request.header.Auth")
        );
        for source in [
            "Authorization",
            "$request.body.token",
            "route.request.header.",
            "route.request.header.a b",
        ] {
            assert_eq!(
                check_syntax(source),
                SourceSyntax::Malformed(None),
                "{source}"
            );
        }
    }
}
