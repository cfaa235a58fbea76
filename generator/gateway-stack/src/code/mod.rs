//! Finds the code and the layers of a template's functions on this machine.

mod assets;
mod build_need;
mod inline;
mod layers;
mod local;
mod sam;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use stackgen_gateway_lambda::functions::{Code, CodeFolder, Functions, unsupported_runtime};
use stackgen_model::{LogicalId, Model, Resolved, Resource};

use super::desired::DesiredCode;
use super::{NotRun, StackCode, StackTemplate};
use assets::AssetFiles;
use local::{LocalFiles, folder};

/// Code of all functions of a template.
pub(super) struct TemplateCode {
    functions: BTreeMap<LogicalId, FunctionCode>,
    /// Remarks about all functions, as sentences.
    pub(super) notes: Vec<String>,
    /// Folder that the next build changes.
    build_folder: Option<PathBuf>,
}

/// Code and layers of a function.
struct FunctionCode {
    code: Code,
    /// Content of the layers that are on this machine, in their order.
    layers: Vec<Code>,
    /// Copy of all layers.
    merged: Option<CodeFolder>,
    /// Layers that are not on this machine.
    not_run: Vec<NotRun>,
}

impl TemplateCode {
    /// Finds the code of a template's functions. Blocks.
    pub(super) fn find(template: &StackTemplate, model: &Model) -> Self {
        let mut files = LocalFiles::new(Path::new(&template.file));
        let functions = model.functions.iter().map(|function| {
            let resource = &*function.resource;
            let (layers, not_run) = layers::of_function(resource, model, &mut files);
            let code = FunctionCode {
                code: code_of(resource, template, &mut files),
                layers,
                merged: None,
                not_run,
            };
            (resource.logical_id.clone(), code)
        });
        TemplateCode {
            functions: functions.collect(),
            notes: files.notes(),
            build_folder: files.build_folder(),
        }
    }

    /// Copies the code and the layers of all functions concurrently. Returns the layers that cannot be copied.
    ///
    /// A function whose code cannot be copied fails when it is invoked, so that the rest of the stack runs. If the function
    /// exists already, its update reports the error.
    pub(super) async fn copy(
        &mut self,
        functions: &Functions,
        exists: impl Fn(&LogicalId) -> bool,
    ) -> Vec<NotRun> {
        let copies = self.functions.values().map(|function| async {
            let copied = functions.copy_code(function.code.clone()).await;
            let layers = match function.layers.as_slice() {
                [] => None,
                layers => Some(functions.copy_code(Code::Layers(layers.to_vec())).await),
            };
            (copied, layers)
        });
        let copies = futures_util::future::join_all(copies).await;
        let mut not_run = Vec::new();
        for ((id, function), (copied, layers)) in self.functions.iter_mut().zip(copies) {
            match copied {
                Ok(copy) if copy.root.is_ok() => function.code = Code::Copied(copy),
                Err(error) if !exists(id) => function.code = Code::Absent(error.message),
                _ => {}
            }
            match layers.map(|layers| layers.map(|copy| copy.root)) {
                None | Some(Ok(Err(_))) => {}
                Some(Ok(Ok(folder))) => function.merged = Some(folder),
                Some(Err(error)) => not_run.push(NotRun {
                    logical_id: id.to_string(),
                    kind: "AWS::Lambda::Function".to_owned(),
                    reason: format!("its layers are left out: {}", error.message),
                }),
            }
        }
        not_run
    }

    /// Returns the code with which a function is created or updated.
    pub(super) fn desired(&self, id: &LogicalId) -> Option<DesiredCode> {
        let function = self.functions.get(id)?;
        Some(DesiredCode {
            code: function.code.clone(),
            layers: function.merged.clone(),
        })
    }

    /// Returns the layers that are not on this machine.
    pub(super) fn not_run(&self) -> impl Iterator<Item = &NotRun> {
        self.functions.values().flat_map(|one| &one.not_run)
    }
}

/// Returns the files and folders with the code and the layers of a template's functions, as far as they are on this machine,
/// and the folder of a build that they need, even if it does not exist. Code in [`StackTemplate::code`] is left out. Blocks.
pub(super) fn code_files(template: &StackTemplate, model: &Model) -> Vec<PathBuf> {
    let found = TemplateCode::find(template, model);
    let functions = found
        .functions
        .iter()
        .filter(|(id, _)| !template.code.contains_key(id.as_str()));
    let codes = functions.flat_map(|(_, function)| function.layers.iter().chain([&function.code]));
    let mut paths: Vec<PathBuf> = codes
        .filter_map(|code| match code {
            Code::Bootstrap(path) | Code::Folder(path) | Code::Zip(path) => Some(path.clone()),
            Code::ZipBytes(_) | Code::Layers(_) | Code::Copied(_) | Code::Absent(_) => None,
        })
        .chain(found.build_folder)
        .collect();
    paths.sort();
    paths.dedup();
    paths
}

/// Returns the file that another tool uploads to S3 under a key, if it is on this machine. Blocks.
pub(super) fn asset_file(template: &Path, key: &str) -> Option<PathBuf> {
    let folder = template.parent().unwrap_or(Path::new(""));
    AssetFiles::read(template).find(folder, key)
}

/// Returns the code of a function, from the caller's map or else from the template.
fn code_of(resource: &Resource, template: &StackTemplate, files: &mut LocalFiles) -> Code {
    match template.code.get(resource.logical_id.as_str()) {
        Some(StackCode::Program(path)) => Code::Bootstrap(path.clone()),
        Some(StackCode::Folder(path)) => folder(path),
        Some(StackCode::Zip(path)) => Code::Zip(path.clone()),
        Some(StackCode::Missing(reason)) => Code::Absent(reason.clone()),
        None => code_in_template(resource, files),
    }
}

fn code_in_template(resource: &Resource, files: &mut LocalFiles) -> Code {
    let properties = &resource.properties;
    let text = |key: &str| properties.get(key).and_then(Resolved::as_literal);
    let runtime = text("Runtime").unwrap_or_default();
    let code = properties.get("Code");
    if text("PackageType") == Some("Image")
        || code.is_some_and(|code| code.get("ImageUri").is_some())
    {
        return Code::Absent(
            "its code is a container image, which does not run here: deploy it to try it, or package the function as a zip \
             file"
                .to_owned(),
        );
    }
    if let Some(reason) = unsupported_runtime(runtime).filter(|_| !runtime.is_empty()) {
        return Code::Absent(reason);
    }
    if let Some(source) = code.and_then(|code| code.get("ZipFile")?.as_literal()) {
        return inline::pack(source, runtime);
    }
    match files.find(resource, "Code") {
        Ok(path) => files.code(resource, path),
        Err(reason) => Code::Absent(reason),
    }
}
