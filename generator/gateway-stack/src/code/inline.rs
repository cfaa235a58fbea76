//! Inline source (`ZipFile`, `InlineCode`).

use std::io::Write;

use stackgen_gateway_lambda::functions::Code;

/// The module `cfnresponse` of inline Python functions, and `cfn-response` of inline Node.js functions. They are ours, with
/// the functions of AWS's modules of the same names.
const PYTHON_RESPONSE: &str = include_str!("cfnresponse.py");
const NODE_RESPONSE: &str = include_str!("cfn-response.js");

/// Packs inline source. CloudFormation names the file `index`, whatever the handler is; `index.js` is a CommonJS module.
pub(super) fn pack(source: &str, runtime: &str) -> Code {
    let mut files = vec![match runtime.starts_with("python") {
        true => ("index.py", source),
        false => ("index.js", source),
    }];
    if source.contains("cfnresponse") && runtime.starts_with("python") {
        files.push(("cfnresponse.py", PYTHON_RESPONSE));
    }
    if source.contains("cfn-response") && runtime.starts_with("nodejs") {
        files.push(("node_modules/cfn-response/index.js", NODE_RESPONSE));
    }
    match zip_of(&files) {
        Ok(bytes) => Code::ZipBytes(bytes.into()),
        Err(error) => Code::Absent(format!("cannot pack its source: {error}")),
    }
}

fn zip_of(files: &[(&str, &str)]) -> zip::result::ZipResult<Vec<u8>> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, text) in files {
        zip.start_file(*name, zip::write::SimpleFileOptions::default())?;
        zip.write_all(text.as_bytes())?;
    }
    Ok(zip.finish()?.into_inner())
}
