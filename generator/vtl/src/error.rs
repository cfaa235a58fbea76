//! Errors of templates, with their positions and hints.

use std::fmt;

use thiserror::Error;

/// Position in a template. Lines and columns count from 1; a column is a character.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TemplatePosition {
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

impl fmt::Display for TemplatePosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// Syntax error of a template: Velocity would refuse to parse it.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{position}: {problem}")]
pub struct TemplateError {
    /// Position of the token that the parser cannot accept.
    pub position: TemplatePosition,
    /// Reason.
    pub problem: SyntaxProblem,
}

/// Reason of a [`TemplateError`].
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum SyntaxProblem {
    /// No token of the language starts here, or the template ends inside of one.
    #[error("{0} cannot stand here")]
    UnknownToken(String),
    /// A token that the grammar does not allow here.
    #[error("{found} cannot stand here, expected {expected}")]
    UnexpectedToken {
        /// The token.
        found: String,
        /// Tokens that the grammar allows here.
        expected: &'static str,
    },
    /// A directive with arguments that it does not accept.
    #[error("#{directive}: {reason}")]
    DirectiveArguments {
        /// Name of the directive.
        directive: String,
        /// Rule that the arguments break.
        reason: &'static str,
    },
    /// `#include` or `#parse`. API Gateway has no files that a template could read.
    #[error("#{0} is not available in mapping templates")]
    UnavailableDirective(String),
    /// `\u` in a string without four hexadecimal digits.
    #[error("\\u needs four hexadecimal digits")]
    UnicodeEscape,
    /// An integer that needs more than 128 bits.
    #[error("the integer {0} is too large")]
    IntegerTooLarge(String),
    /// Blocks, parentheses or strings that are nested too deeply.
    #[error("more than {0} nested blocks and expressions")]
    TooDeep(usize),
    /// A template that is larger than API Gateway accepts.
    #[error("the template has {size} bytes, the limit is {limit}")]
    TooLarge {
        /// Bytes of the template.
        size: usize,
        /// Allowed bytes.
        limit: usize,
    },
}

impl TemplateError {
    /// Returns what to do about the error.
    pub fn hint(&self) -> &'static str {
        match &self.problem {
            SyntaxProblem::UnknownToken(found) if found == "the end of the template" => {
                "close the string, comment or parenthesis; put a `$` or `#` that is text into #[[ ]]#"
            }
            SyntaxProblem::UnknownToken(_) => {
                "put text that is not VTL into #[[ ]]#, and quote text in expressions"
            }
            SyntaxProblem::UnexpectedToken { .. } => {
                "check that every #if, #foreach, #macro and #define has its #end, and every ( its )"
            }
            SyntaxProblem::DirectiveArguments { .. } => "correct the arguments in parentheses",
            SyntaxProblem::UnavailableDirective(_) => "copy the text into this template",
            SyntaxProblem::UnicodeEscape => "write \\u0041, or use single quotes",
            SyntaxProblem::IntegerTooLarge(_) => "quote it, so that it is a string",
            SyntaxProblem::TooDeep(_) => "move inner blocks into macros",
            SyntaxProblem::TooLarge { .. } => "shorten the template, or do the work in a function",
        }
    }
}

/// Failure of a render: Velocity would throw an exception, or a limit is exceeded.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{position}: {problem}")]
pub struct RenderError {
    /// The directive or reference that failed.
    pub position: TemplatePosition,
    /// Reason.
    pub problem: RenderProblem,
}

/// Reason of a [`RenderError`].
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum RenderProblem {
    /// A method threw an exception in Java, such as an index that is out of bounds.
    #[error("{method}() of {class} failed: {reason}")]
    Method {
        /// Name of the method.
        method: String,
        /// Java's class of the value.
        class: &'static str,
        /// Message of the exception.
        reason: String,
    },
    /// A macro has a word as an argument, which only `#foreach` and `#macro` accept.
    #[error("the argument `{argument}` of #{name} is not a value")]
    MacroArgument {
        /// Name of the macro.
        name: String,
        /// The word.
        argument: String,
    },
    /// Macros call each other more than 20 levels deep, Velocity's `velocimacro.max.depth`.
    #[error("#{0} is nested in more than 20 macro calls")]
    MacroDepth(String),
    /// The text of `#evaluate` is no template.
    #[error("#evaluate: {0}")]
    Evaluate(Box<TemplateError>),
    /// `#break($x)` where `$x` is not the scope of a loop.
    #[error("#break: `{0}` is not the scope of a loop")]
    BreakScope(String),
    /// The body, or the text of `$util.parseJson`, is not JSON.
    #[error("{origin} is not JSON: {reason}")]
    Json {
        /// Name of the text: the body, or the argument of `$util.parseJson`.
        origin: &'static str,
        /// The parser's message.
        reason: String,
    },
    /// An expression that is not JSONPath.
    #[error("`{path}` is not a JSONPath expression: {reason}")]
    JsonPath {
        /// The expression.
        path: String,
        /// Message of the parser.
        reason: String,
    },
    /// Arithmetic that Velocity does with numbers of any size.
    #[error("{0} is not supported")]
    Unsupported(&'static str),
    /// `#foreach` with more iterations than API Gateway allows.
    #[error("#foreach has more than {0} iterations")]
    TooManyIterations(usize),
    /// The output is longer than the limit.
    #[error("the output is longer than {0} bytes")]
    OutputTooLarge(usize),
    /// The template does too much work; it would take long or fill the memory.
    #[error("the template does more than {0} units of work")]
    TooMuchWork(u64),
    /// Values, blocks or calls are nested too deeply. In Java the stack would overflow.
    #[error("more than {0} nested calls or values")]
    TooDeep(usize),
}

impl RenderError {
    /// Returns what to do about the error.
    pub fn hint(&self) -> &'static str {
        match &self.problem {
            RenderProblem::Method { .. } => "check the arguments before the call, with #if",
            RenderProblem::MacroArgument { .. } => "quote the argument, or put a $ before it",
            RenderProblem::MacroDepth(_) => "end the recursion, or use #foreach",
            RenderProblem::Evaluate(_) => "correct the text that #evaluate receives",
            RenderProblem::BreakScope(_) => "write #break, or #break($foreach)",
            RenderProblem::Json { .. } => "send JSON, or read $input.body as text",
            RenderProblem::JsonPath { .. } => "write a path such as $.items[0].name",
            RenderProblem::Unsupported(_) => "use smaller numbers",
            RenderProblem::TooManyIterations(_) => {
                "API Gateway's quota for #foreach is 1,000 iterations; do the work in a function"
            }
            RenderProblem::OutputTooLarge(_) | RenderProblem::TooMuchWork(_) => {
                "do the work in a function"
            }
            RenderProblem::TooDeep(_) => "end the recursion",
        }
    }
}
