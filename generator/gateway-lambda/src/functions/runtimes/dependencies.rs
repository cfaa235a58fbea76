//! Packages that a function's own package.json or requirements.txt names.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value as Json;

use super::Language;

/// Returns the packages that the file in this folder names. Entries that depend on the environment, or name no package, are
/// left out. Blocks.
pub(super) fn declared_packages(language: Language, folder: &Path) -> BTreeSet<String> {
    match language {
        Language::Node => node_dependencies(folder),
        Language::Python => {
            let text = fs::read_to_string(folder.join("requirements.txt")).unwrap_or_default();
            text.lines().filter_map(distribution).collect()
        }
    }
}

/// Returns the `dependencies` of the package.json in a folder; none without a valid one. Blocks.
pub fn node_dependencies(folder: &Path) -> BTreeSet<String> {
    let text = fs::read(folder.join("package.json")).unwrap_or_default();
    let manifest: Json = serde_json::from_slice(&text).unwrap_or_default();
    let packages = manifest["dependencies"].as_object();
    packages
        .into_iter()
        .flat_map(|packages| packages.keys().cloned())
        .collect()
}

/// Returns the normalized name of the distribution in a line of requirements.txt.
fn distribution(line: &str) -> Option<String> {
    let line = line.split('#').next().unwrap_or_default().trim();
    // A marker may exclude it, and an option or a URL names none.
    if line.contains([';', '@', '/']) || line.starts_with('-') {
        return None;
    }
    let is_name = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let name = line.split(|c| !is_name(c)).next()?;
    (!name.is_empty()).then(|| normalized(name))
}

/// Returns the name by which Python's packaging tools compare distributions.
pub(super) fn normalized(name: &str) -> String {
    let words = name.split(['-', '_', '.']).filter(|word| !word.is_empty());
    let words: Vec<_> = words.map(str::to_ascii_lowercase).collect();
    words.join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_read_from_the_files_of_npm_and_pip() {
        let folder = tempfile::tempdir().expect("a folder");
        let declared = |language| Vec::from_iter(declared_packages(language, folder.path()));
        assert!(declared(Language::Node).is_empty() && declared(Language::Python).is_empty());
        let manifest = r#"{ "dependencies": { "express": "^5", "@scope/x": "1" }, "devDependencies": { "jest": "1" } }"#;
        fs::write(folder.path().join("package.json"), manifest).expect("written");
        assert_eq!(declared(Language::Node), ["@scope/x", "express"]);
        let requirements = "# a comment\nRequests[socks] >= 2.31  # why\nPy_JWT==2.8\n-r more.txt\n--hash=x\n\
                            tomli>=2; python_version < '3.11'\ngit+https://x/y.git\nlocal @ file:///x\n./wheel\n\n";
        fs::write(folder.path().join("requirements.txt"), requirements).expect("written");
        assert_eq!(declared(Language::Python), ["py-jwt", "requests"]);
    }
}
