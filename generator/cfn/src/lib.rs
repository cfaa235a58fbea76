//! CloudFormation documents: YAML and JSON in, located nodes with intrinsics, YAML and JSON out.
//!
//! Nothing here does I/O, and nothing here knows what an API is. A [`Node`] is a value with the place it came
//! from; an intrinsic function is one value however it was written (`!Sub x`, `Fn::Sub: x`). Two nodes are equal
//! when they mean the same document, wherever they stand.

mod build;
mod intrinsic;
mod node;
mod source;

pub mod emit;
pub mod json;
pub mod parse;
pub mod terminal;

pub use build::{get_att, join, list, map, r#ref, sub};
pub use intrinsic::{Call, Function};
pub use node::{Entry, Map, Node, Value};
pub use parse::{ParseError, parse};
pub use source::{FileId, Source, SourceLocation, Sources, Span};
