//! Functions of files and paths.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use regex::Regex;

use super::arguments::text;
use super::{FunctionContext, FunctionResult};
use crate::error::ExpressionError;
use crate::files::normalized;
use crate::token::may_have_token;
use crate::value::HclValue;

/// Calls a function of this family; `None` for another name.
pub(super) fn call(
    context: &FunctionContext<'_>,
    name: &str,
    arguments: &[HclValue],
) -> Option<FunctionResult> {
    Some(match name {
        "file" => path(arguments).and_then(|path| {
            let Some(bytes) = content(context, &path)? else {
                return Ok(None);
            };
            text_of_file(&path, bytes).map(|text| Some(HclValue::Text(text)))
        }),
        "filebase64" => path(arguments).and_then(|path| {
            let bytes = content(context, &path)?;
            Ok(bytes.map(|bytes| HclValue::Text(STANDARD.encode(bytes))))
        }),
        "fileexists" => path(arguments).map(|path| {
            let is_made = context.made_files.borrow().contains(&path);
            Some(HclValue::Bool(
                is_made || matches!(context.files.read(&path), Ok(Some(_))),
            ))
        }),
        "fileset" => file_set(context, arguments),
        "abspath" => path(arguments).map(|path| {
            let path = normalized(&context.files.root().join(path));
            Some(HclValue::text(path.to_string_lossy()))
        }),
        "pathexpand" => text(arguments, 0).map(|text| match text.starts_with('~') {
            true => None,
            false => Some(HclValue::Text(text)),
        }),
        "basename" => path(arguments).map(|path| {
            let name = path
                .file_name()
                .map(|name| name.to_string_lossy().into_owned());
            Some(HclValue::Text(
                name.unwrap_or_else(|| path.to_string_lossy().into_owned()),
            ))
        }),
        "dirname" => path(arguments).map(|path| {
            let parent = normalized(path.parent().unwrap_or(&path));
            Some(HclValue::text(match parent.as_os_str().is_empty() {
                true => ".".into(),
                false => parent.to_string_lossy(),
            }))
        }),
        _ => return None,
    })
}

fn path(arguments: &[HclValue]) -> Result<PathBuf, ExpressionError> {
    text(arguments, 0).map(PathBuf::from)
}

/// Returns the content of a file; `None` for a file that the configuration makes.
pub(super) fn content(
    context: &FunctionContext<'_>,
    path: &Path,
) -> Result<Option<Vec<u8>>, ExpressionError> {
    if context.made_files.borrow().contains(path) {
        return Ok(None);
    }
    match context.files.read(path) {
        Ok(Some(content)) => Ok(Some(content)),
        Ok(None) => Err(ExpressionError::new(format!("there is no file {}", path.display()))
            .hint("paths are relative to the folder in which Terraform runs, unless they begin with `${path.module}`")),
        Err(reason) => Err(ExpressionError::new(format!("cannot read {}: {reason}", path.display()))),
    }
}

/// Returns the text of a file.
///
/// # Errors
///
/// If the file is not UTF-8, or has characters that stand for references.
pub(crate) fn text_of_file(path: &Path, content: Vec<u8>) -> Result<String, ExpressionError> {
    let wrong = |reason| ExpressionError::new(format!("{} {reason}", path.display()));
    let text = String::from_utf8(content).map_err(|_| wrong("is not UTF-8"))?;
    match may_have_token(&text) {
        true => Err(wrong("contains characters of a private use area")),
        false => Ok(text),
    }
}

fn file_set(context: &FunctionContext<'_>, arguments: &[HclValue]) -> FunctionResult {
    let (folder, pattern) = (path(arguments)?, text(arguments, 1)?);
    let pattern = glob_regex(&pattern)?;
    let Some(files) = context.files.files_below(&folder) else {
        return Ok(None);
    };
    let files = files
        .into_iter()
        .filter(|file| pattern.is_match(file))
        .map(HclValue::Text);
    Ok(Some(HclValue::set(files.collect())))
}

/// Returns the regular expression of a pattern such as `**/*.{js,json}`.
fn glob_regex(pattern: &str) -> Result<Regex, ExpressionError> {
    let mut expression = String::from("^");
    let mut rest = pattern;
    let mut braces = 0;
    while let Some(letter) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix("**/") {
            expression.push_str("(?:.*/)?");
            rest = after;
            continue;
        }
        if let Some(after) = rest.strip_prefix("**") {
            expression.push_str(".*");
            rest = after;
            continue;
        }
        match letter {
            '*' => expression.push_str("[^/]*"),
            '?' => expression.push_str("[^/]"),
            '{' => {
                braces += 1;
                expression.push_str("(?:");
            }
            '}' if braces > 0 => {
                braces -= 1;
                expression.push(')');
            }
            ',' if braces > 0 => expression.push('|'),
            other => expression.push_str(&regex::escape(&other.to_string())),
        }
        rest = &rest[letter.len_utf8()..];
    }
    expression.push('$');
    Regex::new(&expression)
        .map_err(|_| ExpressionError::new(format!("{pattern:?} is not a pattern of files")))
}
