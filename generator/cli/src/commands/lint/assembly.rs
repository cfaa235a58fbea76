//! What `cdk synth` writes: a folder with a manifest that names its templates.

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use crate::bounded;

/// The templates of a cdk.out in the order of their paths: those that its manifest names, in stages too, and those of
/// the stacks nested in them. What an earlier synthesis left behind is none of them. `None` for any other folder.
pub(super) fn templates(folder: &Path) -> Option<Vec<PathBuf>> {
    let mut reading = Reading::default();
    add(folder, &mut reading)?;
    Some(reading.templates.into_iter().collect())
}

/// What was met so far.
#[derive(Default)]
struct Reading {
    templates: BTreeSet<PathBuf>,
    /// Every file that was read, without links: a manifest may name its own folder, or a link that leads back.
    files: HashSet<PathBuf>,
}

impl Reading {
    /// Reads a JSON file of a regular length; `None` if it is none, or was read before.
    fn read(&mut self, path: &Path) -> Option<Json> {
        if !self.files.insert(path.canonicalize().ok()?) {
            return None;
        }
        let bytes = bounded::read(path, bounded::MAX_JSON).ok()?;
        serde_json::from_slice(&bytes).ok()
    }
}

fn add(folder: &Path, reading: &mut Reading) -> Option<()> {
    let manifest = reading.read(&folder.join("manifest.json"))?;
    manifest.get("version")?.as_str()?;
    for artifact in manifest.get("artifacts")?.as_object()?.values() {
        let property = |name: &str| artifact.get("properties")?.get(name)?.as_str();
        match artifact.get("type").and_then(Json::as_str) {
            Some("aws:cloudformation:stack") => {
                if let Some(template) = property("templateFile") {
                    add_stacks(folder, template, reading);
                }
            }
            Some("cdk:cloud-assembly") => {
                if let Some(directory) = property("directoryName").filter(|it| is_within(it)) {
                    let _ = add(&folder.join(directory), reading);
                }
            }
            _ => {}
        }
    }
    Some(())
}

/// A template and those of its nested stacks, which CDK names as assets of their resources.
fn add_stacks(folder: &Path, template: &str, reading: &mut Reading) {
    let mut waiting = vec![template.to_owned()];
    while let Some(template) = waiting.pop() {
        let path = folder.join(&template);
        if !is_within(&template) || !reading.templates.insert(path.clone()) {
            continue;
        }
        let template = reading.read(&path).unwrap_or_default();
        let resources = template.get("Resources").and_then(Json::as_object);
        let resources = resources.into_iter().flat_map(|all| all.values());
        waiting.extend(resources.filter_map(nested));
    }
}

/// The template of a nested stack.
fn nested(resource: &Json) -> Option<String> {
    let asset = resource.get("Metadata")?.get("aws:asset:path")?.as_str()?;
    let is_stack = resource.get("Type")?.as_str() == Some("AWS::CloudFormation::Stack");
    is_stack.then(|| asset.to_owned())
}

/// Whether a path stays in its folder, so that no manifest leads elsewhere.
fn is_within(path: &str) -> bool {
    let mut parts = Path::new(path).components();
    parts.all(|part| matches!(part, std::path::Component::Normal(_)))
}
