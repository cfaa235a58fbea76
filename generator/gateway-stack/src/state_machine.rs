//! State machines of Step Functions: their definitions in the template or in a file, as one JSON text.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value as Json};
use stackgen_cfn::{Sources, Span};
use stackgen_gateway_common::ArnScope;
use stackgen_model::{Model, Resolved, Resource};

use super::code::asset_file;
use super::service_resource::{SAM_STATE_MACHINE, STATE_MACHINE, ServiceResource};

/// Maximum size of a file with a definition, in bytes. Step Functions allows 1 MiB.
const MAX_BYTES: u64 = 4 * 1024 * 1024;

/// Properties that name a file: a path, or an object in S3.
const FILES: [&str; 2] = ["DefinitionUri", "DefinitionS3Location"];

pub(super) fn is_state_machine(kind: &str) -> bool {
    [STATE_MACHINE, SAM_STATE_MACHINE].contains(&kind)
}

/// Returns true for the location of a state machine of SAM, which the model does not translate.
pub(super) fn is_of_machine(model: &Model, span: Span) -> bool {
    let mut resources = model.resources.values();
    resources.any(|one| one.kind == SAM_STATE_MACHINE && one.document.span == span)
}

/// Returns a state machine with the properties `DefinitionString`, `RoleArn` and `StateMachineType` of CloudFormation.
///
/// # Errors
///
/// If it has no definition on this machine, or one that is no JSON and no YAML.
pub(super) fn complete(
    mut machine: ServiceResource,
    resource: &Resource,
    template: &Path,
    scope: &ArnScope,
) -> Result<ServiceResource, String> {
    let mut properties = std::mem::take(&mut machine.properties);
    let substitutions = match properties.remove("DefinitionSubstitutions") {
        Some(Json::Object(values)) => values,
        _ => Map::new(),
    };
    let definition = definition(&properties, &substitutions, resource, template)?;
    let role = properties
        .remove("RoleArn")
        .or_else(|| properties.remove("Role"));
    // SAM creates a role for a state machine without one.
    let role = role.unwrap_or_else(|| scope.role(format!("{}Role", resource.logical_id)).into());
    let kind = properties
        .remove("StateMachineType")
        .or_else(|| properties.remove("Type"));
    machine.kind = STATE_MACHINE.to_owned();
    machine.properties = Map::from_iter([
        ("DefinitionString".to_owned(), definition.to_string().into()),
        ("RoleArn".to_owned(), role),
        (
            "StateMachineType".to_owned(),
            kind.unwrap_or_else(|| "STANDARD".into()),
        ),
    ]);
    Ok(machine)
}

/// Returns the files with definitions of a template's state machines, even if they do not exist, but not those that are in S3.
/// Blocks.
pub(super) fn definition_files(model: &Model, template: &Path) -> Vec<PathBuf> {
    let resources = model.resources.values();
    let machines = resources.filter(|resource| is_state_machine(&resource.kind));
    machines
        .filter_map(|resource| file(resource, template)?.ok())
        .collect()
}

fn definition(
    properties: &Map<String, Json>,
    substitutions: &Map<String, Json>,
    resource: &Resource,
    template: &Path,
) -> Result<Json, String> {
    if let Some(definition @ Json::Object(_)) = properties.get("Definition") {
        return Ok(substituted(definition.clone(), substitutions));
    }
    if let Some(Json::String(text)) = properties.get("DefinitionString") {
        let text = substituted_text(text.clone(), substitutions);
        return parsed("its DefinitionString", &text);
    }
    let Some(path) = file(resource, template) else {
        return Err("it has no definition".to_owned());
    };
    let path = path?;
    let shown = path.display();
    if !path.exists() {
        return Err(format!("{shown} does not exist"));
    }
    let size = fs::metadata(&path).map_err(|error| format!("{shown}: {error}"))?;
    if !size.is_file() || size.len() > MAX_BYTES {
        return Err(format!(
            "{shown} is no file, or larger than {MAX_BYTES} bytes"
        ));
    }
    let text = fs::read_to_string(&path).map_err(|error| format!("{shown}: {error}"))?;
    parsed(&shown.to_string(), &substituted_text(text, substitutions))
}

/// Returns the file of a definition. `None` if the resource names none.
fn file(resource: &Resource, template: &Path) -> Option<Result<PathBuf, String>> {
    let mut named = FILES
        .iter()
        .filter_map(|name| resource.properties.get(name));
    let value = named.next()?;
    let folder = template.parent().unwrap_or(Path::new(""));
    if let Some(path) = value.as_literal().filter(|path| !path.starts_with("s3://")) {
        return Some(Ok(folder.join(path)));
    }
    let key = value.get("Key").and_then(Resolved::as_literal);
    let found = key.and_then(|key| asset_file(template, key));
    Some(found.ok_or_else(|| {
        "its definition is in S3, and not beside the template: run the template that the tool wrote here".to_owned()
    }))
}

/// Parses a definition in JSON or YAML.
fn parsed(subject: &str, text: &str) -> Result<Json, String> {
    if let Ok(definition @ Json::Object(_)) = serde_json::from_str(text) {
        return Ok(definition);
    }
    let mut sources = Sources::new();
    let node = stackgen_cfn::parse(sources.add(subject, text));
    let definition = node.ok().map(|node| stackgen_cfn::json::to_json(&node));
    let definition = definition.filter(Json::is_object);
    definition.ok_or_else(|| format!("{subject} is neither JSON nor YAML with States"))
}

/// Replaces `${NAME}` in all texts and keys.
fn substituted(value: Json, values: &Map<String, Json>) -> Json {
    match value {
        Json::String(text) => substituted_text(text, values).into(),
        Json::Array(items) => items
            .into_iter()
            .map(|item| substituted(item, values))
            .collect(),
        Json::Object(map) => map
            .into_iter()
            .map(|(key, value)| (substituted_text(key, values), substituted(value, values)))
            .collect(),
        other => other,
    }
}

fn substituted_text(text: String, values: &Map<String, Json>) -> String {
    values.iter().fold(text, |text, (name, value)| {
        let placeholder = format!("${{{name}}}");
        match value {
            _ if !text.contains(&placeholder) => text,
            Json::String(value) => text.replace(&placeholder, value),
            value => text.replace(&placeholder, &value.to_string()),
        }
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use stackgen_model::{Inputs, LogicalId};

    use super::*;

    /// Completes the state machine `M` of a template in this folder.
    fn completed(folder: &Path, template: &str) -> Result<Json, String> {
        let mut sources = Sources::new();
        let node = stackgen_cfn::parse(sources.add("t.yaml", template)).unwrap();
        let model = Model::from_template(&node, &Inputs::none());
        let resource = model.resource(&LogicalId::new("M")).unwrap();
        let mut properties = Map::new();
        for name in ["Definition", "DefinitionString", "DefinitionSubstitutions"] {
            let value = stackgen_cfn::json::to_json(&node);
            let value = &value["Resources"]["M"]["Properties"][name];
            if !value.is_null() {
                properties.insert(name.to_owned(), value.clone());
            }
        }
        let machine = ServiceResource {
            stack: "s".to_owned(),
            kind: resource.kind.clone(),
            name: "m".to_owned(),
            properties,
        };
        let scope = ArnScope::default();
        let machine = complete(machine, resource, &folder.join("t.yaml"), &scope)?;
        assert_eq!(
            machine.properties["RoleArn"],
            "arn:aws:iam::000000000000:role/MRole"
        );
        let definition = machine.properties["DefinitionString"].as_str().unwrap();
        Ok(serde_json::from_str(definition).unwrap())
    }

    fn machine(properties: &str) -> String {
        format!(
            "Transform: AWS::Serverless-2016-10-31\nResources:\n  M:\n    Type: AWS::Serverless::StateMachine\n    Properties: {properties}\n"
        )
    }

    #[test]
    fn a_definition_is_read_wherever_the_template_has_it_and_placeholders_are_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let write =
            |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write(
            "m.asl.json",
            r#"{"StartAt": "A", "States": {"A": {"Type": "Wait", "Seconds": ${Time}}}}"#,
        );
        write(
            "m.asl.yaml",
            "StartAt: A\nStates:\n  A: { Type: Wait, Seconds: 5 }\n",
        );
        write(
            "asset.abc.json",
            r#"{"StartAt": "A", "States": {"A": {"Type": "Wait", "Seconds": 5}}}"#,
        );
        let expected = json!({"StartAt": "A", "States": {"A": {"Type": "Wait", "Seconds": 5}}});
        for properties in [
            "{ DefinitionUri: m.asl.json, DefinitionSubstitutions: { Time: 5 } }",
            "{ DefinitionUri: m.asl.yaml }",
            "{ DefinitionUri: { Bucket: b, Key: abc.json } }",
            "{ Definition: { StartAt: A, States: { A: { Type: '${Kind}', Seconds: 5 } } }, DefinitionSubstitutions: { Kind: Wait } }",
        ] {
            let found = completed(folder.path(), &machine(properties));
            assert_eq!(found, Ok(expected.clone()), "{properties}");
        }
    }

    #[test]
    fn a_missing_definition_is_an_error_that_names_it() {
        let folder = tempfile::tempdir().unwrap();
        for (properties, reason) in [
            ("{ Type: EXPRESS }", "it has no definition"),
            ("{ DefinitionUri: m.json }", "m.json does not exist"),
            (
                "{ DefinitionUri: s3://b/k }",
                "its definition is in S3, and not beside the template",
            ),
        ] {
            let error = completed(folder.path(), &machine(properties)).unwrap_err();
            assert!(error.contains(reason), "{error}");
        }
    }
    #[test]
    fn a_definition_file_is_watched_before_it_exists() {
        let files = |properties: &str| {
            let mut sources = Sources::new();
            let node = stackgen_cfn::parse(sources.add("t.yaml", machine(properties))).unwrap();
            let model = Model::from_template(&node, &Inputs::none());
            definition_files(&model, Path::new("folder/t.yaml"))
        };
        let file = Path::new("folder/m.json");
        assert_eq!(files("{ DefinitionUri: m.json }"), [file]);
        assert!(files("{ DefinitionUri: s3://b/k }").is_empty());
    }
}
