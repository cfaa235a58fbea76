//! Checks and merges that several resources share.

use indexmap::IndexMap;

use super::{ApiError, Pairs};

/// Returns a required value.
pub(super) fn required<T>(name: &str, value: Option<T>) -> Result<T, ApiError> {
    value.ok_or_else(|| ApiError::bad_request(format!("{name} is required")))
}

/// Checks the length of a text in characters.
pub(super) fn length(name: &str, text: &str, min: usize, max: usize) -> Result<(), ApiError> {
    let length = text.chars().count();
    if (min..=max).contains(&length) {
        return Ok(());
    }
    Err(ApiError::bad_request(format!(
        "{name} must have {min} to {max} characters; it has {length}"
    )))
}

/// Checks the length of an optional text.
pub(super) fn optional_length(
    name: &str,
    text: Option<&String>,
    max: usize,
) -> Result<(), ApiError> {
    text.map_or(Ok(()), |text| length(name, text, 0, max))
}

/// Checks that a value is one of the allowed values.
pub(super) fn one_of(name: &str, value: &str, allowed: &[&str]) -> Result<(), ApiError> {
    if allowed.contains(&value) {
        return Ok(());
    }
    let allowed = allowed.join(", ");
    Err(ApiError::bad_request(format!(
        "Invalid value {value} for {name}: it must be one of {allowed}"
    )))
}

/// Refuses a value that the protocol does not allow.
pub(super) fn unset<T>(name: &str, value: Option<&T>, protocol: &str) -> Result<(), ApiError> {
    if value.is_none() {
        return Ok(());
    }
    Err(ApiError::bad_request(format!(
        "{name} cannot be set for {protocol} protocol Apis."
    )))
}

/// Checks a quota of an API (row L6).
pub(super) fn check_quota(resources: &str, count: usize, max: usize) -> Result<(), ApiError> {
    if count < max {
        return Ok(());
    }
    Err(ApiError::bad_request(format!(
        "Maximum number of {resources} for this API has been reached.  Please contact AWS if you need additional {resources}."
    )))
}

/// Sets an optional value. An empty text removes it.
pub(super) fn set_text(value: &mut Option<String>, patch: Option<String>) {
    if let Some(patch) = patch {
        *value = Some(patch).filter(|text| !text.is_empty());
    }
}

/// Sets a required value.
pub(super) fn set<T>(value: &mut T, patch: Option<T>) {
    if let Some(patch) = patch {
        *value = patch;
    }
}

/// Merges entries. An empty text removes an entry (row D12).
pub(super) fn merge_texts(value: &mut Pairs, patch: Option<Pairs>) {
    for (key, text) in patch.unwrap_or_default() {
        if text.is_empty() {
            value.shift_remove(&key);
        } else {
            value.insert(key, text);
        }
    }
}

/// Merges entries.
pub(super) fn merge<T>(value: &mut IndexMap<String, T>, patch: Option<IndexMap<String, T>>) {
    value.extend(patch.unwrap_or_default());
}
