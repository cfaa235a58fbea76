//! Responses of functions to proxy integrations (rows C6, M7, M8).

use serde_json::{Map, Value};

/// The members that a response may have. One more makes it malformed (row M7).
const MEMBERS: [&str; 5] = [
    "statusCode",
    "headers",
    "multiValueHeaders",
    "body",
    "isBase64Encoded",
];

/// Response of a function.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct ProxyResponse {
    /// `statusCode`, if the function returned one.
    pub(super) status: Option<u16>,
    /// `headers` and `multiValueHeaders`.
    pub(super) headers: Vec<(String, Value)>,
    /// `body`.
    pub(super) body: Option<String>,
    /// True if the function returned `null`, or nothing at all.
    pub(super) is_null: bool,
}

impl ProxyResponse {
    /// Parses the return value of a function.
    ///
    /// # Errors
    ///
    /// What is wrong with it, without quoting it, because it may contain data that a client sent.
    pub(super) fn parse(payload: &[u8]) -> Result<Self, String> {
        let malformed = |problem: &str| format!("the function returned {problem}");
        let members = match serde_json::from_slice(payload) {
            Ok(Value::Object(members)) => members,
            Ok(Value::Null) => {
                return Ok(ProxyResponse {
                    is_null: true,
                    ..ProxyResponse::default()
                });
            }
            Ok(Value::String(_)) => return Err(malformed("text instead of {\"statusCode\": …}")),
            _ => return Err(malformed("no {\"statusCode\": …}")),
        };
        if let Some(name) = members
            .keys()
            .find(|name| !MEMBERS.contains(&name.as_str()))
        {
            // The names of members are code, unlike their values. Very long ones are not names.
            let name: String = name.chars().take(64).collect();
            let allowed = MEMBERS.join(", ");
            return Err(malformed(&format!(
                "the member `{name}`, and API Gateway accepts only {allowed}"
            )));
        }
        let present = |name: &str| members.get(name).filter(|value| !value.is_null());
        let status = match present("statusCode") {
            Some(value) => {
                Some(parse_status(value).ok_or_else(|| malformed("an invalid statusCode"))?)
            }
            None => None,
        };
        let body = match present("body") {
            Some(Value::String(body)) => Some(body.clone()),
            Some(_) => {
                return Err(malformed(
                    "a body that is not text; use JSON.stringify or json.dumps",
                ));
            }
            None => None,
        };
        let headers = ["headers", "multiValueHeaders"]
            .into_iter()
            .filter_map(present);
        let headers = headers.map(|value| {
            value
                .as_object()
                .ok_or_else(|| malformed("headers that are not an object"))
        });
        let headers = headers.collect::<Result<Vec<&Map<String, Value>>, _>>()?;
        let headers = headers.into_iter().flatten();
        Ok(ProxyResponse {
            status,
            headers: headers
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
            body,
            is_null: false,
        })
    }

    /// Returns the first header with a name, in any case.
    pub(super) fn header(&self, name: &str) -> Option<&Value> {
        let mut headers = self.headers.iter();
        let (_, value) = headers.find(|(header, _)| header.eq_ignore_ascii_case(name))?;
        Some(value)
    }
}

/// Parses a status code, which functions return as a number or as text.
pub(super) fn parse_status(value: &Value) -> Option<u16> {
    let status = match value {
        Value::Number(number) => u16::try_from(number.as_u64()?).ok()?,
        Value::String(text) => text.parse().ok()?,
        _ => return None,
    };
    (200..=599).contains(&status).then_some(status)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parse(value: &Value) -> Result<ProxyResponse, String> {
        ProxyResponse::parse(value.to_string().as_bytes())
    }

    #[test]
    fn row_c6_a_status_is_a_number_or_text_between_200_and_599() {
        assert_eq!(parse_status(&json!(200)), Some(200));
        assert_eq!(parse_status(&json!("401")), Some(401));
        for invalid in [
            json!(101),
            json!(600),
            json!(-1),
            json!(200.5),
            json!(null),
            json!("ok"),
        ] {
            assert_eq!(parse_status(&invalid), None, "{invalid}");
        }
    }

    #[test]
    fn row_m7_a_response_has_five_members_of_fixed_types() {
        let response = parse(&json!({
            "statusCode": "201", "headers": {"A": "b"}, "multiValueHeaders": {"C": ["d"]}, "body": "x",
            "isBase64Encoded": false,
        }));
        let response = response.unwrap();
        assert_eq!(
            (response.status, response.body.as_deref()),
            (Some(201), Some("x"))
        );
        assert_eq!(response.header("a"), Some(&json!("b")));
        assert_eq!(response.header("c"), Some(&json!(["d"])));
        let empty = parse(&json!({"statusCode": null, "headers": null, "body": null})).unwrap();
        assert_eq!(empty, ProxyResponse::default());
        assert_eq!(parse(&json!({})).unwrap(), ProxyResponse::default());
        assert!(parse(&json!(null)).unwrap().is_null);
    }

    #[test]
    fn row_m7_other_values_are_malformed_and_are_not_quoted() {
        for malformed in [
            json!("secret"),
            json!(["secret"]),
            json!(7),
            json!({"statusCode": 200, "Data": "secret"}),
            json!({"statusCode": "secret"}),
            json!({"statusCode": 99}),
            json!({"statusCode": 200, "body": {"secret": 1}}),
            json!({"statusCode": 200, "headers": ["secret"]}),
        ] {
            let problem = parse(&malformed).unwrap_err();
            assert!(!problem.contains("secret"), "{problem}");
        }
        let problem = parse(&json!({"statusCode": 200, "Data": 1})).unwrap_err();
        assert!(problem.contains("the member `Data`"), "{problem}");
        assert!(ProxyResponse::parse(b"no JSON").is_err());
    }
}
