//! Lists of names in messages, and suggestions for misspelled names.

/// Returns the most similar name, if one is similar enough to be a typo's correction.
pub(crate) fn nearest<'a>(name: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = name.to_ascii_lowercase();
    names
        .into_iter()
        .map(|candidate| {
            (
                strsim::damerau_levenshtein(&lower, &candidate.to_ascii_lowercase()),
                candidate,
            )
        })
        .filter(|(distance, candidate)| *distance * 3 <= candidate.len().max(name.len()))
        .min()
        .map(|(_, candidate)| candidate)
}

/// Joins names: `` `a`, `b` and `c` ``.
pub(crate) fn join_and(names: &[&str]) -> String {
    enumerate(names, "and")
}

/// Joins names: `` `a`, `b`, `c` ``.
pub(crate) fn comma_separated(names: &[&str]) -> String {
    let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

/// Joins names: `` `a`, `b` or `c` ``.
pub(crate) fn join_or(names: &[&str]) -> String {
    enumerate(names, "or")
}

/// Returns a hint with the choices: `` use `a`, `b` or `c` ``.
pub(crate) fn use_one_of(names: &[&str]) -> String {
    format!("use {}", join_or(names))
}

fn enumerate(names: &[&str], conjunction: &str) -> String {
    match names {
        [] => String::new(),
        [one] => format!("`{one}`"),
        [rest @ .., last] => format!("{} {conjunction} `{last}`", comma_separated(rest)),
    }
}
