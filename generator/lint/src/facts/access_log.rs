//! Reads the format of a stage's access log.

use stackgen_model::{Piece, Resolved, Stage, Text};

/// Returns the format, or `None` if there is none or a part of it is unknown.
pub(crate) fn format(stage: &Stage) -> Option<&Text> {
    match stage.access_log.as_ref()?.get("Format")? {
        Resolved::Text(text) if text.unknown().is_none() => Some(text),
        _ => None,
    }
}

/// Returns the names of the variables in a format, without `$context.`, in order.
pub(crate) fn variables(format: &Text) -> impl Iterator<Item = &str> {
    let literals = format.pieces().iter().filter_map(|piece| match piece {
        Piece::Literal(text) => Some(text.as_str()),
        _ => None,
    });
    let variables = literals.flat_map(|text| text.split("$context.").skip(1));
    variables.map(|rest| {
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.');
        let end = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
        rest[..end].trim_end_matches('.')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_end_with_their_names() {
        let format =
            Text::literal("[$context.requestTime] \"$context.authorizer.a_b\" $context.status.");
        let found: Vec<_> = variables(&format).collect();
        assert_eq!(found, ["requestTime", "authorizer.a_b", "status"]);
    }
}
