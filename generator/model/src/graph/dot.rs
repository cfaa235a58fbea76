//! DOT, which Graphviz draws.

use std::fmt::Write;

use super::{Graph, Kind};

/// The graph in DOT. Ends with a newline.
pub fn dot(graph: &Graph) -> String {
    let mut text = String::from(
        "digraph stackgen {\n  rankdir=LR;\n  node [fontname=\"monospace\", shape=box, style=rounded];\n  \
         edge [fontname=\"monospace\", fontsize=10];\n",
    );
    for node in &graph.nodes {
        let shape = match node.kind {
            Kind::Api => "component",
            Kind::Routes | Kind::Function => "box",
            Kind::Authorizer => "hexagon",
            Kind::Other => "note",
            Kind::Table => "cylinder",
        };
        let lines: Vec<_> = node
            .lines
            .iter()
            .chain(&node.details)
            .map(|line| escape(line))
            .collect();
        // Writing to a string cannot fail. `\n` is DOT's own line break.
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
