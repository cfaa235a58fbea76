//! Parses and writes CloudFormation documents in YAML and JSON.
//!
//! Nothing here does I/O or knows APIs. A [`Node`] is a value with its span in a source file. An intrinsic function is
//! the same value in every notation (`!Sub x`, `Fn::Sub: x`). Two nodes are equal if their values are equal, whatever
//! their spans.

mod build;
mod intrinsic;
mod node;
mod source;

pub mod emit;
pub mod json;
pub mod parse;
pub mod terminal;

pub use build::{get_att, join, list, map, r#ref, sub};
pub use intrinsic::{Intrinsic, IntrinsicCall};
pub use node::{Entry, Map, Node, Value};
pub use parse::{ParseError, parse};
pub use source::{FileId, Source, SourceLocation, Sources, Span};
