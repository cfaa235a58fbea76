//! Changes between templates, in words of the API model.

use stackgen_cfn::{Map, Node};
use stackgen_model::diff::{Diff, diff};
use stackgen_model::{Inputs, Model};

use crate::style::{CYAN, GREEN, RED};

/// Returns the changes from one template to another.
pub(crate) fn model_changes(old: &Node, new: &Node) -> Diff {
    let model = |template: &Node| Model::from_template(template, &Inputs::none());
    diff(&model(old), &model(new))
}

/// Returns a template without resources.
pub(crate) fn empty_template() -> Node {
    Node::from(Map::new())
}

/// Colors the text of changes, and indents it.
pub(crate) fn colored(text: &str, indent: &str) -> String {
    let lines = text.lines().map(|line| {
        let style = match line.as_bytes().first() {
            Some(b'+') => GREEN,
            Some(b'-' | b'!') => RED,
            _ => CYAN,
        };
        let (mark, rest) = line.split_at(line.len().min(1));
        format!("{indent}{style}{mark}{style:#}{rest}\n")
    });
    lines.collect()
}
