//! Decides whether API Gateway can invoke functions with the roles of integrations and authorizers.

use std::collections::HashMap;

use stackgen_model::{
    FunctionLink, Grant, Link, LogicalId, Model, Piece, Qualifier, Reference, Resolved, Resource,
    Role, Text,
};

use crate::facts::Facts;
use crate::facts::arn::{self, Match};

/// A role of the template that does not allow what an integration or authorizer needs.
pub(crate) struct RoleProblem<'a> {
    pub(crate) role: &'a Role,
    /// The integration or authorizer.
    pub(crate) caller: &'a Resource,
    /// Its property that names the role.
    pub(crate) property: &'static str,
    pub(crate) function: &'a LogicalId,
    pub(crate) qualifier: Option<&'a Qualifier>,
    pub(crate) gap: RoleGap,
}

/// Missing part of a role.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum RoleGap {
    /// API Gateway cannot assume the role.
    Trust,
    /// The role does not allow the invocation.
    Grant,
}

/// An integration or authorizer, its role, its function, and the property that names the role.
type RoleInvocation<'a> = (&'a Resource, &'a Link, &'a FunctionLink, &'static str);

/// Maximum number of statements that are compared. A role's inline policies have at most 10 KB, its up to twenty
/// managed policies 6 KB each.
const MAX_STATEMENTS: usize = 1024;

/// Returns all of them, except for roles of which the template does not show every grant.
pub(crate) fn role_problems<'a>(facts: &Facts<'a>) -> Vec<RoleProblem<'a>> {
    let model = facts.model;
    if model.resources.values().any(|it| may_grant(it)) || !model.holds_all_wiring() {
        return Vec::new();
    }
    let roles: HashMap<_, _> = model
        .roles
        .iter()
        .map(|it| (&it.resource.logical_id, it))
        .collect();
    let integrations = facts.websockets().flat_map(|api| &api.integrations);
    let integrations = integrations.map(|it| {
        (
            &*it.resource,
            &it.credentials,
            &it.function,
            "CredentialsArn",
        )
    });
    let authorizers = facts.websockets().flat_map(|api| &api.authorizers);
    let authorizers = authorizers.map(|it| {
        (
            &*it.resource,
            &it.credentials,
            &it.function,
            "AuthorizerCredentialsArn",
        )
    });
    let problem = |(caller, credentials, link, property): RoleInvocation<'a>| {
        let (role, function) = (*roles.get(credentials.to()?)?, link.function.to()?);
        let gap = find_gap(model, role, link, function)?;
        Some(RoleProblem {
            role,
            caller,
            property,
            function,
            qualifier: link.qualifier.as_ref(),
            gap,
        })
    };
    integrations
        .chain(authorizers)
        .filter_map(problem)
        .collect()
}

fn find_gap(
    model: &Model,
    role: &Role,
    link: &FunctionLink,
    function: &LogicalId,
) -> Option<RoleGap> {
    if !trusts_api_gateway(role) {
        return Some(RoleGap::Trust);
    }
    let elsewhere = |policy: &Text| {
        let of_template = policy.as_reference();
        of_template.is_none_or(|it| model.resource(&it.logical_id).is_none())
    };
    let hidden = !role.unknown.is_empty() || role.managed_policies.iter().any(elsewhere);
    if hidden || role.grants.len() > MAX_STATEMENTS {
        return None;
    }
    let called = invoked_arn(link, function);
    let allows = |grant: &Grant| allows(model, grant, &called);
    (!role.grants.iter().any(allows)).then_some(RoleGap::Grant)
}

/// Returns true if a policy may belong to a role without being among its grants: it is attached to the role, or names
/// roles by other means than references.
fn may_grant(resource: &Resource) -> bool {
    let by_reference = |role: &Resolved| match role {
        Resolved::Text(text) => text.as_reference().is_some(),
        _ => false,
    };
    match resource.kind.as_str() {
        "AWS::IAM::RolePolicy" => true,
        "AWS::IAM::Policy" | "AWS::IAM::ManagedPolicy" => {
            let roles = resource.properties.get("Roles");
            roles.is_some_and(|roles| !roles.one_or_many().iter().all(by_reference))
        }
        _ => false,
    }
}

/// Returns false if API Gateway certainly cannot assume the role.
fn trusts_api_gateway(role: &Role) -> bool {
    let principal = |text: &Text| match text.pieces() {
        [Piece::Literal(text), ..] => text == "*" || text.starts_with("apigateway."),
        _ => true,
    };
    // A document that is partly unknown may also name it.
    let document = role.resource.properties.get("AssumeRolePolicyDocument");
    let statements = document.and_then(|it| it.get("Statement"));
    let known = statements.is_some_and(|it| {
        let principals = it.one_or_many().iter().map(|it| it.get("Principal"));
        principals
            .into_iter()
            .all(|it| it.is_some_and(|it| it.as_map().is_some()))
    });
    !known || role.trusted.iter().any(principal)
}

/// Returns the invoked ARN, as far as it is known.
fn invoked_arn(link: &FunctionLink, function: &LogicalId) -> Text {
    let reference = |id: &LogicalId, attribute: Option<&str>| {
        Piece::Reference(Reference {
            logical_id: id.clone(),
            attribute: attribute.map(str::to_owned),
        })
    };
    match &link.qualifier {
        None => Text::from(reference(function, Some("Arn"))),
        Some(Qualifier::Version(id) | Qualifier::Alias(id)) => Text::from(reference(id, None)),
        Some(Qualifier::Named(name)) => {
            let mut arn = Text::from(reference(function, Some("Arn")));
            arn.push(Piece::Literal(":".to_owned()));
            arn.append(name.clone());
            arn
        }
    }
}

fn allows(model: &Model, grant: &Grant, called: &Text) -> bool {
    let effect = grant.effect.as_ref().and_then(Text::as_literal);
    if effect == Some("Deny") {
        return false;
    }
    let action = Text::literal("lambda:invokefunction");
    let lower = |text: &Text| match text.as_literal() {
        Some(known) => Text::literal(known.to_ascii_lowercase()),
        None => text.clone(),
    };
    let acts = !grant.not_actions.is_empty()
        || grant
            .actions
            .iter()
            .any(|it| arn::matches(model, &lower(it), &action) != Match::No);
    let on = !grant.not_resources.is_empty()
        || grant.resources.iter().any(|it| may_be(model, it, called));
    acts && on
}

/// Returns true if a resource of a statement may be the invoked function.
fn may_be(model: &Model, resource: &Text, called: &Text) -> bool {
    let of = |text: &Text| text.references().next().map(|it| it.logical_id.clone());
    // `{function}:*` covers qualified ARNs, because they begin with the function's ARN.
    match (resource.as_reference(), called.as_reference()) {
        (Some(resource), Some(called)) if is_lambda(model, &resource.logical_id) => {
            resource == called
        }
        (Some(resource), None) if is_lambda(model, &resource.logical_id) => {
            resource.attribute.as_deref() != Some("Arn")
        }
        (None, _) if of(resource).is_some() && resource.strip_suffix(":*").is_some() => true,
        _ => arn::matches(model, resource, called) != Match::No,
    }
}

fn is_lambda(model: &Model, id: &LogicalId) -> bool {
    let kind = model.resource(id).map(|it| it.kind.as_str());
    matches!(
        kind,
        Some("AWS::Lambda::Function" | "AWS::Lambda::Version" | "AWS::Lambda::Alias")
    )
}
