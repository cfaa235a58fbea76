//! Does a permission allow more APIs than the one that calls the function?

use stackgen_model::{LogicalId, Permission, Text};

use super::permissions::is_for_api_gateway;
use crate::{Finding, Location, Rule, Severity};

/// Scope of a permission that names no API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PermissionScope {
    /// Every principal.
    AnyPrincipal,
    /// Every API of every account.
    AnyAccount,
    /// Every API of one account.
    OneAccount,
}

/// Returns the scope of a permission, or `None` if it names an API or its source is unknown.
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
        (false, true) => PermissionScope::AnyPrincipal,
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
            // A pattern that ends before the API, such as `*`, allows every API.
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

/// Returns true if the resource part of an ARN begins with a wildcard: `*`, `*/prod/*`.
fn starts_open(text: &Text) -> bool {
    text.strip_prefix("*").is_some()
}

/// Reports a permission without an API. `api` calls the function, and `end` is the end of the right ARN.
pub(crate) fn scope_finding(
    rule: &'static Rule,
    permission: &Permission,
    api: &LogicalId,
    end: &str,
) -> Option<Finding> {
    let width = scope(permission)?;
    let resource = &permission.resource;
    let (id, function) = (&resource.logical_id, permission.function.function.to()?);
    let who = match width {
        PermissionScope::AnyPrincipal => "any principal",
        PermissionScope::AnyAccount => "any API of any AWS account",
        PermissionScope::OneAccount => "any API of the account",
    };
    let message = format!("{id} allows {who} to invoke {function}");
    let source = "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}";
    let hint = format!("set `SourceArn: !Sub {source}:${{{api}}}/{end}`");
    let path: &[&str] = match &permission.source_arn {
        Some(_) => &["SourceArn"],
        None => &[],
    };
    let finding = Finding::new(rule, Location::of(resource, path), message).hint(hint);
    Some(match width {
        // Only those who can create an API in the account could use it.
        PermissionScope::OneAccount => Finding {
            severity: Severity::Note,
            ..finding
        },
        _ => finding,
    })
}
