//! What the schema cannot say: names that must exist, limits that depend on the rest, intent and wiring at odds.

use std::collections::BTreeMap;

use stackgen_cfn::{Node, Span};

use super::{nearest, or};
use crate::load::Places;
use crate::names;
use crate::spec::{
    Auth, Authorizer, Callers, Duration, Function, Http, Spec, Stage, Table, WebSocket,
};
use crate::{Problem, check::references};

/// Lambda's limits on a function's time-out.
const FUNCTION_TIMEOUT: (Duration, Duration) =
    (Duration::from_millis(1000), Duration::from_millis(900_000));
/// API Gateway's limits on waiting for a WebSocket integration (row C8).
const WEBSOCKET_TIMEOUT: (Duration, Duration) =
    (Duration::from_millis(50), Duration::from_millis(29_000));
/// API Gateway's limits on waiting for an HTTP integration.
const HTTP_TIMEOUT: (Duration, Duration) =
    (Duration::from_millis(50), Duration::from_millis(30_000));
/// Lambda's limit on a function's name.
const FUNCTION_NAME_LENGTH: usize = 64;
/// API Gateway's quota of routes an API (row L6).
const ROUTES: usize = 300;

/// Checks one environment's specification and adds what is wrong to `problems`.
pub(crate) fn check(spec: &Spec, environment: &str, document: &Node, problems: &mut Vec<Problem>) {
    let mut checker = Checker {
        spec,
        environment,
        places: Places(document),
        problems,
    };
    for (name, function) in &spec.functions {
        checker.function(name, function);
    }
    for (name, table) in &spec.tables {
        checker.table(name, table);
    }
    if let Some(websocket) = &spec.websocket {
        checker.websocket(websocket);
    }
    if let Some(http) = &spec.http {
        checker.http(http);
    }
    checker.alarms();
    checker.something_to_render();
    references::check(document, spec, environment, problems);
}

struct Checker<'a> {
    spec: &'a Spec,
    environment: &'a str,
    places: Places<'a>,
    problems: &'a mut Vec<Problem>,
}

impl Checker<'_> {
    fn report(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    fn function(&mut self, name: &str, function: &Function) {
        let path = ["functions", name];
        let length = names::physical(name, self.environment).len();
        if length > FUNCTION_NAME_LENGTH {
            let message = format!(
                "the function's name with `-{}` has {length} characters; Lambda takes 64",
                self.environment
            );
            self.report(Problem::new(self.places.key(&path), message));
        }
        self.code(name, function);
        if let Some(timeout) = function.timeout {
            let span = self.places.value(&["functions", name, "timeout"]);
            self.timeout(span, "a function's", timeout, FUNCTION_TIMEOUT, None);
            if timeout.seconds().is_none() {
                let problem =
                    Problem::new(span, "Lambda counts a function's time-out in whole seconds");
                self.report(problem.hint("write `5s`"));
            }
        }
        for (table, actions) in &function.tables {
            let path = ["functions", name, "tables", table];
            if !self.spec.tables.contains_key(table) {
                let known = self.spec.tables.keys().map(String::as_str).collect();
                self.missing(self.places.key(&path), "table", table, known);
            } else if actions.is_empty() {
                let problem = Problem::new(
                    self.places.value(&path),
                    format!("no action is given for table `{table}`"),
                );
                self.report(
                    problem
                        .hint("name what the function does to it, such as `[GetItem, UpdateItem]`"),
                );
            }
            self.wired_variable(
                name,
                &format!("{}_TABLE", names::screaming_snake(table)),
                table,
            );
        }
        if !function.manage_connections.is_empty() {
            if self.spec.websocket.is_none() {
                let span = self.places.key(&["functions", name, "manageConnections"]);
                self.report(Problem::new(
                    span,
                    "there is no WebSocket API whose connections it could manage",
                ));
            }
            self.wired_variable(name, "MANAGEMENT_ENDPOINT", "manageConnections");
        }
    }

    /// Code comes from a binary or from a zip file, and each has its own keys.
    fn code(&mut self, name: &str, function: &Function) {
        let key = |key: &str| self.places.key(&["functions", name, key]);
        let mut found = Vec::new();
        match (&function.binary, &function.zip) {
            (Some(_), Some(_)) => found.push(
                Problem::new(key("zip"), format!("function `{name}` has both `binary` and `zip`"))
                    .related(key("binary"), "and the other here")
                    .hint("its code comes from one of them"),
            ),
            (None, None) => found.push(
                Problem::new(self.places.key(&["functions", name]), format!("function `{name}` has no code"))
                    .hint(format!("write `binary: {name}` for a cargo binary, or `zip:` and the path of a zip file")),
            ),
            (Some(_), None) if function.handler.is_some() => found.push(
                Problem::new(key("handler"), "a binary is its own handler").hint("`handler` is for zip files"),
            ),
            (Some(_), None) => {}
            (None, Some(_)) => {
                for (word, value) in [("runtime", &function.runtime), ("handler", &function.handler)] {
                    if value.is_none() {
                        found.push(
                            Problem::new(key("zip"), format!("function `{name}` has a zip file and no `{word}`"))
                                .hint("such as `runtime: nodejs22.x` and `handler: index.handler`"),
                        );
                    }
                }
            }
        }
        self.problems.append(&mut found);
    }

    /// A variable that the wiring sets must not be set by hand to something else.
    fn wired_variable(&mut self, function: &str, variable: &str, because: &str) {
        if self.spec.functions[function]
            .environment
            .contains_key(variable)
        {
            let span = self
                .places
                .key(&["functions", function, "environment", variable]);
            let problem = Problem::new(
                span,
                format!("`{variable}` is set by stackgen, for `{because}`"),
            );
            self.report(problem.hint("take it out: the value follows the stack"));
        }
    }

    fn table(&mut self, name: &str, table: &Table) {
        let mut types = BTreeMap::new();
        let indexes = table
            .indexes
            .values()
            .flat_map(|index| [Some(&index.partition_key), index.sort_key.as_ref()]);
        let keys = [Some(&table.partition_key), table.sort_key.as_ref()]
            .into_iter()
            .chain(indexes);
        for key in keys.flatten() {
            let first = *types.entry(key.name.as_str()).or_insert(key.key_type);
            if first != key.key_type {
                let (span, name) = (self.places.key(&["tables", name]), &key.name);
                let message = format!(
                    "attribute `{name}` is a key as `{}` and as `{}`",
                    first.name(),
                    key.key_type.name()
                );
                self.report(
                    Problem::new(span, message)
                        .hint("an attribute has one type in all keys of a table"),
                );
            }
        }
        if table.time_to_live.as_ref() == Some(&table.partition_key.name) {
            let span = self.places.value(&["tables", name, "timeToLive"]);
            self.report(Problem::new(
                span,
                "the partition key cannot be the time to live as well",
            ));
        }
    }

    fn websocket(&mut self, websocket: &WebSocket) {
        self.stage("websocket", &websocket.stage);
        if websocket.stage.name.as_deref() == Some("$default") {
            let span = self.places.value(&["websocket", "stage", "name"]);
            self.report(
                Problem::new(span, "`$default` is a stage of HTTP APIs")
                    .hint("a WebSocket stage has a name such as `prod`"),
            );
        }
        if let Some(authorizer) = &websocket.authorizer {
            self.authorizer(authorizer);
        }
        if let Some(timeout) = websocket.timeout {
            let span = self.places.value(&["websocket", "timeout"]);
            self.timeout(
                span,
                "a WebSocket integration's",
                timeout,
                WEBSOCKET_TIMEOUT,
                Some("C8"),
            );
        }
        self.too_many("websocket", websocket.routes.len());
        for (key, entry) in &websocket.routes {
            let route = entry.route();
            let span = self.places.value(&["websocket", "routes", key, "function"]);
            self.has_function(span, &route.function);
            if let Some(timeout) = route.timeout {
                let span = self.places.value(&["websocket", "routes", key, "timeout"]);
                self.timeout(
                    span,
                    "a WebSocket integration's",
                    timeout,
                    WEBSOCKET_TIMEOUT,
                    Some("C8"),
                );
            }
            if route.two_way && matches!(key.as_str(), "$connect" | "$disconnect") {
                let span = self.places.key(&["websocket", "routes", key, "twoWay"]);
                let problem = Problem::new(span, format!("`{key}` cannot be two-way"));
                self.report(match key.as_str() {
                    "$connect" => problem.hint("what `$connect` returns is the handshake's status; its body is never sent").row("C9"),
                    _ => problem.hint("the socket is gone when `$disconnect` is called").row("M18"),
                });
            }
        }
    }

    fn authorizer(&mut self, authorizer: &Authorizer) {
        self.has_function(
            self.places.value(&["websocket", "authorizer", "function"]),
            &authorizer.function,
        );
        let path = ["websocket", "authorizer", "identitySource"];
        if authorizer.callers == Callers::Mixed && !authorizer.identity_source.is_empty() {
            let callers = self.places.value(&["websocket", "authorizer", "callers"]);
            let sources: Vec<_> = authorizer
                .identity_source
                .iter()
                .map(String::as_str)
                .collect();
            let problem = Problem::new(self.places.item(&path, 0), "this identity source shuts out the anonymous callers of `mixed`")
                .related(callers, "some callers bring no token")
                .hint(format!(
                    "a caller without {} gets 401 from API Gateway and the authorizer is never asked; take `identitySource` \
                     out, and let the function tell callers apart",
                    super::and(&sources)
                ));
            self.report(problem.row("A2"));
        }
        if authorizer.callers == Callers::Authenticated && !self.has_connect() {
            let span = self.places.key(&["websocket", "authorizer"]);
            let problem = Problem::new(
                span,
                "the authorizer is never asked: there is no `$connect` route",
            );
            self.report(problem.hint("add `$connect` to `routes`; it is the only route that API Gateway authorizes").row("A1"));
        }
    }

    fn has_connect(&self) -> bool {
        self.spec
            .websocket
            .as_ref()
            .is_some_and(|websocket| websocket.routes.contains_key("$connect"))
    }

    fn http(&mut self, http: &Http) {
        self.stage("http", &http.stage);
        if http.stage.execution_logs.is_some() {
            let span = self.places.key(&["http", "stage", "executionLogs"]);
            self.report(
                Problem::new(span, "an HTTP API has no execution log").hint("use `accessLogs`"),
            );
        }
        if let Some(timeout) = http.timeout {
            self.timeout(
                self.places.value(&["http", "timeout"]),
                "an HTTP integration's",
                timeout,
                HTTP_TIMEOUT,
                None,
            );
        }
        self.cors(http);
        self.too_many("http", http.routes.len());
        let mut shapes: BTreeMap<String, &str> = BTreeMap::new();
        for (key, route) in &http.routes {
            let path = ["http", "routes", key];
            if let Some(other) = shapes.insert(names::route_shape(key), key) {
                let problem = Problem::new(
                    self.places.key(&path),
                    format!("routes `{other}` and `{key}` are one to API Gateway"),
                );
                let problem =
                    problem.related(self.places.key(&["http", "routes", other]), "the other one");
                self.report(problem.hint("they differ in the name of a path parameter alone; the second would be refused"));
            }
            self.has_function(
                self.places.value(&["http", "routes", key, "function"]),
                &route.function,
            );
            if let Some(timeout) = route.timeout {
                let span = self.places.value(&["http", "routes", key, "timeout"]);
                self.timeout(span, "an HTTP integration's", timeout, HTTP_TIMEOUT, None);
            }
            if route.auth == Auth::Jwt && http.authorizer.is_none() {
                let span = self.places.value(&["http", "routes", key, "auth"]);
                let problem = Problem::new(span, "there is no authorizer to check a token");
                self.report(problem.hint(
                    "add `http.authorizer` with `issuer` and `audience`, or write `auth: none`",
                ));
            }
            if route.auth == Auth::None && !route.scopes.is_empty() {
                let span = self.places.value(&["http", "routes", key, "scopes"]);
                self.report(Problem::new(span, "scopes need `auth: jwt`"));
            }
        }
    }

    fn cors(&mut self, http: &Http) {
        let Some(cors) = &http.cors else {
            return;
        };
        if cors.allow_credentials && cors.allow_origins.iter().any(|origin| origin == "*") {
            let span = self.places.value(&["http", "cors", "allowOrigins"]);
            let problem = Problem::new(
                span,
                "the origin `*` and `allowCredentials` exclude each other",
            );
            self.report(problem.hint("name the origins"));
        }
        if let Some(age) = cors.max_age {
            let span = self.places.value(&["http", "cors", "maxAge"]);
            if age.seconds().is_none_or(|seconds| seconds > 86_400) {
                self.report(Problem::new(span, "`maxAge` is whole seconds up to `24h`"));
            }
        }
    }

    fn stage(&mut self, api: &str, stage: &Stage) {
        for (name, value) in &stage.variables {
            let fits =
                name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && !value.is_empty();
            if !fits {
                let span = self.places.key(&[api, "stage", "variables", name]);
                let problem = Problem::new(span, format!("`{name}` cannot be a stage variable"));
                self.report(problem.hint("names are letters, digits and `_`; an empty value would take the variable away").row("D12"));
            }
        }
    }

    fn alarms(&mut self) {
        let Some(alarms) = &self.spec.alarms else {
            return;
        };
        let of_websocket = [
            (
                "websocketIntegrationErrors",
                alarms.websocket_integration_errors,
            ),
            (
                "websocketExecutionErrors",
                alarms.websocket_execution_errors,
            ),
            ("websocketClientErrors", alarms.websocket_client_errors),
        ];
        let of_others = [
            ("functionErrors", alarms.function_errors),
            ("functionThrottles", alarms.function_throttles),
            ("httpServerErrors", alarms.http_server_errors),
            ("tableThrottles", alarms.table_throttles),
        ];
        for (name, alarm) in of_websocket.into_iter().chain(of_others) {
            let Some(alarm) = alarm else {
                continue;
            };
            if alarm.period.is_some_and(|period| {
                period.millis() == 0 || !period.millis().is_multiple_of(60_000)
            }) {
                let span = self.places.value(&["alarms", name, "period"]);
                self.report(
                    Problem::new(span, "an alarm's period is a multiple of one minute")
                        .hint("write `1m` or `5m`"),
                );
            }
            let absent = (name.starts_with("websocket") && self.spec.websocket.is_none())
                || (name.starts_with("http") && self.spec.http.is_none());
            if absent {
                let span = self.places.key(&["alarms", name]);
                self.report(Problem::new(
                    span,
                    format!("`{name}` watches an API that the stack does not have"),
                ));
            }
        }
    }

    fn something_to_render(&mut self) {
        let spec = self.spec;
        let raw = spec
            .resources
            .0
            .as_object()
            .is_some_and(|resources| !resources.is_empty());
        if spec.functions.is_empty()
            && spec.tables.is_empty()
            && spec.websocket.is_none()
            && spec.http.is_none()
            && !raw
        {
            let span = self.places.key(&["name"]);
            let problem = Problem::new(span, "the stack is empty");
            self.report(problem.hint("add `functions`, `websocket`, `http`, `tables` or `resources`; `stackgen init echo` writes an example"));
        }
    }

    fn too_many(&mut self, api: &str, routes: usize) {
        if routes > ROUTES {
            let problem = Problem::new(
                self.places.key(&[api, "routes"]),
                format!("{routes} routes; an API has at most {ROUTES}"),
            );
            self.report(problem.hint("let `$default` serve some of them").row("L6"));
        }
    }

    fn has_function(&mut self, span: Span, name: &str) {
        if !self.spec.functions.contains_key(name) {
            let known = self.spec.functions.keys().map(String::as_str).collect();
            self.missing(span, "function", name, known);
        }
    }

    fn missing(&mut self, span: Span, kind: &str, name: &str, known: Vec<&str>) {
        let problem = Problem::new(span, format!("there is no {kind} `{name}`"));
        self.report(match nearest(name, known.iter().copied()) {
            Some(near) => problem.hint(format!("did you mean `{near}`?")),
            None if known.is_empty() => problem.hint(format!("declare it under `{kind}s`")),
            None => problem.hint(format!(
                "`{kind}s` has {}",
                or(&known).replace(" or ", " and ")
            )),
        });
    }

    fn timeout(
        &mut self,
        span: Span,
        whose: &str,
        timeout: Duration,
        limits: (Duration, Duration),
        row: Option<&'static str>,
    ) {
        if (limits.0..=limits.1).contains(&timeout) {
            return;
        }
        let (least, most) = (words(limits.0), words(limits.1));
        let problem = Problem::new(span, format!("{whose} time-out is {least} to {most}"));
        self.report(Problem {
            row,
            ..problem.hint(format!("this is {}", words(timeout)))
        });
    }
}

fn words(duration: Duration) -> String {
    match duration.seconds() {
        Some(seconds) => format!("{seconds} s"),
        None => format!("{} ms", duration.millis()),
    }
}
