//! Secrets of Secrets Manager.

use serde_json::{Map, Value as Json, json};
use stackgen_gateway_common::uuid;
use stackgen_gateway_stack::{EmulatedState, ServiceResource, StoredResource};

use super::{is_changed, member, text, unchanged_note, unless_refused};
use crate::outbound::service_client::{CallError, ServiceClient};

/// Members of `GenerateSecretString` that are parameters of `GetRandomPassword`.
const PASSWORD: [&str; 8] = [
    "ExcludeCharacters",
    "ExcludeLowercase",
    "ExcludeNumbers",
    "ExcludePunctuation",
    "ExcludeUppercase",
    "IncludeSpace",
    "PasswordLength",
    "RequireEachIncludedType",
];

/// Creates a secret. An existing one keeps its value, which the user may have set, unless the template changes it in this
/// session.
pub(super) async fn put(
    client: &ServiceClient,
    secret: &ServiceResource,
    before: Option<&EmulatedState>,
) -> Result<StoredResource, CallError> {
    let name = &secret.name;
    let given = text(secret, "SecretString");
    let body = json!({ "SecretId": name });
    let existing = client.json("secretsmanager", "DescribeSecret", &body).await;
    let existing = unless_refused(existing, "ResourceNotFoundException")?;
    if let Some(existing) = existing {
        let mut stored = stored(&existing);
        // A generated value stays, as on AWS.
        if let Some(given) = given {
            let is_changed = is_changed(before, "SecretString", &given);
            stored.notes = put_value(client, name, given, is_changed).await?;
        }
        return Ok(stored);
    }
    let value = match (given, secret.properties.get("GenerateSecretString")) {
        (Some(value), _) => Some(value),
        (None, Some(Json::Object(rules))) => Some(generated(client, rules).await?),
        (None, _) => None,
    };
    let mut body = json!({ "Name": name, "ClientRequestToken": uuid() });
    if let Some(value) = value {
        body["SecretString"] = value.into();
    }
    let created = client.json("secretsmanager", "CreateSecret", &body).await?;
    Ok(stored(&created))
}

/// Stores a value if the template changes it, or if there is none. Returns notes on another one that stays.
async fn put_value(
    client: &ServiceClient,
    name: &str,
    given: String,
    is_changed: bool,
) -> Result<Vec<String>, CallError> {
    let body = json!({ "SecretId": name });
    let current = client.json("secretsmanager", "GetSecretValue", &body).await;
    let current = unless_refused(current, "ResourceNotFoundException")?;
    match current {
        Some(current) if current["SecretString"] == given => return Ok(Vec::new()),
        Some(_) if !is_changed => return Ok(vec![unchanged_note("SecretString")]),
        _ => {}
    }
    let body = json!({
        "SecretId": name,
        "SecretString": given,
        "ClientRequestToken": uuid(),
    });
    client
        .json("secretsmanager", "PutSecretValue", &body)
        .await?;
    Ok(Vec::new())
}

fn stored(answer: &Json) -> StoredResource {
    let arn = member(answer, "ARN");
    StoredResource::new(arn.as_str()).with("Id", arn)
}

/// Generates a value: a password, or a JSON object with one.
async fn generated(client: &ServiceClient, rules: &Map<String, Json>) -> Result<String, CallError> {
    let named = PASSWORD.iter();
    let body: Map<String, Json> = named
        .filter_map(|name| Some(((*name).to_owned(), rules.get(*name)?.clone())))
        .collect();
    let answer = client
        .json("secretsmanager", "GetRandomPassword", &Json::Object(body))
        .await?;
    let password = member(&answer, "RandomPassword");
    let rule = |name: &str| rules.get(name).and_then(Json::as_str);
    let template = rule("SecretStringTemplate").map(serde_json::from_str::<Json>);
    Ok(match (template, rule("GenerateStringKey")) {
        (Some(Ok(mut object @ Json::Object(_))), Some(key)) => {
            object[key] = password.into();
            object.to_string()
        }
        _ => password,
    })
}
