//! Where boxes stand and where arrows meet them: columns from left to right, every arrow with a port of its own.

use super::steps::step;
use super::{COLUMNS, Graph, Node};

/// The longest line that a box shows, in characters.
pub(super) const LONGEST_LINE: usize = 44;

/// The width of a character of a name, in pixels; 0.6 of the font size, as monospaced fonts have it.
const NAME_CHAR: f64 = 7.8;
/// The width of a character of a detail or of a label.
pub(super) const SMALL_CHAR: f64 = 6.6;
/// The height of a line of a name.
pub(super) const LINE: f64 = 19.0;
/// The height of a line of details.
pub(super) const DETAIL: f64 = 16.0;
/// What is left free inside of a box.
pub(super) const PAD: f64 = 12.0;
/// The height of the headings.
pub(super) const TOP: f64 = 56.0;
/// What is left free around everything.
pub(super) const MARGIN: f64 = 24.0;
/// From one box to the one below.
const BETWEEN: f64 = 20.0;
/// From one port to the next on the side of a box.
const PORT: f64 = 18.0;
/// What the curves of the arrows need beside their labels.
const CURVE: f64 = 72.0;

/// A box on the page.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Place {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

/// The two ends of an arrow.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Ends {
    pub(super) from: (f64, f64),
    pub(super) to: (f64, f64),
}

/// The page.
#[derive(Debug, Default)]
pub(super) struct Layout {
    pub(super) width: f64,
    pub(super) height: f64,
    /// Left edges of the columns that hold boxes, with their headings.
    pub(super) columns: Vec<(f64, &'static str)>,
    /// By the index of the node.
    pub(super) places: Vec<Place>,
    /// By the index of the edge.
    pub(super) ends: Vec<Ends>,
}

/// The arrows of every box, as indices of [`Graph::edges`], by the index of the box.
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

/// Places everything. The same graph always comes to the same layout.
pub(super) fn layout(graph: &Graph) -> Layout {
    let arrows = Arrows::of(graph);
    let columns = columns(graph, &arrows);
    let mut layout = Layout {
        places: graph.nodes.iter().map(size).collect(),
        ends: vec![Ends::default(); graph.edges.len()],
        ..Layout::default()
    };
    for (index, place) in layout.places.iter_mut().enumerate() {
        let ports = arrows.leaving[index]
            .len()
            .max(arrows.entering[index].len());
        place.height = place.height.max(ports as f64 * PORT + PAD);
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
            .map(|index| layout.places[*index].width)
            .fold(0.0, f64::max);
        let mut y = TOP;
        for index in column {
            let place = &mut layout.places[*index];
            (place.x, place.y, place.width) = (x, y, width);
            y += place.height + BETWEEN;
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

/// The nodes of every column: those that are called from above come first, so that arrows cross little.
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
                // What nobody calls goes below.
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

fn size(node: &Node) -> Place {
    let widest = |lines: &[String], width: f64| {
        let longest = lines
            .iter()
            .map(|line| line.chars().count().min(LONGEST_LINE))
            .max();
        longest.unwrap_or(0) as f64 * width
    };
    Place {
        width: widest(&node.lines, NAME_CHAR).max(widest(&node.details, SMALL_CHAR)) + 2.0 * PAD,
        height: node.lines.len() as f64 * LINE + node.details.len() as f64 * DETAIL + PAD,
        ..Place::default()
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

/// Columns that are shorter than the tallest stand in its middle.
fn centre(layout: &mut Layout, columns: &[Vec<usize>], tallest: f64) {
    for column in columns {
        let bottom = column
            .iter()
            .map(|index| layout.places[*index])
            .map(|place| place.y + place.height);
        let shift = (tallest - bottom.fold(TOP, f64::max)) / 2.0;
        for index in column {
            layout.places[*index].y += shift;
        }
    }
}

/// Spreads the arrows of a box over its side, in the order of the boxes that they lead to.
fn ports(graph: &Graph, arrows: Arrows, layout: &mut Layout) {
    let middle = |place: Place| place.y + place.height / 2.0;
    let places = layout.places.clone().into_iter();
    let arrows = arrows.leaving.into_iter().zip(arrows.entering);
    for (place, (mut leaving, mut entering)) in places.zip(arrows) {
        let spread = |ends: &mut [usize], other: &dyn Fn(usize) -> usize| -> Vec<(usize, f64)> {
            ends.sort_by(|a, b| {
                step();
                let (a, b) = (layout.places[other(*a)], layout.places[other(*b)]);
                middle(a).total_cmp(&middle(b))
            });
            let step = place.height / (ends.len() + 1) as f64;
            ends.iter()
                .enumerate()
                .map(|(port, edge)| (*edge, place.y + step * (port + 1) as f64))
                .collect()
        };
        let leaving = spread(&mut leaving, &|edge| graph.edges[edge].to);
        let entering = spread(&mut entering, &|edge| graph.edges[edge].from);
        for (edge, y) in leaving {
            layout.ends[edge].from = (place.x + place.width, y);
        }
        for (edge, y) in entering {
            layout.ends[edge].to = (place.x, y);
        }
    }
}
