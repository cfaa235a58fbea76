//! Tree of a template.

use std::sync::{Arc, OnceLock};

use super::token::LexToken;
use crate::error::TemplatePosition;

/// Parts of a template in order.
pub(crate) type Block = Vec<Part>;

/// Part of a template.
#[derive(Debug)]
pub(crate) enum Part {
    /// Text that is rendered as it is.
    Text(String),
    Reference(VtlReference),
    Set(SetDirective),
    /// `#if` and its `#elseif`; `#else` is a branch without a condition.
    If(Vec<Condition>),
    Foreach(Arc<ForeachDirective>),
    Define(Arc<DefineDirective>),
    /// `#evaluate`.
    Evaluate(Expr, TemplatePosition),
    Break(BreakDirective),
    /// `#stop`.
    Stop,
    /// Call of a macro, or text that looks like one.
    Call(Arc<MacroCall>),
}

/// `#set`.
#[derive(Debug)]
pub(crate) struct SetDirective {
    pub(crate) target: VtlReference,
    /// Name of the variable if the target has no properties.
    pub(crate) name: String,
    pub(crate) value: Expr,
}

/// Branch of an `#if`.
#[derive(Debug)]
pub(crate) struct Condition {
    pub(crate) condition: Option<Expr>,
    pub(crate) body: Block,
}

/// `#foreach`.
#[derive(Debug)]
pub(crate) struct ForeachDirective {
    pub(crate) variable: String,
    /// Expression after `in`; without one nothing is rendered.
    pub(crate) list: Option<Expr>,
    pub(crate) body: Block,
    pub(crate) position: TemplatePosition,
}

/// `#define`, or the body of a `#@macro()` call.
#[derive(Debug)]
pub(crate) struct DefineDirective {
    pub(crate) name: String,
    /// Number of times that the block may contain itself.
    pub(crate) max_depth: usize,
    pub(crate) body: Block,
}

/// `#break`.
#[derive(Debug)]
pub(crate) struct BreakDirective {
    pub(crate) scope: Option<Expr>,
    pub(crate) source: Option<QuotedSource>,
    pub(crate) position: TemplatePosition,
}

/// `#macro`.
#[derive(Debug)]
pub(crate) struct MacroDefinition {
    pub(crate) name: String,
    pub(crate) parameters: Vec<String>,
    pub(crate) body: Block,
}

/// Call of a macro. It is text unless a macro has the name.
#[derive(Debug)]
pub(crate) struct MacroCall {
    pub(crate) name: String,
    pub(crate) arguments: Vec<MacroArgument>,
    pub(crate) body: Option<Arc<DefineDirective>>,
    pub(crate) source: QuotedSource,
    pub(crate) position: TemplatePosition,
}

/// Argument of a macro.
#[derive(Debug)]
pub(crate) struct MacroArgument {
    pub(crate) value: Expr,
    pub(crate) source: QuotedSource,
}

/// `$name`, with what follows it.
#[derive(Debug)]
pub(crate) struct VtlReference {
    pub(crate) name: String,
    pub(crate) accesses: Vec<Access>,
    /// `\$name`: the reference itself is rendered.
    pub(crate) escaped: bool,
    /// An identifier without `$`, which the lexer finds after some directives: it is text.
    pub(crate) is_text: bool,
    /// False for `$\!name`, which has no value.
    pub(crate) has_value: bool,
    /// Half of the backslashes before the reference.
    pub(crate) escape_prefix: String,
    /// Text before the last `$`.
    pub(crate) more_prefix: String,
    /// Text that renders if there is no value.
    pub(crate) null_text: String,
    pub(crate) position: TemplatePosition,
}

/// Property, method or index of a reference.
#[derive(Debug)]
pub(crate) enum Access {
    Property(String, TemplatePosition),
    Method(String, Vec<Expr>, TemplatePosition),
    Index(Expr, TemplatePosition),
}

/// Expression.
#[derive(Debug)]
pub(crate) enum Expr {
    Reference(Box<VtlReference>),
    /// String without references and directives.
    Text(String),
    /// String in double quotes with references or directives.
    Interpolated {
        body: Block,
        /// The parser added a blank at the end, as Velocity does; the last character is not part of the value.
        has_padding: bool,
    },
    Integer(i128),
    Float(f64),
    Boolean(bool),
    Range(Box<(Expr, Expr)>),
    List(Vec<Expr>),
    Map(Vec<MapEntryExpr>),
    Not(Box<Expr>),
    /// Operands with operators of one precedence, from left to right.
    Chain(Box<ChainExpr>),
    /// A word or a block where a value is required: null.
    Nothing(String),
}

/// Entry of a map literal.
#[derive(Debug)]
pub(crate) struct MapEntryExpr {
    pub(crate) key: Expr,
    pub(crate) value: Expr,
}

/// Operands with operators of one precedence.
#[derive(Debug)]
pub(crate) struct ChainExpr {
    pub(crate) first: Expr,
    pub(crate) rest: Vec<ChainLink>,
}

/// Operator with its right operand.
#[derive(Debug)]
pub(crate) struct ChainLink {
    pub(crate) operator: BinaryOperator,
    pub(crate) operand: Expr,
    /// Everything before the operator.
    pub(crate) left_source: QuotedSource,
    pub(crate) right_source: QuotedSource,
    pub(crate) position: TemplatePosition,
}

/// Operator with two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BinaryOperator {
    Or,
    And,
    Equal,
    NotEqual,
    Less,
    Greater,
    LessOrEqual,
    GreaterOrEqual,
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
}

/// Tokens of a template, which are complete when the parser has finished.
pub(super) type TokenList = Arc<OnceLock<Vec<LexToken>>>;

/// Source of a part, which Velocity renders where a value is null.
#[derive(Clone, Debug)]
pub(crate) struct QuotedSource {
    pub(super) tokens: TokenList,
    pub(super) first: usize,
    /// Index after the last token.
    pub(super) end: usize,
}

impl QuotedSource {
    fn tokens(&self) -> &[LexToken] {
        let tokens = self.tokens.get().map_or(&[][..], Vec::as_slice);
        tokens.get(self.first..self.end).unwrap_or_default()
    }

    /// Returns the source, without block comments.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        for token in self.tokens() {
            token.append_literal(&mut text);
        }
        text
    }

    /// Returns the source as it renders for a macro that does not exist.
    pub(crate) fn images(&self) -> String {
        self.tokens()
            .iter()
            .map(|token| token.image.as_str())
            .collect()
    }
}
