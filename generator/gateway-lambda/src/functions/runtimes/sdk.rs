//! Packages that Lambda has built in and a machine may lack: AWS's SDKs.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use tokio::process::Command;

use super::Language;
use super::interpreter::{Interpreter, run};

/// Packages that Lambda's Python runtimes contain.
const PYTHON_PACKAGES: [&str; 4] = ["boto3", "botocore", "s3transfer", "jmespath"];

/// Scopes of packages that Lambda's Node runtimes contain, since nodejs18.x.
const NODE_SCOPES: [&str; 2] = ["@aws-sdk/", "@smithy/"];

/// Maximum size of a source file that is searched for imports, in bytes.
const MAX_SOURCE: u64 = 8 * 1024 * 1024;

/// Maximum number of files that are searched.
const MAX_FILES: usize = 2_000;

/// Returns the package of Lambda that an error message reports as missing.
pub(super) fn missing_package(language: Language, message: &str) -> Option<String> {
    let starts: &[&str] = match language {
        Language::Node => &["Cannot find module '", "Cannot find package '"],
        Language::Python => &["No module named '"],
    };
    starts.iter().find_map(|start| {
        let (_, rest) = message.split_once(start)?;
        let (name, _) = rest.split_once('\'')?;
        built_in_package(language, name)
    })
}

/// Returns the package of Lambda that contains a module.
fn built_in_package(language: Language, module: &str) -> Option<String> {
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

/// Returns the packages of Lambda that the sources in this folder import and that this machine lacks.
///
/// `variables` are the function's own environment variables: `NODE_PATH` and `PYTHONPATH` name folders of packages.
pub(in super::super) async fn missing_imports(
    interpreter: &Interpreter,
    root: &Path,
    variables: &BTreeMap<String, String>,
) -> BTreeSet<String> {
    let language = interpreter.language;
    let folder = root.to_owned();
    let imported = tokio::task::spawn_blocking(move || imported_packages(language, &folder)).await;
    let mut imported = imported.unwrap_or_default();
    if imported.is_empty() {
        return imported;
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
            imported.retain(|package| !folders.iter().any(|folder| folder.join(package).is_dir()));
        }
        Language::Python => {
            let script = "import sys, importlib.util as u\nsys.path[0] = sys.argv.pop(1)\n\
                          for name in sys.argv[1:]:\n    if u.find_spec(name): print(name)";
            let mut command = Command::new(&interpreter.program);
            command
                .args(["-c", script])
                .arg(root)
                .args(&imported)
                .env_clear();
            command.envs(variables.get_key_value("PYTHONPATH"));
            // If this fails, the function's own start reports what is missing.
            let found = run(&mut command).await;
            imported.retain(|package| {
                found
                    .as_ref()
                    .is_ok_and(|found| !found.lines().any(|line| line == package))
            });
        }
    }
    imported
}

/// Returns the packages of Lambda that sources in this folder import. Blocks.
///
/// This reads text: imports with computed names are not found.
fn imported_packages(language: Language, root: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut folders = vec![root.to_owned()];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let (path, name) = (entry.path(), entry.file_name());
            let Ok(metadata) = entry.metadata() else {
                continue;
            };
            if metadata.is_dir() {
                // Dependencies bring their own.
                let is_skipped =
                    name.as_encoded_bytes().starts_with(b".") || name == "node_modules";
                if !is_skipped {
                    folders.push(path);
                }
                continue;
            }
            files += 1;
            if is_source(language, &path) && metadata.len() <= MAX_SOURCE && files <= MAX_FILES {
                let text = fs::read(&path).unwrap_or_default();
                add_imports(language, &String::from_utf8_lossy(&text), &mut found);
            }
        }
    }
    found
}

fn is_source(language: Language, path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    extension.is_some_and(|extension| match language {
        Language::Node => ["js", "mjs", "cjs"].contains(&extension),
        Language::Python => extension == "py",
    })
}

fn add_imports(language: Language, text: &str, found: &mut BTreeSet<String>) {
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
            for scope in NODE_SCOPES {
                for (at, _) in text.match_indices(scope) {
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
                    if is_import {
                        found.extend(built_in_package(language, name));
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
        let mut found = BTreeSet::new();
        add_imports(language, text, &mut found);
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
        "#;
        let expected = [
            "@aws-sdk/client-s3",
            "@aws-sdk/client-sns",
            "@aws-sdk/lib-dynamodb",
            "@smithy/types",
        ];
        assert_eq!(imports(Language::Node, node), expected);
        let python = "import boto3, os\n    from botocore.config import Config\n# import s3transfer\nimport requests\n";
        assert_eq!(imports(Language::Python, python), ["boto3", "botocore"]);
    }

    #[test]
    fn error_messages_name_the_missing_package_of_lambda() {
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
