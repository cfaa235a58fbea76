//! Output of REQUEST authorizers (rows A7 to A10, A15).

use serde::Deserialize;
use serde_json::{Map, Value};

use super::super::principal::Principal;
use super::policy::AuthorizerPolicy;
use crate::apis::Pairs;

/// Maximum size of the output, in bytes (row A9).
const OUTPUT_BYTES: usize = 8 * 1024;

/// Valid output.
#[derive(Debug)]
pub(super) struct AuthorizerOutput {
    pub(super) principal: Principal,
    pub(super) policy: AuthorizerPolicy,
    /// API key of the caller (row A15).
    pub(super) usage_identifier_key: Option<String>,
}

/// Reason why an output is not valid, with the row of the reference.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct AuthorizerOutputError(pub(super) String, pub(super) &'static str);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawOutput {
    principal_id: Option<String>,
    policy_document: Option<AuthorizerPolicy>,
    context: Option<Map<String, Value>>,
    usage_identifier_key: Option<String>,
}

impl AuthorizerOutput {
    /// Parses the function's return value.
    pub(super) fn read(
        payload: &[u8],
        integration_latency: u64,
    ) -> Result<Self, AuthorizerOutputError> {
        if payload.len() > OUTPUT_BYTES {
            let reason = format!(
                "its output has {} bytes, over {OUTPUT_BYTES}",
                payload.len()
            );
            return Err(AuthorizerOutputError(reason, "A9"));
        }
        // serde's message could quote values.
        let raw: RawOutput = serde_json::from_slice(payload).map_err(|error| {
            let at = (error.line(), error.column());
            let reason = format!(
                "its output is not a policy (line {}, column {})",
                at.0, at.1
            );
            AuthorizerOutputError(reason, "A7")
        })?;
        let id = raw.principal_id.filter(|id| !id.is_empty());
        let id = id.ok_or_else(|| {
            AuthorizerOutputError("its output has no principalId".to_owned(), "A8")
        })?;
        let policy = raw.policy_document;
        let policy = policy.ok_or_else(|| {
            AuthorizerOutputError("its output has no policyDocument".to_owned(), "A7")
        })?;
        let context = scalars(raw.context.unwrap_or_default())?;
        Ok(AuthorizerOutput {
            principal: Principal {
                id,
                context,
                integration_latency,
            },
            policy,
            usage_identifier_key: raw.usage_identifier_key,
        })
    }
}

/// Converts the values of the context to strings (row A9).
fn scalars(context: Map<String, Value>) -> Result<Pairs, AuthorizerOutputError> {
    let text = |(key, value)| match value {
        Value::String(text) => Ok((key, text)),
        Value::Number(_) | Value::Bool(_) => Ok((key, value.to_string())),
        Value::Null | Value::Array(_) | Value::Object(_) => {
            let reason =
                format!("the value of `{key}` in its context is not a string, number or boolean");
            Err(AuthorizerOutputError(reason, "A9"))
        }
    };
    context.into_iter().map(text).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn read(output: &Value) -> Result<AuthorizerOutput, AuthorizerOutputError> {
        AuthorizerOutput::read(output.to_string().as_bytes(), 3)
    }

    fn row(output: &Value) -> &'static str {
        read(output).unwrap_err().1
    }

    fn good() -> Value {
        json!({"principalId": "alice", "policyDocument": {"Version": "2012-10-17", "Statement": []}})
    }

    #[test]
    fn row_a10_context_values_are_strings_and_cannot_replace_the_principal() {
        let mut output = good();
        output["context"] =
            json!({"n": 1, "f": 1.5, "b": true, "s": "x", "principalId": "mallory"});
        let principal = read(&output).unwrap().principal;
        assert_eq!(
            serde_json::to_string(&principal).unwrap(),
            r#"{"principalId":"alice","integrationLatency":3,"n":"1","f":"1.5","b":"true","s":"x"}"#
        );
    }

    #[test]
    fn rows_a7_to_a9_a_malformed_output_is_reported_with_its_row() {
        assert_eq!(row(&json!(null)), "A7");
        assert_eq!(row(&json!("Allow")), "A7");
        assert_eq!(row(&json!({"principalId": "a"})), "A7");
        assert_eq!(
            row(&json!({"principalId": "a", "policyDocument": {}})),
            "A7"
        );
        assert_eq!(row(&json!({"policyDocument": {"Statement": []}})), "A8");
        for value in [json!({}), json!([]), json!(null)] {
            let mut output = good();
            output["context"] = json!({ "k": value });
            assert_eq!(row(&output), "A9");
        }
        let mut large = good();
        large["context"] = json!({"k": "x".repeat(8 * 1024)});
        assert_eq!(row(&large), "A9");
    }

    proptest! {
        #[test]
        fn row_a7_parsing_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = AuthorizerOutput::read(&bytes, 0);
        }
    }
}
