use indexmap::IndexMap;
use stackgen_model::{Grant, LogicalId, Role, Text};

use crate::context::RuleContext;
use crate::facts::arn::Match;
use crate::facts::connection_arns::{self, ConnectionArns, MANAGE_CONNECTIONS};
use crate::facts::function_roles::{self};
use crate::facts::posting::{PostEvidence, PostingFunction};
use crate::rule::rule;
use crate::{Confidence, Finding, Location};

rule! {
    /// A function posts to connections, but its role does not allow it.
    ///
    /// ## Why it hurts
    ///
    /// PostToConnection, GetConnection and DeleteConnection need `execute-api:ManageConnections` on
    /// `{api}/{stage}/{method}/@connections/{id}` (row K1). Without it every call fails with 403, and clients receive
    /// nothing. `lambda:InvokeFunction` and `execute-api:Invoke` do not include it.
    ///
    /// A function counts as posting if its environment contains the `https://` address of the WebSocket API, where only
    /// `@connections` answers, or if its code in the template posts. Only roles whose grants are all in the template
    /// are checked. If all functions of the API have the address and some of them may post, or if the code in the
    /// template does not read it, the finding is a note, because the function may not post.
    ///
    /// ## How to fix it
    ///
    /// Allow `execute-api:ManageConnections` on the connections of this API in the function's role. With CDK, call
    /// `stage.grantManagementApiAccess(fn)`.
    id: "SG501",
    name: "manage-connections-missing",
    severity: Error,
    confidence: Medium,
    rows: ["K1"],
    fixable: false,
    example: "management/manage_connections_missing.diff",
}

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let posts = context.facts.posting_functions();
    if posts.is_empty() {
        return Vec::new();
    }
    let roles = context.facts.function_roles();
    let connections = context.facts.connection_arns();
    let mut of_api: IndexMap<&LogicalId, MissingGrants<'_>> = IndexMap::new();
    for post in posts {
        let Some(api) = post.api.id.to() else {
            continue;
        };
        let missing = of_api.entry(api).or_default();
        match roles.complete_role(post.function) {
            Some(role) if is_missing(connections, role, api) => missing.add(role, post),
            _ => missing.some_allowed = true,
        }
    }
    let findings = of_api.values();
    findings
        .flat_map(|missing| missing.findings(context))
        .collect()
}

/// Roles that lack the grant, among the functions that know the address of an API's management endpoint.
#[derive(Default)]
struct MissingGrants<'a> {
    /// The roles, each with the strongest evidence that a function posts.
    roles: IndexMap<&'a LogicalId, (&'a Role, &'a PostingFunction<'a>)>,
    /// True if another function is allowed to post, or may be.
    some_allowed: bool,
}

impl<'a> MissingGrants<'a> {
    fn add(&mut self, role: &'a Role, post: &'a PostingFunction<'a>) {
        let id = &role.resource.logical_id;
        self.roles.entry(id).or_insert((role, post));
    }

    fn findings(&self, context: &RuleContext<'_>) -> Vec<Finding> {
        let mut roles = self.roles.values();
        let Some(&(role, post)) = roles.next() else {
            return Vec::new();
        };
        // If all functions have the address, one of them must post.
        if matches!(post.evidence, PostEvidence::SharedEndpoint(_)) && !self.some_allowed {
            let others = roles.map(|(role, _)| *role).collect::<Vec<_>>();
            return vec![shared_finding(context, role, post, &others)];
        }
        let findings = self.roles.values();
        findings
            .map(|(role, post)| post_finding(context, role, post))
            .collect()
    }
}

/// Returns true if no grant comes close. Other rules report grants that match nothing.
fn is_missing(connections: &ConnectionArns<'_>, role: &Role, api: &LogicalId) -> bool {
    let is_related = |grant: &Grant| {
        let matches = |text: &Text| connections.matches_api(text, api) != Match::No;
        let names_connections = |text: &Text| text.to_string().contains("@connections");
        let manages = function_roles::may_allow(grant, MANAGE_CONNECTIONS);
        let matches_nothing = |text: &Text| connections.matches_any(text) == Match::No;
        !grant.not_resources.is_empty() && manages
            || grant.resources.iter().any(|text| match manages {
                true => matches(text) || matches_nothing(text),
                false => names_connections(text),
            })
    };
    !role.grants.iter().any(is_related)
}

/// Reports functions that all have the address and are all not allowed to post.
fn shared_finding(
    context: &RuleContext<'_>,
    role: &Role,
    post: &PostingFunction<'_>,
    others: &[&Role],
) -> Finding {
    const SHOWN: usize = 3;
    let (id, api) = (&role.resource.logical_id, post.api.id.to());
    let api = api.map(|id| id.as_str()).unwrap_or_default();
    let function = &post.function.resource.logical_id;
    let message = match others.len() {
        0 => {
            format!("{function} posts to connections of {api}, but its role {id} does not allow it")
        }
        more => format!(
            "{function} and {more} more have the management endpoint of {api}, but none of their roles \
             allows posting"
        ),
    };
    let finding = Finding::new(&RULE, Location::of(&role.resource, &[]), message);
    let finding = match post.evidence {
        PostEvidence::SharedEndpoint(variable) => {
            finding.related(variable.location(), "the management endpoint")
        }
        _ => finding,
    };
    let shown = others.iter().take(SHOWN);
    let finding = shown.fold(finding, |finding, other| {
        finding.related(
            Location::of(&other.resource, &[]),
            "does not allow it either",
        )
    });
    with_hint(finding, context, post)
}

fn post_finding(context: &RuleContext<'_>, role: &Role, post: &PostingFunction<'_>) -> Finding {
    let function = &post.function.resource.logical_id;
    let (id, api) = (&role.resource.logical_id, &post.api.id.to());
    let api = api.map(|id| id.as_str()).unwrap_or_default();
    let message =
        format!("{function} posts to connections of {api}, but its role {id} does not allow it");
    let finding = Finding::new(&RULE, Location::of(&role.resource, &[]), message);
    let finding = match post.evidence {
        PostEvidence::Code => {
            let location = Location::of(&post.function.resource, &["Code"]);
            finding.related(location, "its code posts")
        }
        PostEvidence::Endpoint(variable) => {
            finding.related(variable.location(), "the management endpoint")
        }
        PostEvidence::SharedEndpoint(variable) => finding
            .related(variable.location(), "all functions have this variable")
            .with_confidence(Confidence::Low),
        PostEvidence::UnreadEndpoint(variable) => finding
            .related(
                variable.location(),
                "the code in the template does not read it",
            )
            .with_confidence(Confidence::Low),
    };
    with_hint(finding, context, post)
}

fn with_hint(finding: Finding, context: &RuleContext<'_>, post: &PostingFunction<'_>) -> Finding {
    let api = post.api.id.to().map(LogicalId::as_str).unwrap_or_default();
    match connection_arns::suggested_arn(&context.facts, post.api, "POST") {
        Some(arn) => finding.hint(format!("allow `{MANAGE_CONNECTIONS}` on `{arn}`")),
        None => finding.hint(format!(
            "allow `{MANAGE_CONNECTIONS}` on the connections of {api}"
        )),
    }
}
