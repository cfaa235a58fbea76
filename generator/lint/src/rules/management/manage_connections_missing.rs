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
    /// A function posts to connections, and its role does not let it.
    ///
    /// ## Why it hurts
    ///
    /// PostToConnection, GetConnection and DeleteConnection need `execute-api:ManageConnections` on
    /// `{api}/{stage}/{method}/@connections/{id}` (row K1). Without it every call fails with 403, and clients hear nothing.
    /// `lambda:InvokeFunction` and `execute-api:Invoke` do not include it.
    ///
    /// That a function posts is told by its environment, when it holds the `https://` address of the WebSocket API, at which
    /// nothing but `@connections` answers, or by its code, when that stands in the template. A role is judged only when the
    /// template tells all that it grants. When all functions behind the API hold the address and some of
    /// them may post, or the code in the template does not read it, the function may not need to: then it is a note.
    ///
    /// ## How to fix it
    ///
    /// Allow `execute-api:ManageConnections` in the function's role, on the connections of this API. With CDK, call
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
            _ => missing.by_some = true,
        }
    }
    let findings = of_api.values();
    findings
        .flat_map(|missing| missing.findings(context))
        .collect()
}

/// What is missing of those who are told where to post to an API's connections.
#[derive(Default)]
struct MissingGrants<'a> {
    /// The roles, each with the post that is surest.
    roles: IndexMap<&'a LogicalId, (&'a Role, &'a PostingFunction<'a>)>,
    /// One of them may post, or is not known not to.
    by_some: bool,
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
        // Of those who are all told the address one posts, or nobody would be told.
        if matches!(post.evidence, PostEvidence::SharedEndpoint(_)) && !self.by_some {
            let others = roles.map(|(role, _)| *role).collect::<Vec<_>>();
            return vec![all_finding(context, role, post, &others)];
        }
        let findings = self.roles.values();
        findings
            .map(|(role, post)| post_finding(context, role, post))
            .collect()
    }
}

/// Whether nothing comes near. What is granted in vain, or on another api, is the finding of other rules.
fn is_missing(connections: &ConnectionArns<'_>, role: &Role, api: &LogicalId) -> bool {
    let comes_near = |grant: &Grant| {
        let of_api = |text: &Text| connections.matches_api(text, api) != Match::No;
        let of_any = |text: &Text| text.to_string().contains("@connections");
        let manages = function_roles::may_allow(grant, MANAGE_CONNECTIONS);
        let in_vain = |text: &Text| connections.matches_any(text) == Match::No;
        !grant.not_resources.is_empty() && manages
            || grant.resources.iter().any(|text| match manages {
                true => of_api(text) || in_vain(text),
                false => of_any(text),
            })
    };
    !role.grants.iter().any(comes_near)
}

/// Of functions that are all told the address, and of which none may post.
fn all_finding(
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
        0 => format!(
            "{function} posts to connections of {api}, and its role {id} does not allow it to"
        ),
        more => format!(
            "{function} and {more} more are told where to post to connections of {api}, and none of their roles \
             allows it"
        ),
    };
    let finding = Finding::new(&RULE, Location::of(&role.resource, &[]), message);
    let finding = match post.evidence {
        PostEvidence::SharedEndpoint(variable) => {
            finding.related(variable.location(), "it is told where to post")
        }
        _ => finding,
    };
    let shown = others.iter().take(SHOWN);
    let finding = shown.fold(finding, |finding, other| {
        finding.related(Location::of(&other.resource, &[]), "this does not either")
    });
    hinted(finding, context, post)
}

fn post_finding(context: &RuleContext<'_>, role: &Role, post: &PostingFunction<'_>) -> Finding {
    let function = &post.function.resource.logical_id;
    let (id, api) = (&role.resource.logical_id, &post.api.id.to());
    let api = api.map(|id| id.as_str()).unwrap_or_default();
    let message =
        format!("{function} posts to connections of {api}, and its role {id} does not allow it to");
    let finding = Finding::new(&RULE, Location::of(&role.resource, &[]), message);
    let finding = match post.evidence {
        PostEvidence::Code => {
            let location = Location::of(&post.function.resource, &["Code"]);
            finding.related(location, "its code posts")
        }
        PostEvidence::Endpoint(variable) => {
            finding.related(variable.location(), "it is told where to post")
        }
        PostEvidence::SharedEndpoint(variable) => finding
            .related(variable.location(), "all functions are told this address")
            .with_confidence(Confidence::Low),
        PostEvidence::UnreadEndpoint(variable) => finding
            .related(
                variable.location(),
                "the code in the template does not read it",
            )
            .with_confidence(Confidence::Low),
    };
    hinted(finding, context, post)
}

fn hinted(finding: Finding, context: &RuleContext<'_>, post: &PostingFunction<'_>) -> Finding {
    let api = post.api.id.to().map(LogicalId::as_str).unwrap_or_default();
    match connection_arns::suggested_arn(&context.facts, post.api, "POST") {
        Some(arn) => finding.hint(format!("allow `{MANAGE_CONNECTIONS}` on `{arn}`")),
        None => finding.hint(format!(
            "allow `{MANAGE_CONNECTIONS}` on the connections of {api}"
        )),
    }
}
