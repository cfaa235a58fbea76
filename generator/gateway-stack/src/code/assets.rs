//! Files that CDK and the Serverless Framework upload to S3, found by the key of the object.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;

/// Longest file of another tool that is read, in bytes.
const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// Files of another tool by the key, or the name, of their object in S3. Paths are relative to the template's folder.
#[derive(Debug, Default)]
pub(super) struct AssetFiles(HashMap<String, PathBuf>);

impl AssetFiles {
    /// Reads `NAME.assets.json` of CDK and `serverless-state.json` of the Serverless Framework, if they are beside the
    /// template. Blocks.
    pub(super) fn read(template: &Path) -> Self {
        let folder = template.parent().unwrap_or(Path::new(""));
        let name = template.file_name().unwrap_or_default().to_string_lossy();
        let mut files = HashMap::new();
        if let Some(stem) = name.strip_suffix(".template.json")
            && let Some(assets) = json(&folder.join(format!("{stem}.assets.json")))
        {
            add_cdk_assets(&assets, &mut files);
        }
        if let Some(state) = json(&folder.join("serverless-state.json")) {
            add_artifacts(&state, &mut files);
        }
        AssetFiles(files)
    }

    /// Returns the existing file or folder that is uploaded under a key.
    pub(super) fn find(&self, folder: &Path, key: &str) -> Option<PathBuf> {
        let name = file_name(key);
        let stem = name.split('.').next().unwrap_or(name);
        let known = [key, name].into_iter().filter_map(|key| self.0.get(key));
        let beside = [
            PathBuf::from(format!("asset.{stem}")),
            PathBuf::from(format!("asset.{name}")),
            PathBuf::from(name),
        ];
        let mut candidates = known.chain(&beside).map(|path| folder.join(path));
        candidates.find(|path| !name.is_empty() && path.exists())
    }
}

/// Returns the last part of a key.
pub(super) fn file_name(key: &str) -> &str {
    key.rsplit('/').next().unwrap_or(key)
}

/// Returns true for keys of the Serverless Framework: `serverless/SERVICE/STAGE/TIME/NAME.zip`.
pub(super) fn is_serverless(key: &str) -> bool {
    key.starts_with("serverless/") && key.ends_with(".zip")
}

fn json(path: &Path) -> Option<Json> {
    let found = fs::metadata(path).ok()?;
    if !found.is_file() || found.len() > MAX_BYTES {
        return None;
    }
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

/// Adds the files of an asset manifest: `files.HASH.source.path`, with one key per destination.
fn add_cdk_assets(manifest: &Json, found: &mut HashMap<String, PathBuf>) {
    let files = manifest["files"].as_object();
    for file in files.into_iter().flat_map(|files| files.values()) {
        let Some(path) = file["source"]["path"].as_str() else {
            continue;
        };
        let destinations = file["destinations"].as_object();
        let destinations = destinations.into_iter().flat_map(|all| all.values());
        for key in destinations.filter_map(|one| one["objectKey"].as_str()) {
            found.insert(key.to_owned(), PathBuf::from(path));
        }
    }
}

/// Adds the archives of a service and its functions. Their paths are relative to the folder of `serverless.yml`, which is
/// above that of the template.
fn add_artifacts(state: &Json, found: &mut HashMap<String, PathBuf>) {
    let functions = state["service"]["functions"].as_object();
    let functions = functions.into_iter().flat_map(|all| all.values());
    let packages = functions.map(|function| &function["package"]);
    for package in packages.chain([&state["package"], &state["service"]["package"]]) {
        let Some(artifact) = package["artifact"].as_str() else {
            continue;
        };
        let name = file_name(artifact).to_owned();
        found.insert(name, Path::new("..").join(artifact));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn write(folder: &Path, name: &str, text: &str) {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("written");
    }

    #[test]
    fn cdk_assets_are_found_by_manifest_or_by_name() {
        let root = tempfile::tempdir().expect("a folder");
        let folder = root.path().join("assembly-prod");
        let manifest = json!({ "files": { "aaa": {
            "source": { "path": "../asset.aaa", "packaging": "zip" },
            "destinations": { "current": { "objectKey": "prefix/aaa.zip" } },
        } } });
        write(&folder, "App.assets.json", &manifest.to_string());
        write(root.path(), "asset.aaa/index.js", "");
        write(&folder, "asset.bbb/index.js", "");
        write(&folder, "asset.ccc.zip", "");
        let files = AssetFiles::read(&folder.join("App.template.json"));
        let find = |key| files.find(&folder, key);
        assert_eq!(find("prefix/aaa.zip"), Some(folder.join("../asset.aaa")));
        assert_eq!(find("bbb.zip"), Some(folder.join("asset.bbb")));
        assert_eq!(find("ccc.zip"), Some(folder.join("asset.ccc.zip")));
        assert_eq!(find("ddd.zip"), None);
        assert_eq!(find(""), None);
    }

    #[test]
    fn archives_of_the_serverless_framework_are_found_by_their_file_names() {
        let root = tempfile::tempdir().expect("a folder");
        let folder = root.path().join(".serverless");
        let state = json!({
            "package": { "individually": true, "artifact": "" },
            "service": { "functions": { "own": { "package": { "artifact": "dist/own.zip" } } } },
        });
        write(&folder, "serverless-state.json", &state.to_string());
        write(&folder, "chat.zip", "");
        write(root.path(), "dist/own.zip", "");
        let files = AssetFiles::read(&folder.join("cloudformation-template-update-stack.json"));
        let key = |name: &str| {
            format!("serverless/chat/dev/1795337579717-2026-11-22T08:52:59.717Z/{name}")
        };
        let find = |name| files.find(&folder, &key(name));
        assert_eq!(find("chat.zip"), Some(folder.join("chat.zip")));
        assert_eq!(find("own.zip"), Some(folder.join("../dist/own.zip")));
        assert_eq!(find("other.zip"), None);
        assert!(is_serverless(&key("chat.zip")) && !is_serverless("a/chat.zip"));
    }
}
