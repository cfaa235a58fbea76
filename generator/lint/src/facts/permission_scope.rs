//! How many APIs a permission admits.

use stackgen_model::{LogicalId, Permission, Text};

use super::permissions::is_for_api_gateway;
use crate::{Finding, Location, Rule, Severity};

/// How much too wide a permission for API Gateway is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PermissionScope {
    /// Anybody at all, API Gateway or not.
    Anybody,
    /// Any API of any account.
    AnyAccount,
    /// Any API of one account.
    OneAccount,
}

/// How much too wide; `None` for a permission that names an API, or of which that is not known.
fn scope(permission: &Permission) -> Option<PermissionScope> {
    if !is_for_api_gateway(permission) {
        return None;
    }
    let properties = &permission.resource.properties;
    let of_account = properties.get("SourceAccount").is_some();
    let bound = ["PrincipalOrgID", "EventSourceToken", "FunctionUrlAuthType"]
        .iter()
        .any(|key| properties.get(key).is_some());
    let anybody = permission.principal.as_ref().and_then(Text::as_literal) == Some("*");
    let unbounded = match (of_account, anybody && !bound) {
        (true, _) => PermissionScope::OneAccount,
        (false, true) => PermissionScope::Anybody,
        (false, false) => PermissionScope::AnyAccount,
    };
    let Some(source) = &permission.source_arn else {
        return Some(unbounded);
    };
    let mut rest = source.clone();
    let mut account = Text::new();
    // `arn`, partition, service, region, account.
    for _ in 0..5 {
        match rest.split_once(":") {
            Some((before, after)) => (account, rest) = (before, after),
            // A pattern that stops short of the API, as `*` does, admits every one.
            None => return ends_open(&rest).then_some(unbounded),
        }
    }
    match (starts_open(&rest), account.as_literal()) {
        (false, _) => None,
        (true, Some("*")) => Some(unbounded),
        (true, _) => Some(PermissionScope::OneAccount),
    }
}

fn ends_open(text: &Text) -> bool {
    text.unknown().is_none() && text.strip_suffix("*").is_some()
}

/// Whether a resource part leaves the API open: `*`, `*/prod/*`.
fn starts_open(text: &Text) -> bool {
    text.strip_prefix("*").is_some()
}

/// What there is to say of a permission that is too wide, by the rule that judges it. `api` is
/// one that calls the function, and `end` the end of the ARN that is not too wide.
pub(crate) fn scope_finding(
    rule: &'static Rule,
    permission: &Permission,
    api: &LogicalId,
    end: &str,
) -> Option<Finding> {
    let width = scope(permission)?;
    let resource = &permission.resource;
    let (id, function) = (&resource.logical_id, permission.function.function.to()?);
    let whom = match width {
        PermissionScope::Anybody => "anybody, through API Gateway or not,",
        PermissionScope::AnyAccount => "any API of any AWS account",
        PermissionScope::OneAccount => "any API of the account",
    };
    let message = format!("{id} lets {whom} invoke {function}");
    let source = "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}";
    let hint = format!("set `SourceArn: !Sub {source}:${{{api}}}/{end}`");
    let path: &[&str] = match &permission.source_arn {
        Some(_) => &["SourceArn"],
        None => &[],
    };
    let finding = Finding::new(rule, Location::of(resource, path), message).hint(hint);
    Some(match width {
        // Whoever makes an API in the account may do so much there that this is hygiene.
        PermissionScope::OneAccount => Finding {
            severity: Severity::Note,
            ..finding
        },
        _ => finding,
    })
}
