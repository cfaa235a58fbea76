//! Generated project files: small stacks with everything that a deployment snapshots, and some things that it does not.

use std::collections::BTreeSet;

use proptest::prelude::*;

/// Stack from which a stackgen.yaml is written.
#[derive(Clone, Debug)]
pub(crate) struct Spec {
    pub(crate) functions: Vec<String>,
    pub(crate) routes: Vec<RouteSpec>,
    pub(crate) authorizer: Option<AuthorizerSpec>,
    pub(crate) selection: &'static str,
    pub(crate) burst: u32,
    pub(crate) retention: u32,
    pub(crate) threshold: u32,
    pub(crate) memory: u32,
    pub(crate) log_level: &'static str,
    pub(crate) release: &'static str,
}

#[derive(Clone, Debug)]
pub(crate) struct RouteSpec {
    pub(crate) key: String,
    pub(crate) function: usize,
    pub(crate) two_way: bool,
    pub(crate) timeout: u32,
}

#[derive(Clone, Debug)]
pub(crate) struct AuthorizerSpec {
    pub(crate) function: usize,
    pub(crate) token: Option<&'static str>,
}

pub(crate) fn spec() -> impl Strategy<Value = Spec> {
    let routes = proptest::collection::btree_map(
        "[a-z][a-zA-Z/_-]{0,8}",
        (0..3_usize, any::<bool>(), 50..29_000_u32),
        1..6,
    );
    let authorizer = proptest::option::of((
        0..3_usize,
        proptest::option::of(prop_oneof![Just("token"), Just("jwt")]),
    ));
    let selection = prop_oneof![Just("$request.body.action"), Just("$request.body.type")];
    let release = prop_oneof![Just("live"), Just("pinned")];
    let settings = (
        1..100_u32,
        prop_oneof![Just(1_u32), Just(30)],
        1..10_u32,
        128..256_u32,
        prop_oneof![Just("info"), Just("error")],
    );
    (routes, authorizer, selection, release, settings).prop_map(
        |(routes, authorizer, selection, release, settings)| Spec {
            functions: (0..3)
                .map(|n| format!("function-{}", ["a", "b", "c"][n]))
                .collect(),
            routes: routes
                .into_iter()
                .map(|(key, (function, two_way, timeout))| RouteSpec {
                    key,
                    function,
                    two_way,
                    timeout,
                })
                .collect(),
            authorizer: authorizer.map(|(function, token)| AuthorizerSpec { function, token }),
            selection,
            burst: settings.0,
            retention: settings.1,
            threshold: settings.2,
            memory: settings.3,
            log_level: settings.4,
            release,
        },
    )
}

impl Spec {
    /// Returns the sections of the file. Their order has no meaning.
    pub(crate) fn sections(&self) -> Vec<String> {
        let functions = self.functions.iter().map(|name| {
            format!("  {name}:\n    memory: {}\n    binary: {name}\n    environment: {{ ONE: one, TWO: two }}\n", self.memory)
        });
        let mut websocket = vec![
            "  name: api\n".to_owned(),
            format!("  routeSelectionExpression: {}\n", self.selection),
            format!(
                "  stage:\n    throttling: {{ burstLimit: {}, rateLimit: 7 }}\n    accessLogs: {{ retentionInDays: {} }}\n    \
                 executionLogs: {{ level: {} }}\n",
                self.burst, self.retention, self.log_level
            ),
            format!("  routes:\n{}", self.routes().concat()),
        ];
        websocket.extend(self.authorizer.as_ref().map(|authorizer| {
            let name = &self.functions[authorizer.function];
            let source = authorizer.token.map_or_else(String::new, |token| {
                format!("    identitySource: [route.request.querystring.{token}]\n")
            });
            format!("  authorizer:\n    callers: authenticated\n    function: {name}\n{source}")
        }));
        vec![
            "name: generated\n".to_owned(),
            format!("release: {}\n", self.release),
            format!("functions:\n{}", functions.collect::<String>()),
            format!("websocket:\n{}", websocket.concat()),
            format!(
                "alarms: {{ functionErrors: {{ threshold: {} }} }}\n",
                self.threshold
            ),
        ]
    }

    fn routes(&self) -> Vec<String> {
        let connect = format!("    $connect: {}\n", self.functions[0]);
        let others = self.routes.iter().map(|route| {
            let function = &self.functions[route.function];
            format!(
                "    {}: {{ function: {function}, twoWay: {}, timeout: {}ms }}\n",
                route.key, route.two_way, route.timeout
            )
        });
        std::iter::once(connect).chain(others).collect()
    }

    pub(crate) fn yaml(&self) -> String {
        self.sections().concat()
    }
}

/// Change of a stack, inside or outside the snapshot of a deployment.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Change {
    RouteFunction,
    RouteTwoWay,
    RouteTimeout,
    RouteAdded,
    RouteRemoved,
    AuthorizerToggled,
    AuthorizerFunction,
    IdentitySource,
    Selection,
    Throttle,
    Retention,
    LogLevel,
    AlarmSpec,
    Memory,
}

pub(crate) const CHANGES: [Change; 14] = [
    Change::RouteFunction,
    Change::RouteTwoWay,
    Change::RouteTimeout,
    Change::RouteAdded,
    Change::RouteRemoved,
    Change::AuthorizerToggled,
    Change::AuthorizerFunction,
    Change::IdentitySource,
    Change::Selection,
    Change::Throttle,
    Change::Retention,
    Change::LogLevel,
    Change::AlarmSpec,
    Change::Memory,
];

impl Change {
    /// Returns true if the deployment must change. Memory is part of a version's configuration: only a pinned release
    /// snapshots it, and only for functions that the API calls.
    pub(crate) fn is_snapshotted(self, spec: &Spec) -> bool {
        match self {
            Change::Throttle | Change::Retention | Change::LogLevel | Change::AlarmSpec => false,
            Change::Memory => spec.release == "pinned",
            _ => true,
        }
    }

    /// Returns the changed stack, or `None` if the change does not apply.
    pub(crate) fn apply(self, spec: &Spec) -> Option<Spec> {
        let mut changed = spec.clone();
        let first = &mut changed.routes[0];
        match self {
            Change::RouteFunction => first.function = (first.function + 1) % 3,
            Change::RouteTwoWay => first.two_way = !first.two_way,
            Change::RouteTimeout => first.timeout = if first.timeout == 50 { 51 } else { 50 },
            Change::RouteAdded => {
                let keys: BTreeSet<_> =
                    spec.routes.iter().map(|route| route.key.as_str()).collect();
                let key = if keys.contains("added") {
                    return None;
                } else {
                    "added".to_owned()
                };
                changed.routes.push(RouteSpec {
                    key,
                    function: 0,
                    two_way: false,
                    timeout: 100,
                });
            }
            Change::RouteRemoved if changed.routes.len() > 1 => drop(changed.routes.remove(0)),
            Change::RouteRemoved => return None,
            Change::AuthorizerToggled | Change::AuthorizerFunction | Change::IdentitySource => {
                changed.authorizer = self.authorizer(changed.authorizer)?;
            }
            Change::Selection => {
                changed.selection = match spec.selection {
                    "$request.body.action" => "$request.body.type",
                    _ => "$request.body.action",
                }
            }
            Change::Throttle => changed.burst += 1,
            Change::Retention => changed.retention = if spec.retention == 1 { 30 } else { 1 },
            Change::LogLevel => {
                changed.log_level = if spec.log_level == "info" {
                    "error"
                } else {
                    "info"
                }
            }
            Change::AlarmSpec => changed.threshold += 1,
            Change::Memory => changed.memory += 1,
        }
        Some(changed)
    }

    /// Returns the changed authorizer, or `None` if the change does not apply.
    fn authorizer(self, authorizer: Option<AuthorizerSpec>) -> Option<Option<AuthorizerSpec>> {
        match (self, authorizer) {
            (Change::AuthorizerToggled, Some(_)) => Some(None),
            (Change::AuthorizerToggled, None) => Some(Some(AuthorizerSpec {
                function: 1,
                token: None,
            })),
            (_, None) => None,
            (Change::AuthorizerFunction, Some(old)) => Some(Some(AuthorizerSpec {
                function: (old.function + 1) % 3,
                ..old
            })),
            (_, Some(old)) => {
                let token = if old.token == Some("token") {
                    None
                } else {
                    Some("token")
                };
                Some(Some(AuthorizerSpec { token, ..old }))
            }
        }
    }
}
