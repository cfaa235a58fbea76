//! What `cdk synth` writes: a folder with a manifest that names its templates.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;

/// The templates of a cdk.out in the order of their paths: those that its manifest names, in stages too, and those of
/// the stacks nested in them. What an earlier synthesis left behind is none of them. `None` for any other folder.
pub(super) fn templates(folder: &Path) -> Option<Vec<PathBuf>> {
    let mut found = BTreeSet::new();
    add(folder, &mut found)?;
    Some(found.into_iter().collect())
}

fn add(folder: &Path, found: &mut BTreeSet<PathBuf>) -> Option<()> {
    let manifest = read(&folder.join("manifest.json"))?;
    manifest.get("version")?.as_str()?;
    for artifact in manifest.get("artifacts")?.as_object()?.values() {
        let property = |name: &str| artifact.get("properties")?.get(name)?.as_str();
        match artifact.get("type").and_then(Json::as_str) {
            Some("aws:cloudformation:stack") => {
                if let Some(template) = property("templateFile") {
                    add_stack(folder, template, found);
                }
            }
            Some("cdk:cloud-assembly") => {
                if let Some(directory) = property("directoryName").filter(|it| is_within(it)) {
                    let _ = add(&folder.join(directory), found);
                }
            }
            _ => {}
        }
    }
    Some(())
}

/// A template and those of its nested stacks, which CDK names as assets of their resources.
fn add_stack(folder: &Path, template: &str, found: &mut BTreeSet<PathBuf>) {
    let path = folder.join(template);
    if !is_within(template) || !found.insert(path.clone()) {
        return;
    }
    let template = read(&path).unwrap_or_default();
    let resources = template.get("Resources").and_then(Json::as_object);
    for resource in resources
        .into_iter()
        .flat_map(|resources| resources.values())
    {
        let asset = || resource.get("Metadata")?.get("aws:asset:path")?.as_str();
        let is_stack =
            resource.get("Type").and_then(Json::as_str) == Some("AWS::CloudFormation::Stack");
        if let Some(nested) = asset().filter(|_| is_stack) {
            add_stack(folder, nested, found);
        }
    }
}

/// Whether a path stays in its folder, so that no manifest leads elsewhere.
fn is_within(path: &str) -> bool {
    let mut parts = Path::new(path).components();
    parts.all(|part| matches!(part, std::path::Component::Normal(_)))
}

/// Within the limit of templates; nothing else is waited for or taken in whole.
fn read(path: &Path) -> Option<Json> {
    let metadata = fs::metadata(path).ok()?;
    let fits = metadata.is_file() && metadata.len() <= stackgen_cfn::parse::MAX_BYTES as u64;
    let bytes = fits.then(|| fs::read(path).ok()).flatten()?;
    serde_json::from_slice(&bytes).ok()
}
