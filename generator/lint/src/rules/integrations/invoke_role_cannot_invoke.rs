use indexmap::IndexMap;
use stackgen_model::LogicalId;

use crate::context::Context;
use crate::facts::invoke_role::{Lack, RoleLack, lacks};
use crate::facts::permissions::named;
use crate::rule::rule;
use crate::{Finding, Place};

rule! {
    /// The role that an integration or authorizer invokes its function as may not invoke it, or is not API Gateway's to take.
    ///
    /// ## Why it hurts
    ///
    /// With `CredentialsArn` or `AuthorizerCredentialsArn` API Gateway takes the role and invokes the function as it; the
    /// function's own permissions do not count. Where the role's trust does not name `apigateway.amazonaws.com`, or none of its
    /// statements allows `lambda:InvokeFunction` on what is called, the handshake is answered with 500 and messages with an
    /// `Internal server error` frame (rows C7, A16), and the function's log is empty. A statement for the function's own ARN does not
    /// cover its versions and aliases.
    ///
    /// ## How to fix it
    ///
    /// Let the role trust `apigateway.amazonaws.com` and allow `lambda:InvokeFunction` on the ARN that is called. Or remove the
    /// role and add an `AWS::Lambda::Permission`.
    id: "SG316",
    name: "invoke-role-cannot-invoke",
    severity: Error,
    confidence: High,
    rows: ["C7", "A16", "D19"],
    fixable: false,
    example: "integrations/invoke_role_cannot_invoke.diff",
}

fn check(context: &Context<'_>) -> Vec<Finding> {
    // What a role lacks is one mistake, for however many callers it does.
    let mut of_role: IndexMap<(&LogicalId, Lack), Vec<RoleLack<'_>>> = IndexMap::new();
    for lack in lacks(&context.facts) {
        let key = (&lack.role.resource.logical_id, lack.what);
        of_role.entry(key).or_default().push(lack);
    }
    let of_role = of_role.values();
    of_role
        .filter_map(|lacks| Some(of_role_lacks(context, lacks.split_first()?)))
        .collect()
}

fn of_role_lacks(
    context: &Context<'_>,
    (first, others): (&RoleLack<'_>, &[RoleLack<'_>]),
) -> Finding {
    let (role, function) = (&first.role.resource.logical_id, first.function);
    let id = &first.caller.logical_id;
    let also = match others.len() {
        0 => String::new(),
        1 => format!(", and {} does too", others[0].caller.logical_id),
        more => format!(", and {more} others do too"),
    };
    let (message, hint) = match first.what {
        Lack::Trust => (
            format!("{id} invokes {function} as {role}, which API Gateway may not take{also}"),
            "let the role trust the service `apigateway.amazonaws.com`".to_owned(),
        ),
        Lack::Grant => (
            format!(
                "{id} invokes {function} as {role}, which may not invoke {}{also}",
                named(context.model, function, first.qualifier)
            ),
            format!("allow {role} `lambda:InvokeFunction` on the ARN that {id} calls"),
        ),
    };
    let place = Place::of(first.caller, &[first.property]);
    let role = Place::of(&first.role.resource, &[]);
    let finding = Finding::new(&RULE, place, message)
        .related(role, "the role")
        .hint(hint);
    others.iter().take(SHOWN).fold(finding, |finding, lack| {
        finding.related(Place::of(lack.caller, &[lack.property]), "so does this")
    })
}

/// How many other callers of a role are shown.
const SHOWN: usize = 3;
