//! Names of the linter's rules.

use stackgen_lint::{Rule, registry};

use crate::error::CliError;

/// What no rule is called, with the rule that is called most like it.
pub(crate) fn unknown_rule(word: &str) -> CliError {
    let (upper, lower) = (word.to_ascii_uppercase(), word.to_ascii_lowercase());
    let difference = |rule: &&Rule| {
        let of_id = strsim::damerau_levenshtein(rule.id, &upper);
        // Who knows a part of the name means the name.
        let of_name = match lower.len() > 3 && rule.name.contains(&lower) {
            true => 0,
            false => strsim::damerau_levenshtein(rule.name, &lower),
        };
        of_id.min(of_name)
    };
    let error = CliError::input(format!("there is no rule {word:?}"));
    // What shares little with every rule is no slip of the finger.
    let is_near = |rule: &&Rule| difference(rule) * 3 <= word.chars().count();
    match registry::all().min_by_key(difference).filter(is_near) {
        Some(rule) => error.hint(format!(
            "did you mean {} {}? `stackgen rule` lists all",
            rule.id, rule.name
        )),
        None => error.hint("`stackgen rule` lists all"),
    }
}
