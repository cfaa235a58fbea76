//! Callers that verify a stage.

use std::collections::BTreeMap;

use stackgen_cfn::Node;

use super::SpecChecker;
use crate::LocatedError;
use crate::check::format::is_http_token;
use crate::spec::{VerifyApi, VerifyCallerSpec, VerifyValue};

impl SpecChecker<'_> {
    pub(super) fn verify(&mut self) {
        let spec = self.spec;
        for (name, caller) in &spec.verify {
            self.verified_api(name, caller);
            match caller.api {
                VerifyApi::WebSocket => self.websocket_caller(name, caller),
                VerifyApi::Http => self.http_caller(name, caller),
            }
            self.caller_headers(name, caller);
        }
    }

    fn verified_api(&mut self, name: &str, caller: &VerifyCallerSpec) {
        let section = caller.api.name();
        if self.has(section) {
            return;
        }
        let (span, api) = match caller.api {
            VerifyApi::WebSocket => (self.spans.key(&["verify", name]), "a WebSocket API"),
            VerifyApi::Http => (self.spans.value(&["verify", name, "api"]), "an HTTP API"),
        };
        let message = format!("caller `{name}` calls {api} that the stack does not have");
        let hint = match caller.api {
            VerifyApi::WebSocket if self.has("http") => {
                "write `api: http` to call the HTTP API".to_owned()
            }
            _ => format!("remove the caller, or add `{section}`"),
        };
        self.report(LocatedError::new(span, message).hint(hint));
    }

    fn http_caller(&mut self, name: &str, caller: &VerifyCallerSpec) {
        let keys = [
            ("subprotocols", !caller.subprotocols.is_empty()),
            ("send", caller.send.is_some()),
            ("expect", caller.expect.is_some()),
        ];
        for (key, _) in keys.into_iter().filter(|(_, is_set)| *is_set) {
            let span = self.spans.key(&["verify", name, key]);
            let error = LocatedError::new(
                span,
                format!("`{key}` applies only to callers of the WebSocket API"),
            );
            self.report(error.hint(
                "remove it; callers of the HTTP API have `method`, `path`, `query`, `headers` and `status`",
            ));
        }
    }

    fn websocket_caller(&mut self, name: &str, caller: &VerifyCallerSpec) {
        for (key, value) in [("method", &caller.method), ("path", &caller.path)] {
            if value.is_some() {
                let span = self.spans.key(&["verify", name, key]);
                let error = LocatedError::new(
                    span,
                    format!("`{key}` applies only to callers of the HTTP API"),
                );
                self.report(error.hint(
                    "remove it, or write `api: http` to send a request: a handshake is always a GET of the stage's URL",
                ));
            }
        }
        let status = caller.expected_status();
        for (key, value) in [("send", &caller.send), ("expect", &caller.expect)] {
            if value.is_some() && status != 101 {
                let span = self.spans.key(&["verify", name, key]);
                let error = LocatedError::new(
                    span,
                    format!("`{key}` needs a connection, and status {status} does not open one"),
                );
                let status = self.spans.value(&["verify", name, "status"]);
                self.report(
                    error
                        .related(status, "the handshake is expected to fail")
                        .hint("remove one of the two"),
                );
            }
        }
        self.subprotocols(name);
    }

    /// Checks the subprotocols in the document, because the typed caller lacks the items that have errors.
    fn subprotocols(&mut self, name: &str) {
        let node = self.document.at_path(&["verify", name, "subprotocols"]);
        for item in node.and_then(Node::as_list).unwrap_or_default() {
            let value = item.as_str().map(VerifyValue::parse);
            if matches!(value, Some(Ok(VerifyValue::Text(text))) if !is_http_token(&text)) {
                let error = LocatedError::new(item.span, "this is not a valid subprotocol");
                self.report(
                    error.hint("use letters, digits and ``!#$%&'*+-.^_`|~``, without spaces"),
                );
            }
        }
    }

    fn caller_headers(&mut self, name: &str, caller: &VerifyCallerSpec) {
        let mut seen: BTreeMap<String, &str> = BTreeMap::new();
        for (header, value) in &caller.headers {
            let path = ["verify", name, "headers", header];
            if let Some(other) = seen.insert(header.to_ascii_lowercase(), header) {
                let error = LocatedError::new(
                    self.spans.key(&path),
                    format!("headers `{other}` and `{header}` are the same header"),
                );
                let other = self.spans.key(&["verify", name, "headers", other]);
                self.report(
                    error
                        .related(other, "the other header")
                        .hint("remove one of them: header names are case-insensitive"),
                );
            }
            if matches!(value, VerifyValue::Text(text) if !text.is_ascii()) {
                let error = LocatedError::new(
                    self.spans.value(&path),
                    format!("the value of `{header}` is not ASCII"),
                );
                self.report(error.hint("encode other characters, such as `%C3%A9` for `é`"));
            }
        }
    }
}
