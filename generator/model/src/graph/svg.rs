//! SVG, drawn here, so that nothing has to be installed.

use std::fmt::Write;

use super::layout::{DETAIL, Ends, LINE, LONGEST_LINE, MARGIN, PAD, Place, SMALL_CHAR, layout};
use super::{Edge, Graph, Kind, Node};

/// Colours by the role of a thing, for light and for dark surroundings.
const STYLE: &str = "\
:root { --page: #ffffff; --box: #f6f8fa; --line: #d0d7de; --text: #1f2328; --soft: #59636e; --arrow: #8c959f;
        --api: #0969da; --routes: #8250df; --function: #bc4c00; --table: #1a7f37; --other: #59636e; }
@media (prefers-color-scheme: dark) {
  :root { --page: #0d1117; --box: #151b23; --line: #3d444d; --text: #f0f6fc; --soft: #9198a1; --arrow: #656c76;
          --api: #4493f8; --routes: #ab7df8; --function: #f0883e; --table: #3fb950; --other: #9198a1; }
}
text { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace; font-size: 13px; fill: var(--text); white-space: pre; }
.small { font-size: 11px; fill: var(--soft); }
.heading { font-size: 12px; fill: var(--soft); font-weight: 600; letter-spacing: 0.04em; }
.label { font-size: 11px; fill: var(--soft); text-anchor: end; }
.behind { fill: var(--page); }
.box { fill: var(--box); stroke: var(--line); }
.arrow { fill: none; stroke: var(--arrow); stroke-width: 1.4; }
.dashed { stroke-dasharray: 5 4; }
.head { fill: var(--arrow); }
";

/// The graph as an SVG document that fits light and dark surroundings. Ends with a newline.
pub fn svg(graph: &Graph) -> String {
    let layout = layout(graph);
    let (width, height) = (
        layout.width.max(MARGIN * 2.0).ceil(),
        layout.height.max(MARGIN * 2.0).ceil(),
    );
    // Writing to a string cannot fail, here and below.
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\">\n<style>\n{STYLE}</style>\n\
         <defs><marker id=\"head\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" \
         orient=\"auto\"><path class=\"head\" d=\"M0 0.5 8 4 0 7.5z\"/></marker></defs>\n\
         <rect width=\"100%\" height=\"100%\" style=\"fill: var(--page)\"/>\n"
    );
    for (x, heading) in &layout.columns {
        let _ = writeln!(
            out,
            "<text class=\"heading\" x=\"{x:.1}\" y=\"{}\">{heading}</text>",
            MARGIN + 10.0
        );
    }
    for (edge, ends) in graph.edges.iter().zip(&layout.ends) {
        curve(&mut out, edge, *ends);
    }
    for (node, place) in graph.nodes.iter().zip(&layout.places) {
        draw(&mut out, node, *place);
    }
    // Labels come last, so that no arrow crosses them.
    for (edge, ends) in graph.edges.iter().zip(&layout.ends) {
        if !edge.label.is_empty() {
            label(&mut out, edge, *ends);
        }
    }
    out.push_str("</svg>\n");
    out
}

/// A curve that leaves and arrives level, and runs straight under its label.
fn curve(out: &mut String, edge: &Edge, ends: Ends) {
    let ((x1, y1), (x2, y2)) = (ends.from, ends.to);
    let label = edge.label.chars().count().min(LONGEST_LINE) as f64 * SMALL_CHAR;
    let straight = if label > 0.0 {
        x2 - label - 20.0
    } else {
        x2 - 10.0
    };
    let bend = (straight - x1) / 2.0;
    let class = if edge.dashed { "arrow dashed" } else { "arrow" };
    let _ = writeln!(
        out,
        "<path class=\"{class}\" marker-end=\"url(#head)\" d=\"M{x1:.1} {y1:.1}C{:.1} {y1:.1} {:.1} {y2:.1} {straight:.1} {y2:.1}H{:.1}\"/>",
        x1 + bend,
        straight - bend,
        x2 - 1.0
    );
}

/// The words of an arrow, just before its head, on a ground of their own.
fn label(out: &mut String, edge: &Edge, ends: Ends) {
    let (right, y) = (ends.to.0 - 14.0, ends.to.1);
    let width = edge.label.chars().count().min(LONGEST_LINE) as f64 * SMALL_CHAR + 4.0;
    let _ = writeln!(
        out,
        "<rect class=\"behind\" x=\"{:.1}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"14\"/>\
         <text class=\"label\" x=\"{right:.1}\" y=\"{:.1}\">{}</text>",
        right - width + 2.0,
        y - 7.0,
        y + 3.5,
        shown(&edge.label)
    );
}

fn draw(out: &mut String, node: &Node, place: Place) {
    let colour = match node.kind {
        Kind::Api => "api",
        Kind::Routes => "routes",
        Kind::Function => "function",
        Kind::Table => "table",
        Kind::Authorizer | Kind::Other => "other",
    };
    let Place {
        x,
        y,
        width,
        height,
    } = place;
    let _ = writeln!(
        out,
        "<g><title>{}</title><rect class=\"box\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" \
         rx=\"6\"/><rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"4\" height=\"{height:.1}\" rx=\"2\" \
         style=\"fill: var(--{colour})\"/>",
        escape(&node.lines.join("\n"))
    );
    let text = node.lines.len() as f64 * LINE + node.details.len() as f64 * DETAIL;
    let mut y = y + (height - text) / 2.0;
    for line in &node.lines {
        let _ = writeln!(
            out,
            "<text x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            x + PAD,
            y + 14.0,
            shown(line)
        );
        y += LINE;
    }
    for line in &node.details {
        let _ = writeln!(
            out,
            "<text class=\"small\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            x + PAD,
            y + 12.0,
            shown(line)
        );
        y += DETAIL;
    }
    out.push_str("</g>\n");
}

/// A line cut to what a box can show.
fn shown(line: &str) -> String {
    match line.char_indices().nth(LONGEST_LINE) {
        None => escape(line),
        Some(_) => {
            let cut: String = line.chars().take(LONGEST_LINE - 1).collect();
            escape(&cut) + "…"
        }
    }
}

/// XML knows no control characters, not even escaped.
fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' => escaped.push('\n'),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}
