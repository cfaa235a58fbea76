use std::collections::HashMap;

use stackgen_model::{Model, Permission, Text};

use crate::context::RuleContext;
use crate::facts::permissions::describe_target;
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// A function has more permissions than fit into its policy.
    ///
    /// ## Why it hurts
    ///
    /// Every `AWS::Lambda::Permission` is a statement of the function's resource policy, and Lambda stores at most
    /// 20,480 bytes of policy per function, version or alias. One permission per route, as CDK and SAM write them,
    /// exceeds that at about sixty routes of one function: `The final policy size (20778) is bigger than the limit
    /// (20480)`, and the stack rolls back. This rule counts the minimum size of the statements.
    ///
    /// ## How to fix it
    ///
    /// Write one permission for all routes, with a `SourceArn` that ends in `${Api}/*`. Or set `CredentialsArn` to a
    /// role that may invoke the function, and remove the permissions.
    id: "SG319",
    name: "function-policy-too-large",
    severity: Error,
    confidence: High,
    rows: [],
    fixable: false,
    example: "integrations/function_policy_too_large.diff",
}

/// Maximum size of a policy in bytes.
const MAX_BYTES: usize = 20_480;

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    let called = context.facts.called_functions();
    let mut policies: HashMap<_, Vec<&Permission>> = HashMap::new();
    for permission in &context.model.permissions {
        let function = permission.function.function.to();
        let Some(function) = function.filter(|it| called.contains_key(it)) else {
            continue;
        };
        if permission.resource.conditional.is_none() {
            let key = (function, format!("{:?}", permission.function.qualifier));
            policies.entry(key).or_default().push(permission);
        }
    }
    let found = policies
        .values()
        .filter_map(|it| check_policy(context.model, it));
    found.collect()
}

fn check_policy(model: &Model, permissions: &[&Permission]) -> Option<Finding> {
    let first = permissions.first()?;
    let size: usize = permissions
        .iter()
        .map(|permission| min_statement_size(permission))
        .sum();
    if size <= MAX_BYTES {
        return None;
    }
    let function = first.function.function.to()?;
    let of = match first.function.qualifier.as_ref() {
        None => function.to_string(),
        qualifier => describe_target(model, function, qualifier),
    };
    let message = format!(
        "the policy of {of} has {} statements with at least {size} bytes, but Lambda allows {MAX_BYTES}",
        permissions.len()
    );
    let last = permissions.last()?;
    Some(
        Finding::new(&RULE, Location::of(&first.resource, &[]), message)
            .related(Location::of(&last.resource, &[]), "the last statement")
            .hint("write one permission whose `SourceArn` ends in `${Api}/*`"),
    )
}

/// Returns the minimum size of a permission's statement in bytes.
fn min_statement_size(permission: &Permission) -> usize {
    // CloudFormation builds the statement ID from the stack's name (at least one letter), the logical ID and a random
    // part, and truncates it.
    let sid = (permission.resource.logical_id.as_str().len() + 15).min(50);
    let statement =
        r#"{"Sid":"","Effect":"Allow","Principal":{"Service":""},"Action":"","Resource":""},"#
            .len();
    let function = "arn:aws:lambda:us-east-1:123456789012:function:f".len();
    let condition = match &permission.source_arn {
        None => 0,
        Some(source) => {
            r#","Condition":{"ArnLike":{"AWS:SourceArn":""}}"#.len() + min_length(source)
        }
    };
    let texts = [&permission.action, &permission.principal];
    let texts: usize = texts.into_iter().flatten().map(min_length).sum();
    sid + statement + function + condition + texts
}

/// Returns the minimum length of a text in bytes.
fn min_length(text: &Text) -> usize {
    use stackgen_model::{Piece, Pseudo};
    let piece = |piece: &Piece| match piece {
        Piece::Literal(text) => text.len(),
        Piece::Pseudo(Pseudo::AccountId) => "123456789012".len(),
        Piece::Pseudo(Pseudo::Region) => "us-east-1".len(),
        Piece::Pseudo(Pseudo::Partition) => "aws".len(),
        Piece::Reference(_) | Piece::Pseudo(_) => 1,
        Piece::Unknown(_) => 0,
    };
    text.pieces().iter().map(piece).sum()
}
