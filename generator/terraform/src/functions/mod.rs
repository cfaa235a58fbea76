//! Terraform's functions.

mod arguments;
mod collections;
mod conversion;
mod digests;
mod encoding;
mod file_functions;
mod format;
mod numbers;
mod sets;
mod strings;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::error::ExpressionError;
use crate::files::ConfigurationFiles;
use crate::token::TokenTable;
use crate::value::HclValue;

pub(crate) use arguments::{derived, equal, known, short_digest};
pub(crate) use encoding::{from_json, json_text};
pub(crate) use file_functions::text_of_file;

/// State that functions use besides their arguments.
pub(crate) struct FunctionContext<'a> {
    pub(crate) tokens: &'a TokenTable,
    pub(crate) files: &'a dyn ConfigurationFiles,
    /// Archives that the configuration makes: their content is unknown.
    pub(crate) made_files: &'a RefCell<BTreeSet<PathBuf>>,
}

/// Result of a function: `None` if it is unknown, because it depends on values that are.
type FunctionResult = Result<Option<HclValue>, ExpressionError>;

/// Functions of one kind, which returns `None` for the name of another one.
type FunctionFamily = fn(&FunctionContext<'_>, &str, &[HclValue]) -> Option<FunctionResult>;

/// Functions whose result is right for texts with tokens.
const TOKEN_SAFE: &[&str] = &[
    "alltrue",
    "anytrue",
    "chunklist",
    "coalesce",
    "coalescelist",
    "compact",
    "concat",
    "contains",
    "distinct",
    "element",
    "endswith",
    "flatten",
    "format",
    "formatlist",
    "indent",
    "index",
    "join",
    "jsondecode",
    "jsonencode",
    "keys",
    "length",
    "lookup",
    "matchkeys",
    "merge",
    "nonsensitive",
    "one",
    "replace",
    "reverse",
    "sensitive",
    "setintersection",
    "setproduct",
    "setsubtract",
    "setunion",
    "slice",
    "split",
    "startswith",
    "strcontains",
    "tobool",
    "tolist",
    "tomap",
    "tonumber",
    "toset",
    "tostring",
    "transpose",
    "trimprefix",
    "trimspace",
    "trimsuffix",
    "values",
    "zipmap",
];

/// Functions that use several of their arguments even if one of them is unknown.
const LENIENT: &[&str] = &[
    "coalesce",
    "concat",
    "format",
    "formatlist",
    "join",
    "jsonencode",
    "merge",
    "nonsensitive",
    "replace",
    "sensitive",
    "tolist",
    "tomap",
    "tostring",
    "zipmap",
];

/// Functions whose results differ with every run.
const IMPURE: &[&str] = &["bcrypt", "plantimestamp", "timestamp", "uuid"];

/// Calls a function.
///
/// # Errors
///
/// If there is no such function, or its arguments are not suitable.
pub(crate) fn call(
    context: &FunctionContext<'_>,
    name: &str,
    arguments: &[HclValue],
) -> Result<HclValue, ExpressionError> {
    let unknown = || {
        Ok(HclValue::Unknown(arguments::derived(
            context.tokens,
            name,
            &arguments.iter().collect::<Vec<_>>(),
        )))
    };
    if IMPURE.contains(&name) {
        return unknown();
    }
    let is_unknown = |value: &HclValue| matches!(value, HclValue::Unknown(_));
    if !LENIENT.contains(&name) && arguments.iter().any(is_unknown) && name != "lookup" {
        return unknown();
    }
    let known: Vec<HclValue>;
    let arguments = match TOKEN_SAFE.contains(&name) {
        true => arguments,
        false => {
            known = arguments
                .iter()
                .map(|value| arguments::known(context.tokens, value))
                .collect();
            if known.iter().any(|value| has_token(context, value)) {
                return unknown();
            }
            &known
        }
    };
    // An attribute that only AWS knows can be a list or a number.
    let can_be_suitable = |value: &HclValue| match value {
        HclValue::Unknown(_) => true,
        HclValue::Text(text) => context.tokens.has_token(text),
        _ => false,
    };
    match dispatch(context, name, arguments) {
        Ok(Some(value)) => Ok(value),
        Ok(None) => unknown(),
        Err(_) if arguments.iter().any(can_be_suitable) => unknown(),
        Err(error) => Err(error),
    }
}

fn has_token(context: &FunctionContext<'_>, value: &HclValue) -> bool {
    let mut found = false;
    value.visit_texts(&mut |text| found |= context.tokens.has_token(text));
    found
}

fn dispatch(context: &FunctionContext<'_>, name: &str, arguments: &[HclValue]) -> FunctionResult {
    let families: [FunctionFamily; 8] = [
        strings::call,
        collections::call,
        sets::call,
        conversion::call,
        encoding::call,
        numbers::call,
        digests::call,
        file_functions::call,
    ];
    let result = families
        .iter()
        .find_map(|family| family(context, name, arguments));
    result.unwrap_or_else(|| {
        Err(ExpressionError::new("stackgen does not evaluate this function")
            .hint("the value stays unknown; `terraform show -json PLAN` has it: `stackgen lint plan.json`"))
    })
}
