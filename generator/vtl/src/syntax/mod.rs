//! Syntax of templates: tokens, and the tree that the parser builds from them.

mod lexer;
mod matching;
mod parse;
mod token;
mod tree;

pub(crate) use parse::{MacroNames, ParsedTemplate, parse};
pub(crate) use tree::{
    Access, BinaryOperator, Block, BreakDirective, ChainExpr, ChainLink, Condition,
    DefineDirective, Expr, ForeachDirective, MacroCall, MacroDefinition, Part, SetDirective,
    VtlReference,
};
