//! Finds the code of a template's functions.

use std::io::Write;
use std::path::{Path, PathBuf};

use stackgen_gateway_lambda::functions::Code;
use stackgen_model::{Resolved, Resource};

use super::{StackCode, StackTemplate};

/// Returns the code of a function, from the caller's map or else from the template.
pub(super) fn code_of(resource: &Resource, template: &StackTemplate) -> Code {
    match template.code.get(resource.logical_id.as_str()) {
        Some(StackCode::Program(path)) => Code::Bootstrap(path.clone()),
        Some(StackCode::Folder(path)) => folder(path),
        Some(StackCode::Zip(path)) => Code::Zip(path.clone()),
        Some(StackCode::Missing(reason)) => Code::Absent(reason.clone()),
        None => code_in_template(resource, Path::new(&template.file)),
    }
}

fn code_in_template(resource: &Resource, template: &Path) -> Code {
    let folder = template.parent().unwrap_or(Path::new(""));
    if let Some(asset) = cdk_asset(resource) {
        return code_at(folder.join(asset));
    }
    let code = resource.properties.get("Code");
    if let Some(path) = code.and_then(Resolved::as_literal) {
        return code_at(folder.join(path));
    }
    let text = |key: &str| code.and_then(|code| code.get(key)?.as_literal());
    if let Some(source) = text("ZipFile") {
        let runtime = resource.properties.get("Runtime");
        return inline(
            source,
            runtime.and_then(Resolved::as_literal).unwrap_or_default(),
        );
    }
    Code::Absent(match (text("S3Bucket"), text("S3Key")) {
        (Some(bucket), Some(key)) => {
            format!("its code is s3://{bucket}/{key}, which is not downloaded")
        }
        _ if code.is_some_and(|code| code.get("ImageUri").is_some()) => {
            "its code is a container image, which cannot run locally".to_owned()
        }
        _ => "the template does not name its code on this machine".to_owned(),
    })
}

/// Returns the path of the code, relative to the template, that CDK writes into the metadata.
fn cdk_asset(resource: &Resource) -> Option<&str> {
    let metadata = resource.attributes.get("Metadata")?;
    let property = metadata.get("aws:asset:property")?.as_literal()?;
    (property == "Code").then_some(())?;
    metadata.get("aws:asset:path")?.as_literal()
}

fn code_at(path: PathBuf) -> Code {
    if path.is_dir() {
        folder(&path)
    } else if path.is_file() {
        match path
            .extension()
            .is_some_and(|extension| extension == "zip" || extension == "jar")
        {
            true => Code::Zip(path),
            false => Code::Bootstrap(path),
        }
    } else {
        Code::Absent(format!("{} does not exist: build it first", path.display()))
    }
}

fn folder(path: &Path) -> Code {
    match path.join("bootstrap").is_file() {
        true => Code::Bootstrap(path.to_owned()),
        false => Code::Folder(path.to_owned()),
    }
}

/// Packs inline source (`ZipFile`). Lambda names the file `index`, whatever the handler is.
fn inline(source: &str, runtime: &str) -> Code {
    let name = match runtime.starts_with("python") {
        true => "index.py",
        false => "index.js",
    };
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let written = zip
        .start_file(name, zip::write::SimpleFileOptions::default())
        .and_then(|()| Ok(zip.write_all(source.as_bytes())?));
    match written.and_then(|()| zip.finish()) {
        Ok(bytes) => Code::ZipBytes(bytes.into_inner().into()),
        Err(error) => Code::Absent(format!("cannot pack its source: {error}")),
    }
}
