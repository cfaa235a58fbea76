//! Identity sources: what a handshake must bring before the authorizer is asked (rows A2, A3).

use stackgen_cfn::Node;
use stackgen_model::{Authorizer, Resolved};

use crate::Location;
use crate::fix::{self, Edit};

/// An identity source of an authorizer that is known.
pub(crate) struct IdentitySource<'a> {
    pub(crate) authorizer: &'a Authorizer,
    /// As it is written; several may stand in one text, with commas.
    pub(crate) text: &'a str,
    path: Vec<String>,
}

/// What an identity source is to a WebSocket API.
#[derive(Debug, PartialEq)]
pub(crate) enum SourceSyntax {
    /// One that it reads.
    Valid,
    /// One that an HTTP API or a REST API reads, and how it is written here.
    OtherApiType(String),
    /// None at all, and what was perhaps meant.
    Malformed(Option<String>),
}

/// The identity sources of an authorizer that are known.
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

    /// Where it stands.
    pub(crate) fn location(&self) -> Location {
        Location::of(&self.authorizer.resource, &self.path())
    }

    /// The single sources.
    pub(crate) fn parts(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let parts = self.text.split(',').map(str::trim);
        parts.filter(|part| !part.is_empty())
    }

    /// Another text in its place; `None` unless this one stands there as it is.
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

/// Judges a single source by what API Gateway's own refusal says of them.
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
    let meant = [
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
        let (_, right) = meant.iter().find(|(word, _)| *word == kind)?;
        Some(format!("route.request.{right}{name}"))
    });
    SourceSyntax::Malformed(guess.filter(|guess| is_valid(guess)))
}

fn is_valid(source: &str) -> bool {
    // The multi-value forms stand in the table of route request parameters, so that they are not judged.
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

/// The header that a source reads.
pub(crate) fn header(source: &str) -> Option<&str> {
    let forms = ["route.request.header.", "route.request.multivalueheader."];
    forms.iter().find_map(|form| source.strip_prefix(form))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_websocket_api_reads() {
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
    fn what_other_apis_read() {
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
    fn what_no_api_reads() {
        let meant = |text: &str| SourceSyntax::Malformed(Some(text.to_owned()));
        assert_eq!(
            check_syntax("route.request.headers.Auth"),
            meant("route.request.header.Auth")
        );
        assert_eq!(
            check_syntax("route.request.queryStringParameters.token"),
            meant("route.request.querystring.token")
        );
        assert_eq!(
            check_syntax("header.Auth"),
            meant("route.request.header.Auth")
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
