//! Templates in the folders of other tools.

use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use crate::assembly::{self, AssemblyStack};
use crate::bounded;
use crate::error::CliError;
use crate::file;
use crate::other_tools;

/// Template that the Serverless Framework writes into `.serverless`.
const SERVERLESS: &str = "cloudformation-template-update-stack.json";

/// Template to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct InputStack {
    /// File of the template.
    pub(super) template: PathBuf,
    /// Name of the stack, if its tool declares one.
    pub(super) name: Option<String>,
}

/// Finds the template at a path, which may be a `cdk.out`, `.serverless` or `.aws-sam` folder. `stack` selects one of a
/// `cdk.out`.
///
/// # Errors
///
/// If `stack` is needed, or selects nothing.
pub(super) fn find(path: &Path, stack: Option<&str>) -> Result<InputStack, CliError> {
    if let Some(stacks) = path.is_dir().then(|| assembly::stacks(path)).flatten() {
        let found = select(&stacks, path, stack)?;
        return Ok(InputStack {
            template: found.template.clone(),
            name: Some(found.name.clone()),
        });
    }
    if stack.is_some() {
        let message = format!(
            "--stack selects a stack of a cdk.out, and {} is none",
            file::name(path)
        );
        return Err(CliError::input(message).hint("leave it out, or name the folder `cdk.out`"));
    }
    let inside = [SERVERLESS, "build/template.yaml", "template.yaml"];
    let mut inside = inside.map(|name| path.join(name)).into_iter();
    let is_of_tool = path.is_dir() && other_tools::is_named_output(path);
    let template = match inside.find(|file| is_of_tool && file.is_file()) {
        Some(template) => template,
        None => path.to_owned(),
    };
    let is_serverless = template.ends_with(SERVERLESS);
    Ok(InputStack {
        name: is_serverless.then(|| serverless_name(&template)).flatten(),
        template,
    })
}

/// Returns a valid stack name: letters, digits and dashes.
pub(super) fn stack_name(text: &str) -> String {
    let letters = text.chars().map(|letter| match letter {
        letter if letter.is_ascii_alphanumeric() => letter,
        _ => '-',
    });
    letters.collect()
}

/// Returns the name that the Serverless Framework gives to a stack: `SERVICE-STAGE`.
fn serverless_name(template: &Path) -> Option<String> {
    let state = template.with_file_name("serverless-state.json");
    let state = bounded::read(&state, bounded::MAX_JSON).ok()?;
    let state: Json = serde_json::from_slice(&state).ok()?;
    let service = state["service"]["service"].as_str()?;
    let stage = state["service"]["provider"]["stage"].as_str()?;
    Some(format!("{service}-{stage}"))
}

fn select<'s>(
    stacks: &'s [AssemblyStack],
    path: &Path,
    name: Option<&str>,
) -> Result<&'s AssemblyStack, CliError> {
    let folder = file::name(path);
    let names: Vec<_> = stacks.iter().map(|stack| stack.name.as_str()).collect();
    let hint = format!("it has: {}", names.join(", "));
    match (name, stacks) {
        (_, []) => Err(CliError::input(format!("{folder} has no stack")).hint("run `cdk synth`")),
        (None, [only]) => Ok(only),
        (None, _) => Err(CliError::input(format!("{folder} has several stacks"))
            .hint(format!("name one with `--stack`: {}", names.join(", ")))),
        (Some(name), _) => stacks
            .iter()
            .find(|stack| stack.is_named(name) || stack_name(&stack.name) == name)
            .ok_or_else(|| CliError::input(format!("{folder} has no stack {name:?}")).hint(hint)),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::json;

    use super::*;

    fn write(folder: &Path, name: &str, text: &str) {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn refusal(path: &Path, stack: Option<&str>) -> String {
        serde_json::to_string(&find(path, stack).unwrap_err().to_json()).unwrap()
    }

    fn artifact(template: &str, stack: &str) -> serde_json::Value {
        json!({
            "type": "aws:cloudformation:stack",
            "properties": { "templateFile": template, "stackName": stack },
            "displayName": format!("Path/{stack}"),
        })
    }

    #[test]
    fn a_stack_of_a_cloud_assembly_is_selected_by_each_of_its_names() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("cdk.out");
        let manifest = json!({ "version": "48.0.0", "artifacts": { "Chat": artifact("Chat.template.json", "chat-dev") } });
        write(&folder, "manifest.json", &manifest.to_string());
        let only = find(&folder, None).unwrap();
        assert_eq!(only.template, folder.join("Chat.template.json"));
        assert_eq!(only.name.as_deref(), Some("chat-dev"));

        let stage = json!({ "version": "48.0.0", "artifacts": { "ProdOther": artifact("Other.template.json", "other") } });
        write(&folder, "assembly-Prod/manifest.json", &stage.to_string());
        let mut manifest = manifest;
        manifest["artifacts"]["assembly-Prod"] = json!({ "type": "cdk:cloud-assembly", "properties": { "directoryName": "assembly-Prod" } });
        write(&folder, "manifest.json", &manifest.to_string());
        let several = refusal(&folder, None);
        assert!(
            several.contains("name one with `--stack`: chat-dev, other"),
            "{several}"
        );
        for name in ["other", "ProdOther", "Path/other"] {
            let other = find(&folder, Some(name)).unwrap();
            assert_eq!(
                other.template,
                folder.join("assembly-Prod/Other.template.json")
            );
        }
        let unknown = refusal(&folder, Some("x"));
        assert!(unknown.contains("it has: chat-dev, other"), "{unknown}");
    }

    #[test]
    fn folders_of_sam_and_the_serverless_framework_contain_one_template() {
        let root = tempfile::tempdir().unwrap();
        for file in [
            ".serverless/cloudformation-template-update-stack.json",
            ".aws-sam/build/template.yaml",
            "app/template.yaml",
        ] {
            write(root.path(), file, "{}");
        }
        let template = |path: &str| find(&root.path().join(path), None).unwrap().template;
        let inside = |path: &str| root.path().join(path);
        assert_eq!(
            template(".serverless"),
            inside(".serverless/cloudformation-template-update-stack.json")
        );
        for folder in [".aws-sam", ".aws-sam/build"] {
            assert_eq!(template(folder), inside(".aws-sam/build/template.yaml"));
        }
        assert_eq!(template("app"), inside("app"));
        let state = r#"{"service":{"service":"chat","provider":{"stage":"prod"}}}"#;
        write(root.path(), ".serverless/serverless-state.json", state);
        let service = find(&inside(".serverless"), None).unwrap();
        assert_eq!(service.name.as_deref(), Some("chat-prod"));
        let refused = refusal(&inside("app"), Some("x"));
        assert!(
            refused.contains("--stack selects a stack of a cdk.out"),
            "{refused}"
        );
    }
}
