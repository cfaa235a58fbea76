//! From a [`Node`] to text that reads back as an equal one.
//!
//! Three nodes cannot: a mapping that spells a call (its only key is `Ref` or another function's long name) reads
//! back as that call; a `Ref` or `Condition` of something other than a string, which CloudFormation refuses anyway,
//! reads back as a mapping; and a float that is not finite, which [`crate::Value`] rules out, reads back as a string.

mod scalar;
mod yaml;

use crate::json::to_json;
use crate::{Node, Value};
use scalar::ScalarContext;

/// The document as block YAML that YAML 1.1 and 1.2 readers read alike, with short-form intrinsics. Ends with a
/// newline.
pub fn yaml(node: &Node) -> String {
    yaml::write(node)
}

/// The document as JSON with two-space indentation and long-form intrinsics. Ends with a newline.
pub fn json(node: &Node) -> String {
    escaped(format!("{:#}\n", to_json(node)))
}

/// The document as JSON on one line, with a blank behind colons and commas.
pub fn json_line(node: &Node) -> String {
    match &node.value {
        Value::List(items) => {
            let items: Vec<_> = items.iter().map(json_line).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Map(map) => {
            let entry =
                |(key, node)| format!("{}: {}", json_line(&Node::from(key)), json_line(node));
            let entries: Vec<_> = map.iter().map(entry).collect();
            format!("{{{}}}", entries.join(", "))
        }
        Value::Call(call) => {
            let name = call.function.long_name();
            format!("{{\"{name}\": {}}}", json_line(&call.argument))
        }
        _ => escaped(to_json(node).to_string()),
    }
}

/// Only strings hold these characters. JSON leaves them as they are, but a YAML 1.1 reader takes them for line breaks or
/// refuses them, and CloudFormation reads JSON as YAML.
fn escaped(mut json: String) -> String {
    for c in ['\u{7f}', '\u{85}', '\u{2028}', '\u{2029}', '\u{feff}'] {
        if json.contains(c) {
            json = json.replace(c, &format!("\\u{:04x}", u32::from(c)));
        }
    }
    json
}

/// A value as it stands behind `key:` in block YAML, from the blank or line break in front of it to the end of its last
/// line, without that line's break. Where it takes several lines, they begin after `column` blanks.
pub fn after_key(node: &Node, column: usize) -> String {
    yaml::behind(node, column, yaml::Lead::Key)
}

/// A value as it stands behind the `-` of a list in block YAML, as [`after_key`] writes it.
pub fn after_dash(node: &Node, column: usize) -> String {
    yaml::behind(node, column, yaml::Lead::Dash)
}

/// A value on one line, as it stands within brackets and behind anything in YAML.
pub fn yaml_line(node: &Node) -> String {
    yaml::line(node)
}

/// The quotes of a string in YAML.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quotes {
    /// Where they are needed.
    AsNeeded,
    /// Where they are needed within brackets.
    AsNeededInFlow,
    /// `'…'`, or double quotes where that cannot hold it.
    Single,
    /// `"…"`
    Double,
}

/// A string on one line.
pub fn string(text: &str, quotes: Quotes) -> String {
    match quotes {
        Quotes::AsNeeded => scalar::string(text, ScalarContext::Block),
        Quotes::AsNeededInFlow => scalar::string(text, ScalarContext::Flow),
        Quotes::Single => scalar::single_quoted(text),
        Quotes::Double => scalar::double_quoted(text),
    }
}
