//! From a [`Node`] to text that reads back as an equal one.
//!
//! Three nodes cannot: a mapping that spells a call (its only key is `Ref` or another function's long name) reads
//! back as that call; a `Ref` or `Condition` of something other than a string, which CloudFormation refuses anyway,
//! reads back as a mapping; and a float that is not finite, which [`crate::Value`] rules out, reads back as a string.

mod scalar;
mod yaml;

use crate::Node;
use crate::json::to_json;

/// The document as block YAML that YAML 1.1 and 1.2 readers read alike, with short-form intrinsics. Ends with a
/// newline.
pub fn yaml(node: &Node) -> String {
    yaml::write(node)
}

/// The document as JSON with two-space indentation and long-form intrinsics. Ends with a newline.
pub fn json(node: &Node) -> String {
    let mut text = format!("{:#}\n", to_json(node));
    // Only strings hold these. JSON leaves them as they are, but a YAML 1.1 reader takes them for line breaks or
    // refuses them, and CloudFormation reads JSON as YAML.
    for c in ['\u{7f}', '\u{85}', '\u{2028}', '\u{2029}', '\u{feff}'] {
        if text.contains(c) {
            text = text.replace(c, &format!("\\u{:04x}", u32::from(c)));
        }
    }
    text
}
