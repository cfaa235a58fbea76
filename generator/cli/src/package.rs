//! Packaging a template: code and template as artifacts, under keys in a bucket.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use stackgen_cfn::{Map, Node, emit, map};
use stackgen_deploy::stack::artifacts::Artifact;

use crate::error::{CliError, reason};
use crate::file;
use crate::output_dir::stackgen_metadata;

/// A template with everything that it refers to, ready to be uploaded.
#[derive(Debug)]
pub(crate) struct Package {
    /// The code of the functions. Functions with the same code share an artifact.
    pub(crate) code: Vec<Artifact>,
    /// The template.
    pub(crate) template: Artifact,
    /// The contents of the template.
    pub(crate) content: Node,
}

/// Packages a rendered template: replaces the path of each function's code by bucket and key. Paths start at `folder`.
///
/// # Errors
///
/// If code is not built or cannot be read, or if the template is too large.
pub(crate) fn package(template: &Node, folder: &Path, bucket: &str) -> Result<Package, CliError> {
    let mut template = template.clone();
    let is_pinned = stackgen_metadata(&template, "Release") == Some("pinned");
    let mut code: Vec<Artifact> = Vec::new();
    let mut missing = Vec::new();
    for (id, properties) in functions(&mut template) {
        let Some(path) = local_path(properties, folder) else {
            continue;
        };
        let Some(zip) = read(&path)? else {
            missing.push(path.display().to_string());
            continue;
        };
        let artifact = Artifact::code(id, zip);
        set_code(properties, bucket, &artifact, is_pinned);
        if code.iter().all(|known| known.key != artifact.key) {
            code.push(artifact);
        }
    }
    if !missing.is_empty() {
        missing.dedup();
        return Err(
            CliError::input(format!("functions are not built: {}", missing.join(", ")))
                .hint("build them with `stackgen build`"),
        );
    }
    Ok(Package {
        code,
        template: Artifact::template(emit::json_line(&template)).map_err(CliError::from)?,
        content: template,
    })
}

/// Returns a rendered template as it would be packaged for the bucket of a stack's template. A function that is not built has
/// the code of the stack.
///
/// # Errors
///
/// If code cannot be read.
pub(crate) fn packaged_like(
    deployed: &Node,
    template: &Node,
    folder: &Path,
) -> Result<Node, CliError> {
    let mut template = template.clone();
    let is_pinned = stackgen_metadata(&template, "Release") == Some("pinned");
    for (id, properties) in functions(&mut template) {
        let Some(path) = local_path(properties, folder) else {
            continue;
        };
        let resource = deployed.get("Resources").and_then(|all| all.get(id));
        let deployed = resource.and_then(|resource| resource.get("Properties"));
        let code = deployed.and_then(|properties| properties.get("Code"));
        let bucket = code.and_then(|code| code.get("S3Bucket")?.as_str());
        match (read(&path)?, code) {
            (Some(zip), _) => {
                let artifact = Artifact::code(id, zip);
                set_code(properties, bucket.unwrap_or_default(), &artifact, is_pinned);
            }
            (None, Some(code)) => {
                properties.insert("Code", code.clone());
                let description = deployed.and_then(|properties| properties.get("Description"));
                if let Some(description) = description.filter(|_| is_pinned) {
                    properties.insert("Description", description.clone());
                }
            }
            (None, None) => {}
        }
    }
    Ok(template)
}

/// Returns the sizes of the functions' code, by logical ID. Functions that are not built are left out.
pub(crate) fn code_sizes(template: &Node, folder: &Path) -> BTreeMap<String, u64> {
    let mut template = template.clone();
    let sizes = functions(&mut template).filter_map(|(id, properties)| {
        let path = local_path(properties, folder)?;
        Some((id.to_owned(), fs::metadata(path).ok()?.len()))
    });
    sizes.collect()
}

/// Reads a zip file; `None` if it does not exist.
fn read(path: &Path) -> Result<Option<Vec<u8>>, CliError> {
    match fs::read(path) {
        Ok(zip) => Ok(Some(zip)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => {
            let message = format!("cannot read {}: {}", path.display(), reason(&error));
            Err(CliError::input(message).file(path))
        }
    }
}

/// Replaces the path of a function's code by bucket and key.
fn set_code(properties: &mut Map, bucket: &str, artifact: &Artifact, is_pinned: bool) {
    let location = [("S3Bucket", bucket), ("S3Key", artifact.key.as_str())];
    properties.insert(
        "Code",
        map(location.map(|(key, value)| (key, Node::from(value)))),
    );
    if is_pinned {
        mark(properties, artifact);
    }
}

/// Returns logical ID and properties of every function.
fn functions(template: &mut Node) -> impl Iterator<Item = (&str, &mut Map)> {
    let resources = template
        .as_map_mut()
        .and_then(|map| map.get_mut("Resources"));
    let resources = resources.and_then(Node::as_map_mut);
    let resources = resources.into_iter().flat_map(Map::iter_mut);
    resources.filter_map(|(id, resource)| {
        let is_function = resource.get("Type")?.as_str() == Some("AWS::Lambda::Function");
        let properties = resource.as_map_mut()?.get_mut("Properties")?.as_map_mut()?;
        is_function.then_some((id, properties))
    })
}

/// Returns the path of a function's code, unless it is in a bucket or in the template.
fn local_path(properties: &Map, folder: &Path) -> Option<PathBuf> {
    let path = properties.get("Code")?.as_str()?;
    (!path.contains("://")).then(|| file::within(folder, path))
}

/// Adds the digest of the code to a function's description, which a version contains. `--redeploy-stage` may have published
/// a version of the same code; without a difference, CloudFormation could not publish one (row D17).
fn mark(properties: &mut Map, artifact: &Artifact) {
    let digest = artifact.key.trim_start_matches("stackgen/");
    let digest = digest.get(..12).unwrap_or(digest);
    let text = match properties.get("Description").and_then(Node::as_str) {
        Some(description) => format!("{description} (code {digest})"),
        // A description that an intrinsic function computes stays as it is.
        None if properties.get("Description").is_some() => return,
        None => format!("code {digest}"),
    };
    // Lambda accepts 256 characters.
    if text.chars().count() <= 256 {
        properties.insert("Description", text);
    }
}
