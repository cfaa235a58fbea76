//! Files of a template's folder.

use std::path::{Component, Path, PathBuf};

use stackgen_gateway_lambda::functions::Code;
use stackgen_model::{Resolved, Resource};

use super::assets::{self, AssetFiles};
use super::build_need;
use super::sam::{self, SamBuild};

/// Finds the files that a template names, in the folder of the template.
pub(super) struct LocalFiles {
    folder: PathBuf,
    assets: AssetFiles,
    /// Result of `sam build` in the folder.
    sam: Option<SamBuild>,
    /// True if a function or layer needs `sam build`.
    needs_build: bool,
}

impl LocalFiles {
    /// Reads what other tools wrote beside the template. Blocks.
    pub(super) fn new(template: &Path) -> Self {
        let folder = template.parent().unwrap_or(Path::new("")).to_owned();
        LocalFiles {
            assets: AssetFiles::read(template),
            sam: SamBuild::read(template),
            needs_build: false,
            folder,
        }
    }

    /// Returns the file or folder of a property that is code or the content of a layer.
    ///
    /// # Errors
    ///
    /// If it is not on this machine. The text says why, and what to do.
    pub(super) fn find(&self, resource: &Resource, property: &str) -> Result<PathBuf, String> {
        let asset = cdk_asset(resource, property).map(|asset| self.folder.join(asset));
        if let Some(asset) = asset.as_ref().filter(|asset| asset.exists()) {
            return Ok(asset.clone());
        }
        let value = resource.properties.get(property);
        let is_of_sam = || resource.properties.get("Tags").is_some_and(is_of_sam);
        if property == "Code" && value.is_none() && is_of_sam() {
            // The default of `sam build`.
            return existing(self.folder.clone());
        }
        if let Some(path) = value.and_then(Resolved::as_literal) {
            return existing(self.folder.join(path));
        }
        let text = |key: &str| value.and_then(|value| value.get(key)?.as_literal());
        let key = text("S3Key");
        if let Some(found) = key.and_then(|key| self.assets.find(&self.folder, key)) {
            return Ok(without_parents(&found));
        }
        if let Some(asset) = asset {
            return existing(asset);
        }
        Err(match (text("S3Bucket"), key) {
            (_, Some(key)) if assets::is_serverless(key) => {
                let name = assets::file_name(key);
                format!("{name} is not beside the template: run `serverless package`")
            }
            (Some(bucket), Some(key)) => {
                let build = match is_of_sam() {
                    true => "run the template that `sam build` writes",
                    false => "name a folder or a zip file on this machine",
                };
                format!("its code is s3://{bucket}/{key}, which is not downloaded: {build}")
            }
            _ => "the template does not name its code on this machine".to_owned(),
        })
    }

    /// Returns the code of a function or layer with this file or folder: its build if it needs one, and else the path itself.
    pub(super) fn code(&mut self, resource: &Resource, path: PathBuf) -> Code {
        let id = resource.logical_id.as_str();
        if self.sam.as_mut().is_some_and(|sam| sam.is_applied(id)) {
            return code_at(path);
        }
        let Some(need) = build_need::of(resource, &path, &self.folder) else {
            return code_at(path);
        };
        self.needs_build = true;
        let built = self.sam.as_mut().and_then(|sam| sam.use_built(id, &path));
        match built {
            Some(built) => code_at(built),
            None if need.may_run => code_at(path),
            None => Code::Absent(need.reason),
        }
    }

    /// Returns the folder in which the next `sam build` changes something, if a function or layer needs it.
    pub(super) fn build_folder(&self) -> Option<PathBuf> {
        self.needs_build.then(|| sam::build_folder(&self.folder))
    }

    /// Returns remarks about the files, as sentences.
    pub(super) fn notes(&self) -> Vec<String> {
        self.sam.as_ref().map(SamBuild::notes).unwrap_or_default()
    }
}

/// Returns a path without `..` after a folder's name, for messages. Links keep their meaning: the path must exist.
fn without_parents(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        let is_named = matches!(plain.components().next_back(), Some(Component::Normal(_)));
        match part {
            Component::ParentDir if is_named => drop(plain.pop()),
            part => plain.push(part),
        }
    }
    let is_same = |plain: &Path| plain.canonicalize().ok() == path.canonicalize().ok();
    match is_same(&plain) {
        true => plain,
        false => path.to_owned(),
    }
}

/// Returns true for the tags of a function that the model translated from SAM.
fn is_of_sam(tags: &Resolved) -> bool {
    let tags = tags.as_list().unwrap_or_default();
    tags.iter()
        .any(|tag| tag.get("Key").and_then(Resolved::as_literal) == Some("lambda:createdBy"))
}

/// Returns the path, relative to the template, that CDK writes into the metadata.
fn cdk_asset<'r>(resource: &'r Resource, property: &str) -> Option<&'r str> {
    let metadata = resource.attributes.get("Metadata")?;
    let of = metadata.get("aws:asset:property")?.as_literal()?;
    (of == property).then_some(())?;
    metadata.get("aws:asset:path")?.as_literal()
}

fn existing(path: PathBuf) -> Result<PathBuf, String> {
    match path.exists() {
        true => Ok(path),
        false => Err(format!("{} does not exist: build it first", path.display())),
    }
}

/// Returns the code at an existing path.
fn code_at(path: PathBuf) -> Code {
    if path.is_dir() {
        return folder(&path);
    }
    match path
        .extension()
        .is_some_and(|extension| extension == "zip" || extension == "jar")
    {
        true => Code::Zip(path),
        false => Code::Bootstrap(path),
    }
}

pub(super) fn folder(path: &Path) -> Code {
    match path.join("bootstrap").is_file() {
        true => Code::Bootstrap(path.to_owned()),
        false => Code::Folder(path.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use stackgen_cfn::Sources;
    use stackgen_model::{Inputs, LogicalId, Model};

    use super::*;

    #[test]
    fn a_path_loses_its_parents_only_if_it_stays_the_same() {
        let root = tempfile::tempdir().expect("a folder");
        let root = root.path().canonicalize().expect("a path");
        fs::create_dir_all(root.join("a/b")).expect("a folder");
        fs::create_dir(root.join("c")).expect("a folder");
        std::os::unix::fs::symlink(root.join("a/b"), root.join("link")).expect("a link");
        let plain = |path: &str| without_parents(&root.join(path));
        assert_eq!(plain("a/../c"), root.join("c"));
        assert_eq!(plain("link/../b"), root.join("link/../b"));
        assert_eq!(without_parents(Path::new("../x")), Path::new("../x"));
    }

    /// Returns what is found for the code of function `F` of a template in this folder.
    fn found(folder: &Path, template: &str) -> Result<PathBuf, String> {
        let mut sources = Sources::new();
        let file = sources.add("t.yaml", template.to_owned());
        let node = stackgen_cfn::parse(file).expect("a template");
        let model = Model::from_template(&node, &Inputs::none());
        let function = model.resource(&LogicalId::new("F")).expect("a function");
        LocalFiles::new(&folder.join("t.yaml")).find(function, "Code")
    }

    #[test]
    fn a_function_of_sam_without_code_uri_has_its_code_beside_the_template() {
        let sam = "Transform: AWS::Serverless-2016-10-31\nResources: { F: { Type: AWS::Serverless::Function, Properties: \
                   { Runtime: nodejs22.x, Handler: src/app.handler } } }";
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(found(folder.path(), sam), Ok(folder.path().to_owned()));
        let plain = "Resources: { F: { Type: AWS::Lambda::Function, Properties: { Runtime: nodejs22.x } } }";
        let unknown = "the template does not name its code on this machine".to_owned();
        assert_eq!(found(folder.path(), plain), Err(unknown));
    }
}
