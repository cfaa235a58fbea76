//! Policies that authorizers return (row A5).

use serde::Deserialize;
use serde::de::IgnoredAny;
use stackgen_gateway_common::matches;

/// Action that the policy must allow.
const ACTION: &str = "execute-api:Invoke";

/// An IAM policy.
#[derive(Debug, Deserialize)]
pub(super) struct Policy {
    #[serde(rename = "Statement")]
    statement: OneOrMany<Statement>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Statement {
    effect: Effect,
    action: Option<OneOrMany<String>>,
    resource: Option<OneOrMany<String>>,
    not_action: Option<IgnoredAny>,
    not_resource: Option<IgnoredAny>,
    condition: Option<IgnoredAny>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
enum Effect {
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

impl Policy {
    /// Checks that the policy allows the method.
    ///
    /// # Errors
    ///
    /// A reason, if it does not. A matching `Deny` overrides any `Allow`. Statements with NotAction, NotResource or
    /// Condition are not evaluated here: an `Allow` with one of them never matches, a `Deny` always does.
    pub(super) fn allows(&self, method_arn: &str) -> Result<(), String> {
        let statements = self.statement.as_slice();
        let of = |effect| statements.iter().filter(move |it| it.effect == effect);
        if of(Effect::Deny).any(|it| it.is_foreign() || it.matches(method_arn)) {
            return Err(format!("the policy denies {method_arn}"));
        }
        if of(Effect::Allow).any(|it| !it.is_foreign() && it.matches(method_arn)) {
            return Ok(());
        }
        if of(Effect::Allow).any(Statement::is_foreign) {
            return Err(
                "the policy uses NotAction, NotResource or Condition, which are not evaluated here"
                    .to_owned(),
            );
        }
        let resources: Vec<&str> = of(Effect::Allow)
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

impl Statement {
    fn is_foreign(&self) -> bool {
        self.not_action.is_some() || self.not_resource.is_some() || self.condition.is_some()
    }

    fn matches(&self, method_arn: &str) -> bool {
        let any = |list: &Option<OneOrMany<String>>, fits: &dyn Fn(&str) -> bool| {
            let list = list.as_ref().map_or(&[][..], OneOrMany::as_slice);
            list.iter().any(|pattern| fits(pattern))
        };
        // IAM ignores the case of actions, but not of resources.
        any(&self.action, &|pattern| {
            matches(&pattern.to_ascii_lowercase(), &ACTION.to_ascii_lowercase())
        }) && any(&self.resource, &|pattern| matches(pattern, method_arn))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    const ARN: &str = "arn:aws:execute-api:us-east-1:000000000000:api/prod/$connect";

    fn allows(statement: Value) -> bool {
        let policy: Policy = serde_json::from_value(json!({
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
    fn row_a5_resources_match_by_wildcards_over_the_whole_arn() {
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
    fn row_a5_a_denial_wins_and_what_is_not_evaluated_fails_closed() {
        assert!(!allows(json!([
            statement("Allow", "*"),
            statement("Deny", ARN)
        ])));
        assert!(allows(json!([
            statement("Allow", "*"),
            statement("Deny", "other")
        ])));
        for key in ["NotAction", "NotResource", "Condition"] {
            let mut foreign = statement("Allow", "*");
            foreign[key] = json!({});
            assert!(!allows(foreign.clone()), "{key}");
            foreign["Effect"] = json!("Deny");
            foreign["Resource"] = json!("other");
            assert!(!allows(json!([statement("Allow", "*"), foreign])), "{key}");
        }
    }

    proptest! {
        #[test]
        fn row_a5_a_denial_of_everything_beats_any_other_statement(resources in prop::collection::vec(".*", 0..4)) {
            let mut statements: Vec<Value> = resources.iter().map(|it| statement("Allow", it)).collect();
            statements.push(statement("Deny", "*"));
            prop_assert!(!allows(Value::Array(statements)));
        }

        #[test]
        fn row_a5_matching_is_total_and_a_text_matches_itself(pattern in ".*", text in "[^*?]*") {
            matches(&pattern, &text);
            prop_assert!(matches(&text, &text));
            prop_assert!(matches("*", &text));
        }
    }
}
