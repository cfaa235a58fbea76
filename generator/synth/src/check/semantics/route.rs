//! Routes of the WebSocket API and their backends.

use stackgen_cfn::{Map, Node, Span};

use super::SpecChecker;
use super::referenced::ReferencedService;
use crate::LocatedError;
use crate::spec::{Expression, RouteBackend, RouteSpec, ServiceSpec, TableAction};
use crate::wording::{join_or, nearest, use_one_of};

/// Keys with mapping templates.
const TEMPLATES: [&str; 6] = [
    "request",
    "requests",
    "requestSelection",
    "passthrough",
    "response",
    "responses",
];

impl SpecChecker<'_> {
    pub(super) fn route(&mut self, key: &str, route: &RouteSpec) {
        if let Some(timeout) = route.timeout {
            self.integration_timeout(&["websocket", "routes", key, "timeout"], timeout);
        }
        self.no_answer_to_closed(key, route);
        match route.backends().as_slice() {
            [backend] => self.backend(key, route, *backend),
            [] => {
                let span = self.spans.key(&["websocket", "routes", key]);
                let error = LocatedError::new(span, format!("`{key}` names nothing that it calls"));
                let hint = format!("add {}", join_or(&RouteBackend::KEYS));
                self.report(error.hint(hint));
            }
            [first, second, ..] => {
                let span = self.route_key(key, second.key());
                let message = format!(
                    "`{key}` calls both `{}` and `{}`",
                    first.key(),
                    second.key()
                );
                let error = LocatedError::new(span, message);
                self.report(error.hint("keep one of them: a route has one integration"));
            }
        }
    }

    fn route_key(&self, route: &str, key: &str) -> Span {
        self.spans.key(&["websocket", "routes", route, key])
    }

    fn route_value(&self, route: &str, key: &str) -> Span {
        self.spans.value(&["websocket", "routes", route, key])
    }

    fn no_answer_to_closed(&mut self, key: &str, route: &RouteSpec) {
        if !route.sends_answers() || !matches!(key, "$connect" | "$disconnect") {
            return;
        }
        let sender = match (route.two_way, route.response.is_some()) {
            (true, _) => "twoWay",
            (false, true) => "response",
            (false, false) => "responses",
        };
        let span = self.route_key(key, sender);
        let error = match sender {
            "twoWay" => LocatedError::new(span, format!("`{key}` cannot be two-way")),
            _ => LocatedError::new(span, format!("`{key}` cannot send an answer")),
        };
        self.report(match key {
            "$connect" => error
                .hint(format!(
                    "remove `{sender}`: `$connect` returns the handshake's status, and its body is never sent"
                ))
                .row("C9"),
            _ => error
                .hint(format!(
                    "remove `{sender}`: the connection is closed when `$disconnect` runs"
                ))
                .row("M18"),
        });
    }

    fn backend(&mut self, key: &str, route: &RouteSpec, backend: RouteBackend<'_>) {
        self.unused_keys(key, backend);
        self.template_keys(key, route);
        match backend {
            RouteBackend::Function(name) => {
                let span = match self
                    .document
                    .at_path(&["websocket", "routes", key, "function"])
                {
                    Some(node) => node.span,
                    None => self.spans.value(&["websocket", "routes", key]),
                };
                self.has_function(span, name);
            }
            RouteBackend::Table(name) => self.table_route(key, route, name),
            RouteBackend::Queue(queue) => {
                self.resource(
                    self.route_value(key, "queue"),
                    queue,
                    ReferencedService::QUEUE,
                );
            }
            RouteBackend::Topic(topic) => {
                self.resource(
                    self.route_value(key, "topic"),
                    topic,
                    ReferencedService::TOPIC,
                );
            }
            RouteBackend::StateMachine(machine) => {
                let span = self.route_value(key, "stateMachine");
                self.resource(span, machine, ReferencedService::STATE_MACHINE);
                self.action(key, route, &["StartExecution", "StartSyncExecution"]);
            }
            RouteBackend::EventBus(bus) => {
                self.resource(
                    self.route_value(key, "eventBus"),
                    bus,
                    ReferencedService::EVENT_BUS,
                );
            }
            RouteBackend::Stream(stream) => {
                self.resource(
                    self.route_value(key, "stream"),
                    stream,
                    ReferencedService::STREAM,
                );
            }
            RouteBackend::Service(service) => self.service(key, route, service),
            RouteBackend::Http(url) => self.url(key, "http", url),
            RouteBackend::HttpProxy(url) => self.url(key, "httpProxy", url),
            RouteBackend::Mock(_) => {}
        }
    }

    /// Reports keys that have no effect on a route with this backend.
    fn unused_keys(&mut self, key: &str, backend: RouteBackend<'_>) {
        let name = backend.key();
        let route = self.document.at_path(&["websocket", "routes", key]);
        let keys = route.and_then(Node::as_map).into_iter().flat_map(Map::keys);
        for unused in keys.filter(|key| !applies(key, backend)) {
            let span = self.route_key(key, unused);
            let message = format!("`{unused}` has no effect on a route with `{name}`");
            let hint = match (name, unused) {
                ("httpProxy", _) if TEMPLATES.contains(&unused) => {
                    "use `http`: a proxy passes messages and answers on as they are"
                }
                ("mock", "request" | "requests") => {
                    "write the template in `mock`: it renders the status"
                }
                (_, "action") => "remove it, or use `service`, which can call any action",
                (_, "role") => "remove it: only services of AWS are called with a role",
                _ => "remove it",
            };
            self.report(LocatedError::new(span, message).hint(hint));
        }
    }

    fn template_keys(&mut self, key: &str, route: &RouteSpec) {
        let has = |is_there: bool, name: &'static str| is_there.then_some(name);
        let requests = has(!route.requests.is_empty(), "requests");
        let responses = has(!route.responses.is_empty(), "responses");
        for (one, many) in [
            (has(route.request.is_some(), "request"), requests),
            (has(route.response.is_some(), "response"), responses),
        ] {
            if let (Some(one), Some(many)) = (one, many) {
                let span = self.route_key(key, many);
                let error =
                    LocatedError::new(span, format!("`{key}` has both `{one}` and `{many}`"));
                self.report(error.hint(format!(
                    "move the template of `{one}` to `$default` in `{many}`"
                )));
            }
        }
        match (requests, &route.request_selection) {
            (Some(_), None) => {
                let span = self.route_key(key, "requests");
                let error = LocatedError::new(span, format!("`{key}` lacks `requestSelection`"));
                self.report(error.hint("add the expression that selects one of `requests`, such as `$request.body.kind`"));
            }
            (None, Some(_)) => self.needs(key, "requestSelection", "requests"),
            _ => {}
        }
    }

    fn needs(&mut self, key: &str, selection: &str, templates: &str) {
        let span = self.route_key(key, selection);
        let error = LocatedError::new(
            span,
            format!("`{selection}` has no `{templates}` to select from"),
        );
        self.report(error.hint(format!("add `{templates}`, or remove `{selection}`")));
    }

    fn table_route(&mut self, key: &str, route: &RouteSpec, name: &str) {
        let known = self.declared("tables");
        if !known.contains(&name) {
            self.missing(self.route_value(key, "table"), "table", name, &known);
        }
        let actions: Vec<_> = TableAction::OF_ROUTES.iter().map(|it| it.name()).collect();
        if route.action.is_none() {
            let span = self.route_key(key, "table");
            let error = LocatedError::new(span, format!("`{key}` lacks `action`"));
            self.report(error.hint(use_one_of(&actions)));
        }
        self.action(key, route, &actions);
        if route.request.is_none() && route.requests.is_empty() {
            let span = self.route_key(key, "table");
            let error = LocatedError::new(span, format!("`{key}` lacks `request`"));
            self.report(
                error
                    .hint("add the template of the request: `request: '{\"TableName\": \"$table\", …}'`")
                    .row("M20"),
            );
        }
    }

    fn action(&mut self, key: &str, route: &RouteSpec, known: &[&str]) {
        let unknown = route
            .action
            .as_deref()
            .filter(|action| !known.contains(action));
        let Some(action) = unknown else { return };
        let error = LocatedError::new(
            self.route_value(key, "action"),
            format!("`action` cannot be `{action}`"),
        );
        self.report(match nearest(action, known.iter().copied()) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint(use_one_of(known)),
        });
    }

    fn service(&mut self, key: &str, route: &RouteSpec, service: &ServiceSpec) {
        let path = ["websocket", "routes", key, "service"];
        let span = self.spans.key(&path);
        let mut report = |message: &str, hint: &str| {
            self.errors
                .push(LocatedError::new(span, message).hint(hint));
        };
        match (&service.action, &service.path) {
            (None, None) => report(
                "the service lacks `action`",
                "add `action`, or `path` for a service without actions",
            ),
            (Some(_), Some(_)) => report(
                "the service has both `action` and `path`",
                "keep one of them",
            ),
            _ => {}
        }
        let (resource, permission) = (&service.resource, &service.permission);
        if route.role.is_some() {
            if resource.is_some() || permission.is_some() {
                report(
                    "`resource` and `permission` have no effect beside `role`",
                    "remove `role`, so that the route gets a role of its own, or remove the others",
                );
            }
            return;
        }
        if resource.is_none() {
            report(
                "the service lacks `resource`",
                "add the ARN that the role of the route allows, or name a `role`",
            );
        }
        if service.path.is_some() && permission.is_none() {
            report(
                "the service lacks `permission`",
                "add the IAM action that the path needs, such as `permission: s3:GetObject`, or name a `role`",
            );
        }
    }

    fn url(&mut self, key: &str, name: &str, url: &Expression) {
        let literal = url.0.as_str();
        let wrong =
            literal.filter(|url| !url.starts_with("https://") && !url.starts_with("http://"));
        if let Some(url) = wrong {
            let span = self.route_value(key, name);
            let error = LocatedError::new(span, format!("`{url}` is not a URL of an endpoint"));
            self.report(
                error
                    .hint("write a complete URL, such as `https://example.com/messages`")
                    .row("M25"),
            );
        }
    }
}

/// Returns true if a key of a route has an effect with a backend.
fn applies(key: &str, backend: RouteBackend<'_>) -> bool {
    use RouteBackend::{Function, Http, HttpProxy, Mock, Service, StateMachine, Table};
    match key {
        "action" => matches!(backend, Table(_) | StateMachine(_)),
        "method" => matches!(backend, Http(_) | HttpProxy(_) | Service(_)),
        "requestParameters" => !matches!(backend, Function(_) | Mock(_)),
        "role" => backend.needs_role(),
        "request" | "requests" | "requestSelection" | "passthrough" => {
            !matches!(backend, HttpProxy(_) | Mock(_))
        }
        "response" | "responses" => !matches!(backend, HttpProxy(_)),
        "timeout" | "contentHandling" => !matches!(backend, Mock(_)),
        _ => true,
    }
}
