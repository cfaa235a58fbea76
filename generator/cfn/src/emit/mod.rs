//! Writes a [`Node`] as text that parses to an equal node.
//!
//! There are three exceptions. A mapping in the form of a call (its only key is `Ref` or another function's long name)
//! parses to that call. A `Ref` or `Condition` of something other than a string, which CloudFormation refuses, parses
//! to a mapping. A float that is not finite, which [`crate::Value`] does not allow, parses to a string.

mod scalar;
mod yaml;

use crate::json::to_json;
use crate::{Node, Value};
use scalar::ScalarContext;

/// Returns the document as block YAML with short-form intrinsic functions, which YAML 1.1 and 1.2 parsers read in the
/// same way. It ends with a newline.
pub fn yaml(node: &Node) -> String {
    yaml::write(node)
}

/// Returns the document as JSON with two-space indentation and long-form intrinsic functions. It ends with a newline.
pub fn json(node: &Node) -> String {
    escaped(format!("{:#}\n", to_json(node)))
}

/// Returns the document as JSON on one line, with a space after colons and commas.
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

/// Escapes characters that JSON allows in strings. A YAML 1.1 parser takes them for line breaks or refuses them, and
/// CloudFormation parses JSON as YAML.
fn escaped(mut json: String) -> String {
    for c in ['\u{7f}', '\u{85}', '\u{2028}', '\u{2029}', '\u{feff}'] {
        if json.contains(c) {
            json = json.replace(c, &format!("\\u{:04x}", u32::from(c)));
        }
    }
    json
}

/// Returns a value as block YAML contains it after `key:`: from the space or line break before the value to the end of
/// its last line, without that line's break. If there are several lines, they are indented by `column` spaces.
pub fn after_key(node: &Node, column: usize) -> String {
    yaml::after(node, column, yaml::Lead::Key)
}

/// Returns a value as block YAML contains it after the `-` of a list, in the form that [`after_key`] describes.
pub fn after_dash(node: &Node, column: usize) -> String {
    yaml::after(node, column, yaml::Lead::Dash)
}

/// Returns a value on one line that is valid anywhere in YAML, including within brackets.
pub fn yaml_line(node: &Node) -> String {
    yaml::line(node)
}

/// Quotes of a string in YAML.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quotes {
    /// Quotes if the string needs them in block YAML.
    AsNeeded,
    /// Quotes if the string needs them within brackets.
    AsNeededInFlow,
    /// `'…'`, or double quotes if the string cannot be in single quotes.
    Single,
    /// `"…"`
    Double,
}

/// Returns a string on one line.
pub fn string(text: &str, quotes: Quotes) -> String {
    match quotes {
        Quotes::AsNeeded => scalar::string(text, ScalarContext::Block),
        Quotes::AsNeededInFlow => scalar::string(text, ScalarContext::Flow),
        Quotes::Single => scalar::single_quoted(text),
        Quotes::Double => scalar::double_quoted(text),
    }
}
