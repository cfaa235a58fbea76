//! Modules: the blocks of all files in a folder.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use stackgen_cfn::Sources;

use crate::document::{self, ConfigAttribute, ConfigBlock};
use crate::error::ConfigurationProblem;
use crate::files::{ConfigurationFiles, normalized};
use crate::token::may_have_token;

/// Blocks of a module.
#[derive(Clone, Debug, Default)]
pub(crate) struct TerraformModule {
    /// Folder, relative to that of the root module; empty for the root module.
    pub(crate) folder: PathBuf,
    pub(crate) variables: BTreeMap<String, ConfigBlock>,
    pub(crate) locals: BTreeMap<String, ConfigAttribute>,
    pub(crate) outputs: BTreeMap<String, ConfigBlock>,
    /// Calls of other modules.
    pub(crate) calls: BTreeMap<String, ConfigBlock>,
    /// Resources in the order of the files.
    pub(crate) resources: Vec<ConfigBlock>,
    /// Data sources in the order of the files.
    pub(crate) data: Vec<ConfigBlock>,
    pub(crate) providers: Vec<ConfigBlock>,
}

/// Limit of the length of a file. Configurations are written by hand.
const MAX_BYTES: usize = 4 * 1024 * 1024;

impl TerraformModule {
    /// Reads the files of a folder. A file that another one overrides comes first.
    ///
    /// # Errors
    ///
    /// If a file cannot be read or parsed. All errors of all files are returned.
    pub(crate) fn read(
        folder: &Path,
        files: &dyn ConfigurationFiles,
        sources: &mut Sources,
    ) -> Result<TerraformModule, Vec<ConfigurationProblem>> {
        let mut module = TerraformModule {
            folder: folder.to_owned(),
            ..TerraformModule::default()
        };
        let names = files.file_names(folder).unwrap_or_default();
        let names = names.into_iter().filter(|name| is_configuration(name));
        let (overrides, names): (Vec<_>, Vec<_>) = names.partition(|name| is_override(name));
        let mut problems = Vec::new();
        for (name, is_override) in names
            .iter()
            .map(|name| (name, false))
            .chain(overrides.iter().map(|name| (name, true)))
        {
            match read_blocks(&folder.join(name), files, sources) {
                Ok(blocks) => {
                    for block in blocks {
                        module.add(block, is_override);
                    }
                }
                Err(found) => problems.extend(found),
            }
        }
        match problems.is_empty() {
            true => Ok(module),
            false => Err(problems),
        }
    }

    /// Returns a resource or data source.
    pub(crate) fn object(&self, is_data: bool, kind: &str, name: &str) -> Option<&ConfigBlock> {
        let blocks = match is_data {
            true => &self.data,
            false => &self.resources,
        };
        blocks.iter().find(|block| {
            block.labels.first().is_some_and(|own| own == kind)
                && block.labels.get(1).is_some_and(|own| own == name)
        })
    }

    fn add(&mut self, block: ConfigBlock, is_override: bool) {
        let label = block.labels.first().cloned().unwrap_or_default();
        match (block.kind.as_str(), block.labels.len()) {
            ("locals", _) => self.locals.extend(block.attributes),
            ("variable", 1) => put(&mut self.variables, label, block, is_override),
            ("output", 1) => put(&mut self.outputs, label, block, is_override),
            ("module", 1) => put(&mut self.calls, label, block, is_override),
            ("resource", 2) => put_object(&mut self.resources, block, is_override),
            ("data", 2) => put_object(&mut self.data, block, is_override),
            ("provider", 1) => self.providers.push(block),
            // `terraform`, `moved`, `import`, `check` and `removed` say nothing about what there is.
            _ => {}
        }
    }
}

fn put(
    blocks: &mut BTreeMap<String, ConfigBlock>,
    label: String,
    block: ConfigBlock,
    is_override: bool,
) {
    match blocks.get_mut(&label) {
        Some(original) if is_override => override_block(original, block),
        _ => drop(blocks.insert(label, block)),
    }
}

fn put_object(blocks: &mut Vec<ConfigBlock>, block: ConfigBlock, is_override: bool) {
    let original = blocks.iter_mut().find(|one| one.labels == block.labels);
    match original {
        Some(original) if is_override => override_block(original, block),
        _ => blocks.push(block),
    }
}

/// Replaces the attributes of a block, and the nested blocks of each type that the other one has.
fn override_block(original: &mut ConfigBlock, other: ConfigBlock) {
    original.attributes.extend(other.attributes);
    original
        .blocks
        .retain(|block| !other.blocks.iter().any(|new| new.kind == block.kind));
    original.blocks.extend(other.blocks);
}

/// Returns true for the name of a file that Terraform reads.
pub fn is_configuration(name: &str) -> bool {
    let is_hidden = name.starts_with('.') || name.ends_with('~') || name.starts_with('#');
    !is_hidden && (name.ends_with(".tf") || name.ends_with(".tf.json"))
}

fn is_override(name: &str) -> bool {
    let stem = name.strip_suffix(".json").unwrap_or(name);
    let stem = stem.strip_suffix(".tf").unwrap_or(stem);
    stem == "override" || stem.ends_with("_override")
}

/// Reads the values of a file of variables.
///
/// # Errors
///
/// If the file cannot be read or parsed.
pub(crate) fn read_variables(
    path: &Path,
    files: &dyn ConfigurationFiles,
    sources: &mut Sources,
) -> Result<BTreeMap<String, ConfigAttribute>, Vec<ConfigurationProblem>> {
    let text = read_text(path, files, sources)?;
    document::parse_variables(sources.add(label(path, files), text))
}

fn read_blocks(
    path: &Path,
    files: &dyn ConfigurationFiles,
    sources: &mut Sources,
) -> Result<Vec<ConfigBlock>, Vec<ConfigurationProblem>> {
    let text = read_text(path, files, sources)?;
    document::parse(sources.add(label(path, files), text))
}

/// Returns the name of a file for messages.
fn label(path: &Path, files: &dyn ConfigurationFiles) -> String {
    normalized(&files.label().join(path)).display().to_string()
}

fn read_text(
    path: &Path,
    files: &dyn ConfigurationFiles,
    sources: &mut Sources,
) -> Result<String, Vec<ConfigurationProblem>> {
    let name = label(path, files);
    let wrong = |message: String, sources: &mut Sources| {
        let id = sources.add(name.as_str(), "").id();
        let span = stackgen_cfn::Span {
            file: Some(id),
            line: 1,
            column: 1,
            ..stackgen_cfn::Span::default()
        };
        vec![ConfigurationProblem::new(span, message)]
    };
    let bytes = match files.read(path) {
        Ok(Some(bytes)) if bytes.len() <= MAX_BYTES => bytes,
        Ok(Some(_)) => return Err(wrong(format!("{name} is longer than 4 MiB"), sources)),
        Ok(None) => return Err(wrong(format!("there is no {name}"), sources)),
        Err(reason) => return Err(wrong(format!("cannot read {name}: {reason}"), sources)),
    };
    let text =
        String::from_utf8(bytes).map_err(|_| wrong(format!("{name} is not UTF-8"), sources))?;
    // The characters stand for references in texts.
    if may_have_token(&text) {
        return Err(wrong(
            format!("{name} contains characters of a private use area"),
            sources,
        ));
    }
    Ok(text)
}
