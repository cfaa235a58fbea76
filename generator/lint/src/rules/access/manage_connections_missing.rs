use std::collections::HashSet;

use stackgen_model::{Grant, LogicalId, Role, Text};

use crate::context::Context;
use crate::facts::arn::Match;
use crate::facts::connections::{self, Connections, MANAGE};
use crate::facts::posts::{self, Evidence, Post};
use crate::facts::roles::{self, Roles};
use crate::rule::rule;
use crate::{Confidence, Finding, Place};

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
    /// template tells all that it grants. When all functions behind the API hold the address, or the code in the template
    /// does not read it, the function may not post: then it is a note.
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
    example: "access/manage_connections_missing.diff",
}

fn check(context: &Context<'_>) -> Vec<Finding> {
    let posts = posts::posts(context);
    if posts.is_empty() {
        return Vec::new();
    }
    let roles = Roles::of(context.model);
    let connections = Connections::of(context);
    let mut judged = HashSet::new();
    let mut findings = Vec::new();
    for post in &posts {
        let (Some(role), Some(api)) = (roles.whole(post.function), post.api.id.to()) else {
            continue;
        };
        let first = judged.insert((&role.resource.logical_id, api));
        if first && is_missing(&connections, role, api) {
            findings.push(of_post(context, role, post));
        }
    }
    findings
}

/// Whether nothing comes near. What is granted in vain, or on another api, is the finding of other rules.
fn is_missing(connections: &Connections<'_>, role: &Role, api: &LogicalId) -> bool {
    let comes_near = |grant: &Grant| {
        let of_api = |text: &Text| connections.reach(text, api) != Match::No;
        let of_any = |text: &Text| text.to_string().contains("@connections");
        let manages = roles::may_allow(grant, MANAGE);
        let in_vain = |text: &Text| connections.reach_any(text) == Match::No;
        !grant.not_resources.is_empty() && manages
            || grant.resources.iter().any(|text| match manages {
                true => of_api(text) || in_vain(text),
                false => of_any(text),
            })
    };
    !role.grants.iter().any(comes_near)
}

fn of_post(context: &Context<'_>, role: &Role, post: &Post<'_>) -> Finding {
    let function = &post.function.resource.logical_id;
    let (id, api) = (&role.resource.logical_id, &post.api.id.to());
    let api = api.map(|id| id.as_str()).unwrap_or_default();
    let message =
        format!("{function} posts to connections of {api}, and its role {id} does not allow it to");
    let finding = Finding::new(&RULE, Place::of(&role.resource, &[]), message);
    let finding = match post.evidence {
        Evidence::Code => {
            let place = Place::of(&post.function.resource, &["Code"]);
            finding.related(place, "its code posts")
        }
        Evidence::Endpoint(variable) => {
            finding.related(variable.place(), "it is told where to post")
        }
        Evidence::SharedEndpoint(variable) => finding
            .related(variable.place(), "all functions are told this address")
            .with_confidence(Confidence::Low),
        Evidence::IdleEndpoint(variable) => finding
            .related(
                variable.place(),
                "the code in the template does not read it",
            )
            .with_confidence(Confidence::Low),
    };
    match connections::to_write(context, post.api, "POST") {
        Some(arn) => finding.hint(format!("allow `{MANAGE}` on `{arn}`")),
        None => finding.hint(format!("allow `{MANAGE}` on the connections of {api}")),
    }
}
