//! Parser of paths.

use serde_json::Value;

use super::{Comparison, Filter, JsonPath, Operand, PathStep, Selector};

/// Deepest nesting of parentheses and paths in filters.
const MAX_DEPTH: usize = 30;

type Parsed<T> = Result<T, String>;

/// Parses a whole text.
pub(super) fn parse(text: &str) -> Parsed<JsonPath> {
    let text = text.trim();
    let mut parser = PathParser {
        chars: text.chars().collect(),
        at: 0,
        depth: 0,
    };
    if !parser.skip('$') {
        // Jayway adds `$.` to a path that starts with a name.
        parser.chars.splice(
            ..0,
            if text.starts_with('[') {
                vec![]
            } else {
                vec!['.']
            },
        );
    }
    let path = parser.steps()?;
    match parser.peek() {
        None => Ok(path),
        Some(c) => Err(format!("`{c}` cannot stand at position {}", parser.at + 1)),
    }
}

struct PathParser {
    chars: Vec<char>,
    at: usize,
    depth: usize,
}

impl PathParser {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn skip(&mut self, c: char) -> bool {
        let found = self.peek() == Some(c);
        self.at += usize::from(found);
        found
    }

    fn skip_text(&mut self, text: &str) -> bool {
        let length = text.chars().count();
        let next = self
            .chars
            .get(self.at..self.at + length)
            .unwrap_or_default();
        let found = text.chars().eq(next.iter().copied());
        self.at += if found { length } else { 0 };
        found
    }

    fn expect(&mut self, c: char) -> Parsed<()> {
        self.blanks();
        if self.skip(c) {
            return Ok(());
        }
        Err(format!("`{c}` is missing at position {}", self.at + 1))
    }

    fn blanks(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.at += 1;
        }
    }

    fn nested<T>(&mut self, parse: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth == MAX_DEPTH {
            return Err(format!("it has more than {MAX_DEPTH} nested filters"));
        }
        self.depth += 1;
        let result = parse(self);
        self.depth -= 1;
        result
    }

    /// Parses steps up to a character that starts none.
    fn steps(&mut self) -> Parsed<JsonPath> {
        let mut steps = Vec::new();
        loop {
            let recursive = self.skip_text("..");
            let selector = match self.peek() {
                Some('[') => self.brackets()?,
                _ if recursive || self.skip('.') => self.name()?,
                _ => return Ok(JsonPath { steps }),
            };
            steps.push(PathStep {
                recursive,
                selector,
            });
        }
    }

    fn name(&mut self) -> Parsed<Selector> {
        if self.skip('*') {
            return Ok(Selector::All);
        }
        let start = self.at;
        while self.peek().is_some_and(|c| {
            !matches!(c, '.' | '[' | '(' | ')' | '=' | '!' | '<' | '>' | '&' | '|')
                && !c.is_whitespace()
        }) {
            self.at += 1;
        }
        match self.chars[start..self.at].iter().collect::<String>() {
            name if name.is_empty() => Err(format!("a name is missing at position {}", start + 1)),
            name => Ok(Selector::Name(name)),
        }
    }

    fn brackets(&mut self) -> Parsed<Selector> {
        self.expect('[')?;
        self.blanks();
        let selector = match self.peek() {
            Some('*') => {
                self.at += 1;
                Selector::All
            }
            Some('?') => {
                self.at += 1;
                self.expect('(')?;
                let filter = self.nested(Self::any_of)?;
                self.expect(')')?;
                Selector::Filter(filter)
            }
            Some('\'' | '"') => {
                let mut names = vec![self.quoted()?];
                self.blanks();
                while self.skip(',') {
                    self.blanks();
                    names.push(self.quoted()?);
                    self.blanks();
                }
                match names.len() {
                    1 => Selector::Name(names.remove(0)),
                    _ => Selector::Names(names),
                }
            }
            _ => self.indexes()?,
        };
        self.expect(']')?;
        Ok(selector)
    }

    fn quoted(&mut self) -> Parsed<String> {
        let quote = self.peek().filter(|c| matches!(c, '\'' | '"'));
        let Some(quote) = quote else {
            return Err(format!(
                "a quoted name is missing at position {}",
                self.at + 1
            ));
        };
        self.at += 1;
        let mut text = String::new();
        while let Some(c) = self.peek() {
            self.at += 1;
            match c {
                c if c == quote => return Ok(text),
                '\\' => {
                    text.extend(self.peek());
                    self.at += 1;
                }
                c => text.push(c),
            }
        }
        Err("a quote is not closed".to_owned())
    }

    fn indexes(&mut self) -> Parsed<Selector> {
        let from = self.integer()?;
        self.blanks();
        if self.skip(':') {
            let to = self.integer()?;
            return Ok(Selector::Slice(from, to));
        }
        let mut indexes: Vec<i64> = from.into_iter().collect();
        while self.skip(',') {
            indexes.extend(self.integer()?);
            self.blanks();
        }
        if indexes.is_empty() {
            return Err(format!("an index is missing at position {}", self.at + 1));
        }
        Ok(Selector::Indexes(indexes))
    }

    fn integer(&mut self) -> Parsed<Option<i64>> {
        self.blanks();
        let start = self.at;
        self.skip('-');
        while self.peek().is_some_and(|c| c.is_ascii_digit()) {
            self.at += 1;
        }
        let text: String = self.chars[start..self.at].iter().collect();
        match text.as_str() {
            "" => Ok(None),
            text => text
                .parse()
                .map(Some)
                .map_err(|_| format!("`{text}` is not an index")),
        }
    }

    fn any_of(&mut self) -> Parsed<Filter> {
        let mut filters = vec![self.all_of()?];
        while self.skip_text("||") {
            filters.push(self.all_of()?);
        }
        Ok(Filter::Or(filters))
    }

    fn all_of(&mut self) -> Parsed<Filter> {
        let mut filters = vec![self.condition()?];
        while self.skip_text("&&") {
            filters.push(self.condition()?);
        }
        Ok(Filter::And(filters))
    }

    fn condition(&mut self) -> Parsed<Filter> {
        self.blanks();
        if self.skip('!') {
            let inner = self.nested(Self::condition)?;
            return Ok(Filter::Not(Box::new(inner)));
        }
        if self.skip('(') {
            let inner = self.nested(Self::any_of)?;
            self.expect(')')?;
            self.blanks();
            return Ok(inner);
        }
        let left = self.operand()?;
        self.blanks();
        let comparisons = [
            ("==", Comparison::Equal),
            ("!=", Comparison::NotEqual),
            ("<=", Comparison::LessOrEqual),
            (">=", Comparison::GreaterOrEqual),
            ("<", Comparison::Less),
            (">", Comparison::Greater),
        ];
        let found = comparisons
            .into_iter()
            .find(|(text, _)| self.skip_text(text));
        let Some((_, comparison)) = found else {
            return Ok(Filter::Exists(left));
        };
        let right = self.operand()?;
        self.blanks();
        Ok(Filter::Compare(left, comparison, right))
    }

    fn operand(&mut self) -> Parsed<Operand> {
        self.blanks();
        if self.skip('@') {
            return Ok(Operand::Item(self.nested(Self::steps)?));
        }
        if self.skip('$') {
            return Ok(Operand::Root(self.nested(Self::steps)?));
        }
        if matches!(self.peek(), Some('\'' | '"')) {
            return Ok(Operand::Literal(Value::from(self.quoted()?)));
        }
        let start = self.at;
        while self
            .peek()
            .is_some_and(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '+' | '.'))
        {
            self.at += 1;
        }
        let text: String = self.chars[start..self.at].iter().collect();
        let literal = serde_json::from_str(&text);
        literal
            .map(Operand::Literal)
            .map_err(|_| format!("`{text}` is not a value"))
    }
}
