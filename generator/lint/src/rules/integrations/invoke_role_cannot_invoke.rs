use indexmap::IndexMap;
use stackgen_model::LogicalId;

use crate::context::RuleContext;
use crate::facts::invoke_role::{RoleGap, RoleProblem, role_problems};
use crate::facts::permissions::describe_target;
use crate::rule::rule;
use crate::{Finding, Location};

rule! {
    /// The role of an integration or authorizer cannot invoke its function, or API Gateway cannot assume it.
    ///
    /// ## Why it hurts
    ///
    /// With `CredentialsArn` or `AuthorizerCredentialsArn` API Gateway assumes the role to invoke the function; the
    /// function's own permissions do not count. If the role's trust policy does not name `apigateway.amazonaws.com`, or
    /// no statement allows `lambda:InvokeFunction` on the called ARN, handshakes fail with 500 and messages with an
    /// `Internal server error` frame (rows C7, A16), and the function's log is empty. A statement for the function's
    /// ARN does not cover its versions and aliases.
    ///
    /// ## How to fix it
    ///
    /// Let the role trust `apigateway.amazonaws.com` and allow `lambda:InvokeFunction` on the called ARN. Or remove the
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
    // A gap in a role is one mistake, however many callers the role has.
    let mut of_role: IndexMap<(&LogicalId, RoleGap), Vec<RoleProblem<'_>>> = IndexMap::new();
    for problem in role_problems(&context.facts) {
        let key = (&problem.role.resource.logical_id, problem.gap);
        of_role.entry(key).or_default().push(problem);
    }
    let of_role = of_role.values();
    of_role
        .filter_map(|problems| Some(role_finding(context, problems.split_first()?)))
        .collect()
}

fn role_finding(
    context: &RuleContext<'_>,
    (first, others): (&RoleProblem<'_>, &[RoleProblem<'_>]),
) -> Finding {
    let (role, function) = (&first.role.resource.logical_id, first.function);
    let id = &first.caller.logical_id;
    let also = match others.len() {
        0 => String::new(),
        1 => format!("; so does {}", others[0].caller.logical_id),
        more => format!("; so do {more} others"),
    };
    let (message, hint) = match first.gap {
        RoleGap::Trust => (
            format!(
                "{id} invokes {function} with role {role}, which API Gateway cannot assume{also}"
            ),
            "add the service `apigateway.amazonaws.com` to the role's trust policy".to_owned(),
        ),
        RoleGap::Grant => (
            format!(
                "{id} invokes {function} with role {role}, which does not allow it to invoke {}{also}",
                describe_target(context.model, function, first.qualifier)
            ),
            format!("allow `lambda:InvokeFunction` in {role} on the ARN that {id} calls"),
        ),
    };
    let location = Location::of(first.caller, &[first.property]);
    let role = Location::of(&first.role.resource, &[]);
    let finding = Finding::new(&RULE, location, message)
        .related(role, "the role")
        .hint(hint);
    others.iter().take(SHOWN).fold(finding, |finding, problem| {
        finding.related(
            Location::of(problem.caller, &[problem.property]),
            "also uses the role",
        )
    })
}

/// Maximum number of other callers in a finding.
const SHOWN: usize = 3;
