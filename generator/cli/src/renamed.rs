//! Flags and values that had other names before.

use clap::error::{ContextKind, ContextValue};

/// Verbs, former flags, and the flags in their place.
const FLAGS: [RenamedFlag; 6] = [
    RenamedFlag::new("diff", "--out", "--rendered"),
    RenamedFlag::new("init", "--dir", "--out"),
    RenamedFlag::new("init", "-d", "--out"),
    RenamedFlag::new("lint", "--output", "--out"),
    RenamedFlag::new("lint", "--output-format", "--format"),
    RenamedFlag::new("probe", "--stage", "--stage-name"),
];

struct RenamedFlag {
    verb: &'static str,
    old: &'static str,
    new: &'static str,
}

impl RenamedFlag {
    const fn new(verb: &'static str, old: &'static str, new: &'static str) -> Self {
        RenamedFlag { verb, old, new }
    }
}

/// Names the new flag in an error about a former one.
pub(crate) fn with_new_name(mut error: clap::Error) -> clap::Error {
    let Some(ContextValue::String(flag)) = error.get(ContextKind::InvalidArg).cloned() else {
        return error;
    };
    let verb = verb(&error).unwrap_or_default();
    let renamed = FLAGS
        .iter()
        .find(|renamed| renamed.verb == verb && renamed.old == flag);
    if let Some(renamed) = renamed {
        let new = ContextValue::String(renamed.new.to_owned());
        error.insert(ContextKind::SuggestedArg, new);
    }
    if is_report_as_json(&error) {
        let tip = "`--json` prints the report as JSON".into();
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip]));
    }
    error
}

/// Returns true for `--format json` of a verb whose formats do not include JSON.
fn is_report_as_json(error: &clap::Error) -> bool {
    let value = error.get(ContextKind::InvalidValue);
    let valid = match error.get(ContextKind::ValidValue) {
        Some(ContextValue::Strings(valid)) => valid.as_slice(),
        _ => &[],
    };
    let has_no_json = !valid.is_empty() && !valid.iter().any(|valid| valid.contains("json"));
    has_no_json && value == Some(&ContextValue::String("json".to_owned()))
}

/// Returns the verb of an error's usage line: `Usage: stackgen lint [OPTIONS] …`.
fn verb(error: &clap::Error) -> Option<String> {
    let Some(ContextValue::StyledStr(usage)) = error.get(ContextKind::Usage) else {
        return None;
    };
    let usage = usage.to_string();
    let mut words = usage.split_whitespace();
    words.find(|word| *word == "stackgen")?;
    words.next().map(str::to_owned)
}
