//! Data sources that need no account.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::policy_document::policy_document;
use super::{Evaluator, ResourceInstance};
use crate::error::{ConfigurationProblem, ExpressionError};
use crate::functions::{known, text_of_file};
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
    pub(crate) fn asks_elsewhere(instance: &ResourceInstance) -> bool {
        !KNOWN.contains(&instance.kind.as_str()) || is_of_other_provider(instance)
    }

    /// Returns the attributes that a data source reads.
    pub(super) fn data_attributes(
        &self,
        instance: &ResourceInstance,
    ) -> BTreeMap<String, HclValue> {
        let pseudo = |name| HclValue::Text(self.tokens.pseudo(name));
        if is_of_other_provider(instance) {
            return BTreeMap::new();
        }
        let entries = match instance.kind.as_str() {
            "aws_caller_identity" => vec![
                ("account_id", pseudo("AWS::AccountId")),
                ("id", pseudo("AWS::AccountId")),
            ],
            "aws_region" => {
                let region = own_region(instance).cloned();
                let region = region.unwrap_or_else(|| pseudo("AWS::Region"));
                ["name", "id", "region"]
                    .map(|name| (name, region.clone()))
                    .to_vec()
            }
            "aws_partition" => vec![
                ("partition", pseudo("AWS::Partition")),
                ("id", pseudo("AWS::Partition")),
                ("dns_suffix", pseudo("AWS::URLSuffix")),
            ],
            "aws_iam_policy_document" => {
                let unknown = || self.unknown(format!("{}.json", instance.address));
                let json = policy_document(instance).map_or_else(unknown, HclValue::Text);
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
            Ok(Some(content)) => {
                let base64 = HclValue::Text(STANDARD.encode(&content));
                let text = text_of_file(Path::new(&path), content).map(HclValue::Text);
                let text = text.ok().map(|text| ("content", text));
                text.into_iter()
                    .chain([("content_base64", base64)])
                    .collect()
            }
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
}

/// Returns the region that a data source `aws_region` is about, if the configuration says so.
fn own_region(instance: &ResourceInstance) -> Option<&HclValue> {
    let mut values = ["region", "name"]
        .into_iter()
        .filter_map(|name| instance.attributes.get(name));
    values.find(|value| **value != HclValue::Null)
}

/// Returns true if the values of a data source depend on its provider, and that is not the one of this configuration.
fn is_of_other_provider(instance: &ResourceInstance) -> bool {
    instance.has_other_provider
        && match instance.kind.as_str() {
            "aws_caller_identity" | "aws_partition" => true,
            "aws_region" => own_region(instance).is_none(),
            _ => false,
        }
}
