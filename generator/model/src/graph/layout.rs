//! Layout: positions of boxes in columns from left to right, and of the arrows, each with its own port.

use super::steps::step;
use super::{COLUMNS, Graph, GraphNode};

/// The longest line of a box, in characters.
pub(super) const LONGEST_LINE: usize = 44;

/// Width of a character of a name in pixels: 0.6 of the font size, as in monospaced fonts.
const NAME_CHAR: f64 = 7.8;
/// Width of a character of a detail or label.
pub(super) const SMALL_CHAR: f64 = 6.6;
/// Height of a line of a name.
pub(super) const LINE: f64 = 19.0;
/// Height of a line of details.
pub(super) const DETAIL: f64 = 16.0;
/// Padding inside a box.
pub(super) const PAD: f64 = 12.0;
/// Height of the headings.
pub(super) const TOP: f64 = 56.0;
/// Margin of the page.
pub(super) const MARGIN: f64 = 24.0;
/// Gap between boxes of a column.
const BETWEEN: f64 = 20.0;
/// Distance between ports on the side of a box.
const PORT: f64 = 18.0;
/// Width of the arrows' curves besides their labels.
const CURVE: f64 = 72.0;

/// Position and size of a box.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct NodeBox {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

/// Ends of an arrow.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct EdgeEnds {
    pub(super) from: (f64, f64),
    pub(super) to: (f64, f64),
}

/// Layout of the page.
#[derive(Debug, Default)]
pub(super) struct Layout {
    pub(super) width: f64,
    pub(super) height: f64,
    /// Left edges of the columns with boxes, and their headings.
    pub(super) columns: Vec<(f64, &'static str)>,
    /// Boxes by the index of the node.
    pub(super) boxes: Vec<NodeBox>,
    /// Arrows by the index of the edge.
    pub(super) ends: Vec<EdgeEnds>,
}

/// The arrows of each box, as indices of [`Graph::edges`].
struct Arrows {
    leaving: Vec<Vec<usize>>,
    entering: Vec<Vec<usize>>,
}

impl Arrows {
    fn of(graph: &Graph) -> Self {
        let none = vec![Vec::new(); graph.nodes.len()];
        let mut arrows = Arrows {
            leaving: none.clone(),
            entering: none,
        };
        for (index, edge) in graph.edges.iter().enumerate() {
            arrows.leaving[edge.from].push(index);
            arrows.entering[edge.to].push(index);
        }
        arrows
    }
}

/// Computes the layout. The same graph always has the same layout.
pub(super) fn layout(graph: &Graph) -> Layout {
    let arrows = Arrows::of(graph);
    let columns = columns(graph, &arrows);
    let mut layout = Layout {
        boxes: graph.nodes.iter().map(size).collect(),
        ends: vec![EdgeEnds::default(); graph.edges.len()],
        ..Layout::default()
    };
    for (index, area) in layout.boxes.iter_mut().enumerate() {
        let ports = arrows.leaving[index]
            .len()
            .max(arrows.entering[index].len());
        area.height = area.height.max(ports as f64 * PORT + PAD);
    }
    let mut x = MARGIN;
    let mut tallest: f64 = 0.0;
    for (number, column) in columns
        .iter()
        .enumerate()
        .filter(|(_, column)| !column.is_empty())
    {
        let width = column
            .iter()
            .map(|index| layout.boxes[*index].width)
            .fold(0.0, f64::max);
        let mut y = TOP;
        for index in column {
            let area = &mut layout.boxes[*index];
            (area.x, area.y, area.width) = (x, y, width);
            y += area.height + BETWEEN;
        }
        tallest = tallest.max(y - BETWEEN);
        layout.columns.push((x, COLUMNS[number]));
        layout.width = x + width + MARGIN;
        x += width + CURVE + widest_label(graph, &arrows, column);
    }
    layout.height = tallest + MARGIN;
    centre(&mut layout, &columns, tallest);
    ports(graph, arrows, &mut layout);
    layout
}

/// Sorts nodes into columns. Those with callers further up come first, so that few arrows cross.
fn columns(graph: &Graph, arrows: &Arrows) -> Vec<Vec<usize>> {
    let mut columns = vec![Vec::new(); COLUMNS.len()];
    for (index, node) in graph.nodes.iter().enumerate() {
        columns[node.kind.column()].push(index);
    }
    let mut rank = vec![0.0; graph.nodes.len()];
    for column in &mut columns {
        let height = |index: &usize| {
            let callers = arrows.entering[*index].iter().map(|edge| {
                step();
                rank[graph.edges[*edge].from]
            });
            match arrows.entering[*index].len() {
                // Nodes without callers go to the bottom.
                0 => f64::MAX,
                count => callers.sum::<f64>() / count as f64,
            }
        };
        let mut heights: Vec<(f64, usize)> =
            column.iter().map(|index| (height(index), *index)).collect();
        heights.sort_by(|a, b| a.0.total_cmp(&b.0));
        *column = heights.into_iter().map(|(_, index)| index).collect();
        for (position, index) in column.iter().enumerate() {
            rank[*index] = position as f64;
        }
    }
    columns
}

fn size(node: &GraphNode) -> NodeBox {
    let widest = |lines: &[String], width: f64| {
        let longest = lines
            .iter()
            .map(|line| line.chars().count().min(LONGEST_LINE))
            .max();
        longest.unwrap_or(0) as f64 * width
    };
    NodeBox {
        width: widest(&node.lines, NAME_CHAR).max(widest(&node.details, SMALL_CHAR)) + 2.0 * PAD,
        height: node.lines.len() as f64 * LINE + node.details.len() as f64 * DETAIL + PAD,
        ..NodeBox::default()
    }
}

fn widest_label(graph: &Graph, arrows: &Arrows, column: &[usize]) -> f64 {
    let leaving = column.iter().flat_map(|index| &arrows.leaving[*index]);
    let longest = leaving
        .map(|edge| {
            step();
            let label = &graph.edges[*edge].label;
            label.chars().count().min(LONGEST_LINE)
        })
        .max();
    longest.unwrap_or(0) as f64 * SMALL_CHAR
}

/// Centres columns that are shorter than the tallest.
fn centre(layout: &mut Layout, columns: &[Vec<usize>], tallest: f64) {
    for column in columns {
        let bottom = column
            .iter()
            .map(|index| layout.boxes[*index])
            .map(|area| area.y + area.height);
        let shift = (tallest - bottom.fold(TOP, f64::max)) / 2.0;
        for index in column {
            layout.boxes[*index].y += shift;
        }
    }
}

/// Spreads the arrows of a box over its side, in the order of the boxes at their other ends.
fn ports(graph: &Graph, arrows: Arrows, layout: &mut Layout) {
    let middle = |area: NodeBox| area.y + area.height / 2.0;
    let boxes = layout.boxes.clone().into_iter();
    let arrows = arrows.leaving.into_iter().zip(arrows.entering);
    for (area, (mut leaving, mut entering)) in boxes.zip(arrows) {
        let spread = |ends: &mut [usize], other: &dyn Fn(usize) -> usize| -> Vec<(usize, f64)> {
            ends.sort_by(|a, b| {
                step();
                let (a, b) = (layout.boxes[other(*a)], layout.boxes[other(*b)]);
                middle(a).total_cmp(&middle(b))
            });
            let step = area.height / (ends.len() + 1) as f64;
            ends.iter()
                .enumerate()
                .map(|(port, edge)| (*edge, area.y + step * (port + 1) as f64))
                .collect()
        };
        let leaving = spread(&mut leaving, &|edge| graph.edges[edge].to);
        let entering = spread(&mut entering, &|edge| graph.edges[edge].from);
        for (edge, y) in leaving {
            layout.ends[edge].from = (area.x + area.width, y);
        }
        for (edge, y) in entering {
            layout.ends[edge].to = (area.x, y);
        }
    }
}
