//! Any input results in errors with locations or in a template, and never in a panic.

use proptest::prelude::*;
use stackgen_cfn::Sources;
use stackgen_synth::{Artifacts, ProjectFile};

use super::{STARTERS, options};

/// Loads a text and renders it if it has no errors. Otherwise there must be an error with a location inside the file.
fn survives(text: &str) -> Result<(), TestCaseError> {
    let mut sources = Sources::new();
    let source = sources.add("stackgen.yaml", text);
    match ProjectFile::load(source) {
        Ok(stack) => {
            for environment in stack.environments() {
                let _ = stack.render(&options(environment, &Artifacts::new()));
            }
        }
        Err(errors) => {
            prop_assert!(!errors.is_empty());
            for error in errors {
                prop_assert!(!error.message.is_empty());
                prop_assert!(error.span.end as usize <= text.len(), "{error:?}");
            }
        }
    }
    Ok(())
}

/// Returns a starter with a few lines removed, doubled, cut, moved or overwritten.
fn mutated() -> impl Strategy<Value = String> {
    let edit = (
        0..6_u8,
        any::<prop::sample::Index>(),
        any::<prop::sample::Index>(),
        ".{0,12}",
    );
    (0..STARTERS.len(), proptest::collection::vec(edit, 1..5)).prop_map(|(starter, edits)| {
        let mut lines: Vec<String> = STARTERS[starter].1.lines().map(str::to_owned).collect();
        for (kind, at, other, text) in edits {
            let (at, other) = (at.index(lines.len()), other.index(lines.len()));
            match kind {
                0 if lines.len() > 1 => drop(lines.remove(at)),
                1 => lines.insert(at, lines[other].clone()),
                2 => lines.swap(at, other),
                3 => lines[at] = lines[at].chars().take(other).collect(),
                4 => lines[at].push_str(&text),
                _ => lines[at] = lines[at].replacen(':', &text, 1),
            }
        }
        lines.join("\n")
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn any_text(text in "\\PC{0,200}") {
        survives(&text)?;
    }

    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        survives(&String::from_utf8_lossy(&bytes))?;
    }

    #[test]
    fn a_damaged_starter(text in mutated()) {
        survives(&text)?;
    }
}
