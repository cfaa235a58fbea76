//! IAM roles of functions and of API Gateway.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use serde::Deserialize;
use serde_json::Value;

use crate::pattern_matches;

/// All roles by name. Methods accept names and ARNs.
#[derive(Debug, Default)]
pub struct RoleStore {
    all: RwLock<HashMap<String, Vec<PolicyStatement>>>,
}

/// Statement of a policy.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PolicyStatement {
    /// Effect on the actions and resources that match.
    pub effect: PolicyEffect,
    /// Patterns of actions that match.
    #[serde(default, deserialize_with = "one_or_many")]
    pub action: Option<Vec<String>>,
    /// Alternative to `action`: all actions except these match.
    #[serde(default, deserialize_with = "one_or_many")]
    pub not_action: Option<Vec<String>>,
    /// Patterns of resources that match.
    #[serde(default, deserialize_with = "one_or_many")]
    pub resource: Option<Vec<String>>,
    /// Alternative to `resource`: all resources except these match.
    #[serde(default, deserialize_with = "one_or_many")]
    pub not_resource: Option<Vec<String>>,
    /// Condition. Conditions are not evaluated: an `Allow` with a condition never applies, a `Deny` with one always
    /// does.
    #[serde(default)]
    pub condition: Option<Value>,
}

/// Effect of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum PolicyEffect {
    /// Allows the actions that match.
    Allow,
    /// Denies the actions that match, even if another statement allows them.
    Deny,
}

impl RoleStore {
    /// Declares or replaces the permissions of a role, which is a name or an ARN.
    pub fn declare(&self, role: &str, statements: Vec<PolicyStatement>) {
        let mut all = self.all.write().unwrap_or_else(PoisonError::into_inner);
        all.insert(name(role).to_owned(), statements);
    }

    /// Removes a role.
    pub fn remove(&self, role: &str) {
        let mut all = self.all.write().unwrap_or_else(PoisonError::into_inner);
        all.remove(name(role));
    }

    /// Returns true if the role was declared.
    pub fn has(&self, role: &str) -> bool {
        let all = self.all.read().unwrap_or_else(PoisonError::into_inner);
        all.contains_key(name(role))
    }

    /// Returns true if a statement of the role allows the action and none denies it. A role that was never declared may
    /// do nothing.
    pub fn allows(&self, role: &str, action: &str, resource: &str) -> bool {
        self.check(role, action, resource).is_ok()
    }

    /// Checks like [`RoleStore::allows`], with a reason.
    ///
    /// # Errors
    ///
    /// Returns IAM's message if the role lacks the permission.
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
        if about(PolicyEffect::Deny) {
            return Err(format!(
                "{role} is not authorized to perform: {action} on resource: {resource} with an explicit deny in an \
                 identity-based policy"
            ));
        }
        if about(PolicyEffect::Allow) {
            return Ok(());
        }
        Err(format!(
            "{role} is not authorized to perform: {action} on resource: {resource} because no identity-based policy \
             allows the {action} action"
        ))
    }
}

impl PolicyStatement {
    /// Parses the statements of a policy document.
    ///
    /// # Errors
    ///
    /// If the document is not a policy.
    pub fn parse_policy(document: &Value) -> Result<Vec<PolicyStatement>, serde_json::Error> {
        match &document["Statement"] {
            list @ Value::Array(_) => Deserialize::deserialize(list),
            one => Ok(vec![Deserialize::deserialize(one)?]),
        }
    }

    /// Returns the permissions of a policy that AWS manages, as far as the local services check them; `None` for an
    /// unknown policy.
    pub fn managed_policy(arn: &str) -> Option<Vec<PolicyStatement>> {
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
            "AmazonSQSFullAccess" => (&["sqs:*"], "*"),
            "AWSLambdaSQSQueueExecutionRole" => (
                &[
                    "sqs:ReceiveMessage",
                    "sqs:DeleteMessage",
                    "sqs:GetQueueAttributes",
                    "logs:*",
                ],
                "*",
            ),
            "AWSLambdaDynamoDBExecutionRole" => (
                &[
                    "dynamodb:DescribeStream",
                    "dynamodb:GetRecords",
                    "dynamodb:GetShardIterator",
                    "dynamodb:ListStreams",
                    "logs:*",
                ],
                "*",
            ),
            "AWSLambdaKinesisExecutionRole" => (
                &[
                    "kinesis:DescribeStream",
                    "kinesis:GetRecords",
                    "kinesis:GetShardIterator",
                    "kinesis:ListShards",
                    "logs:*",
                ],
                "*",
            ),
            _ => return None,
        };
        let actions = actions.iter().map(|&action| action.to_owned()).collect();
        Some(vec![PolicyStatement {
            effect: PolicyEffect::Allow,
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
            lower.any(|pattern| pattern_matches(&pattern, &action))
        };
        let action = match (&self.action, &self.not_action) {
            (Some(patterns), _) => named(patterns),
            (None, Some(patterns)) => !named(patterns),
            (None, None) => false,
        };
        let named = |patterns: &[String]| patterns.iter().any(|one| pattern_matches(one, resource));
        let resource = match (&self.resource, &self.not_resource) {
            (Some(patterns), _) => named(patterns),
            (None, Some(patterns)) => !named(patterns),
            (None, None) => false,
        };
        action && resource && (self.condition.is_none() || self.effect == PolicyEffect::Deny)
    }
}

/// Returns the name of a role or a policy: the last part of its ARN.
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

    fn roles(document: &Value) -> RoleStore {
        let roles = RoleStore::default();
        roles.declare(
            "worker",
            PolicyStatement::parse_policy(document).expect("a policy"),
        );
        roles
    }

    #[test]
    fn row_k1_a_role_may_do_only_what_its_statements_allow() {
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
    fn a_deny_overrides_and_an_allow_with_a_condition_never_applies() {
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
    fn row_d19_an_undeclared_role_may_do_nothing() {
        let refused = RoleStore::default().check("ghost", "lambda:InvokeFunction", POSTS);
        assert_eq!(
            refused.expect_err("a refusal"),
            "the role ghost is not known here: no template or policy declares it"
        );
    }
}
