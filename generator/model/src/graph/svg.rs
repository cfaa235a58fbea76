//! SVG output.
//!
//! Light colours are presentation attributes, which every SVG program understands. Dark colours are a media query, which
//! browsers apply and other programs ignore. CSS variables would be shorter, but librsvg and Inkscape draw them black.

use std::fmt::Write;

use super::layout::{
    DETAIL, EdgeEnds, LINE, LONGEST_LINE, MARGIN, NodeBox, PAD, SMALL_CHAR, layout,
};
use super::{Edge, Graph, GraphNode, NodeKind};

/// Colours by role.
struct Palette {
    page: &'static str,
    surface: &'static str,
    border: &'static str,
    text: &'static str,
    muted: &'static str,
    arrow: &'static str,
    api: &'static str,
    routes: &'static str,
    function: &'static str,
    table: &'static str,
    other: &'static str,
}

const LIGHT: Palette = Palette {
    page: "#ffffff",
    surface: "#f6f8fa",
    border: "#d0d7de",
    text: "#1f2328",
    muted: "#59636e",
    arrow: "#8c959f",
    api: "#0969da",
    routes: "#8250df",
    function: "#bc4c00",
    table: "#1a7f37",
    other: "#59636e",
};

const DARK: Palette = Palette {
    page: "#0d1117",
    surface: "#151b23",
    border: "#3d444d",
    text: "#f0f6fc",
    muted: "#9198a1",
    arrow: "#656c76",
    api: "#4493f8",
    routes: "#ab7df8",
    function: "#f0883e",
    table: "#3fb950",
    other: "#9198a1",
};

const FONTS: &str = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace";

impl Palette {
    /// Returns the colour of the strip that marks the kind of a box.
    fn strip(&self, kind: NodeKind) -> &'static str {
        match kind {
            NodeKind::Api => self.api,
            NodeKind::Routes => self.routes,
            NodeKind::Function => self.function,
            NodeKind::Table => self.table,
            NodeKind::Authorizer | NodeKind::Other => self.other,
        }
    }

    /// Returns CSS rules that replace the presentation attributes.
    fn rules(&self) -> String {
        let Palette {
            page,
            surface,
            border,
            text,
            muted,
            arrow,
            ..
        } = self;
        let mut rules = format!(
            "  .text {{ fill: {text}; }} .muted {{ fill: {muted}; }} .page {{ fill: {page}; }}\n  \
             .box {{ fill: {surface}; stroke: {border}; }} .arrow {{ stroke: {arrow}; }} .head {{ fill: {arrow}; }}\n "
        );
        for kind in [
            NodeKind::Api,
            NodeKind::Routes,
            NodeKind::Function,
            NodeKind::Table,
            NodeKind::Other,
        ] {
            let (class, strip) = (class(kind), self.strip(kind));
            // Writing to a string cannot fail, here and below.
            let _ = write!(rules, " .{class} {{ fill: {strip}; }}");
        }
        rules
    }
}

fn class(kind: NodeKind) -> &'static str {
    match kind {
        NodeKind::Api => "api",
        NodeKind::Routes => "routes",
        NodeKind::Function => "function",
        NodeKind::Table => "table",
        NodeKind::Authorizer | NodeKind::Other => "other",
    }
}

/// Returns the graph as an SVG document for light and dark pages. It ends with a newline.
pub fn svg(graph: &Graph) -> String {
    let layout = layout(graph);
    let (width, height) = (
        layout.width.max(MARGIN * 2.0).ceil(),
        layout.height.max(MARGIN * 2.0).ceil(),
    );
    let Palette {
        page,
        text,
        muted,
        arrow,
        ..
    } = LIGHT;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" class=\"text\" fill=\"{text}\" font-family=\"{FONTS}\" font-size=\"13\" \
         xml:space=\"preserve\">\n\
         <style>\n@media (prefers-color-scheme: dark) {{\n{}\n}}\n</style>\n\
         <defs><marker id=\"head\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" \
         orient=\"auto\"><path class=\"head\" fill=\"{arrow}\" d=\"M0 0.5 8 4 0 7.5z\"/></marker></defs>\n\
         <rect class=\"page\" fill=\"{page}\" width=\"100%\" height=\"100%\"/>\n",
        DARK.rules()
    );
    let _ = writeln!(
        out,
        "<g class=\"muted\" fill=\"{muted}\" font-size=\"12\" font-weight=\"600\" letter-spacing=\"0.5\">"
    );
    for (x, heading) in &layout.columns {
        let y = MARGIN + 10.0;
        let _ = writeln!(out, "<text x=\"{x:.1}\" y=\"{y}\">{heading}</text>");
    }
    let _ = writeln!(
        out,
        "</g>\n<g class=\"arrow\" fill=\"none\" stroke=\"{arrow}\" stroke-width=\"1.4\">"
    );
    for (edge, ends) in graph.edges.iter().zip(&layout.ends) {
        curve(&mut out, edge, *ends);
    }
    out.push_str("</g>\n");
    for (node, area) in graph.nodes.iter().zip(&layout.boxes) {
        draw(&mut out, node, *area);
    }
    // Labels come last, so that no arrow crosses them.
    let _ = writeln!(
        out,
        "<g class=\"muted\" fill=\"{muted}\" font-size=\"11\" text-anchor=\"end\">"
    );
    for (edge, ends) in graph.edges.iter().zip(&layout.ends) {
        if !edge.label.is_empty() {
            label(&mut out, edge, *ends);
        }
    }
    out.push_str("</g>\n</svg>\n");
    out
}

/// Draws an arrow as a curve that leaves and arrives horizontally, and is straight under its label.
fn curve(out: &mut String, edge: &Edge, ends: EdgeEnds) {
    let ((x1, y1), (x2, y2)) = (ends.from, ends.to);
    let label = edge.label.chars().count().min(LONGEST_LINE) as f64 * SMALL_CHAR;
    let straight = if label > 0.0 {
        x2 - label - 20.0
    } else {
        x2 - 10.0
    };
    let bend = (straight - x1) / 2.0;
    let dashes = match edge.dashed {
        true => " stroke-dasharray=\"5 4\"",
        false => "",
    };
    let _ = writeln!(
        out,
        "<path{dashes} marker-end=\"url(#head)\" d=\"M{x1:.1} {y1:.1}C{:.1} {y1:.1} {:.1} {y2:.1} {straight:.1} {y2:.1}H{:.1}\"/>",
        x1 + bend,
        straight - bend,
        x2 - 1.0
    );
}

/// Draws the label of an arrow right before its head, on a background of the page's colour.
fn label(out: &mut String, edge: &Edge, ends: EdgeEnds) {
    let (right, y) = (ends.to.0 - 14.0, ends.to.1);
    let width = edge.label.chars().count().min(LONGEST_LINE) as f64 * SMALL_CHAR + 4.0;
    let _ = writeln!(
        out,
        "<rect class=\"page\" fill=\"{}\" x=\"{:.1}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"14\"/>\
         <text x=\"{right:.1}\" y=\"{:.1}\">{}</text>",
        LIGHT.page,
        right - width + 2.0,
        y - 7.0,
        y + 3.5,
        shown(&edge.label)
    );
}

fn draw(out: &mut String, node: &GraphNode, area: NodeBox) {
    let Palette {
        surface,
        border,
        muted,
        ..
    } = LIGHT;
    let (class, strip) = (class(node.kind), LIGHT.strip(node.kind));
    let NodeBox {
        x,
        y,
        width,
        height,
    } = area;
    let _ = writeln!(
        out,
        "<g><title>{}</title><rect class=\"box\" fill=\"{surface}\" stroke=\"{border}\" x=\"{x:.1}\" y=\"{y:.1}\" \
         width=\"{width:.1}\" height=\"{height:.1}\" rx=\"6\"/><rect class=\"{class}\" fill=\"{strip}\" x=\"{x:.1}\" \
         y=\"{y:.1}\" width=\"4\" height=\"{height:.1}\" rx=\"2\"/>",
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
            "<text class=\"muted\" fill=\"{muted}\" font-size=\"11\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            x + PAD,
            y + 12.0,
            shown(line)
        );
        y += DETAIL;
    }
    out.push_str("</g>\n");
}

/// Escapes a line, cut to what fits into a box.
fn shown(line: &str) -> String {
    match line.char_indices().nth(LONGEST_LINE) {
        None => escape(line),
        Some(_) => {
            let cut: String = line.chars().take(LONGEST_LINE - 1).collect();
            escape(&cut) + "…"
        }
    }
}

/// Escapes text for XML, which has no control characters, not even escaped ones.
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
