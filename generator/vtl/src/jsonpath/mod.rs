//! JSONPath as `$input.path` and `$input.json` accept it.
//!
//! API Gateway cites [Goessner's article](https://goessner.net/articles/JsonPath/). What that leaves open follows Jayway's
//! library for Java, whose values API Gateway returns: a path without `$` starts at the root, a definite path has one value or
//! none, and any other path has a list.

mod evaluate;
mod parse;

pub(crate) use evaluate::evaluate;

use crate::error::RenderProblem;

/// Parsed path.
#[derive(Debug)]
pub(crate) struct JsonPath {
    steps: Vec<PathStep>,
}

/// Step of a path.
#[derive(Debug)]
struct PathStep {
    /// After `..`: the step applies to all values inside of a value.
    recursive: bool,
    selector: Selector,
}

/// Values that a step selects.
#[derive(Debug)]
enum Selector {
    /// `.name` or `['name']`.
    Name(String),
    /// `['a','b']`: an object with these properties.
    Names(Vec<String>),
    /// `[0]`, `[-1]` or `[0,2]`.
    Indexes(Vec<i64>),
    /// `[1:3]`.
    Slice(Option<i64>, Option<i64>),
    /// `*`.
    All,
    /// `[?(…)]`.
    Filter(Filter),
}

/// Condition of a filter.
#[derive(Debug)]
enum Filter {
    Or(Vec<Filter>),
    And(Vec<Filter>),
    Not(Box<Filter>),
    /// The path has a value.
    Exists(Operand),
    Compare(Operand, Comparison, Operand),
}

/// Side of a comparison.
#[derive(Debug)]
enum Operand {
    /// Path from the item.
    Item(JsonPath),
    /// Path from the root.
    Root(JsonPath),
    Literal(serde_json::Value),
}

#[derive(Clone, Copy, Debug)]
enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl JsonPath {
    /// Parses a path.
    ///
    /// # Errors
    ///
    /// [`RenderProblem::JsonPath`].
    pub(crate) fn parse(text: &str) -> Result<Self, RenderProblem> {
        parse::parse(text).map_err(|reason| RenderProblem::JsonPath {
            path: text.to_owned(),
            reason,
        })
    }

    /// Returns true if the path has at most one value.
    fn is_definite(&self) -> bool {
        self.steps.iter().all(|step| {
            let single = match &step.selector {
                Selector::Name(_) | Selector::Names(_) => true,
                Selector::Indexes(indexes) => indexes.len() == 1,
                Selector::Slice(..) | Selector::All | Selector::Filter(_) => false,
            };
            single && !step.recursive
        })
    }
}
