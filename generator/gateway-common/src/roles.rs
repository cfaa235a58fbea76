//! IAM roles of functions and of API Gateway: what they may do.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use serde::Deserialize;
use serde_json::Value;

use crate::matches;

/// All roles. A role is known by its name: ARNs and names are taken alike.
#[derive(Debug, Default)]
pub struct Roles {
    all: RwLock<HashMap<String, Vec<Statement>>>,
}

/// A statement of a policy.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Statement {
    /// What it does with what it matches.
    pub effect: Effect,
    /// Actions that it is about, with wildcards.
    #[serde(default, deserialize_with = "one_or_many")]
    pub action: Option<Vec<String>>,
    /// Or: all but these.
    #[serde(default, deserialize_with = "one_or_many")]
    pub not_action: Option<Vec<String>>,
    /// Resources that it is about, with wildcards.
    #[serde(default, deserialize_with = "one_or_many")]
    pub resource: Option<Vec<String>>,
    /// Or: all but these.
    #[serde(default, deserialize_with = "one_or_many")]
    pub not_resource: Option<Vec<String>>,
    /// When it applies. Conditions are not evaluated: an `Allow` under one never does, a `Deny` always.
    #[serde(default)]
    pub condition: Option<Value>,
}

/// `Effect`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Effect {
    /// Grants.
    Allow,
    /// Refuses, whatever else grants.
    Deny,
}

impl Roles {
    /// Says what a role may do, in place of what was said before. `role` is a name or an ARN.
    pub fn declare(&self, role: &str, statements: Vec<Statement>) {
        let mut all = self.all.write().unwrap_or_else(PoisonError::into_inner);
        all.insert(name(role).to_owned(), statements);
    }

    /// Forgets a role.
    pub fn remove(&self, role: &str) {
        let mut all = self.all.write().unwrap_or_else(PoisonError::into_inner);
        all.remove(name(role));
    }

    /// True when a statement of the role allows this and none denies it. Of a role that nobody declared, nothing is known, and
    /// so it may do nothing.
    pub fn allows(&self, role: &str, action: &str, resource: &str) -> bool {
        self.check(role, action, resource).is_ok()
    }

    /// As [`Roles::allows`], with the reason.
    ///
    /// # Errors
    ///
    /// In IAM's words, why the role may not.
    pub fn check(&self, role: &str, action: &str, resource: &str) -> Result<(), String> {
        let all = self.all.read().unwrap_or_else(PoisonError::into_inner);
        let Some(statements) = all.get(name(role)) else {
            return Err(format!(
                "the role {role} is not known here: no template or policy declares it"
            ));
        };
        let about = |effect| {
            let mut of = statements.iter().filter(move |one| one.effect == effect);
            of.any(|one| one.is_about(action, resource))
        };
        if about(Effect::Deny) {
            return Err(format!(
                "{role} is not authorized to perform: {action} on resource: {resource} with an explicit deny in an \
                 identity-based policy"
            ));
        }
        if about(Effect::Allow) {
            return Ok(());
        }
        Err(format!(
            "{role} is not authorized to perform: {action} on resource: {resource} because no identity-based policy \
             allows the {action} action"
        ))
    }
}

impl Statement {
    /// The statements of a policy document.
    ///
    /// # Errors
    ///
    /// If it is none, with what is wrong.
    pub fn of_policy(document: &Value) -> Result<Vec<Statement>, serde_json::Error> {
        match &document["Statement"] {
            list @ Value::Array(_) => Deserialize::deserialize(list),
            one => Ok(vec![Deserialize::deserialize(one)?]),
        }
    }

    /// What a policy of AWS's own grants, as far as anything here asks for it; `None` when it is not known.
    pub fn of_managed_policy(arn: &str) -> Option<Vec<Statement>> {
        let (actions, resource): (&[&str], &str) = match name(arn) {
            "AdministratorAccess" | "PowerUserAccess" => (&["*"], "*"),
            "AWSLambdaBasicExecutionRole" => (&["logs:*"], "*"),
            "AWSXRayDaemonWriteAccess" => (&["xray:*"], "*"),
            "AWSLambdaVPCAccessExecutionRole" => (&["logs:*", "ec2:*"], "*"),
            "AWSLambdaRole" => (&["lambda:InvokeFunction"], "*"),
            "AWSLambda_FullAccess" => (&["lambda:*", "logs:*"], "*"),
            "AmazonAPIGatewayPushToCloudWatchLogs" => (&["logs:*"], "*"),
            "AmazonAPIGatewayInvokeFullAccess" => (
                &["execute-api:Invoke", "execute-api:ManageConnections"],
                "arn:aws:execute-api:*:*:*",
            ),
            "AmazonDynamoDBFullAccess" => (&["dynamodb:*"], "*"),
            _ => return None,
        };
        let actions = actions.iter().map(|&action| action.to_owned()).collect();
        Some(vec![Statement {
            effect: Effect::Allow,
            action: Some(actions),
            not_action: None,
            resource: Some(vec![resource.to_owned()]),
            not_resource: None,
            condition: None,
        }])
    }

    fn is_about(&self, action: &str, resource: &str) -> bool {
        let action = action.to_ascii_lowercase();
        let named = |patterns: &[String]| {
            let mut lower = patterns.iter().map(|pattern| pattern.to_ascii_lowercase());
            lower.any(|pattern| matches(&pattern, &action))
        };
        let action = match (&self.action, &self.not_action) {
            (Some(patterns), _) => named(patterns),
            (None, Some(patterns)) => !named(patterns),
            (None, None) => false,
        };
        let named = |patterns: &[String]| patterns.iter().any(|one| matches(one, resource));
        let resource = match (&self.resource, &self.not_resource) {
            (Some(patterns), _) => named(patterns),
            (None, Some(patterns)) => !named(patterns),
            (None, None) => false,
        };
        action && resource && (self.condition.is_none() || self.effect == Effect::Deny)
    }
}

/// A role's or a policy's name: the end of its ARN.
fn name(arn: &str) -> &str {
    arn.rsplit_once('/').map_or(arn, |(_, name)| name)
}

fn one_or_many<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Vec<String>>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum OneOrMany {
        One(String),
        Many(Vec<String>),
    }
    Ok(Some(match OneOrMany::deserialize(deserializer)? {
        OneOrMany::One(one) => vec![one],
        OneOrMany::Many(many) => many,
    }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const POSTS: &str = "arn:aws:execute-api:us-east-1:000000000000:abc/prod/POST/@connections/x=";

    fn roles(document: &Value) -> Roles {
        let roles = Roles::default();
        roles.declare("worker", Statement::of_policy(document).expect("a policy"));
        roles
    }

    #[test]
    fn row_k1_a_role_may_what_its_statements_allow_and_nothing_else() {
        let roles = roles(&json!({ "Statement": {
            "Effect": "Allow",
            "Action": "execute-api:ManageConnections",
            "Resource": ["arn:aws:execute-api:us-east-1:000000000000:abc/prod/*"],
        }}));
        let arn = "arn:aws:iam::000000000000:role/path/worker";
        assert!(roles.allows(arn, "execute-api:ManageConnections", POSTS));
        assert!(roles.allows("worker", "Execute-API:manageconnections", POSTS));
        assert!(!roles.allows(arn, "execute-api:Invoke", POSTS));
        assert!(!roles.allows(arn, "execute-api:ManageConnections", "arn:aws:x"));
    }

    #[test]
    fn a_deny_wins_and_a_condition_never_grants() {
        let denied = roles(&json!({ "Statement": [
            { "Effect": "Allow", "Action": "*", "Resource": "*" },
            { "Effect": "Deny", "NotAction": "lambda:*", "NotResource": "arn:aws:s3:::*" },
        ]}));
        assert!(denied.allows("worker", "lambda:InvokeFunction", POSTS));
        assert!(!denied.allows("worker", "execute-api:ManageConnections", POSTS));
        let conditional = roles(&json!({ "Statement": [
            { "Effect": "Allow", "Action": "*", "Resource": "*", "Condition": { "Bool": { "aws:x": "true" } } },
        ]}));
        assert!(!conditional.allows("worker", "lambda:InvokeFunction", POSTS));
    }

    #[test]
    fn row_d19_a_role_that_nobody_declared_may_nothing_and_the_reason_says_so() {
        let refused = Roles::default().check("ghost", "lambda:InvokeFunction", POSTS);
        assert_eq!(
            refused.expect_err("a refusal"),
            "the role ghost is not known here: no template or policy declares it"
        );
    }
}
