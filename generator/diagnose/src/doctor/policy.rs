//! Evaluation of IAM policies, as far as documents alone allow.

use serde::Deserialize;
use serde_json::Value;

/// The decision of policies on an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicyDecision {
    /// A statement allows it, and none denies it.
    Allowed,
    /// A condition, or something else that cannot be judged, decides.
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
    /// True if a part of the document cannot be read.
    is_partial: bool,
}

/// Result of matching a statement with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum StatementMatch {
    /// It is about something else.
    No,
    /// It is about the request if a condition is met that cannot be judged.
    Unknown,
    /// It is about the request.
    Yes,
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
    /// Parses a document. What cannot be read leaves decisions open.
    pub(crate) fn parse(text: &str) -> IamPolicy {
        let document: Value = serde_json::from_str(text).unwrap_or_default();
        let statements = match document.get("Statement") {
            Some(Value::Array(many)) => many.clone(),
            Some(one) => vec![one.clone()],
            None => vec![Value::Null],
        };
        let count = statements.len();
        let readable = statements.into_iter();
        let statements: Vec<Statement> = readable
            .filter_map(|one| serde_json::from_value(one).ok())
            .collect();
        IamPolicy {
            is_partial: statements.len() < count,
            statements,
        }
    }

    /// Decides whether the policies of a role allow an action on a resource.
    pub(crate) fn decide(policies: &[IamPolicy], action: &str, resource: &str) -> PolicyDecision {
        let matched = |one: &Statement| match one.names_action(action) {
            false => StatementMatch::No,
            // The context of the request is not known.
            true if one.is_conditional() => {
                one.names_resource(resource).min(StatementMatch::Unknown)
            }
            true => one.names_resource(resource),
        };
        decision(policies, matched)
    }

    /// Decides whether the resource policy of a function lets API Gateway invoke it for a source.
    pub(crate) fn lets_gateway_invoke(&self, source_arn: &str, account: &str) -> PolicyDecision {
        let matched = |one: &Statement| match one.names_action("lambda:InvokeFunction")
            && one.is_for_gateway()
        {
            true => one
                .condition
                .as_ref()
                .map_or(StatementMatch::Yes, |condition| {
                    of_source(condition, source_arn, account)
                }),
            false => StatementMatch::No,
        };
        decision(std::slice::from_ref(self), matched)
    }
}

/// Returns the decision of policies: a denial wins, and an unknown one leaves an allowance open.
fn decision(
    policies: &[IamPolicy],
    matched: impl Fn(&Statement) -> StatementMatch,
) -> PolicyDecision {
    let strongest = |effect: &str| {
        let statements = policies.iter().flat_map(|policy| &policy.statements);
        let of_effect = statements.filter(|one| one.effect == effect);
        of_effect.map(&matched).max().unwrap_or(StatementMatch::No)
    };
    let is_partial = policies.iter().any(|policy| policy.is_partial);
    match (strongest("Deny"), strongest("Allow")) {
        (StatementMatch::Yes, _) => PolicyDecision::Denied,
        (StatementMatch::No, StatementMatch::Yes) if !is_partial => PolicyDecision::Allowed,
        (_, StatementMatch::No) if !is_partial => PolicyDecision::NotAllowed,
        _ => PolicyDecision::Conditional,
    }
}

/// Judges the conditions of a resource policy on a request of API Gateway, of which source and account are known.
fn of_source(condition: &Value, source_arn: &str, account: &str) -> StatementMatch {
    let Value::Object(operators) = condition else {
        return StatementMatch::Unknown;
    };
    let met = operators.iter().flat_map(|(operator, keys)| {
        let keys = keys.as_object().into_iter().flatten();
        keys.map(move |(key, value)| {
            let actual = match key.to_ascii_lowercase().as_str() {
                "aws:sourcearn" => source_arn,
                "aws:sourceaccount" => account,
                _ => return StatementMatch::Unknown,
            };
            is_met(operator, value, actual)
        })
    });
    // All conditions must be met.
    met.min().unwrap_or(StatementMatch::Yes)
}

/// Judges one condition on a value that the request has.
fn is_met(operator: &str, expected: &Value, actual: &str) -> StatementMatch {
    let operator = operator.to_ascii_lowercase();
    let operator = operator.strip_suffix("ifexists").unwrap_or(&operator);
    let matches: fn(&str, &str) -> bool = match operator {
        "stringlike" | "stringnotlike" | "arnlike" | "arnnotlike" | "arnequals"
        | "arnnotequals" => glob,
        "stringequals" | "stringnotequals" => |pattern, text| pattern == text,
        "stringequalsignorecase" | "stringnotequalsignorecase" => str::eq_ignore_ascii_case,
        _ => return StatementMatch::Unknown,
    };
    let values = match expected {
        Value::Array(many) => many.as_slice(),
        one => std::slice::from_ref(one),
    };
    let texts: Option<Vec<&str>> = values.iter().map(Value::as_str).collect();
    // A policy variable has a value of the request.
    let Some(texts) = texts.filter(|texts| texts.iter().all(|text| !text.contains("${"))) else {
        return StatementMatch::Unknown;
    };
    let is_named = texts.iter().any(|pattern| matches(pattern, actual));
    match is_named != operator.contains("not") {
        true => StatementMatch::Yes,
        false => StatementMatch::No,
    }
}

impl Statement {
    fn is_conditional(&self) -> bool {
        let is_empty = |condition: &Value| condition.as_object().is_some_and(|all| all.is_empty());
        self.condition
            .as_ref()
            .is_some_and(|condition| !is_empty(condition))
    }

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

    fn names_resource(&self, resource: &str) -> StatementMatch {
        let named = |patterns: &OneOrMany| {
            let patterns = patterns.as_slice().iter();
            let matched = patterns.map(|pattern| match without_variables(pattern) {
                None if glob(pattern, resource) => StatementMatch::Yes,
                Some(open) if glob(&open, resource) => StatementMatch::Unknown,
                _ => StatementMatch::No,
            });
            matched.max().unwrap_or(StatementMatch::No)
        };
        match (&self.resource, &self.not_resource) {
            (Some(patterns), _) => named(patterns),
            (None, Some(patterns)) => match named(patterns) {
                StatementMatch::Yes => StatementMatch::No,
                StatementMatch::Unknown => StatementMatch::Unknown,
                StatementMatch::No => StatementMatch::Yes,
            },
            (None, None) => StatementMatch::No,
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
}

/// Returns a pattern with a star for each policy variable, such as `${aws:username}`; `None` if it has none.
fn without_variables(pattern: &str) -> Option<String> {
    let (mut open, mut rest) = (String::new(), pattern);
    while let Some((before, after)) = rest.split_once("${") {
        let (_, tail) = after.split_once('}')?;
        open.push_str(before);
        open.push('*');
        rest = tail;
    }
    let has_variables = !open.is_empty();
    open.push_str(rest);
    has_variables.then_some(open)
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
        let policies = [IamPolicy::parse(&document)];
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
        let deny_if = json!({
            "Effect": "Deny", "Action": "*", "Resource": "*", "Condition": { "Bool": { "aws:x": "true" } },
        });
        assert_eq!(
            decide(&json!([allow, deny_if])),
            PolicyDecision::Conditional
        );
        assert_eq!(decide(&json!([deny_if])), PolicyDecision::NotAllowed);
        assert_eq!(decide(&json!([])), PolicyDecision::NotAllowed);
    }

    #[test]
    fn a_policy_variable_leaves_a_decision_open() {
        let allow = |resource: &str| {
            decide(&json!({ "Effect": "Allow", "Action": "*", "Resource": resource }))
        };
        assert_eq!(
            allow("arn:aws:execute-api:${aws:RequestedRegion}:111122223333:abc/*"),
            PolicyDecision::Conditional
        );
        assert_eq!(
            allow("arn:aws:execute-api:${aws:RequestedRegion}:444455556666:abc/*"),
            PolicyDecision::NotAllowed
        );
    }

    #[test]
    fn a_function_is_invoked_for_the_sources_that_its_policy_names() {
        let policy = |principal: Value, condition: Value| {
            let statement = json!({
                "Effect": "Allow", "Principal": principal, "Action": "lambda:InvokeFunction",
                "Resource": "arn:aws:lambda:us-east-1:111122223333:function:chat", "Condition": condition,
            });
            IamPolicy::parse(&json!({ "Statement": [statement] }).to_string())
        };
        let gateway = json!({ "Service": "apigateway.amazonaws.com" });
        let source = |pattern: &str| json!({ "ArnLike": { "AWS:SourceArn": pattern } });
        let connect = "arn:aws:execute-api:us-east-1:111122223333:abc/prod/$connect";
        let decide = |policy: IamPolicy| policy.lets_gateway_invoke(connect, "111122223333");
        let of_api = "arn:aws:execute-api:us-east-1:111122223333:abc/*";
        let of_gateway = |condition: Value| decide(policy(gateway.clone(), condition));
        assert_eq!(of_gateway(source(of_api)), PolicyDecision::Allowed);
        assert_eq!(of_gateway(json!({})), PolicyDecision::Allowed);
        let disconnect = "arn:aws:execute-api:us-east-1:111122223333:abc/prod/$disconnect";
        assert_eq!(of_gateway(source(disconnect)), PolicyDecision::NotAllowed);
        let other = json!({ "StringEquals": { "AWS:SourceAccount": "444455556666" } });
        assert_eq!(of_gateway(other), PolicyDecision::NotAllowed);
        assert_eq!(
            decide(policy(
                json!({ "Service": "events.amazonaws.com" }),
                source(of_api)
            )),
            PolicyDecision::NotAllowed
        );
    }

    #[test]
    fn a_condition_that_is_not_about_the_source_leaves_the_decision_open() {
        let decide = |effect: &str, condition: Value| {
            let statement = |effect: &str, condition: Value| {
                json!({
                    "Effect": effect, "Principal": "*", "Action": "lambda:*", "Resource": "*", "Condition": condition,
                })
            };
            let statements = [statement("Allow", json!({})), statement(effect, condition)];
            let first = if effect == "Allow" { 1 } else { 0 };
            let policy = json!({ "Statement": statements[first..] }).to_string();
            IamPolicy::parse(&policy).lets_gateway_invoke("arn:a", "111122223333")
        };
        let organization = json!({ "StringEquals": { "aws:PrincipalOrgID": "o-1" } });
        assert_eq!(
            decide("Allow", organization.clone()),
            PolicyDecision::Conditional
        );
        assert_eq!(decide("Deny", organization), PolicyDecision::Conditional);
        // Stars have a meaning for some operators only, and some negate.
        let source =
            |operator: &str, pattern: &str| json!({ operator: { "aws:SourceArn": pattern } });
        assert_eq!(
            decide("Allow", source("StringEquals", "arn:*")),
            PolicyDecision::NotAllowed
        );
        assert_eq!(
            decide("Allow", source("ArnLikeIfExists", "arn:*")),
            PolicyDecision::Allowed
        );
        assert_eq!(
            decide("Deny", source("ArnNotLike", "arn:*")),
            PolicyDecision::Allowed
        );
        assert_eq!(
            decide("Deny", source("ArnNotLike", "x:*")),
            PolicyDecision::Denied
        );
        assert_eq!(
            decide("Allow", source("Null", "false")),
            PolicyDecision::Conditional
        );
    }

    #[test]
    fn a_text_that_is_no_policy_leaves_the_decision_open() {
        for text in [
            "",
            "{}",
            "[]",
            "not JSON",
            r#"{"Statement":[{"Action":"*"}]}"#,
        ] {
            let decision = IamPolicy::decide(&[IamPolicy::parse(text)], "a:b", "c");
            assert_eq!(decision, PolicyDecision::Conditional, "{text}");
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
