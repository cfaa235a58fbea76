//! Values of selection expressions: a JSONPath, and its value as text.

use crate::RenderLimits;
use crate::jsonpath::{JsonPath, evaluate};
use crate::value::{Computed, Heap, ListKind, VtlValue, parse_json, to_json};

/// Returns the value at a JSONPath of a document, as text: a string as it is, any other value as JSON.
///
/// `None` if the document is not JSON, the path is not valid, or it has no value or `null`. The work is bounded by
/// [`RenderLimits`]; a path that exceeds it has no value.
///
/// ```
/// use stackgen_vtl::select_text;
///
/// let document = r#"{"items": [{"kind": "a"}, {"kind": "b"}]}"#;
/// assert_eq!(select_text(document, "$.items[1].kind").as_deref(), Some("b"));
/// assert_eq!(select_text(document, "$.items[*].kind").as_deref(), Some(r#"["a","b"]"#));
/// assert_eq!(select_text(document, "$.none"), None);
/// ```
#[must_use]
pub fn select_text(document: &str, path: &str) -> Option<String> {
    let path = JsonPath::parse(path).ok()?;
    let mut heap = Heap::new(RenderLimits::default().work);
    text(&mut heap, document, &path).ok().flatten()
}

fn text(heap: &mut Heap, document: &str, path: &JsonPath) -> Computed<Option<String>> {
    let root = parse_json(heap, document, ListKind::Json, "the document")?;
    Ok(match evaluate(heap, path, &root)? {
        VtlValue::Null => None,
        VtlValue::Text(text) => Some(text.to_string()),
        value => Some(to_json(heap, &value)?),
    })
}
