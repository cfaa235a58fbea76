use indexmap::IndexMap;
use stackgen_model::LogicalId;

use crate::context::RuleContext;
use crate::facts::invoke_role::{RoleGap, RoleProblem, role_problems};
use crate::facts::permissions::describe_target;
use crate::rule::rule;
use crate::{Finding, Location};

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

fn check(context: &RuleContext<'_>) -> Vec<Finding> {
    // What a role lacks is one mistake, for however many callers it does.
    let mut of_role: IndexMap<(&LogicalId, RoleGap), Vec<RoleProblem<'_>>> = IndexMap::new();
    for lack in role_problems(&context.facts) {
        let key = (&lack.role.resource.logical_id, lack.what);
        of_role.entry(key).or_default().push(lack);
    }
    let of_role = of_role.values();
    of_role
        .filter_map(|lacks| Some(role_lacks_finding(context, lacks.split_first()?)))
        .collect()
}

fn role_lacks_finding(
    context: &RuleContext<'_>,
    (first, others): (&RoleProblem<'_>, &[RoleProblem<'_>]),
) -> Finding {
    let (role, function) = (&first.role.resource.logical_id, first.function);
    let id = &first.caller.logical_id;
    let also = match others.len() {
        0 => String::new(),
        1 => format!(", and {} does too", others[0].caller.logical_id),
        more => format!(", and {more} others do too"),
    };
    let (message, hint) = match first.what {
        RoleGap::Trust => (
            format!("{id} invokes {function} as {role}, which API Gateway may not take{also}"),
            "let the role trust the service `apigateway.amazonaws.com`".to_owned(),
        ),
        RoleGap::Grant => (
            format!(
                "{id} invokes {function} as {role}, which may not invoke {}{also}",
                describe_target(context.model, function, first.qualifier)
            ),
            format!("allow {role} `lambda:InvokeFunction` on the ARN that {id} calls"),
        ),
    };
    let location = Location::of(first.caller, &[first.property]);
    let role = Location::of(&first.role.resource, &[]);
    let finding = Finding::new(&RULE, location, message)
        .related(role, "the role")
        .hint(hint);
    others.iter().take(SHOWN).fold(finding, |finding, lack| {
        finding.related(Location::of(lack.caller, &[lack.property]), "so does this")
    })
}

/// How many other callers of a role are shown.
const SHOWN: usize = 3;
