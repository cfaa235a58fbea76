//! From a [`Node`] to text.

use crate::Node;

/// The document as block YAML that YAML 1.1 and 1.2 readers read alike. Ends with a newline.
pub fn yaml(node: &Node) -> String {
    let _ = node;
    String::new()
}

/// The document as JSON with two-space indentation and long-form intrinsics. Ends with a newline.
pub fn json(node: &Node) -> String {
    let _ = node;
    String::new()
}
