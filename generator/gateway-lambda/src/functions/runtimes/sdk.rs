//! Packages that a machine may lack: AWS's SDKs, which Lambda has built in, and those that functions declare.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use tokio::process::Command;

use super::Language;
use super::dependencies::declared_packages;
use super::interpreter::{Interpreter, run};
use super::sources::each_source;

/// Packages that Lambda's Python runtimes contain.
const PYTHON_PACKAGES: [&str; 4] = ["boto3", "botocore", "s3transfer", "jmespath"];

/// Scopes of packages that Lambda's Node runtimes contain, since nodejs18.x.
const NODE_SCOPES: [&str; 2] = ["@aws-sdk/", "@smithy/"];

/// Version 2 of AWS's SDK for JavaScript, which Lambda's Node runtimes contain up to nodejs16.x.
pub(super) const OLD_SDK: &str = "aws-sdk";

/// Packages that a function needs and that this machine lacks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in super::super) struct MissingPackages {
    /// Packages that Lambda has built in.
    pub(in super::super) built_in: BTreeSet<String>,
    /// Packages of the function's package.json or requirements.txt.
    pub(in super::super) declared: BTreeSet<String>,
    /// True if version 2 of AWS's SDK is imported and not declared. The runtime decides whether Lambda has it built in.
    pub(in super::super) old_sdk: bool,
}

/// Returns the module that an error message reports as missing.
pub(super) fn missing_module(language: Language, message: &str) -> Option<&str> {
    let starts: &[&str] = match language {
        Language::Node => &["Cannot find module '", "Cannot find package '"],
        Language::Python => &["No module named '"],
    };
    starts.iter().find_map(|start| {
        let (_, rest) = message.split_once(start)?;
        Some(rest.split_once('\'')?.0)
    })
}

/// Returns the package of Lambda that contains a module.
pub(super) fn built_in_package(language: Language, module: &str) -> Option<String> {
    match language {
        Language::Node => {
            let scope = NODE_SCOPES
                .iter()
                .find(|scope| module.starts_with(**scope))?;
            let name = module[scope.len()..]
                .split('/')
                .next()
                .filter(|name| !name.is_empty())?;
            let is_name = name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
            is_name.then(|| format!("{scope}{name}"))
        }
        Language::Python => {
            let name = module.split('.').next().unwrap_or_default();
            PYTHON_PACKAGES.contains(&name).then(|| name.to_owned())
        }
    }
}

/// Returns the packages that the sources in this folder need and that this machine lacks: those of Lambda and those of
/// package.json that they import, and those of requirements.txt.
///
/// `variables` are the function's own environment variables: `NODE_PATH` and `PYTHONPATH` name folders of packages.
pub(in super::super) async fn missing_packages(
    interpreter: &Interpreter,
    root: &Path,
    variables: &BTreeMap<String, String>,
) -> MissingPackages {
    let language = interpreter.language;
    let folder = root.to_owned();
    let needed = tokio::task::spawn_blocking(move || needed_packages(language, &folder)).await;
    let mut needed = needed.unwrap_or_default();
    if needed == MissingPackages::default() {
        return needed;
    }
    match language {
        Language::Node => {
            let folders = variables
                .get("NODE_PATH")
                .map_or("", String::as_str)
                .split(':')
                .filter(|folder| !folder.is_empty())
                .map(Path::new);
            // The folder above contains the packages of the project.
            let above = root
                .ancestors()
                .take(2)
                .map(|folder| folder.join("node_modules"));
            let folders: Vec<_> = folders.map(Path::to_owned).chain(above).collect();
            let is_missing =
                |package: &String| !folders.iter().any(|folder| folder.join(package).is_dir());
            needed.built_in.retain(is_missing);
            needed.declared.retain(is_missing);
            needed.old_sdk &= is_missing(&OLD_SDK.to_owned());
        }
        Language::Python => {
            // If this fails, the function's own start reports what is missing.
            let missing = missing_in_python(interpreter, root, variables, &needed).await;
            let missing = missing.unwrap_or_default();
            let is_missing = |package: &String| missing.lines().any(|line| line == package);
            needed.built_in.retain(is_missing);
            needed.declared.retain(is_missing);
        }
    }
    needed
}

/// Asks Python for packages that it does not find: modules of Lambda, and distributions. Returns their names as lines.
async fn missing_in_python(
    interpreter: &Interpreter,
    root: &Path,
    variables: &BTreeMap<String, String>,
    needed: &MissingPackages,
) -> Result<String, String> {
    const SCRIPT: &str = "\
import sys, importlib.metadata as m, importlib.util as u
sys.path[0] = sys.argv[1]
modules, distributions = sys.argv[2].split(), sys.argv[3].split()
for name in modules:
    if not u.find_spec(name): print(name)
if distributions:
    found = {'-'.join(filter(None, (d.metadata['Name'] or '').lower().replace('_', '-').replace('.', '-').split('-'))) for d in m.distributions()}
    for name in distributions:
        if name not in found and not u.find_spec(name.replace('-', '_')): print(name)
";
    let words = |packages: &BTreeSet<String>| Vec::from_iter(packages.clone()).join(" ");
    let mut command = Command::new(&interpreter.program);
    command.args(["-c", SCRIPT]).arg(root);
    command.args([words(&needed.built_in), words(&needed.declared)]);
    command.env_clear();
    command.envs(variables.get_key_value("PYTHONPATH"));
    run(&mut command).await
}

/// Returns the packages of Lambda that sources in this folder import, and the declared ones that they need. Blocks.
fn needed_packages(language: Language, root: &Path) -> MissingPackages {
    let mut declared = declared_packages(language, root);
    declared.retain(|package| built_in_package(language, package).is_none());
    let mut searched = declared.clone();
    if language == Language::Node {
        searched.insert(OLD_SDK.to_owned());
    }
    let mut imported = imported_packages(language, root, &searched);
    let old_sdk = !declared.contains(OLD_SDK) && imported.remove(OLD_SDK);
    let (built_in, other): (BTreeSet<_>, BTreeSet<_>) = imported
        .into_iter()
        .partition(|package| built_in_package(language, package).is_some());
    MissingPackages {
        built_in,
        old_sdk,
        declared: match language {
            // Bundles contain what they need.
            Language::Node => other,
            // Modules have other names than distributions.
            Language::Python => declared,
        },
    }
}

/// Returns the packages of Lambda, and those of these packages, that sources in this folder import. Blocks.
///
/// This reads text: imports with computed names are not found.
fn imported_packages(
    language: Language,
    root: &Path,
    declared: &BTreeSet<String>,
) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    each_source(language, root, &mut |text| {
        add_imports(language, text, declared, &mut found);
    });
    found
}

fn add_imports(
    language: Language,
    text: &str,
    declared: &BTreeSet<String>,
    found: &mut BTreeSet<String>,
) {
    match language {
        Language::Python => {
            let modules = text.lines().filter_map(|line| {
                let rest = line.trim_start();
                let rest = rest
                    .strip_prefix("import ")
                    .or_else(|| rest.strip_prefix("from "))?;
                rest.split([' ', ',', ';', '#']).next()
            });
            found.extend(modules.filter_map(|module| built_in_package(language, module)));
        }
        Language::Node => {
            let declared = declared.iter().map(String::as_str);
            for start in NODE_SCOPES.into_iter().chain(declared) {
                for (at, _) in text.match_indices(start) {
                    let before = &text[..at];
                    let Some(before) = before.strip_suffix(['"', '\'', '`']) else {
                        continue;
                    };
                    let before = before.trim_end();
                    let is_import = ["require(", "import(", "from", "import"]
                        .iter()
                        .any(|end| before.ends_with(end));
                    let name = text[at..]
                        .split(['"', '\'', '`'])
                        .next()
                        .unwrap_or_default();
                    let rest = name.strip_prefix(start).unwrap_or(name);
                    if !is_import {
                        continue;
                    }
                    if NODE_SCOPES.contains(&start) {
                        found.extend(built_in_package(language, name));
                    } else if rest.is_empty() || rest.starts_with('/') {
                        found.insert(start.to_owned());
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn imports(language: Language, text: &str) -> Vec<String> {
        let declared = BTreeSet::from(["express".to_owned(), "@scope/x".to_owned()]);
        let mut found = BTreeSet::new();
        add_imports(language, text, &declared, &mut found);
        found.into_iter().collect()
    }

    #[test]
    fn imports_of_lambdas_packages_are_found_in_sources() {
        let node = r#"
            import { S3 } from "@aws-sdk/client-s3";
            import"@smithy/types"
            const { a } = require('@aws-sdk/lib-dynamodb/dist/x');
            const b = await import(`@aws-sdk/client-sns`);
            // of a bundle's package.json:
            const c = { name: "@aws-sdk/client-iam" }, d = require("express");
            import { e } from "@scope/x/e"; import f from "express-session"; import "left-pad";
        "#;
        let expected = [
            "@aws-sdk/client-s3",
            "@aws-sdk/client-sns",
            "@aws-sdk/lib-dynamodb",
            "@scope/x",
            "@smithy/types",
            "express",
        ];
        assert_eq!(imports(Language::Node, node), expected);
        let python = "import boto3, os\n    from botocore.config import Config\n# import s3transfer\nimport requests\n";
        assert_eq!(imports(Language::Python, python), ["boto3", "botocore"]);
    }

    #[test]
    fn version_2_of_the_sdk_is_found_unless_it_is_declared() {
        let folder = tempfile::tempdir().unwrap();
        let write =
            |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write(
            "app.js",
            "const AWS = require('aws-sdk'); const ddb = require(\"aws-sdk/clients/dynamodb\");",
        );
        let needed = needed_packages(Language::Node, folder.path());
        assert!(needed.old_sdk && needed.declared.is_empty());
        write("package.json", r#"{"dependencies": {"aws-sdk": "^2.0.0"}}"#);
        let needed = needed_packages(Language::Node, folder.path());
        assert!(!needed.old_sdk && needed.declared.contains("aws-sdk"));
        write("package.json", "{}");
        write("app.js", "const AWS = require('aws-sdk-mock');");
        assert!(!needed_packages(Language::Node, folder.path()).old_sdk);
    }

    #[test]
    fn error_messages_name_the_missing_package_of_lambda() {
        let missing_package =
            |language, message| built_in_package(language, missing_module(language, message)?);
        let node = |message| missing_package(Language::Node, message);
        let esm = "Cannot find package '@aws-sdk/client-s3' imported from /tmp/task/app.mjs";
        assert_eq!(node(esm).as_deref(), Some("@aws-sdk/client-s3"));
        let cjs = "Error: Cannot find module '@aws-sdk/lib-storage/x'\nRequire stack:\n- /tmp/task/app.js";
        assert_eq!(node(cjs).as_deref(), Some("@aws-sdk/lib-storage"));
        assert_eq!(node("Error: Cannot find module 'express'"), None);
        assert_eq!(node("Cannot find module '@aws-sdk/; rm -rf ~'"), None);
        let python = |message| missing_package(Language::Python, message);
        let import = "Unable to import module 'app': No module named 'boto3.dynamodb'";
        assert_eq!(python(import).as_deref(), Some("boto3"));
        assert_eq!(python("No module named 'requests'"), None);
    }
}
