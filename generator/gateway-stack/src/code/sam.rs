//! Result of `sam build`: in `.aws-sam/build` beside the template, or in the folder of `--build-dir` with the template that runs.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use stackgen_cfn::Sources;
use stackgen_model::{Inputs, Model, Resolved};

/// Folder of the build, relative to the template.
const BUILD: &str = ".aws-sam/build";

/// Maximum number of source files whose time is compared with the build.
const MAX_FILES: usize = 5_000;

/// Maximum size of a template that is searched for traces of `sam build`, in bytes.
const MAX_TEMPLATE: u64 = 16 * 1024 * 1024;

/// Result of `sam build`.
#[derive(Debug)]
pub(super) struct SamBuild {
    /// Time of the build.
    built_at: SystemTime,
    /// True if the template is the one that `sam build` wrote.
    is_applied: bool,
    /// Name of the build's folder in messages.
    folder: String,
    /// Built code of functions and layers by logical ID.
    built: HashMap<String, PathBuf>,
    /// Sources by logical ID, if the template is the built one.
    sources: HashMap<String, PathBuf>,
    /// Functions and layers that run as they were built.
    used: Vec<String>,
    /// Functions and layers whose sources changed after the build.
    stale: Vec<String>,
}

impl SamBuild {
    /// Reads the build of a template, or the sources of a built template. Blocks.
    pub(super) fn read(template: &Path) -> Option<Self> {
        let folder = template.parent()?;
        let is_default = folder.ends_with(BUILD);
        let is_applied = is_default || is_written_by_sam(template);
        let (built, source) = match is_applied {
            true => {
                let above = if is_default { 2 } else { 1 };
                let project = folder.ancestors().nth(above)?;
                let names = ["template.yaml", "template.yml", "template.json"];
                let mut sources = names.map(|name| project.join(name)).into_iter();
                (template.to_owned(), sources.find(|path| path.is_file()))
            }
            false => (folder.join(BUILD).join("template.yaml"), None),
        };
        let built_at = fs::metadata(&built).ok()?.modified().ok()?;
        Some(SamBuild {
            built_at,
            is_applied,
            folder: match folder.file_name() {
                Some(name) if is_applied && !is_default => name.to_string_lossy().into_owned(),
                _ => BUILD.to_owned(),
            },
            built: match is_applied {
                true => HashMap::new(),
                false => paths(&built)?,
            },
            sources: source.and_then(|source| paths(&source)).unwrap_or_default(),
            used: Vec::new(),
            stale: Vec::new(),
        })
    }

    /// Returns the built code of a function or layer with these sources, if `sam build` made it.
    pub(super) fn use_built(&mut self, id: &str, sources: &Path) -> Option<PathBuf> {
        let built = self.built.get(id).filter(|path| path.exists())?.clone();
        self.used.push(id.to_owned());
        self.check_age(id, sources);
        Some(built)
    }

    /// Returns true if the template is the one that `sam build` wrote. Compares the sources of a function with it.
    pub(super) fn is_applied(&mut self, id: &str) -> bool {
        if let Some(sources) = self.sources.get(id).cloned() {
            self.check_age(id, &sources);
        }
        self.is_applied
    }

    fn check_age(&mut self, id: &str, sources: &Path) {
        if newest(sources).is_some_and(|time| time > self.built_at) {
            self.stale.push(id.to_owned());
        }
    }

    /// Returns remarks about what is used, as sentences.
    pub(super) fn notes(&self) -> Vec<String> {
        let list = |ids: &[String]| {
            let mut ids = ids.to_vec();
            ids.sort();
            ids.dedup();
            ids.join(", ")
        };
        let mut notes = Vec::new();
        let folder = &self.folder;
        if !self.used.is_empty() {
            let used = list(&self.used);
            notes.push(format!("{used}: run as `sam build` wrote them to {folder}"));
        }
        if !self.stale.is_empty() {
            let stale = list(&self.stale);
            notes.push(format!(
                "{stale}: the sources are newer than {folder}: run `sam build`"
            ));
        }
        notes
    }
}

/// Returns true for a template that `sam build` wrote. It adds the metadata `SamResourceId` to functions and layers.
fn is_written_by_sam(template: &Path) -> bool {
    let text = fs::metadata(template)
        .ok()
        .filter(|metadata| metadata.is_file() && metadata.len() <= MAX_TEMPLATE)
        .and_then(|_| fs::read_to_string(template).ok());
    text.is_some_and(|text| text.contains("SamResourceId"))
}

/// Returns the folder of the build beside a template, or the one above it if `sam build` never ran.
pub(super) fn build_folder(folder: &Path) -> PathBuf {
    match folder.join(".aws-sam").is_dir() {
        true => folder.join(BUILD),
        false => folder.join(".aws-sam"),
    }
}

/// Returns the paths of code and layers in a template; `None` if it cannot be parsed.
fn paths(template: &Path) -> Option<HashMap<String, PathBuf>> {
    let folder = template.parent()?;
    let is_regular = fs::metadata(template).ok()?.is_file();
    let text = is_regular.then(|| fs::read_to_string(template).ok())??;
    let mut sources = Sources::new();
    let node = stackgen_cfn::parse(sources.add(template.display().to_string(), text)).ok()?;
    let model = Model::from_template(&node, &Inputs::none());
    let paths = model.resources.values().filter_map(|resource| {
        let property = match resource.kind.as_str() {
            "AWS::Lambda::Function" => "Code",
            "AWS::Lambda::LayerVersion" => "Content",
            _ => return None,
        };
        let path = resource
            .properties
            .get(property)
            .and_then(Resolved::as_literal)?;
        Some((resource.logical_id.to_string(), folder.join(path)))
    });
    Some(paths.collect())
}

/// Returns the time of the last change in a folder. Hidden files and installed packages do not count.
fn newest(folder: &Path) -> Option<SystemTime> {
    let mut newest = None;
    let mut folders = vec![folder.to_owned()];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let is_skipped = name.as_encoded_bytes().starts_with(b".")
                || name == "node_modules"
                || name == "__pycache__";
            let Some(metadata) = entry.metadata().ok().filter(|_| !is_skipped) else {
                continue;
            };
            if metadata.is_dir() {
                folders.push(entry.path());
                continue;
            }
            files += 1;
            if files > MAX_FILES {
                return newest;
            }
            newest = newest.max(metadata.modified().ok());
        }
    }
    newest
}
