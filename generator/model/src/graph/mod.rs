//! The model as a picture: apis, their routes, the functions behind them and the tables behind those.
//!
//! [`Graph::new`] says what is drawn; [`mermaid`], [`dot`] and [`svg`] say how.

mod access;
mod build;
mod dot;
mod layout;
mod mermaid;
mod routes;
mod steps;
mod svg;

#[cfg(test)]
mod tests;

pub use dot::dot;
pub use mermaid::mermaid;
pub use svg::svg;

use serde::Serialize;

use crate::Model;

/// Boxes in columns, and arrows from each column to the next.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Graph {
    /// The boxes, in the order of the template.
    pub nodes: Vec<Node>,
    /// The arrows.
    pub edges: Vec<Edge>,
}

/// A box.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Node {
    /// Unique, and stable while the template's logical ids are: letters, digits and `_`.
    pub id: String,
    /// What it stands for.
    pub kind: Kind,
    /// Its name; for routes one line a route.
    pub lines: Vec<String>,
    /// What else to know, one line each.
    pub details: Vec<String>,
}

/// What a box stands for, which says the column too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// An api with its stages.
    Api,
    /// Routes of one api that go the same way.
    Routes,
    /// An authorizer that is no function.
    Authorizer,
    /// A function.
    Function,
    /// Something else that routes lead to.
    Other,
    /// A table.
    Table,
}

impl Kind {
    /// From the left, from 0.
    pub fn column(self) -> usize {
        match self {
            Kind::Api => 0,
            Kind::Routes => 1,
            Kind::Authorizer | Kind::Function | Kind::Other => 2,
            Kind::Table => 3,
        }
    }
}

/// The headings of the columns.
pub(crate) const COLUMNS: [&str; 4] = ["APIs", "Routes", "Functions", "Tables"];

/// An arrow.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Edge {
    /// The box it leaves, as an index of [`Graph::nodes`].
    pub from: usize,
    /// The box it enters.
    pub to: usize,
    /// What it says; empty when it needs no words.
    pub label: String,
    /// Dashed: asked before, not called.
    pub dashed: bool,
}

impl Graph {
    /// What a model looks like.
    pub fn new(model: &Model) -> Graph {
        build::graph(model)
    }
}
