//! Which functions post to connections, and how the template shows it.

use std::collections::HashMap;

use stackgen_cfn::Span;
use stackgen_model::{Api, Function, LogicalId};

use crate::facts::Facts;
use crate::facts::endpoints::{self, Endpoint, EndpointHost, Purpose, Scheme};
use crate::facts::environment::{self, EnvironmentVariable};

/// A function that posts to connections of an api of the template, or closes them.
pub(crate) struct PostingFunction<'a> {
    pub(crate) function: &'a Function,
    pub(crate) api: &'a Api,
    pub(crate) evidence: PostEvidence<'a>,
}

/// How the template shows that a function posts.
#[derive(Clone, Copy)]
pub(crate) enum PostEvidence<'a> {
    /// It is told the address that connections are managed at, and nobody else needs that.
    Endpoint(EnvironmentVariable<'a>),
    /// All functions are told the address, those that do not post among them, perhaps.
    SharedEndpoint(EnvironmentVariable<'a>),
    /// It is told the address, and its code, which stands in the template, does not read it.
    UnreadEndpoint(EnvironmentVariable<'a>),
    /// Its code, which stands in the template, posts.
    Code,
}

/// The functions that post, those of which it is surer first.
pub(crate) fn posting_functions<'a>(facts: &Facts<'a>) -> Vec<PostingFunction<'a>> {
    let behind = message_functions(facts);
    let endpoints = endpoints::endpoints(facts);
    let shared = SharedVariables::of(&endpoints, &behind);
    let mut posts: Vec<PostingFunction<'a>> = Vec::new();
    for function in &facts.model.functions {
        if !posts_in_code(function) {
            continue;
        }
        let apis = behind.get(&function.resource.logical_id);
        for api in apis.into_iter().flatten() {
            let evidence = PostEvidence::Code;
            posts.push(PostingFunction {
                function,
                api,
                evidence,
            });
        }
    }
    for endpoint in &endpoints {
        let EndpointHost::WebSocket(api) = endpoint.host else {
            continue;
        };
        let (function, variable) = (endpoint.variable.function, endpoint.variable);
        if !is_for_management(endpoint) {
            continue;
        }
        let evidence = if variable.is_unread() {
            PostEvidence::UnreadEndpoint(variable)
        } else if shared.has(endpoint, api) {
            PostEvidence::SharedEndpoint(variable)
        } else {
            PostEvidence::Endpoint(variable)
        };
        posts.push(PostingFunction {
            function,
            api,
            evidence,
        });
    }
    let is_sure = |post: &PostingFunction<'_>| {
        matches!(
            post.evidence,
            PostEvidence::Code | PostEvidence::Endpoint(_)
        )
    };
    posts.sort_by_key(|post| !is_sure(post));
    posts
}

/// Nothing but @connections answers at the `https://` address of a WebSocket API.
fn is_for_management(endpoint: &Endpoint<'_>) -> bool {
    let purpose = Purpose::of(endpoint.variable.name);
    match endpoint.scheme {
        Scheme::Https => purpose != Purpose::Clients,
        _ => purpose == Purpose::Management,
    }
}

/// The WebSocket APIs that a function takes messages of.
pub(crate) fn message_functions<'a>(facts: &Facts<'a>) -> HashMap<&'a LogicalId, Vec<&'a Api>> {
    let mut behind: HashMap<&'a LogicalId, Vec<&'a Api>> = HashMap::new();
    for api in facts.websockets() {
        for integration in &api.integrations {
            let Some(function) = integration.function.function.to() else {
                continue;
            };
            let apis = behind.entry(function).or_default();
            if !apis.iter().any(|known| known.id == api.id) {
                apis.push(api);
            }
        }
    }
    behind
}

/// Variables that many functions are given alike, whether they use them or not.
struct SharedVariables<'a> {
    /// How many functions have the variable that stands here: more than one under `Globals`.
    at: HashMap<Span, usize>,
    /// How many functions behind an api have a variable of that name with an address of it.
    named: HashMap<(&'a LogicalId, &'a str), usize>,
    /// How many functions there are behind an api.
    functions: HashMap<&'a LogicalId, usize>,
}

impl<'a> SharedVariables<'a> {
    fn of(
        endpoints: &[Endpoint<'a>],
        behind: &HashMap<&'a LogicalId, Vec<&'a Api>>,
    ) -> SharedVariables<'a> {
        let mut shared = SharedVariables {
            at: HashMap::new(),
            named: HashMap::new(),
            functions: HashMap::new(),
        };
        for id in behind.values().flatten().filter_map(|api| api.id.to()) {
            *shared.functions.entry(id).or_default() += 1;
        }
        for endpoint in endpoints {
            let variable = &endpoint.variable;
            *shared.at.entry(variable.location().span).or_default() += 1;
            if let EndpointHost::WebSocket(api) = endpoint.host
                && let Some(id) = api.id.to()
                && behind.contains_key(&variable.function.resource.logical_id)
            {
                *shared.named.entry((id, variable.name)).or_default() += 1;
            }
        }
        shared
    }

    fn has(&self, endpoint: &Endpoint<'a>, api: &'a Api) -> bool {
        let span = endpoint.variable.location().span;
        let at = self.at.get(&span).copied().unwrap_or_default();
        let id = api.id.to();
        let named = id.and_then(|id| self.named.get(&(id, endpoint.variable.name)));
        let functions = id.and_then(|id| self.functions.get(id));
        let by_all = named.is_some_and(|&named| named > 1 && Some(&named) == functions);
        (span.file.is_some() && at > 1) || by_all
    }
}

/// Whether the code, if it stands in the template, posts to connections.
fn posts_in_code(function: &Function) -> bool {
    let calls = [
        "post_to_connection",
        "PostToConnection",
        "postToConnection",
        "delete_connection",
        "DeleteConnectionCommand",
    ];
    environment::inline_code(function).is_some_and(|code| environment::contains_any(code, &calls))
}
