//! Data sources that need no account.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Evaluator, ResourceInstance};
use crate::error::{ConfigurationProblem, ExpressionError};
use crate::functions::{from_json, json_text, known};
use crate::value::HclValue;

/// Data sources of which the configuration determines something.
const KNOWN: [&str; 8] = [
    "archive_file",
    "aws_caller_identity",
    "aws_iam_policy_document",
    "aws_partition",
    "aws_region",
    "local_file",
    "null_data_source",
    "template_file",
];

impl Evaluator<'_> {
    /// Returns true for a data source whose values come from an account or a server.
    pub(crate) fn asks_elsewhere(kind: &str) -> bool {
        !KNOWN.contains(&kind)
    }

    /// Returns the attributes that a data source reads.
    pub(super) fn data_attributes(
        &self,
        instance: &ResourceInstance,
    ) -> BTreeMap<String, HclValue> {
        let pseudo = |name| HclValue::Text(self.tokens.pseudo(name));
        let entries = match instance.kind.as_str() {
            "aws_caller_identity" => vec![
                ("account_id", pseudo("AWS::AccountId")),
                ("id", pseudo("AWS::AccountId")),
            ],
            "aws_region" => ["name", "id", "region"]
                .map(|name| (name, pseudo("AWS::Region")))
                .to_vec(),
            "aws_partition" => vec![
                ("partition", pseudo("AWS::Partition")),
                ("id", pseudo("AWS::Partition")),
                ("dns_suffix", pseudo("AWS::URLSuffix")),
            ],
            "aws_iam_policy_document" => {
                let json = HclValue::Text(self.policy_document(instance));
                vec![("json", json.clone()), ("minified_json", json)]
            }
            "archive_file" => {
                if let Some(path) = instance.attributes.get("output_path") {
                    self.make_file(path);
                }
                Vec::new()
            }
            "local_file" => self.local_file(instance),
            "template_file" => vec![("rendered", self.rendered_template(instance))],
            "null_data_source" => vec![(
                "outputs",
                instance
                    .attributes
                    .get("inputs")
                    .cloned()
                    .unwrap_or(HclValue::Null),
            )],
            _ => Vec::new(),
        };
        entries
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    }

    /// Records that the configuration makes a file, whose content is unknown.
    pub(crate) fn make_file(&self, path: &HclValue) {
        if let HclValue::Text(path) = known(&self.tokens, path) {
            self.made_files.borrow_mut().insert(PathBuf::from(path));
        }
    }

    fn local_file(&self, instance: &ResourceInstance) -> Vec<(&'static str, HclValue)> {
        let path = instance
            .attributes
            .get("filename")
            .map(|path| known(&self.tokens, path));
        let Some(HclValue::Text(path)) = path else {
            return Vec::new();
        };
        match self.files.read(Path::new(&path)) {
            Ok(Some(content)) => vec![
                ("content_base64", HclValue::Text(STANDARD.encode(&content))),
                (
                    "content",
                    HclValue::Text(String::from_utf8_lossy(&content).into_owned()),
                ),
            ],
            _ => {
                let message = format!("{} is unknown: there is no file {path}", instance.address);
                self.note(ConfigurationProblem::new(instance.span, message));
                Vec::new()
            }
        }
    }

    fn rendered_template(&self, instance: &ResourceInstance) -> HclValue {
        let template = instance.attributes.get("template").map(HclValue::to_text);
        let variables = instance.attributes.get("vars").cloned();
        let variables =
            variables.unwrap_or_else(|| HclValue::map(Vec::<(String, HclValue)>::new()));
        let rendered = match template {
            Some(Ok(template)) => self.template_text(&template, &variables),
            _ => Err(ExpressionError::new("it has no `template`")),
        };
        rendered.unwrap_or_else(|error| {
            let message = format!("{} is unknown: {}", instance.address, error.message);
            self.note(ConfigurationProblem::new(instance.span, message));
            self.unknown(format!("{}.rendered", instance.address))
        })
    }

    fn policy_document(&self, instance: &ResourceInstance) -> String {
        let attributes = &instance.attributes;
        let mut statements = Vec::new();
        let mut add_document = |document: &HclValue| {
            let text = document.to_text().unwrap_or_default();
            let Ok(json) = serde_json::from_str(&text) else {
                return;
            };
            if let HclValue::Map(map) = from_json(&json) {
                match map.entries.get("Statement") {
                    Some(HclValue::List(items)) => statements.extend(items.iter().cloned()),
                    Some(other) => statements.push(other.clone()),
                    None => {}
                }
            }
        };
        for name in ["source_policy_documents", "source_json"] {
            one_or_many(attributes.get(name))
                .iter()
                .for_each(&mut add_document);
        }
        statements.extend(
            one_or_many(attributes.get("statement"))
                .iter()
                .map(statement),
        );
        let mut add_document = |document: &HclValue| {
            let text = document.to_text().unwrap_or_default();
            let Ok(json) = serde_json::from_str(&text) else {
                return;
            };
            if let HclValue::Map(map) = from_json(&json) {
                for new in one_or_many(map.entries.get("Statement")) {
                    let sid = |statement: &HclValue| {
                        statement.entries().and_then(|it| it.get("Sid")).cloned()
                    };
                    statements.retain(|old| sid(old).is_none() || sid(old) != sid(&new));
                    statements.push(new);
                }
            }
        };
        for name in ["override_policy_documents", "override_json"] {
            one_or_many(attributes.get(name))
                .iter()
                .for_each(&mut add_document);
        }
        let version = attributes.get("version").cloned();
        let document = HclValue::map([
            (
                "Version",
                version.unwrap_or_else(|| HclValue::text("2012-10-17")),
            ),
            ("Statement", HclValue::List(statements)),
        ]);
        json_text(&document).unwrap_or_default()
    }
}

/// Returns the elements of a list, or the only value; nothing for null.
fn one_or_many(value: Option<&HclValue>) -> Vec<HclValue> {
    match value {
        None | Some(HclValue::Null) => Vec::new(),
        Some(HclValue::List(items) | HclValue::Set(items)) => items.clone(),
        Some(other) => vec![other.clone()],
    }
}

/// Returns a statement of a policy in the form of IAM.
fn statement(block: &HclValue) -> HclValue {
    let attribute = |name: &str| {
        block
            .entries()
            .and_then(|entries| entries.get(name))
            .cloned()
    };
    let mut entries = vec![(
        "Effect".to_owned(),
        attribute("effect")
            .filter(|effect| *effect != HclValue::Null)
            .unwrap_or_else(|| HclValue::text("Allow")),
    )];
    if let Some(sid) = attribute("sid").filter(|sid| !matches!(sid, HclValue::Null)) {
        entries.push(("Sid".to_owned(), sid));
    }
    for (name, key) in [
        ("actions", "Action"),
        ("not_actions", "NotAction"),
        ("resources", "Resource"),
        ("not_resources", "NotResource"),
    ] {
        match attribute(name) {
            None | Some(HclValue::Null) => {}
            Some(values) => entries.push((key.to_owned(), single(values))),
        }
    }
    for (name, key) in [
        ("principals", "Principal"),
        ("not_principals", "NotPrincipal"),
    ] {
        let mut principals: BTreeMap<String, Vec<HclValue>> = BTreeMap::new();
        for block in one_or_many(attribute(name).as_ref()) {
            let Some(fields) = block.entries() else {
                continue;
            };
            let kind = fields
                .get("type")
                .and_then(HclValue::as_text)
                .unwrap_or("AWS")
                .to_owned();
            principals
                .entry(kind)
                .or_default()
                .extend(one_or_many(fields.get("identifiers")));
        }
        match principals.get("*") {
            Some(_) => entries.push((key.to_owned(), HclValue::text("*"))),
            None if principals.is_empty() => {}
            None => {
                let kinds = principals
                    .into_iter()
                    .map(|(kind, ids)| (kind, single(HclValue::List(ids))));
                entries.push((key.to_owned(), HclValue::map(kinds)));
            }
        }
    }
    let mut conditions: BTreeMap<String, Vec<(String, HclValue)>> = BTreeMap::new();
    for block in one_or_many(attribute("condition").as_ref()) {
        let Some(fields) = block.entries() else {
            continue;
        };
        let text = |name: &str| {
            fields
                .get(name)
                .and_then(HclValue::as_text)
                .unwrap_or_default()
                .to_owned()
        };
        let values = HclValue::List(one_or_many(fields.get("values")));
        conditions
            .entry(text("test"))
            .or_default()
            .push((text("variable"), single(values)));
    }
    if !conditions.is_empty() {
        let tests = conditions
            .into_iter()
            .map(|(test, variables)| (test, HclValue::map(variables)));
        entries.push(("Condition".to_owned(), HclValue::map(tests)));
    }
    HclValue::map(entries)
}

/// Returns the only element of a list, or the list.
fn single(values: HclValue) -> HclValue {
    match values.elements() {
        Some([only]) => only.clone(),
        Some(items) => HclValue::List(items.to_vec()),
        None => values,
    }
}
