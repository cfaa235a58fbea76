//! Explanations of what happened on a connection, as text.

use std::borrow::Cow;

use stackgen_probe::Explanation;

use crate::style::{BOLD, DIM};
use crate::text::{REPORT, wrap};

/// Formats an explanation. Evidence that is in `seen` already is left out.
pub(crate) fn explanation_text<'a>(
    explanation: &'a Explanation,
    seen: &mut Vec<&'a str>,
) -> String {
    let Explanation {
        cause,
        evidence,
        next_step,
        rows,
        certainty,
        doubts,
    } = explanation;
    let mut text = format!(
        "\n{BOLD}{}{BOLD:#} {DIM}({}){DIM:#}\n",
        certainty.name(),
        row_list(rows)
    );
    text.push_str(&wrap("  ", "  ", cause, REPORT));
    for evidence in evidence {
        if seen.contains(&evidence.as_str()) {
            continue;
        }
        seen.push(evidence);
        text.push_str(&wrap("  seen: ", "        ", evidence, REPORT));
    }
    text.push_str(&wrap("  next: ", "        ", next_step, REPORT));
    for doubt in doubts {
        text.push_str(&wrap("  doubt: ", "         ", doubt, REPORT));
    }
    text
}

/// Returns rows as part of a sentence.
pub(crate) fn row_list(rows: &[Cow<'_, str>]) -> String {
    match rows {
        [] => "no row".to_owned(),
        [row] => format!("row {row}"),
        rows => format!("rows {}", rows.join(", ")),
    }
}
