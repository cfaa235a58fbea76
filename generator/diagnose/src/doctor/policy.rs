//! Evaluation of IAM policies, as far as documents alone allow.

use serde::Deserialize;
use serde_json::Value;

/// The decision of policies on an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicyDecision {
    /// A statement allows it, and none denies it.
    Allowed,
    /// A statement allows or denies it under a condition that is not evaluated.
    Conditional,
    /// No statement allows it.
    NotAllowed,
    /// A statement denies it.
    Denied,
}

/// A policy document.
#[derive(Clone, Debug, Default)]
pub(crate) struct IamPolicy {
    statements: Vec<Statement>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Statement {
    effect: String,
    #[serde(default)]
    action: Option<OneOrMany>,
    #[serde(default)]
    not_action: Option<OneOrMany>,
    #[serde(default)]
    resource: Option<OneOrMany>,
    #[serde(default)]
    not_resource: Option<OneOrMany>,
    #[serde(default)]
    principal: Option<Value>,
    #[serde(default)]
    condition: Option<Value>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl OneOrMany {
    fn as_slice(&self) -> &[String] {
        match self {
            OneOrMany::One(one) => std::slice::from_ref(one),
            OneOrMany::Many(many) => many,
        }
    }
}

impl IamPolicy {
    /// Parses a document; `None` for a text that is none. A statement that cannot be read is left out.
    pub(crate) fn parse(text: &str) -> Option<IamPolicy> {
        let document: Value = serde_json::from_str(text).ok()?;
        let statements = match document.get("Statement")? {
            Value::Array(many) => many.clone(),
            one => vec![one.clone()],
        };
        let statements = statements.into_iter();
        Some(IamPolicy {
            statements: statements
                .filter_map(|one| serde_json::from_value(one).ok())
                .collect(),
        })
    }

    /// Decides whether the policies of a role allow an action on a resource.
    pub(crate) fn decide(policies: &[IamPolicy], action: &str, resource: &str) -> PolicyDecision {
        let statements = policies.iter().flat_map(|policy| &policy.statements);
        let about: Vec<_> = statements
            .filter(|one| one.names_action(action) && one.names_resource(resource))
            .collect();
        let has = |effect: &str, conditional: bool| {
            about
                .iter()
                .any(|one| one.effect == effect && one.condition.is_some() == conditional)
        };
        if has("Deny", false) {
            return PolicyDecision::Denied;
        }
        match (has("Allow", false), has("Allow", true), has("Deny", true)) {
            (true, _, false) => PolicyDecision::Allowed,
            (true, _, true) | (false, true, _) => PolicyDecision::Conditional,
            (false, false, _) => PolicyDecision::NotAllowed,
        }
    }

    /// Decides whether the resource policy of a function lets API Gateway invoke it for a source.
    pub(crate) fn lets_gateway_invoke(&self, source_arn: &str, account: &str) -> bool {
        let invokes = |one: &&Statement| {
            one.effect == "Allow"
                && one.names_action("lambda:InvokeFunction")
                && one.is_for_gateway()
                && one.covers_source(source_arn, account)
        };
        self.statements.iter().any(|one| invokes(&one))
    }
}

impl Statement {
    fn names_action(&self, action: &str) -> bool {
        let is_named = |patterns: &OneOrMany| {
            let mut patterns = patterns.as_slice().iter();
            patterns
                .any(|pattern| glob(&pattern.to_ascii_lowercase(), &action.to_ascii_lowercase()))
        };
        match (&self.action, &self.not_action) {
            (Some(patterns), _) => is_named(patterns),
            (None, Some(patterns)) => !is_named(patterns),
            (None, None) => false,
        }
    }

    fn names_resource(&self, resource: &str) -> bool {
        let is_named = |patterns: &OneOrMany| {
            let mut patterns = patterns.as_slice().iter();
            patterns.any(|pattern| glob(pattern, resource))
        };
        match (&self.resource, &self.not_resource) {
            (Some(patterns), _) => is_named(patterns),
            (None, Some(patterns)) => !is_named(patterns),
            (None, None) => false,
        }
    }

    fn is_for_gateway(&self) -> bool {
        let is_gateway =
            |text: &Value| matches!(text.as_str(), Some("apigateway.amazonaws.com" | "*"));
        match &self.principal {
            Some(Value::Object(map)) => {
                let named = map.get("Service").or_else(|| map.get("AWS"));
                match named {
                    Some(Value::Array(many)) => many.iter().any(is_gateway),
                    Some(one) => is_gateway(one),
                    None => false,
                }
            }
            Some(text) => is_gateway(text),
            None => false,
        }
    }

    /// True if the conditions admit the source. A condition that is not about the source counts as met: API Gateway's
    /// requests have no other property that is known here.
    fn covers_source(&self, source_arn: &str, account: &str) -> bool {
        let Some(Value::Object(operators)) = &self.condition else {
            return true;
        };
        let conditions = operators.values().filter_map(Value::as_object).flatten();
        conditions
            .filter_map(|(key, value)| {
                let actual = match key.to_ascii_lowercase().as_str() {
                    "aws:sourcearn" => source_arn,
                    "aws:sourceaccount" => account,
                    _ => return None,
                };
                Some(match value {
                    Value::Array(many) => many
                        .iter()
                        .filter_map(Value::as_str)
                        .any(|pattern| glob(pattern, actual)),
                    one => one.as_str().is_some_and(|pattern| glob(pattern, actual)),
                })
            })
            .all(|is_met| is_met)
    }
}

/// True if a text matches a pattern, in which `*` stands for any text and `?` for one character.
fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), text.chars().collect());
    let (mut at, mut in_text) = (0, 0);
    // Where to continue if the text after the last star does not match: the star, and the text that it stands for.
    let mut star: Option<(usize, usize)> = None;
    while in_text < text.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, in_text));
                at += 1;
            }
            Some(&c) if c == '?' || c == text[in_text] => {
                at += 1;
                in_text += 1;
            }
            _ => {
                let Some((star_at, covered)) = star else {
                    return false;
                };
                star = Some((star_at, covered + 1));
                at = star_at + 1;
                in_text = covered + 1;
            }
        }
    }
    pattern[at..].iter().all(|&c| c == '*')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const POSTS: &str =
        "arn:aws:execute-api:us-east-1:111122223333:abc/prod/POST/@connections/{connectionId}";

    fn decide(statements: &Value) -> PolicyDecision {
        let document = json!({ "Version": "2012-10-17", "Statement": statements }).to_string();
        let policies = [IamPolicy::parse(&document).unwrap()];
        IamPolicy::decide(&policies, "execute-api:ManageConnections", POSTS)
    }

    #[test]
    fn row_k1_a_role_posts_if_a_statement_names_connections_of_the_stage() {
        let allow = |resource: &str| {
            decide(&json!({
                "Effect": "Allow", "Action": "execute-api:manageconnections", "Resource": resource,
            }))
        };
        let all = "arn:aws:execute-api:us-east-1:111122223333:abc/prod/*/@connections/*";
        assert_eq!(allow(all), PolicyDecision::Allowed);
        assert_eq!(allow(POSTS), PolicyDecision::Allowed);
        assert_eq!(
            allow("arn:aws:execute-api:us-east-1:111122223333:abc/dev/POST/@connections/*"),
            PolicyDecision::NotAllowed
        );
    }

    #[test]
    fn a_deny_decides_and_a_condition_leaves_it_open() {
        let allow = json!({ "Effect": "Allow", "Action": "*", "Resource": "*" });
        let deny = json!({ "Effect": "Deny", "NotAction": "lambda:*", "Resource": "*" });
        assert_eq!(decide(&json!([allow, deny])), PolicyDecision::Denied);
        let if_tagged = json!({
            "Effect": "Allow", "Action": "execute-api:*", "Resource": "*", "Condition": { "Bool": { "aws:x": "true" } },
        });
        assert_eq!(decide(&json!([if_tagged])), PolicyDecision::Conditional);
        assert_eq!(decide(&json!([allow, if_tagged])), PolicyDecision::Allowed);
        assert_eq!(decide(&json!([])), PolicyDecision::NotAllowed);
    }

    #[test]
    fn a_function_is_invoked_for_the_sources_that_its_policy_names() {
        let policy = |principal: Value, condition: Value| {
            let statement = json!({
                "Effect": "Allow", "Principal": principal, "Action": "lambda:InvokeFunction",
                "Resource": "arn:aws:lambda:us-east-1:111122223333:function:chat", "Condition": condition,
            });
            IamPolicy::parse(&json!({ "Statement": [statement] }).to_string()).unwrap()
        };
        let gateway = json!({ "Service": "apigateway.amazonaws.com" });
        let source = |pattern: &str| json!({ "ArnLike": { "AWS:SourceArn": pattern } });
        let connect = "arn:aws:execute-api:us-east-1:111122223333:abc/prod/$connect";
        let invokes = |policy: IamPolicy| policy.lets_gateway_invoke(connect, "111122223333");
        let of_api = "arn:aws:execute-api:us-east-1:111122223333:abc/*";
        assert!(invokes(policy(gateway.clone(), source(of_api))));
        assert!(invokes(policy(gateway.clone(), json!({}))));
        assert!(!invokes(policy(
            gateway.clone(),
            source("arn:aws:execute-api:us-east-1:111122223333:abc/prod/$disconnect")
        )));
        assert!(!invokes(policy(
            gateway,
            json!({ "StringEquals": { "AWS:SourceAccount": "444455556666" } })
        )));
        assert!(!invokes(policy(
            json!({ "Service": "events.amazonaws.com" }),
            source(of_api)
        )));
    }

    #[test]
    fn a_text_that_is_no_policy_is_none() {
        for text in ["", "{}", "[]", "not JSON"] {
            assert!(IamPolicy::parse(text).is_none(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn stars_match_any_text_and_other_characters_themselves(parts in prop::collection::vec("[a-z/:?]{0,4}", 1..5), fill in "[a-z*?/]{0,6}") {
            let plain: Vec<String> = parts.iter().map(|part| part.replace('?', "x")).collect();
            prop_assert!(glob(&parts.join("*"), &plain.join(&fill)));
            prop_assert!(glob("*", &fill));
            let longer = format!("{}!", plain.concat());
            prop_assert!(!glob(&plain.concat(), &longer));
        }
    }
}
