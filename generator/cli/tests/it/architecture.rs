//! Checks of ARCHITECTURE.md: dependencies, and files that exist.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::common::root;

/// Our crates, each with the crates that it may depend on, in tests too.
const ARROWS: &[(&str, &[&str])] = &[
    ("stackgen-test-tools", &[]),
    ("stackgen-cfn", &["stackgen-test-tools"]),
    ("stackgen-model", &["stackgen-cfn", "stackgen-test-tools"]),
    ("stackgen-lint", &["stackgen-cfn", "stackgen-model"]),
    ("stackgen-synth", &["stackgen-cfn", "stackgen-model"]),
    ("stackgen-gateway-common", &["stackgen-model"]),
    ("stackgen-gateway-lambda", &["stackgen-gateway-common"]),
    ("stackgen-gateway-apis", &["stackgen-gateway-common"]),
    (
        "stackgen-gateway-stack",
        &[
            "stackgen-cfn",
            "stackgen-gateway-apis",
            "stackgen-gateway-common",
            "stackgen-gateway-lambda",
            "stackgen-model",
        ],
    ),
    (
        "stackgen-gateway",
        &[
            "stackgen-cfn",
            "stackgen-gateway-apis",
            "stackgen-gateway-common",
            "stackgen-gateway-lambda",
            "stackgen-gateway-stack",
            "stackgen-model",
            "stackgen-test-tools",
        ],
    ),
    ("stackgen-probe", &[]),
    ("stackgen-deploy", &["stackgen-cfn", "stackgen-model"]),
    ("stackgen-aws", &["stackgen-deploy"]),
    (
        "stackgen",
        &[
            "stackgen-aws",
            "stackgen-cfn",
            "stackgen-deploy",
            "stackgen-gateway",
            "stackgen-lint",
            "stackgen-model",
            "stackgen-probe",
            "stackgen-synth",
            "stackgen-test-tools",
            "stackgen-websocket",
            "live-session",
            "chat",
            "echo",
        ],
    ),
    ("stackgen-websocket", &["stackgen-websocket"]),
    ("live-session-core", &["stackgen-websocket"]),
    ("live-session", &["live-session-core", "stackgen-websocket"]),
    ("chat", &["stackgen-websocket"]),
    ("echo", &["stackgen-websocket"]),
];

/// Returns our crates with their dependencies among them; true marks a dependency of tests only.
fn arrows() -> BTreeMap<String, Vec<(String, bool)>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version=1"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let text = |value: &Value| value["name"].as_str().unwrap().to_owned();
    let names: Vec<_> = packages.iter().map(text).collect();
    let ours = |package: &Value| -> Vec<(String, bool)> {
        let dependencies = package["dependencies"].as_array().unwrap();
        dependencies
            .iter()
            .map(|dependency| (text(dependency), dependency["kind"] == "dev"))
            .filter(|(name, _)| names.contains(name))
            .collect()
    };
    packages
        .iter()
        .map(|package| (text(package), ours(package)))
        .collect()
}

#[test]
fn crates_depend_only_on_allowed_crates() {
    let allowed: BTreeMap<_, _> = ARROWS.iter().copied().collect();
    for (from, targets) in arrows() {
        let Some(allowed) = allowed.get(from.as_str()) else {
            panic!("add {from} to ARCHITECTURE.md, and its dependencies here");
        };
        for (to, _) in targets {
            assert!(
                allowed.contains(&to.as_str()),
                "{from} must not depend on {to}"
            );
        }
    }
}

#[test]
fn the_binary_depends_on_handlers_only_in_tests() {
    let handlers = ["stackgen-websocket", "live-session", "chat", "echo"];
    for (to, in_tests) in &arrows()["stackgen"] {
        assert!(*in_tests || !handlers.contains(&to.as_str()), "{to}");
    }
}

/// Returns every Markdown page, by its path from the root.
fn pages() -> Vec<PathBuf> {
    let mut pages = Vec::new();
    let mut folders = vec![root(), root().join("docs")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && folder.starts_with(root().join("docs")) {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                pages.push(path);
            }
        }
    }
    pages.sort();
    pages
}

/// Returns code between single backticks, outside of fenced blocks.
fn code_spans(page: &str) -> Vec<&str> {
    let outside = page.split("\n```").step_by(2);
    outside
        .flat_map(|text| text.split('`').skip(1).step_by(2))
        .collect()
}

/// Returns true if code in ARCHITECTURE.md names a file or a folder: a path with `/`, or a page or source by itself.
fn names_a_file(code: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "./_-".contains(c);
    let extension = Path::new(code).extension().and_then(OsStr::to_str);
    code.chars().all(plain)
        && !code.starts_with('/')
        && (code.contains('/') || extension.is_some_and(|e| ["rs", "md", "toml"].contains(&e)))
}

#[test]
fn every_file_in_architecture_md_exists() {
    let map = std::fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let named: Vec<_> = code_spans(&map)
        .into_iter()
        .filter(|code| names_a_file(code))
        .collect();
    assert!(!named.is_empty());
    let missing: Vec<_> = named
        .into_iter()
        .filter(|name| !root().join(name).exists())
        .collect();
    assert!(
        missing.is_empty(),
        "ARCHITECTURE.md names what does not exist: {missing:?}"
    );
}

#[test]
fn every_relative_link_has_a_target() {
    for page in pages() {
        let text = std::fs::read_to_string(&page).unwrap();
        let folder = page.parent().unwrap();
        for link in text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next())
        {
            let target = link.split('#').next().unwrap_or_default();
            let elsewhere = link.contains("://") || target.is_empty();
            assert!(
                elsewhere || folder.join(target).exists(),
                "{} links to {target}, which does not exist",
                page.display()
            );
        }
    }
}

/// Returns every source file of a crate, without its tests.
fn sources(krate: &str) -> Vec<(PathBuf, String)> {
    let mut sources = Vec::new();
    let mut folders = vec![root().join("generator").join(krate).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if !path.ends_with("tests.rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
                sources.push((path, code.to_owned()));
            }
        }
    }
    sources
}

#[test]
fn libraries_do_no_io() {
    let forbidden = [
        "print!",
        "println!",
        "std::env",
        "std::fs",
        "std::net",
        "std::process",
    ];
    for krate in ["cfn", "model", "synth"] {
        for (path, code) in sources(krate) {
            let word = forbidden.iter().find(|word| code.contains(*word));
            assert!(word.is_none(), "{} uses {word:?}", path.display());
        }
    }
}

/// Returns the modules of the command line by their paths, each with the modules that it names.
fn modules() -> BTreeMap<String, BTreeSet<String>> {
    let folder = root().join("generator/cli/src");
    let files: Vec<_> = sources("cli")
        .into_iter()
        .map(|(path, code)| {
            let path = path.strip_prefix(&folder).unwrap().with_extension("");
            let parts = path.iter().map(|part| part.to_str().unwrap().to_owned());
            let parts = parts.filter(|part| !["main", "mod"].contains(&part.as_str()));
            (parts.collect::<Vec<_>>(), code)
        })
        .filter(|(module, _)| module.first().is_none_or(|first| first != "reference"))
        .collect();
    let known: BTreeSet<_> = files.iter().map(|(module, _)| module.join("::")).collect();
    files
        .iter()
        .map(|(module, code)| {
            let named = named_paths(code, module).into_iter();
            let named = named.map(|path| module_of(&path, &known));
            let name = module.join("::");
            let others = named.filter(|other| *other != name).collect();
            (name, others)
        })
        .collect()
}

/// Returns paths that begin with `crate`, `super` or a declared child, from the root of the crate.
fn named_paths(code: &str, module: &[String]) -> Vec<Vec<String>> {
    let lines = code.lines().map(|line| line.split("//").next().unwrap());
    let code = lines.collect::<Vec<_>>().join("\n");
    let parent = || module[..module.len() - 1].to_vec();
    let mut paths = Vec::new();
    for (start, _) in code.match_indices("crate::") {
        paths.extend(tree(&code[start + "crate::".len()..], &[]));
    }
    for (start, _) in code.match_indices("super::") {
        let above = code[..start].ends_with("super::");
        assert!(!above, "{module:?}: write `crate::` for `super::super::`");
        paths.extend(tree(&code[start + "super::".len()..], &parent()));
    }
    let declared = code.lines().filter_map(|line| {
        let line = line.trim_start().trim_start_matches("pub(crate) ");
        line.strip_prefix("mod ")?.strip_suffix(';')
    });
    paths.extend(declared.map(|child| [module, &[child.to_owned()]].concat()));
    paths
}

/// Returns the paths of a use tree, such as `account::{AccountArgs, target::TargetArgs}`.
fn tree(code: &str, prefix: &[String]) -> Vec<Vec<String>> {
    let end = code.find(|c: char| !(c.is_alphanumeric() || c == '_'));
    let (name, rest) = code.split_at(end.unwrap_or(code.len()));
    let path = [prefix, &[name.to_owned()]].concat();
    match rest.strip_prefix("::") {
        _ if code.starts_with('{') => branches(&code[1..])
            .into_iter()
            .flat_map(|branch| tree(branch, prefix))
            .collect(),
        Some(rest) => tree(rest, &path),
        None => vec![path],
    }
}

/// Returns the parts between commas up to the closing brace.
fn branches(code: &str) -> Vec<&str> {
    let (mut depth, mut start, mut parts) = (0, 0, Vec::new());
    for (at, c) in code.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => {
                parts.push(code[start..at].trim());
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(code[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    parts
}

/// Returns the longest part of a path that is a module.
fn module_of(path: &[String], known: &BTreeSet<String>) -> String {
    let mut lengths = (0..=path.len()).rev();
    let module = lengths.find_map(|length| known.get(&path[..length].join("::")));
    module.unwrap().clone()
}

#[test]
fn modules_of_the_command_line_form_no_circle() {
    let mut left = modules();
    assert!(left["ui"].contains("error"));
    assert!(left["commands::deploy"].contains("commands::deploy::redeploy"));
    assert!(left["commands::deploy::redeploy"].contains("account"));
    loop {
        let free = left.iter().find(|(_, named)| {
            let mut named = named.iter();
            !named.any(|other| left.contains_key(other))
        });
        let Some(free) = free.map(|(name, _)| name.clone()) else {
            break;
        };
        left.remove(&free);
    }
    assert!(left.is_empty(), "modules depend on each other: {left:#?}");
}
