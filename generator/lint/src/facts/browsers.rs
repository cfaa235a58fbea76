//! Decides whether callers are browsers, whose WebSockets cannot set headers.

use std::collections::HashSet;

use stackgen_model::{Function, LogicalId, Model, Protocol, Resolved, Resource};

use crate::Location;

/// Evidence that callers are browsers.
pub(crate) struct BrowserEvidence {
    pub(crate) location: Location,
    pub(crate) label: &'static str,
}

/// Returns the strongest evidence in a stack.
pub(crate) fn browser_evidence(model: &Model) -> Option<BrowserEvidence> {
    let clients = || {
        model
            .resources
            .values()
            .find_map(|resource| sign_in(resource))
    };
    let origins = || model.functions.iter().find_map(origins);
    let sites = || model.resources.values().find_map(|resource| site(resource));
    clients()
        .or_else(|| cors(model))
        .or_else(origins)
        .or_else(sites)
}

fn cors(model: &Model) -> Option<BrowserEvidence> {
    let mut http = model
        .apis
        .iter()
        .filter(|api| api.protocol == Protocol::Http);
    http.find_map(|api| {
        let cors = api.cors.as_ref()?;
        (*cors != Resolved::Null).then_some(BrowserEvidence {
            location: Location::of(api.resource.as_ref()?, &["CorsConfiguration"]),
            label: "browsers call this API of the stack",
        })
    })
}

/// Recognizes a user pool client that redirects to a web page.
fn sign_in(resource: &Resource) -> Option<BrowserEvidence> {
    let pages = (resource.kind == "AWS::Cognito::UserPoolClient")
        .then(|| resource.properties.get("CallbackURLs"))
        .flatten()?;
    let is_page = |url: &Resolved| {
        url.to_text()
            .is_some_and(|url| url.strip_prefix("http").is_some())
    };
    pages
        .one_or_many()
        .iter()
        .any(is_page)
        .then(|| BrowserEvidence {
            location: Location::of(resource, &["CallbackURLs"]),
            label: "users sign in on a web page",
        })
}

/// Recognizes a variable that lists the origins of web pages.
fn origins(function: &Function) -> Option<BrowserEvidence> {
    let mut names = function.environment.value()?.keys();
    let name = names.find(|name| {
        let name = name.to_ascii_uppercase();
        let has = |words: &[&str]| name.split('_').any(|word| words.contains(&word));
        has(&["ORIGIN", "ORIGINS"])
            && has(&["ALLOW", "ALLOWED", "CORS", "FRONTEND", "WEB", "WEBSITE"])
    })?;
    Some(BrowserEvidence {
        location: Location::of(&function.resource, &["Environment", "Variables", name]),
        label: "origins of web pages",
    })
}

/// Recognizes a resource that serves web pages.
fn site(resource: &Resource) -> Option<BrowserEvidence> {
    let (path, label): (&[&str], _) = match resource.kind.as_str() {
        "AWS::S3::Bucket" => {
            resource.properties.get("WebsiteConfiguration")?;
            (&["WebsiteConfiguration"], "a website of the stack")
        }
        "AWS::Amplify::App" => (&[], "a web app of the stack"),
        "AWS::CloudFront::Distribution" => {
            let config = resource.properties.get("DistributionConfig")?;
            config.get("DefaultRootObject")?;
            (&[], "a website of the stack")
        }
        _ => return None,
    };
    Some(BrowserEvidence {
        location: Location::of(resource, path),
        label,
    })
}

/// Returns the resources to which CloudFront distributions refer. CloudFront can add headers that browsers cannot send.
pub(crate) fn cloudfront_origins(model: &Model) -> HashSet<&LogicalId> {
    let all = model.resources.values();
    all.filter(|resource| resource.kind == "AWS::CloudFront::Distribution")
        .flat_map(|resource| resource.properties.referenced_ids())
        .collect()
}

/// Returns true if a handshake can contain a header: the browser sends it, the page can set it (a cookie, a
/// subprotocol), or API Gateway adds it.
pub(crate) fn can_send_header(header: &str) -> bool {
    let header = header.to_ascii_lowercase();
    let own = [
        "accept",
        "accept-encoding",
        "accept-language",
        "cache-control",
        "connection",
        "cookie",
        "host",
        "origin",
        "pragma",
        "upgrade",
        "user-agent",
    ];
    let families = ["sec-", "x-forwarded-", "x-amzn-", "cloudfront-"];
    own.contains(&header.as_str()) || families.iter().any(|prefix| header.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_can_send_only_some_headers() {
        for header in [
            "Sec-WebSocket-Protocol",
            "cookie",
            "Origin",
            "X-Forwarded-For",
        ] {
            assert!(can_send_header(header), "{header}");
        }
        for header in ["Authorization", "Auth", "x-api-key"] {
            assert!(!can_send_header(header), "{header}");
        }
    }
}
