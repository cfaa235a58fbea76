//! Names in messages: lists of them, and the one that a typo is nearest to.

/// The nearest of some names, if one is near enough to be what was meant.
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

/// Names in a sentence: `a, b and c`.
pub(crate) fn and(names: &[&str]) -> String {
    enumerate(names, "and")
}

/// Names in a row: `a, b, c`.
pub(crate) fn comma_separated(names: &[&str]) -> String {
    let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

/// Names in a sentence: `a, b or c`.
pub(crate) fn or(names: &[&str]) -> String {
    enumerate(names, "or")
}

/// Hint that names the choices: `` use one of `a`, `b` or `c` ``.
pub(crate) fn use_one_of(names: &[&str]) -> String {
    match names {
        [one] => format!("use `{one}`"),
        _ => format!("use one of {}", or(names)),
    }
}

fn enumerate(names: &[&str], conjunction: &str) -> String {
    match names {
        [] => String::new(),
        [one] => format!("`{one}`"),
        [rest @ .., last] => format!("{} {conjunction} `{last}`", comma_separated(rest)),
    }
}
