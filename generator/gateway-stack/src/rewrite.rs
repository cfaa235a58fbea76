//! Replaces the addresses of AWS in a template by local ones. Only URLs of the stack's APIs and of token issuers are replaced.

use std::sync::Arc;

use stackgen_gateway_apis::apis::StoredApi;
use stackgen_gateway_common::ArnScope;

/// Local addresses.
#[derive(Clone, Debug, Default)]
pub(super) struct Rewriter {
    /// Pairs of `{id}.execute-api.{region}.{suffix}` and `127.0.0.1:{port}`.
    pub(super) hosts: Vec<(String, String)>,
    /// Issuers that the template's JWT authorizers accept.
    pub(super) issuers: Vec<String>,
    /// URL of the local issuer.
    pub(super) issuer: String,
}

impl Rewriter {
    /// Returns the pairs of hosts for all APIs that listen.
    pub(super) fn hosts(apis: &[Arc<StoredApi>], scope: &ArnScope) -> Vec<(String, String)> {
        let hosts = apis.iter().filter_map(|api| {
            let (_, authority) = api.api_endpoint.as_deref()?.split_once("://")?;
            Some((scope.api_host(&api.api_id), authority.to_owned()))
        });
        hosts.collect()
    }

    /// Returns the local value of a function's environment variable.
    pub(super) fn rewrite_variable(&self, name: &str, value: &str) -> String {
        if name == "JWT_ISSUER" {
            return self.issuer.clone();
        }
        self.rewrite_urls(&self.rewrite_issuer(value))
    }

    /// Returns the local issuer if the value is an issuer of the template, or else the value itself.
    pub(super) fn rewrite_issuer(&self, value: &str) -> String {
        match self.issuers.iter().any(|issuer| issuer == value) {
            true => self.issuer.clone(),
            false => value.to_owned(),
        }
    }

    /// Replaces the URLs of APIs in a text.
    fn rewrite_urls(&self, text: &str) -> String {
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
    fn only_urls_of_apis_and_issuers_are_replaced() {
        let here = |name, value| rewriter().rewrite_variable(name, value);
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
