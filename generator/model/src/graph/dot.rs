//! DOT output for Graphviz.

use std::fmt::Write;

use super::{Graph, NodeKind};

/// Returns the graph in DOT. It ends with a newline.
pub fn dot(graph: &Graph) -> String {
    let mut text = String::from(
        "digraph stackgen {\n  rankdir=LR;\n  node [fontname=\"monospace\", shape=box, style=rounded];\n  \
         edge [fontname=\"monospace\", fontsize=10];\n",
    );
    for node in &graph.nodes {
        let shape = match node.kind {
            NodeKind::Api => "component",
            NodeKind::Routes | NodeKind::Function => "box",
            NodeKind::Authorizer => "hexagon",
            NodeKind::Other => "note",
            NodeKind::Table => "cylinder",
        };
        let lines: Vec<_> = node
            .lines
            .iter()
            .chain(&node.details)
            .map(|line| escape(line))
            .collect();
        // Writing to a string cannot fail. `\n` is DOT's line break.
        let _ = writeln!(
            text,
            "  {} [shape={shape}, label=\"{}\"];",
            node.id,
            lines.join("\\n")
        );
    }
    for edge in &graph.edges {
        let (from, to) = (&graph.nodes[edge.from].id, &graph.nodes[edge.to].id);
        let style = if edge.dashed { ", style=dashed" } else { "" };
        let _ = writeln!(
            text,
            "  {from} -> {to} [label=\"{}\"{style}];",
            escape(&edge.label)
        );
    }
    text.push_str("}\n");
    text
}

fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        match c {
            c if c.is_control() => escaped.push(' '),
            '"' | '\\' => escaped.extend(['\\', c]),
            c => escaped.push(c),
        }
    }
    escaped
}
