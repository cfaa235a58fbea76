//! Evaluation of expressions.

mod collections;
mod operators;
mod special;
mod template;
mod traversal;

use std::cell::Cell;
use std::collections::BTreeSet;
use std::path::PathBuf;

use hcl_edit::expr::{Expression, FuncCall, ObjectKey};

use crate::error::ExpressionError;
use crate::files::ConfigurationFiles;
use crate::functions::{self, FunctionContext};
use crate::token::TokenTable;
use crate::value::{HclMap, HclValue, OpenObject};

/// Result of an evaluation.
pub(crate) type Evaluated = Result<HclValue, ExpressionError>;

/// A step of a path such as `aws_sqs_queue.orders[0].arn`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum PathStep {
    /// `.name`
    Attribute(String),
    /// `[key]`
    Index(HclValue),
    /// `[*]` or `.*`
    Splat,
}

/// Names that an expression refers to, such as `var.name` and `aws_sqs_queue.orders`.
pub(crate) trait References {
    /// Returns the value of a name with its first steps, and the number of these steps; `None` for an unknown name.
    fn resolve(
        &self,
        name: &str,
        steps: &[PathStep],
    ) -> Result<Option<ResolvedPath>, ExpressionError>;
}

/// Value of a name with its first steps.
pub(crate) struct ResolvedPath {
    /// The value.
    pub(crate) value: HclValue,
    /// Number of steps in the value.
    pub(crate) steps: usize,
}

/// Variables of `for` expressions, of `dynamic` blocks and of templates, innermost first.
#[derive(Clone, Copy, Default)]
pub(crate) struct Locals<'l> {
    names: &'l [(String, HclValue)],
    outer: Option<&'l Locals<'l>>,
}

impl<'l> Locals<'l> {
    /// Creates the variables of a scope inside of another one.
    pub(crate) fn within(names: &'l [(String, HclValue)], outer: &'l Locals<'l>) -> Self {
        Locals {
            names,
            outer: Some(outer),
        }
    }

    fn get(&self, name: &str) -> Option<&HclValue> {
        let own = self.names.iter().find(|(own, _)| own == name);
        match (own, self.outer) {
            (Some((_, value)), _) => Some(value),
            (None, Some(outer)) => outer.get(name),
            (None, None) => None,
        }
    }
}

/// Everything that expressions need.
#[derive(Clone, Copy)]
pub(crate) struct ExpressionContext<'a> {
    pub(crate) tokens: &'a TokenTable,
    pub(crate) files: &'a dyn ConfigurationFiles,
    /// Archives that the configuration makes: their files need not exist.
    pub(crate) made_files: &'a std::cell::RefCell<BTreeSet<PathBuf>>,
    pub(crate) references: &'a dyn References,
    /// Number of calls in progress.
    pub(crate) depth: &'a Cell<usize>,
}

/// Limit of nested evaluations: expressions, and the names that they refer to.
const DEEPEST: usize = 300;

impl ExpressionContext<'_> {
    /// Evaluates an expression.
    pub(crate) fn evaluate(&self, expression: &Expression, locals: &Locals<'_>) -> Evaluated {
        if self.depth.get() >= DEEPEST {
            return Err(ExpressionError::new("this is nested too deeply"));
        }
        self.depth.set(self.depth.get() + 1);
        let value = self.evaluate_nested(expression, locals);
        self.depth.set(self.depth.get() - 1);
        value
    }

    fn evaluate_nested(&self, expression: &Expression, locals: &Locals<'_>) -> Evaluated {
        Ok(match expression {
            Expression::Null(_) => HclValue::Null,
            Expression::Bool(value) => HclValue::Bool(*value.value()),
            Expression::Number(number) => {
                HclValue::Number(number.value().as_f64().unwrap_or_default())
            }
            Expression::String(text) => HclValue::Text(text.value().clone()),
            Expression::Array(items) => {
                let items = items.iter().map(|item| self.evaluate(item, locals));
                HclValue::List(items.collect::<Result<_, _>>()?)
            }
            Expression::Object(object) => {
                let mut map = HclMap::default();
                for (key, value) in object.iter() {
                    let key = self.object_key(key, locals)?;
                    map.entries
                        .insert(key, self.evaluate(value.expr(), locals)?);
                }
                HclValue::Map(map)
            }
            Expression::StringTemplate(template) => self.template(template, locals)?,
            Expression::HeredocTemplate(heredoc) => self.heredoc(heredoc, locals)?,
            Expression::Parenthesis(inner) => self.evaluate(inner.inner(), locals)?,
            Expression::Variable(name) => self.path(name.as_str(), &[], locals)?,
            Expression::Traversal(traversal) => self.traversal(traversal, locals)?,
            Expression::Conditional(conditional) => self.conditional(conditional, locals)?,
            Expression::UnaryOp(operation) => self.unary(operation, locals)?,
            Expression::BinaryOp(operation) => self.binary(operation, locals)?,
            Expression::ForExpr(expression) => self.for_expression(expression, locals)?,
            Expression::FuncCall(call) => self.call(call, locals)?,
        })
    }

    fn object_key(&self, key: &ObjectKey, locals: &Locals<'_>) -> Result<String, ExpressionError> {
        match key {
            ObjectKey::Ident(name) => Ok(name.as_str().to_owned()),
            // `aws_x.y = …` in an object is a path; a bare name is a text.
            ObjectKey::Expression(Expression::Variable(name)) => Ok(name.as_str().to_owned()),
            ObjectKey::Expression(key) => self.evaluate(key, locals)?.to_text(),
        }
    }

    fn call(&self, call: &FuncCall, locals: &Locals<'_>) -> Evaluated {
        let name = call.name.name.as_str();
        let namespace: Vec<_> = call
            .name
            .namespace
            .iter()
            .map(|name| name.as_str())
            .collect();
        if !namespace.is_empty() && namespace != ["core"] {
            let name = format!("{}::{name}", namespace.join("::"));
            return Ok(HclValue::Unknown(self.tokens.unknown(name)));
        }
        if let Some(value) = self.special(name, call, locals) {
            return value;
        }
        let arguments = self.arguments(call, locals)?;
        let context = FunctionContext {
            tokens: self.tokens,
            files: self.files,
            made_files: self.made_files,
        };
        let value = functions::call(&context, name, &arguments);
        value.map_err(|error| ExpressionError {
            message: format!("{name}: {}", error.message),
            ..error
        })
    }

    fn arguments(
        &self,
        call: &FuncCall,
        locals: &Locals<'_>,
    ) -> Result<Vec<HclValue>, ExpressionError> {
        let arguments = call
            .args
            .iter()
            .map(|argument| self.evaluate(argument, locals));
        let mut arguments: Vec<_> = arguments.collect::<Result<_, _>>()?;
        if call.args.expand_final()
            && let Some(last) = arguments.pop()
        {
            match last.elements() {
                Some(items) => arguments.extend(items.iter().cloned()),
                None if matches!(last, HclValue::Unknown(_)) => arguments.push(last),
                // An attribute that only AWS knows may be a list.
                None if self.is_unknown(&last) => arguments.push(self.derived("...", &[&last])),
                None => {
                    let message = format!("`...` needs a list, and not a {}", last.kind());
                    return Err(ExpressionError::new(message));
                }
            }
        }
        Ok(arguments)
    }

    /// Returns the unknown result of an operation on unknown values.
    fn derived(&self, operation: &str, operands: &[&HclValue]) -> HclValue {
        HclValue::Unknown(functions::derived(self.tokens, operation, operands))
    }

    /// Returns the value of a missing attribute of an object that has more attributes than are known.
    fn open_attribute(&self, open: &OpenObject, name: &str) -> HclValue {
        let OpenObject {
            address,
            is_resource,
        } = open;
        match is_resource {
            true => HclValue::Text(self.tokens.reference(address, Some(name), None)),
            false => HclValue::Unknown(self.tokens.unknown(format!("{address}.{name}"))),
        }
    }
}
