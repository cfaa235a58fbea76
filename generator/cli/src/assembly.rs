//! Cloud assemblies of `cdk synth`: folders with a manifest that names the templates.

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use crate::bounded;

/// Returns the templates of a cdk.out in the order of their paths: those in its manifest and in manifests of its stages, and
/// those of nested stacks. Files of an earlier synthesis are left out. `None` for any other folder.
pub(crate) fn templates(folder: &Path) -> Option<Vec<PathBuf>> {
    let mut assembly = CloudAssembly::default();
    add(folder, &mut assembly)?;
    Some(assembly.templates.into_iter().collect())
}

/// A stack of a cloud assembly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AssemblyStack {
    /// Name of the stack in AWS.
    pub(crate) name: String,
    /// All names by which CDK selects it: the name, the ID and the path.
    names: Vec<String>,
    /// Template.
    pub(crate) template: PathBuf,
}

impl AssemblyStack {
    /// Returns true if CDK knows the stack by this name.
    pub(crate) fn is_named(&self, name: &str) -> bool {
        self.names.iter().any(|known| known == name)
    }
}

/// Returns the stacks of a cdk.out and of its stages by their names, without nested stacks. `None` for any other folder.
pub(crate) fn stacks(folder: &Path) -> Option<Vec<AssemblyStack>> {
    let mut assembly = CloudAssembly::default();
    add(folder, &mut assembly)?;
    assembly.stacks.sort_by(|a, b| a.name.cmp(&b.name));
    Some(assembly.stacks)
}

/// Files that were read so far.
#[derive(Default)]
struct CloudAssembly {
    templates: BTreeSet<PathBuf>,
    stacks: Vec<AssemblyStack>,
    /// Resolved paths of all files: a manifest may name its own folder, or a link to it.
    files: HashSet<PathBuf>,
}

impl CloudAssembly {
    /// Reads a JSON file; `None` if it is too long, not JSON, or was read before.
    fn read(&mut self, path: &Path) -> Option<Json> {
        if !self.files.insert(path.canonicalize().ok()?) {
            return None;
        }
        let bytes = bounded::read(path, bounded::MAX_JSON).ok()?;
        serde_json::from_slice(&bytes).ok()
    }
}

fn add(folder: &Path, assembly: &mut CloudAssembly) -> Option<()> {
    let manifest = assembly.read(&folder.join("manifest.json"))?;
    manifest.get("version")?.as_str()?;
    for (id, artifact) in manifest.get("artifacts")?.as_object()? {
        let property = |name: &str| artifact.get("properties")?.get(name)?.as_str();
        match artifact.get("type").and_then(Json::as_str) {
            Some("aws:cloudformation:stack") => {
                if let Some(template) = property("templateFile") {
                    if is_within(template) {
                        let shown = artifact.get("displayName").and_then(Json::as_str);
                        let name = property("stackName").unwrap_or(id);
                        assembly.stacks.push(AssemblyStack {
                            name: name.to_owned(),
                            names: [name, id, shown.unwrap_or(id)].map(str::to_owned).into(),
                            template: folder.join(template),
                        });
                    }
                    add_stacks(folder, template, assembly);
                }
            }
            Some("cdk:cloud-assembly") => {
                if let Some(directory) = property("directoryName").filter(|it| is_within(it)) {
                    let _ = add(&folder.join(directory), assembly);
                }
            }
            _ => {}
        }
    }
    Some(())
}

/// Adds a template and those of its nested stacks, which are assets of their resources.
fn add_stacks(folder: &Path, template: &str, assembly: &mut CloudAssembly) {
    let mut pending = vec![template.to_owned()];
    while let Some(template) = pending.pop() {
        let path = folder.join(&template);
        if !is_within(&template) || !assembly.templates.insert(path.clone()) {
            continue;
        }
        let template = assembly.read(&path).unwrap_or_default();
        let resources = template.get("Resources").and_then(Json::as_object);
        let resources = resources.into_iter().flat_map(|all| all.values());
        pending.extend(resources.filter_map(nested));
    }
}

/// Returns the template of a nested stack.
fn nested(resource: &Json) -> Option<String> {
    let asset = resource.get("Metadata")?.get("aws:asset:path")?.as_str()?;
    let is_stack = resource.get("Type")?.as_str() == Some("AWS::CloudFormation::Stack");
    is_stack.then(|| asset.to_owned())
}

/// Returns true if a path stays in its folder: a manifest must not lead elsewhere.
fn is_within(path: &str) -> bool {
    let mut parts = Path::new(path).components();
    parts.all(|part| matches!(part, std::path::Component::Normal(_)))
}
