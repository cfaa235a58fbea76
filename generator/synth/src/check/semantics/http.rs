//! The HTTP API.

use std::collections::BTreeMap;

use super::{HTTP_TIMEOUT, SpecChecker};
use crate::LocatedError;
use crate::names;
use crate::spec::{Auth, HttpRouteSpec, HttpSpec};

impl SpecChecker<'_> {
    pub(super) fn http(&mut self, http: &HttpSpec) {
        let authorizes = self.document.at_path(&["http", "authorizer"]).is_some();
        self.stage("http", &http.stage);
        if http.stage.execution_logs.is_some() {
            let span = self.spans.key(&["http", "stage", "executionLogs"]);
            self.report(
                LocatedError::new(span, "an HTTP API has no execution log")
                    .hint("use `accessLogs`"),
            );
        }
        if let Some(timeout) = http.timeout {
            self.timeout(
                self.spans.value(&["http", "timeout"]),
                "an HTTP integration's",
                timeout,
                HTTP_TIMEOUT,
                None,
            );
        }
        self.cors(http);
        if let Some(domain) = &http.domain {
            self.domain("http", domain);
        }
        let mut shapes: BTreeMap<String, &str> = BTreeMap::new();
        for (key, route) in &http.routes {
            if let Some(other) = shapes.insert(names::route_shape(key), key) {
                self.same_http_route(key, other);
            }
            self.http_route(key, route, authorizes);
        }
    }

    fn same_http_route(&mut self, key: &str, other: &str) {
        let error = LocatedError::new(
            self.spans.key(&["http", "routes", key]),
            format!("routes `{other}` and `{key}` are the same route to API Gateway"),
        );
        let other = self.spans.key(&["http", "routes", other]);
        self.report(error.related(other, "the other route").hint(
            "remove one of them: they differ only in the name of a path parameter, and API Gateway refuses the second",
        ));
    }

    fn http_route(&mut self, key: &str, route: &HttpRouteSpec, authorizes: bool) {
        let value = |name: &str| self.spans.value(&["http", "routes", key, name]);
        let [function, timeout, auth, scopes] =
            ["function", "timeout", "auth", "scopes"].map(value);
        self.has_function(function, &route.function);
        if let Some(limit) = route.timeout {
            self.timeout(timeout, "an HTTP integration's", limit, HTTP_TIMEOUT, None);
        }
        if route.auth == Auth::Jwt && !authorizes {
            let error = LocatedError::new(
                auth,
                "`auth: jwt` needs an authorizer, which the HTTP API does not have",
            );
            self.report(
                error.hint(
                    "add `http.authorizer` with `issuer` and `audience`, or write `auth: none`",
                ),
            );
        }
        if route.auth == Auth::None && !route.scopes.is_empty() {
            self.report(LocatedError::new(scopes, "scopes need `auth: jwt`"));
        }
    }

    fn cors(&mut self, http: &HttpSpec) {
        let Some(cors) = &http.cors else {
            return;
        };
        if cors.allow_credentials && cors.allow_origins.iter().any(|origin| origin == "*") {
            let span = self.spans.value(&["http", "cors", "allowOrigins"]);
            let error = LocatedError::new(
                span,
                "the origin `*` and `allowCredentials` are mutually exclusive",
            );
            self.report(error.hint("list the origins"));
        }
        if let Some(age) = cors.max_age {
            let span = self.spans.value(&["http", "cors", "maxAge"]);
            if age.seconds().is_none_or(|seconds| seconds > 86_400) {
                self.report(LocatedError::new(
                    span,
                    "`maxAge` must be in whole seconds, at most `24h`",
                ));
            }
        }
    }
}
