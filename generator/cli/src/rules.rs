//! Names of the linter's rules.

use stackgen_lint::{Rule, registry};

use crate::error::CliError;

/// Creates the error of an unknown rule, with the most similar rule.
pub(crate) fn unknown_rule(word: &str) -> CliError {
    let (upper, lower) = (word.to_ascii_uppercase(), word.to_ascii_lowercase());
    let distance = |rule: &&Rule| {
        let id_distance = strsim::damerau_levenshtein(rule.id, &upper);
        // A part of a name counts as the name.
        let name_distance = match lower.len() > 3 && rule.name.contains(&lower) {
            true => 0,
            false => strsim::damerau_levenshtein(rule.name, &lower),
        };
        id_distance.min(name_distance)
    };
    let error = CliError::input(format!("there is no rule {word:?}"));
    // A word that is unlike every rule is not a typo.
    let is_near = |rule: &&Rule| distance(rule) * 3 <= word.chars().count();
    match registry::all().min_by_key(distance).filter(is_near) {
        Some(rule) => error.hint(format!(
            "did you mean {} {}? list all rules with `stackgen rule`",
            rule.id, rule.name
        )),
        None => error.hint("list all rules with `stackgen rule`"),
    }
}
