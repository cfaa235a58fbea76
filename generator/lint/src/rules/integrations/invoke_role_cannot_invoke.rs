use stackgen_model::LogicalId;

use crate::context::Context;
use crate::facts::invoke_role::{Lack, lacks};
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
    let mut found = Vec::new();
    for lack in lacks(context) {
        let (caller, role): (_, &LogicalId) = (lack.caller, &lack.role.resource.logical_id);
        let function = lack.function;
        let place = Place::of(caller, &[lack.property]);
        let id = &caller.logical_id;
        let (message, hint) = match lack.what {
            Lack::Trust => (
                format!("{id} invokes {function} as {role}, which API Gateway may not take"),
                "let the role trust the service `apigateway.amazonaws.com`".to_owned(),
            ),
            Lack::Grant => (
                format!(
                    "{id} invokes {function} as {role}, which may not invoke {}",
                    named(context.model, function, lack.qualifier)
                ),
                format!("allow {role} `lambda:InvokeFunction` on the ARN that {id} calls"),
            ),
        };
        let related = Place::of(&lack.role.resource, &[]);
        found.push(
            Finding::new(&RULE, place, message)
                .related(related, "the role")
                .hint(hint),
        );
    }
    found
}
