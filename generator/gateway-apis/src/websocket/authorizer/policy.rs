//! Policies that authorizers return (row A5).

use serde::Deserialize;
use serde::de::IgnoredAny;
use stackgen_gateway_common::pattern_matches;

/// Action that the policy must allow.
const ACTION: &str = "execute-api:Invoke";

/// An IAM policy.
#[derive(Debug, Deserialize)]
pub(super) struct AuthorizerPolicy {
    #[serde(rename = "Statement")]
    statement: OneOrMany<AuthorizerStatement>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AuthorizerStatement {
    effect: StatementEffect,
    action: Option<OneOrMany<String>>,
    resource: Option<OneOrMany<String>>,
    not_action: Option<IgnoredAny>,
    not_resource: Option<IgnoredAny>,
    condition: Option<IgnoredAny>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
enum StatementEffect {
    Allow,
    Deny,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum OneOrMany<T> {
    Many(Vec<T>),
    One(T),
}

impl<T> OneOrMany<T> {
    fn as_slice(&self) -> &[T] {
        match self {
            OneOrMany::Many(many) => many,
            OneOrMany::One(one) => std::slice::from_ref(one),
        }
    }
}

impl AuthorizerPolicy {
    /// Checks that the policy allows the method.
    ///
    /// # Errors
    ///
    /// A reason, if it does not. A matching `Deny` overrides any `Allow`. Statements with NotAction, NotResource or
    /// Condition are not evaluated here: an `Allow` with one of them never matches, a `Deny` always does.
    pub(super) fn allows(&self, method_arn: &str) -> Result<(), String> {
        let statements = self.statement.as_slice();
        let of = |effect| statements.iter().filter(move |it| it.effect == effect);
        if of(StatementEffect::Deny).any(|it| it.is_unsupported() || it.matches(method_arn)) {
            return Err(format!("the policy denies {method_arn}"));
        }
        if of(StatementEffect::Allow).any(|it| !it.is_unsupported() && it.matches(method_arn)) {
            return Ok(());
        }
        if of(StatementEffect::Allow).any(AuthorizerStatement::is_unsupported) {
            return Err(
                "the policy uses NotAction, NotResource or Condition, which are not evaluated here"
                    .to_owned(),
            );
        }
        let resources: Vec<&str> = of(StatementEffect::Allow)
            .filter_map(|it| it.resource.as_ref())
            .flat_map(|it| it.as_slice())
            .map(String::as_str)
            .collect();
        Err(match resources.as_slice() {
            [] => "the policy allows nothing".to_owned(),
            some => format!(
                "the policy allows {}, which does not match {method_arn}",
                some.join(", ")
            ),
        })
    }
}

impl AuthorizerStatement {
    fn is_unsupported(&self) -> bool {
        self.not_action.is_some() || self.not_resource.is_some() || self.condition.is_some()
    }

    fn matches(&self, method_arn: &str) -> bool {
        let any = |list: &Option<OneOrMany<String>>, fits: &dyn Fn(&str) -> bool| {
            let list = list.as_ref().map_or(&[][..], OneOrMany::as_slice);
            list.iter().any(|pattern| fits(pattern))
        };
        // IAM ignores the case of actions, but not of resources.
        any(&self.action, &|pattern| {
            pattern_matches(&pattern.to_ascii_lowercase(), &ACTION.to_ascii_lowercase())
        }) && any(&self.resource, &|pattern| {
            pattern_matches(pattern, method_arn)
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    const ARN: &str = "arn:aws:execute-api:us-east-1:000000000000:api/prod/$connect";

    fn allows(statement: Value) -> bool {
        let policy: AuthorizerPolicy = serde_json::from_value(json!({
            "Version": "2012-10-17",
            "Statement": statement,
        }))
        .unwrap();
        policy.allows(ARN).is_ok()
    }

    fn statement(effect: &str, resource: &str) -> Value {
        json!({"Effect": effect, "Action": "execute-api:Invoke", "Resource": resource})
    }

    #[test]
    fn row_a5_wildcards_match_the_whole_arn() {
        assert!(allows(statement("Allow", ARN)));
        assert!(allows(json!([statement("Allow", "arn:*:api/prod/*")])));
        assert!(allows(
            json!({"Effect": "Allow", "Action": ["EXECUTE-API:*"], "Resource": ["x", "*"]})
        ));
        assert!(!allows(statement(
            "Allow",
            "arn:aws:execute-api:us-east-1:000000000000:api/prod/*/*"
        )));
        assert!(!allows(
            json!({"Effect": "Allow", "Action": "lambda:*", "Resource": "*"})
        ));
        assert!(!allows(json!([])));
    }

    #[test]
    fn row_a5_a_deny_overrides_and_unsupported_statements_fail_closed() {
        assert!(!allows(json!([
            statement("Allow", "*"),
            statement("Deny", ARN)
        ])));
        assert!(allows(json!([
            statement("Allow", "*"),
            statement("Deny", "other")
        ])));
        for key in ["NotAction", "NotResource", "Condition"] {
            let mut unsupported = statement("Allow", "*");
            unsupported[key] = json!({});
            assert!(!allows(unsupported.clone()), "{key}");
            unsupported["Effect"] = json!("Deny");
            unsupported["Resource"] = json!("other");
            assert!(
                !allows(json!([statement("Allow", "*"), unsupported])),
                "{key}"
            );
        }
    }

    proptest! {
        #[test]
        fn row_a5_a_deny_of_everything_overrides_all_statements(resources in prop::collection::vec(".*", 0..4)) {
            let mut statements: Vec<Value> = resources.iter().map(|it| statement("Allow", it)).collect();
            statements.push(statement("Deny", "*"));
            prop_assert!(!allows(Value::Array(statements)));
        }

        #[test]
        fn row_a5_matching_never_panics_and_a_text_matches_itself(pattern in ".*", text in "[^*?]*") {
            pattern_matches(&pattern, &text);
            prop_assert!(pattern_matches(&text, &text));
            prop_assert!(pattern_matches("*", &text));
        }
    }
}
