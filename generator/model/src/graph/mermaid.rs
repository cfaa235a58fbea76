//! Mermaid output, which GitHub and many editors draw.

use std::fmt::Write;

use super::{Graph, NodeKind};

/// Returns the graph as a Mermaid flowchart. It ends with a newline.
pub fn mermaid(graph: &Graph) -> String {
    let mut text = String::from("flowchart LR\n");
    for node in &graph.nodes {
        let (open, close) = match node.kind {
            NodeKind::Api => ("[[", "]]"),
            NodeKind::Routes => ("[", "]"),
            NodeKind::Authorizer => ("{{", "}}"),
            NodeKind::Function => ("(", ")"),
            NodeKind::Other => ("[/", "/]"),
            NodeKind::Table => ("[(", ")]"),
        };
        let lines = node.lines.iter().map(|line| escape(line));
        let details = node
            .details
            .iter()
            .map(|line| format!("<small>{}</small>", escape(line)));
        let label: Vec<_> = lines.chain(details).collect();
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "  {}{open}\"{}\"{close}",
            node.id,
            label.join("<br/>")
        );
    }
    for edge in &graph.edges {
        let (from, to) = (&graph.nodes[edge.from].id, &graph.nodes[edge.to].id);
        let arrow = if edge.dashed { "-.->" } else { "-->" };
        let _ = match edge.label.as_str() {
            "" => writeln!(text, "  {from} {arrow} {to}"),
            label => writeln!(text, "  {from} {arrow}|\"{}\"| {to}", escape(label)),
        };
    }
    text
}

/// Escapes a label. Mermaid reads Markdown and HTML in labels, and `#…;` as a character.
fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        match c {
            c if c.is_control() => escaped.push(' '),
            '"' | '#' | '&' | '<' | '>' | '`' | '*' | '_' | '\\' | '|' | ';' => {
                let _ = write!(escaped, "#{};", u32::from(c));
            }
            c => escaped.push(c),
        }
    }
    escaped
}
