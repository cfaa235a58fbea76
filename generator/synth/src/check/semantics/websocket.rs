//! The WebSocket API and its authorizer.

use super::{SpecChecker, WEBSOCKET_TIMEOUT};
use crate::LocatedError;
use crate::spec::{AuthorizerSpec, Callers, Duration, WebSocketSpec};
use crate::wording::join_and;

impl SpecChecker<'_> {
    pub(super) fn websocket(&mut self, websocket: &WebSocketSpec) {
        self.stage("websocket", &websocket.stage);
        if websocket.stage.name.as_deref() == Some("$default") {
            let span = self.spans.value(&["websocket", "stage", "name"]);
            self.report(
                LocatedError::new(span, "a WebSocket API cannot have a `$default` stage")
                    .hint("choose a name such as `prod`; only HTTP APIs have `$default`"),
            );
        }
        if let Some(authorizer) = &websocket.authorizer {
            self.authorizer(authorizer);
        }
        if let Some(timeout) = websocket.timeout {
            self.integration_timeout(&["websocket", "timeout"], timeout);
        }
        if let Some(domain) = &websocket.domain {
            self.domain("websocket", domain);
        }
        for (key, entry) in &websocket.routes {
            let route = entry.route();
            if let Some(model) = &route.model
                && !websocket.models.contains_key(model)
            {
                let span = self.spans.value(&["websocket", "routes", key, "model"]);
                let known: Vec<_> = websocket.models.keys().map(String::as_str).collect();
                self.missing(span, "model", model, &known);
            }
            self.route(key, &route);
        }
    }

    pub(super) fn integration_timeout(&mut self, path: &[&str], timeout: Duration) {
        let (span, subject) = (self.spans.value(path), "a WebSocket integration's");
        self.timeout(span, subject, timeout, WEBSOCKET_TIMEOUT, Some("C8"));
    }

    fn authorizer(&mut self, authorizer: &AuthorizerSpec) {
        self.has_function(
            self.spans.value(&["websocket", "authorizer", "function"]),
            &authorizer.function,
        );
        let path = ["websocket", "authorizer", "identitySource"];
        if authorizer.callers == Callers::Mixed && !authorizer.identity_source.is_empty() {
            let callers = self.spans.value(&["websocket", "authorizer", "callers"]);
            let sources: Vec<_> = authorizer
                .identity_source
                .iter()
                .map(String::as_str)
                .collect();
            let error = LocatedError::new(self.spans.item(&path, 0), "this identity source rejects anonymous \
                callers, which `callers: mixed` admits")
                .related(callers, "some callers have no token")
                .hint(format!(
                    "remove `identitySource`, and let the authorizer's function distinguish callers: API Gateway answers callers \
                     without {} with 401 and does not invoke the authorizer",
                    join_and(&sources)
                ));
            self.report(error.row("A2"));
        }
        let routes = self.document.at_path(&["websocket", "routes"]);
        let connects = routes.is_none_or(|routes| routes.get("$connect").is_some());
        if !connects {
            let span = self.spans.key(&["websocket", "authorizer"]);
            let error = LocatedError::new(
                span,
                "the authorizer is never invoked: there is no `$connect` route",
            );
            self.report(
                error
                    .hint(
                        "add `$connect` to `routes`; it is the only route that API Gateway \
                authorizes",
                    )
                    .row("A1"),
            );
        }
    }
}
