//! Files of other tools that are easily taken for templates.

use std::path::Path;

use stackgen_cfn::Node;

use crate::assembly;
use crate::error::CliError;

/// A file of another tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ForeignFile {
    /// `serverless.yml`.
    Serverless,
    /// `main.tf`, `main.tf.json`.
    Terraform,
    /// `cdk.json`.
    Cdk,
    /// `samconfig.toml`.
    Sam,
}

/// Key at the top of CloudFormation templates.
const FORMAT_VERSION: &str = "AWSTemplateFormatVersion";

/// Use of a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TemplateUse {
    /// `stackgen lint` and other commands that read templates.
    Read,
    /// `stackgen dev`.
    Run,
}

/// Returns the error for a file of another tool, if it is one by its name or its keys. `root` is the content of `text`,
/// if it can be parsed.
pub(crate) fn error(
    name: &str,
    text: &str,
    root: Option<&Node>,
    used_for: TemplateUse,
) -> Option<CliError> {
    let is_run = used_for == TemplateUse::Run;
    let (what, hint) = match foreign_file(name, root)? {
        ForeignFile::Serverless if is_cloudformation(text, root) => return None,
        ForeignFile::Serverless if is_run => (
            "a project file of the Serverless Framework",
            "run `serverless package`, then `stackgen dev .serverless`",
        ),
        ForeignFile::Cdk if is_run => (
            "the configuration of a CDK app",
            "run `cdk synth`, then `stackgen dev cdk.out`",
        ),
        ForeignFile::Sam if is_run => (
            "the configuration of the SAM CLI",
            "run the template that it deploys: `stackgen dev template.yaml`",
        ),
        ForeignFile::Serverless => (
            "a project file of the Serverless Framework",
            "run `serverless package`, then lint `.serverless/cloudformation-template-update-stack.json`",
        ),
        ForeignFile::Terraform => (
            "a Terraform configuration",
            "name the file itself or its folder: Terraform reads all files of a folder, so one file of a revision is not enough",
        ),
        ForeignFile::Cdk => (
            "the configuration of a CDK app",
            "run `cdk synth`, then lint the folder `cdk.out`",
        ),
        ForeignFile::Sam => (
            "the configuration of the SAM CLI",
            "lint the template that it deploys, such as `template.yaml`",
        ),
    };
    let message = format!("{name} is {what}, not a CloudFormation template");
    Some(CliError::input(message).hint(hint))
}

/// Returns true if a text has the version of CloudFormation's format at its top. A `serverless.yml` can have it further
/// down, below `resources`.
fn is_cloudformation(text: &str, root: Option<&Node>) -> bool {
    match root {
        Some(root) => root.get(FORMAT_VERSION).is_some(),
        None if text.trim_start().starts_with('{') => text.contains(FORMAT_VERSION),
        None => text.lines().any(|line| {
            line.trim_start_matches(['"', '\''])
                .starts_with(FORMAT_VERSION)
        }),
    }
}

/// Returns true for a folder that CDK, SAM or the Serverless Framework writes, and that contains a template.
pub(crate) fn is_output(folder: &Path) -> bool {
    folder.is_dir() && (is_named_output(folder) || assembly::stacks(folder).is_some())
}

/// Returns true for `.serverless`, `.aws-sam` and `.aws-sam/build`.
pub(crate) fn is_named_output(folder: &Path) -> bool {
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    [".serverless", ".aws-sam", ".aws-sam/build"]
        .iter()
        .any(|tool| folder.ends_with(tool))
}

fn foreign_file(name: &str, root: Option<&Node>) -> Option<ForeignFile> {
    // A file in a revision is named `REV:PATH`.
    let path = name.rsplit(':').next().unwrap_or(name);
    let file = Path::new(path).file_name()?.to_str()?.to_ascii_lowercase();
    let (stem, extension) = file.split_once('.').unwrap_or((&file, ""));
    // The AWS Toolkit for .NET names its templates `serverless.template`.
    let is_serverless = stem == "serverless" && !extension.starts_with("template");
    let has =
        |keys: &[&str]| root.is_some_and(|root| keys.iter().all(|key| root.get(key).is_some()));
    if file.ends_with(".tf") || file.ends_with(".tf.json") || file.ends_with(".tfvars") {
        Some(ForeignFile::Terraform)
    } else if is_serverless || has(&["service", "provider"]) {
        Some(ForeignFile::Serverless)
    } else if file == "cdk.json" {
        Some(ForeignFile::Cdk)
    } else if stem == "samconfig" {
        Some(ForeignFile::Sam)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_other_tools_are_recognized_by_name() {
        for (name, expected) in [
            ("serverless.yml", Some(ForeignFile::Serverless)),
            ("services/chat/serverless.ts", Some(ForeignFile::Serverless)),
            ("HEAD~1:infra/main.tf", Some(ForeignFile::Terraform)),
            ("infra/main.tf.json", Some(ForeignFile::Terraform)),
            ("cdk.json", Some(ForeignFile::Cdk)),
            ("samconfig.toml", Some(ForeignFile::Sam)),
            ("template.yaml", None),
            // The template of the AWS Toolkit's projects.
            ("src/serverless.template", None),
            ("cdk.context.json", None),
            ("-", None),
        ] {
            assert_eq!(foreign_file(name, None), expected, "{name}");
        }
    }

    #[test]
    fn a_serverless_file_with_another_name_is_recognized_by_its_keys() {
        let root = stackgen_cfn::map([("service", Node::from("chat")), ("provider", "aws".into())]);
        let found = foreign_file("chat.yml", Some(&root));
        assert_eq!(found, Some(ForeignFile::Serverless));
    }
}
