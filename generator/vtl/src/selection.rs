//! Values of selection expressions: a JSONPath, and its value as text.

use crate::jsonpath::{JsonPath, evaluate};
use crate::value::{Computed, Heap, ListKind, VtlValue, parse_json, to_json};
use crate::{RenderLimits, RenderProblem};

/// Returns the value at a JSONPath of a document, as text: a string as it is, any other value as JSON.
///
/// `None` if the document is not JSON, or the path has no value or `null`. The work is bounded by [`RenderLimits`]; a path
/// that exceeds it has no value.
///
/// # Errors
///
/// [`RenderProblem::JsonPath`], if the path is not valid.
///
/// ```
/// use stackgen_vtl::select_text;
///
/// let document = r#"{"items": [{"kind": "a"}, {"kind": "b"}]}"#;
/// assert_eq!(select_text(document, "$.items[1].kind")?.as_deref(), Some("b"));
/// assert_eq!(select_text(document, "$.items[*].kind")?.as_deref(), Some(r#"["a","b"]"#));
/// assert_eq!(select_text(document, "$.none")?, None);
/// assert!(select_text(document, "$.items[").is_err());
/// # Ok::<(), stackgen_vtl::RenderProblem>(())
/// ```
pub fn select_text(document: &str, path: &str) -> Result<Option<String>, RenderProblem> {
    let parsed = JsonPath::parse(path)?;
    let mut heap = Heap::new(RenderLimits::default().work);
    Ok(text(&mut heap, document, &parsed).ok().flatten())
}

fn text(heap: &mut Heap, document: &str, path: &JsonPath) -> Computed<Option<String>> {
    let root = parse_json(heap, document, ListKind::Json, "the document")?;
    Ok(match evaluate(heap, path, &root)? {
        VtlValue::Null => None,
        VtlValue::Text(text) => Some(text.to_string()),
        value => Some(to_json(heap, &value)?),
    })
}
