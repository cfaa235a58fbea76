//! Finds the functions that post to connections, and the evidence for it.

use std::collections::HashMap;

use stackgen_cfn::Span;
use stackgen_model::{Api, Function, LogicalId};

use crate::facts::Facts;
use crate::facts::endpoints::{Endpoint, EndpointHost, Purpose, Scheme};
use crate::facts::environment::{self, EnvironmentVariable};

/// A function that posts to connections of an API of the template, or closes them.
pub(crate) struct PostingFunction<'a> {
    pub(crate) function: &'a Function,
    pub(crate) api: &'a Api,
    pub(crate) evidence: PostEvidence<'a>,
}

/// Evidence that a function posts.
#[derive(Clone, Copy)]
pub(crate) enum PostEvidence<'a> {
    /// A variable with the address of the management API, which only this function has.
    Endpoint(EnvironmentVariable<'a>),
    /// A variable with this address that all functions have, possibly also those that do not post.
    SharedEndpoint(EnvironmentVariable<'a>),
    /// A variable with this address that the function's code, which is in the template, does not read.
    UnreadEndpoint(EnvironmentVariable<'a>),
    /// The function's code, which is in the template.
    Code,
}

/// Returns the functions that post, those with the strongest evidence first.
pub(crate) fn posting_functions<'a>(facts: &Facts<'a>) -> Vec<PostingFunction<'a>> {
    let functions_behind = facts.message_functions();
    let endpoints = facts.endpoints();
    let shared = SharedVariables::of(endpoints, functions_behind);
    let mut posts: Vec<PostingFunction<'a>> = Vec::new();
    for function in &facts.model.functions {
        if !posts_in_code(function) {
            continue;
        }
        let apis = functions_behind.get(&function.resource.logical_id);
        for api in apis.into_iter().flatten() {
            let evidence = PostEvidence::Code;
            posts.push(PostingFunction {
                function,
                api,
                evidence,
            });
        }
    }
    for endpoint in endpoints {
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
    let is_strong = |post: &PostingFunction<'_>| {
        matches!(
            post.evidence,
            PostEvidence::Code | PostEvidence::Endpoint(_)
        )
    };
    posts.sort_by_key(|post| !is_strong(post));
    posts
}

/// Returns true for an address of the management API: only `@connections` answers at the `https://` address of a
/// WebSocket API.
fn is_for_management(endpoint: &Endpoint<'_>) -> bool {
    let purpose = Purpose::of(endpoint.variable.name);
    match endpoint.scheme {
        Scheme::Https => purpose != Purpose::Clients,
        _ => purpose == Purpose::Management,
    }
}

/// Returns the functions behind integrations, with the WebSocket APIs that send them messages.
pub(crate) fn message_functions<'a>(facts: &Facts<'a>) -> HashMap<&'a LogicalId, Vec<&'a Api>> {
    let mut functions_behind: HashMap<&'a LogicalId, Vec<&'a Api>> = HashMap::new();
    for api in facts.websockets() {
        for integration in &api.integrations {
            let Some(function) = integration.function.function.to() else {
                continue;
            };
            let apis = functions_behind.entry(function).or_default();
            if !apis.iter().any(|known| known.id == api.id) {
                apis.push(api);
            }
        }
    }
    functions_behind
}

/// Counts how many functions have the same variable.
struct SharedVariables<'a> {
    /// Number of functions per location of a variable: more than one under `Globals`.
    by_location: HashMap<Span, usize>,
    /// Number of functions of an API that have a variable with this name and an address of the API.
    by_name: HashMap<(&'a LogicalId, &'a str), usize>,
    /// Number of functions of an API.
    functions: HashMap<&'a LogicalId, usize>,
}

impl<'a> SharedVariables<'a> {
    fn of(
        endpoints: &[Endpoint<'a>],
        functions_behind: &HashMap<&'a LogicalId, Vec<&'a Api>>,
    ) -> SharedVariables<'a> {
        let mut shared = SharedVariables {
            by_location: HashMap::new(),
            by_name: HashMap::new(),
            functions: HashMap::new(),
        };
        for id in functions_behind
            .values()
            .flatten()
            .filter_map(|api| api.id.to())
        {
            *shared.functions.entry(id).or_default() += 1;
        }
        for endpoint in endpoints {
            let variable = &endpoint.variable;
            *shared
                .by_location
                .entry(variable.location().span)
                .or_default() += 1;
            if let EndpointHost::WebSocket(api) = endpoint.host
                && let Some(id) = api.id.to()
                && functions_behind.contains_key(&variable.function.resource.logical_id)
            {
                *shared.by_name.entry((id, variable.name)).or_default() += 1;
            }
        }
        shared
    }

    fn has(&self, endpoint: &Endpoint<'a>, api: &'a Api) -> bool {
        let span = endpoint.variable.location().span;
        let by_location = self.by_location.get(&span).copied().unwrap_or_default();
        let id = api.id.to();
        let by_name = id.and_then(|id| self.by_name.get(&(id, endpoint.variable.name)));
        let functions = id.and_then(|id| self.functions.get(id));
        let by_all = by_name.is_some_and(|&by_name| by_name > 1 && Some(&by_name) == functions);
        (span.file.is_some() && by_location > 1) || by_all
    }
}

/// Returns true if the code is in the template and posts to connections.
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
