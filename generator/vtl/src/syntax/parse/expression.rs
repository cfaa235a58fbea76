//! Expressions.

use super::super::token::TokenKind;
use super::super::tree::{BinaryOperator, ChainExpr, ChainLink, Expr, MapEntryExpr};
use super::{Parsed, Parser};
use crate::error::{SyntaxProblem, TemplateError};

/// Levels of operators, from the weakest to the strongest.
const PRECEDENCE: usize = 6;

/// Expression with the tokens that Velocity quotes for it.
struct Quoted {
    expr: Expr,
    first: usize,
    end: usize,
}

impl Parser {
    pub(super) fn expression(&mut self) -> Parsed<Expr> {
        self.nested(|parser| parser.chain(0))
            .map(|parsed| parsed.expr)
    }

    /// Parses operands with operators of one level.
    fn chain(&mut self, level: usize) -> Parsed<Quoted> {
        if level == PRECEDENCE {
            return self.unary();
        }
        let first = self.chain(level + 1)?;
        let mut left = (first.first, first.end);
        let mut rest = Vec::new();
        while let Some(operator) = operator(self.kind(0)?, level) {
            let token = self.advance()?;
            let start = self.at;
            let right = self.chain(level + 1)?;
            rest.push(ChainLink {
                operator,
                left_source: self.source_of(left.0, left.1),
                right_source: self.source_of(right.first, right.end),
                operand: right.expr,
                position: self.position(token),
            });
            // Velocity's node of an operation starts after the operator.
            left = (start, self.at);
        }
        if rest.is_empty() {
            return Ok(first);
        }
        let chain = ChainExpr {
            first: first.expr,
            rest,
        };
        let expr = Expr::Chain(Box::new(chain));
        Ok(Quoted {
            expr,
            first: left.0,
            end: left.1,
        })
    }

    fn unary(&mut self) -> Parsed<Quoted> {
        let blank = usize::from(self.next_is(TokenKind::Whitespace)?);
        if self.kind(blank)? == TokenKind::Not {
            self.skip(TokenKind::Whitespace)?;
            self.advance()?;
            let first = self.at;
            let operand = self.nested(Self::unary)?;
            let expr = Expr::Not(Box::new(operand.expr));
            return Ok(Quoted {
                expr,
                first,
                end: self.at,
            });
        }
        self.skip(TokenKind::Whitespace)?;
        let parens = self.skip(TokenKind::ParenOpen)?;
        let first = self.at;
        let expr = if parens {
            self.expression()?
        } else {
            self.operand()?
        };
        let end = self.at;
        if parens {
            self.expect(TokenKind::ParenClose, "`)`")?;
        }
        self.skip(TokenKind::Whitespace)?;
        Ok(Quoted { expr, first, end })
    }

    /// Parses a value without operators.
    pub(super) fn operand(&mut self) -> Parsed<Expr> {
        match self.kind(0)? {
            TokenKind::StringLiteral => {
                let token = self.advance()?;
                self.string_literal(token)
            }
            TokenKind::Identifier | TokenKind::CurlyOpen => {
                Ok(Expr::Reference(Box::new(self.reference()?)))
            }
            TokenKind::Integer => self.integer(),
            TokenKind::Float => {
                let token = self.number()?;
                // Rust reads every number that the lexer accepts.
                Ok(Expr::Float(self.image(token).parse().unwrap_or(f64::NAN)))
            }
            TokenKind::True | TokenKind::False => {
                let token = self.advance()?;
                Ok(Expr::Boolean(self.tokens[token].kind == TokenKind::True))
            }
            TokenKind::MapOpen => self.nested(Self::map),
            TokenKind::BracketOpen if self.is_range() => self.range(),
            TokenKind::BracketOpen => self.nested(Self::list),
            _ => Err(self.unexpected("a value")),
        }
    }

    fn integer(&mut self) -> Parsed<Expr> {
        let token = self.number()?;
        let text = self.image(token);
        text.parse().map(Expr::Integer).map_err(|_| TemplateError {
            position: self.position(token),
            problem: SyntaxProblem::IntegerTooLarge(text.to_owned()),
        })
    }

    /// Consumes a number. The lexer accepts a `#` before it.
    fn number(&mut self) -> Parsed<usize> {
        if self.image(self.at).starts_with('#') {
            return Err(self.unexpected("a number"));
        }
        self.advance()
    }

    fn map(&mut self) -> Parsed<Expr> {
        self.advance()?;
        let blank = usize::from(self.next_is(TokenKind::Whitespace)?);
        let closes = matches!(
            self.kind(blank)?,
            TokenKind::MapClose | TokenKind::CurlyClose
        );
        let mut entries = Vec::new();
        if !closes {
            loop {
                let key = self.parameter()?;
                self.expect(TokenKind::Colon, "`:` after the key of a map")?;
                let value = self.parameter()?;
                entries.push(MapEntryExpr { key, value });
                if !self.skip(TokenKind::Comma)? {
                    break;
                }
            }
        }
        self.skip(TokenKind::Whitespace)?;
        if !self.skip(TokenKind::CurlyClose)? {
            self.expect(TokenKind::MapClose, "`,` or `}` after an entry of a map")?;
        }
        Ok(Expr::Map(entries))
    }

    fn list(&mut self) -> Parsed<Expr> {
        self.advance()?;
        let mut items = Vec::new();
        if !self.next_is(TokenKind::BracketClose)? {
            items.push(self.parameter()?);
            while self.skip(TokenKind::Comma)? {
                items.push(self.parameter()?);
            }
        }
        self.expect(
            TokenKind::BracketClose,
            "`,` or `]` after an item of a list",
        )?;
        Ok(Expr::List(items))
    }

    /// Returns true if the bracket that follows starts a range such as `[1..5]`.
    fn is_range(&mut self) -> bool {
        if let Some(known) = self.ranges.get(&self.at) {
            return *known;
        }
        let bracket = self.at;
        let is_range = self.looks_like(|parser| {
            parser.advance()?;
            parser.range_end()?;
            parser.expect(TokenKind::DoubleDot, "`..`").map(drop)
        });
        self.ranges.insert(bracket, is_range);
        is_range
    }

    fn range(&mut self) -> Parsed<Expr> {
        self.advance()?;
        let from = self.range_end()?;
        self.expect(TokenKind::DoubleDot, "`..`")?;
        let to = self.range_end()?;
        self.expect(TokenKind::BracketClose, "`]` of a range")?;
        Ok(Expr::Range(Box::new((from, to))))
    }

    fn range_end(&mut self) -> Parsed<Expr> {
        self.skip(TokenKind::Whitespace)?;
        let value = match self.kind(0)? {
            TokenKind::Identifier | TokenKind::CurlyOpen | TokenKind::Integer => {
                self.nested(Self::operand)?
            }
            _ => return Err(self.unexpected("an integer or a reference as the end of a range")),
        };
        self.skip(TokenKind::Whitespace)?;
        Ok(value)
    }
}

fn operator(kind: TokenKind, level: usize) -> Option<BinaryOperator> {
    let (operator, of_level) = match kind {
        TokenKind::Or => (BinaryOperator::Or, 0),
        TokenKind::And => (BinaryOperator::And, 1),
        TokenKind::Equal => (BinaryOperator::Equal, 2),
        TokenKind::NotEqual => (BinaryOperator::NotEqual, 2),
        TokenKind::Less => (BinaryOperator::Less, 3),
        TokenKind::Greater => (BinaryOperator::Greater, 3),
        TokenKind::LessOrEqual => (BinaryOperator::LessOrEqual, 3),
        TokenKind::GreaterOrEqual => (BinaryOperator::GreaterOrEqual, 3),
        TokenKind::Plus => (BinaryOperator::Add, 4),
        TokenKind::Minus => (BinaryOperator::Subtract, 4),
        TokenKind::Multiply => (BinaryOperator::Multiply, 5),
        TokenKind::Divide => (BinaryOperator::Divide, 5),
        TokenKind::Modulus => (BinaryOperator::Modulo, 5),
        _ => return None,
    };
    (of_level == level).then_some(operator)
}
