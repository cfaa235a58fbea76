//! Checks of ARCHITECTURE.md: dependencies, and files that exist.

use std::collections::BTreeMap;
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
    ("stackgen-cost", &["stackgen-cfn", "stackgen-model"]),
    (
        "stackgen-lint",
        &["stackgen-cfn", "stackgen-cost", "stackgen-model"],
    ),
    ("stackgen-synth", &["stackgen-cfn", "stackgen-model"]),
    ("stackgen-gateway-common", &["stackgen-model"]),
    ("stackgen-gateway-lambda", &["stackgen-gateway-common"]),
    (
        "stackgen-gateway-apis",
        &["stackgen-gateway-common", "stackgen-vtl"],
    ),
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
    ("stackgen-network", &["stackgen-test-tools"]),
    (
        "stackgen-terraform",
        &["stackgen-cfn", "stackgen-model", "stackgen-test-tools"],
    ),
    ("stackgen-vtl", &["stackgen-test-tools"]),
    (
        "stackgen-probe",
        &["stackgen-network", "stackgen-test-tools"],
    ),
    ("stackgen-deploy", &["stackgen-cfn", "stackgen-model"]),
    (
        "stackgen-diagnose",
        &[
            "stackgen-cfn",
            "stackgen-deploy",
            "stackgen-lint",
            "stackgen-model",
            "stackgen-probe",
        ],
    ),
    (
        "stackgen-aws",
        &[
            "stackgen-deploy",
            "stackgen-diagnose",
            "stackgen-network",
            "stackgen-test-tools",
        ],
    ),
    (
        "stackgen",
        &[
            "stackgen-aws",
            "stackgen-cfn",
            "stackgen-cost",
            "stackgen-deploy",
            "stackgen-diagnose",
            "stackgen-gateway",
            "stackgen-lint",
            "stackgen-model",
            "stackgen-network",
            "stackgen-probe",
            "stackgen-synth",
            "stackgen-terraform",
            "stackgen-test-tools",
            "stackgen-websocket",
            "live-session",
            "chat",
            "echo",
        ],
    ),
    (
        "stackgen-websocket",
        &["stackgen-websocket", "stackgen-websocket-testing"],
    ),
    ("stackgen-websocket-testing", &["stackgen-websocket"]),
    ("live-session-core", &["stackgen-websocket"]),
    (
        "live-session",
        &[
            "live-session-core",
            "stackgen-websocket",
            "stackgen-websocket-testing",
        ],
    ),
    (
        "chat",
        &["stackgen-websocket", "stackgen-websocket-testing"],
    ),
    (
        "echo",
        &["stackgen-websocket", "stackgen-websocket-testing"],
    ),
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
    for krate in ["cfn", "model", "synth", "terraform", "vtl"] {
        for (path, code) in sources(krate) {
            let word = forbidden.iter().find(|word| code.contains(*word));
            assert!(word.is_none(), "{} uses {word:?}", path.display());
        }
    }
}
