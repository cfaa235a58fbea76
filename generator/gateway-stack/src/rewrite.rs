//! Values of a template that name a place on AWS, and where that is here. Only these are rewritten: an api's own URLs,
//! and issuers of tokens.

use std::sync::Arc;

use stackgen_gateway_apis::apis::StoredApi;

/// Where things are on this machine.
#[derive(Clone, Debug, Default)]
pub(super) struct Rewriter {
    /// `{id}.execute-api.{region}.{suffix}`, and `127.0.0.1:{port}`.
    pub(super) hosts: Vec<(String, String)>,
    /// Issuers that JWT authorizers of the template take tokens from.
    pub(super) issuers: Vec<String>,
    /// The issuer here.
    pub(super) issuer: String,
}

impl Rewriter {
    /// The hosts of apis that listen.
    pub(super) fn hosts(
        apis: &[Arc<StoredApi>],
        region: &str,
        suffix: &str,
    ) -> Vec<(String, String)> {
        let hosts = apis.iter().filter_map(|api| {
            let (_, authority) = api.api_endpoint.as_deref()?.split_once("://")?;
            let host = format!("{}.execute-api.{region}.{suffix}", api.api_id);
            Some((host, authority.to_owned()))
        });
        hosts.collect()
    }

    /// The value of a function's environment variable.
    pub(super) fn variable(&self, name: &str, value: &str) -> String {
        if name == "JWT_ISSUER" {
            return self.issuer.clone();
        }
        self.urls(&self.issuer_or(value))
    }

    /// The issuer of a JWT authorizer: always the one here.
    pub(super) fn issuer_or(&self, value: &str) -> String {
        match self.issuers.iter().any(|issuer| issuer == value) {
            true => self.issuer.clone(),
            false => value.to_owned(),
        }
    }

    /// A text with an api's URLs as they are here.
    fn urls(&self, text: &str) -> String {
        self.hosts
            .iter()
            .fold(text.to_owned(), |text, (host, here)| {
                text.replace(&format!("https://{host}"), &format!("http://{here}"))
                    .replace(&format!("wss://{host}"), &format!("ws://{here}"))
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewriter() -> Rewriter {
        Rewriter {
            hosts: vec![(
                "abc.execute-api.us-east-1.amazonaws.com".to_owned(),
                "127.0.0.1:4511".to_owned(),
            )],
            issuers: vec!["https://issuer.example/pool".to_owned()],
            issuer: "http://127.0.0.1:4510/issuer".to_owned(),
        }
    }

    #[test]
    fn an_apis_urls_and_issuers_are_here_and_nothing_else_is_touched() {
        let here = |name, value| rewriter().variable(name, value);
        let url = "https://abc.execute-api.us-east-1.amazonaws.com/prod";
        assert_eq!(
            here("MANAGEMENT_ENDPOINT", url),
            "http://127.0.0.1:4511/prod"
        );
        let socket = "wss://abc.execute-api.us-east-1.amazonaws.com";
        assert_eq!(here("URL", socket), "ws://127.0.0.1:4511");
        let issuer = "https://issuer.example/pool";
        assert_eq!(here("ISSUER", issuer), "http://127.0.0.1:4510/issuer");
        assert_eq!(
            here("JWT_ISSUER", "https://other.example"),
            "http://127.0.0.1:4510/issuer"
        );
        for same in [
            "https://other.execute-api.us-east-1.amazonaws.com",
            "abc.execute-api.us-east-1.amazonaws.com",
            "https://issuer.example/pool/more",
        ] {
            assert_eq!(here("X", same), same);
        }
    }
}
