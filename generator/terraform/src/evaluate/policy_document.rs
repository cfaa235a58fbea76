//! The data source `aws_iam_policy_document`.

use std::collections::BTreeMap;

use super::ResourceInstance;
use crate::functions::{from_json, json_text};
use crate::value::HclValue;

/// Returns the JSON of a policy: the statements of other documents, then those of the configuration, then those that
/// replace statements with the same `Sid`. `None` if one of the other documents is unknown.
pub(super) fn policy_document(instance: &ResourceInstance) -> Option<String> {
    let attribute = |name: &str| one_or_many(instance.attributes.get(name));
    let mut statements = Vec::new();
    for name in ["source_policy_documents", "source_json"] {
        for document in attribute(name) {
            statements.extend(statements_of(&document)?);
        }
    }
    statements.extend(attribute("statement").iter().map(statement));
    for name in ["override_policy_documents", "override_json"] {
        for document in attribute(name) {
            for new in statements_of(&document)? {
                let sid = |statement: &HclValue| statement.entries()?.get("Sid").cloned();
                statements.retain(|old| sid(old).is_none() || sid(old) != sid(&new));
                statements.push(new);
            }
        }
    }
    let version = instance.attributes.get("version").cloned();
    let document = HclValue::map([
        (
            "Version",
            version.unwrap_or_else(|| HclValue::text("2012-10-17")),
        ),
        ("Statement", HclValue::List(statements)),
    ]);
    Some(json_text(&document))
}

/// Returns the statements of a document in JSON; `None` if it is unknown.
fn statements_of(document: &HclValue) -> Option<Vec<HclValue>> {
    if *document == HclValue::Null || document.as_text() == Some("") {
        return Some(Vec::new());
    }
    let json = serde_json::from_str(&document.to_text().ok()?).ok()?;
    let document = from_json(&json);
    Some(one_or_many(document.entries()?.get("Statement")))
}

/// Returns the elements of a list, or the only value; nothing for null.
fn one_or_many(value: Option<&HclValue>) -> Vec<HclValue> {
    match value {
        None | Some(HclValue::Null) => Vec::new(),
        Some(HclValue::List(items) | HclValue::Set(items)) => items.clone(),
        Some(other) => vec![other.clone()],
    }
}

/// Returns a statement of the configuration in the form of IAM.
fn statement(block: &HclValue) -> HclValue {
    const LISTS: [(&str, &str); 4] = [
        ("actions", "Action"),
        ("not_actions", "NotAction"),
        ("resources", "Resource"),
        ("not_resources", "NotResource"),
    ];
    let attribute = |name: &str| {
        let value = block.entries()?.get(name)?;
        (*value != HclValue::Null).then(|| value.clone())
    };
    let effect = attribute("effect").unwrap_or_else(|| HclValue::text("Allow"));
    let mut entries = vec![("Effect", effect)];
    entries.extend(attribute("sid").map(|sid| ("Sid", sid)));
    for (name, key) in LISTS {
        entries.extend(attribute(name).map(|values| (key, single(values))));
    }
    for (name, key) in [
        ("principals", "Principal"),
        ("not_principals", "NotPrincipal"),
    ] {
        entries.extend(principals(attribute(name).as_ref()).map(|value| (key, value)));
    }
    entries.extend(conditions(attribute("condition").as_ref()).map(|value| ("Condition", value)));
    HclValue::map(entries)
}

fn principals(blocks: Option<&HclValue>) -> Option<HclValue> {
    let mut kinds: BTreeMap<String, Vec<HclValue>> = BTreeMap::new();
    for block in one_or_many(blocks) {
        let kind = text(&block, "type").unwrap_or_else(|| "AWS".to_owned());
        let identifiers = block.entries().and_then(|fields| fields.get("identifiers"));
        kinds
            .entry(kind)
            .or_default()
            .extend(one_or_many(identifiers));
    }
    if kinds.contains_key("*") {
        return Some(HclValue::text("*"));
    }
    let is_empty = kinds.is_empty();
    let kinds = kinds
        .into_iter()
        .map(|(kind, ids)| (kind, single(HclValue::List(ids))));
    (!is_empty).then(|| HclValue::map(kinds))
}

fn conditions(blocks: Option<&HclValue>) -> Option<HclValue> {
    let mut tests: BTreeMap<String, Vec<(String, HclValue)>> = BTreeMap::new();
    for block in one_or_many(blocks) {
        let field = |name: &str| text(&block, name).unwrap_or_default();
        let values = block.entries().and_then(|fields| fields.get("values"));
        let values = single(HclValue::List(one_or_many(values)));
        tests
            .entry(field("test"))
            .or_default()
            .push((field("variable"), values));
    }
    let is_empty = tests.is_empty();
    let tests = tests
        .into_iter()
        .map(|(test, variables)| (test, HclValue::map(variables)));
    (!is_empty).then(|| HclValue::map(tests))
}

fn text(block: &HclValue, name: &str) -> Option<String> {
    block.entries()?.get(name)?.as_text().map(str::to_owned)
}

/// Returns the only element of a list, or the list.
fn single(values: HclValue) -> HclValue {
    match values.elements() {
        Some([only]) => only.clone(),
        Some(items) => HclValue::List(items.to_vec()),
        None => values,
    }
}
