//! Tokens of a template, and the states of the lexer.

use crate::error::TemplatePosition;

/// Kind of a token. The names are those of Velocity's grammar; two kinds can have the same text in different states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenKind {
    EndOfTemplate,
    IndexOpen,
    IndexClose,
    BracketOpen,
    BracketClose,
    Comma,
    DoubleDot,
    Colon,
    MapOpen,
    MapClose,
    ParenOpen,
    /// `)` of a directive, with the rest of the line if that is blank.
    ParenClose,
    /// `)` of a method call.
    CallClose,
    EscapedDirective,
    /// `#set(`, with the blanks before it.
    Set,
    Dollar,
    DollarBang,
    TextBlockStart,
    FormalCommentStart,
    BlockCommentStart,
    Hash,
    LineCommentStart,
    DoubleEscape,
    Escape,
    Text,
    LineCommentEnd,
    FormalComment,
    BlockComment,
    TextBlock,
    /// A character of a comment.
    Skipped,
    /// A character of `#[[ ]]#`.
    TextBlockCharacter,
    Whitespace,
    StringLiteral,
    True,
    False,
    Minus,
    Plus,
    Multiply,
    Divide,
    Modulus,
    And,
    Or,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Equal,
    NotEqual,
    Not,
    Assign,
    End,
    If,
    ElseIf,
    Else,
    Integer,
    Float,
    Word,
    BracketedWord,
    Identifier,
    Dot,
    CurlyOpen,
    CurlyClose,
    ReferenceEnd,
    DirectiveEnd,
    /// `$[`, `$![` or `$.`, which start no reference.
    EmptyIndex,
}

/// State of the lexer: it decides which tokens can follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LexState {
    /// Text of the template.
    Default,
    /// After `#`.
    PreDirective,
    /// In the arguments of a directive.
    Directive,
    /// After `$`.
    Reference,
    /// After the dot of a reference.
    RefModifier,
    /// In the arguments of a method.
    RefArguments,
    /// In the brackets of a reference.
    RefIndex,
    LineComment,
    FormalComment,
    BlockComment,
    TextBlock,
}

/// A token with its text.
#[derive(Clone, Debug)]
pub(crate) struct LexToken {
    pub(crate) kind: TokenKind,
    pub(crate) image: String,
    /// Characters `$` and `#` before the token that turned out to be text.
    pub(crate) special: String,
    pub(crate) position: TemplatePosition,
}

impl LexToken {
    /// Appends the text that Velocity writes for the token when it quotes the template.
    pub(crate) fn append_literal(&self, text: &mut String) {
        if self.kind != TokenKind::BlockComment {
            text.push_str(&self.special);
            text.push_str(&self.image);
        }
    }
}

use TokenKind as K;

/// Tokens that the lexer can start in every state; they are prefixes of other tokens.
macro_rules! with_prefixes {
    ([$($before:expr),*], [$($after:expr),*]) => {
        &[
            $($before,)*
            K::Dollar,
            K::DollarBang,
            K::TextBlockStart,
            K::FormalCommentStart,
            K::BlockCommentStart,
            K::Hash,
            $($after,)*
        ]
    };
}

const DEFAULT: &[TokenKind] = with_prefixes!(
    [K::EscapedDirective, K::Set],
    [
        K::LineCommentStart,
        K::DoubleEscape,
        K::Escape,
        K::Text,
        K::EmptyIndex
    ]
);

#[rustfmt::skip]
const PRE_DIRECTIVE: &[TokenKind] = with_prefixes!(
    [],
    [
        K::LineCommentStart, K::End, K::If, K::ElseIf, K::Else, K::Integer, K::Float, K::Word,
        K::BracketedWord, K::DirectiveEnd
    ]
);

#[rustfmt::skip]
const DIRECTIVE: &[TokenKind] = with_prefixes!(
    [
        K::BracketOpen, K::BracketClose, K::Comma, K::DoubleDot, K::Colon, K::MapOpen, K::MapClose,
        K::ParenOpen, K::ParenClose
    ],
    [
        K::LineCommentStart, K::Whitespace, K::StringLiteral, K::True, K::False, K::Minus, K::Plus,
        K::Multiply, K::Divide, K::Modulus, K::And, K::Or, K::Less, K::LessOrEqual, K::Greater,
        K::GreaterOrEqual, K::Equal, K::NotEqual, K::Not, K::Assign, K::Integer, K::Float, K::Word,
        K::BracketedWord
    ]
);

#[rustfmt::skip]
const REFERENCE: &[TokenKind] = with_prefixes!(
    [K::IndexOpen, K::Set],
    [
        K::LineCommentStart, K::True, K::False, K::Identifier, K::Dot, K::CurlyOpen, K::CurlyClose,
        K::ReferenceEnd, K::EmptyIndex
    ]
);

#[rustfmt::skip]
const REF_MODIFIER: &[TokenKind] = with_prefixes!(
    [K::IndexOpen, K::ParenOpen, K::Set],
    [K::True, K::False, K::Identifier, K::Dot, K::CurlyOpen, K::CurlyClose, K::ReferenceEnd]
);

#[rustfmt::skip]
const REF_ARGUMENTS: &[TokenKind] = with_prefixes!(
    [
        K::BracketOpen, K::BracketClose, K::Comma, K::DoubleDot, K::Colon, K::MapOpen, K::MapClose,
        K::CallClose, K::Set
    ],
    [K::Whitespace, K::StringLiteral, K::True, K::False, K::Integer, K::Float, K::Identifier, K::Dot]
);

const REF_INDEX: &[TokenKind] = with_prefixes!(
    [K::IndexClose],
    [
        K::Whitespace,
        K::StringLiteral,
        K::True,
        K::False,
        K::Integer,
        K::Float
    ]
);

/// Returns the tokens that a state knows. Of two that match the same text, the first one wins.
pub(crate) fn tokens_of(state: LexState) -> &'static [TokenKind] {
    match state {
        LexState::Default => DEFAULT,
        LexState::PreDirective => PRE_DIRECTIVE,
        LexState::Directive => DIRECTIVE,
        LexState::Reference => REFERENCE,
        LexState::RefModifier => REF_MODIFIER,
        LexState::RefArguments => REF_ARGUMENTS,
        LexState::RefIndex => REF_INDEX,
        LexState::LineComment => with_prefixes!([], [K::LineCommentEnd, K::Skipped]),
        LexState::FormalComment => with_prefixes!([], [K::FormalComment, K::Skipped]),
        LexState::BlockComment => with_prefixes!([], [K::BlockComment, K::Skipped]),
        LexState::TextBlock => with_prefixes!([], [K::TextBlock, K::TextBlockCharacter]),
    }
}
