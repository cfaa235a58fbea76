//! Input variables.

use std::rc::Rc;

use stackgen_cfn::Span;

use super::{Evaluator, ModuleInstance};
use crate::document::{ConfigAttribute, ConfigBlock};
use crate::error::{ConfigurationProblem, ExpressionError};
use crate::types::TypeConstraint;
use crate::value::HclValue;

/// Value of a variable of the root module.
#[derive(Clone, Debug)]
pub(crate) enum GivenVariable {
    /// An attribute of a file such as `terraform.tfvars`.
    File(ConfigAttribute),
    /// A text of the command line: an expression, or the text itself for a variable that is text.
    Text(String),
}

impl Evaluator<'_> {
    /// Returns the value of a variable.
    pub(crate) fn variable(
        &self,
        instance: &Rc<ModuleInstance>,
        name: &str,
    ) -> Result<HclValue, ExpressionError> {
        let Some(block) = instance.module.variables.get(name) else {
            let error = ExpressionError::new(format!("there is no variable {name:?}"));
            return Err(error.hint("declare it with a `variable` block"));
        };
        self.named(&format!("{}var.{name}", instance.prefix), || {
            self.variable_value(instance, name, block)
        })
    }

    fn variable_value(
        &self,
        instance: &Rc<ModuleInstance>,
        name: &str,
        block: &ConfigBlock,
    ) -> Result<HclValue, ExpressionError> {
        let constraint = block.attributes.get("type");
        let constraint =
            constraint.map_or(TypeConstraint::Any, |it| TypeConstraint::of(&it.expression));
        let given = match &instance.caller {
            Some(caller) => caller.arguments.get(name).map(|argument| {
                let value = self.expression(&caller.instance, &argument.expression, &caller.names);
                value.map(|value| (value, argument.span))
            }),
            None => self.given_value(instance, name, &constraint),
        };
        let given = given.transpose()?;
        let is_nullable = block
            .attributes
            .get("nullable")
            .is_none_or(|it| it.expression.as_bool() != Some(false));
        let given = given.filter(|(value, _)| *value != HclValue::Null || is_nullable);
        let (value, span) = match (given, block.attributes.get("default")) {
            (Some(given), _) => given,
            (None, Some(default)) => (
                self.expression(instance, &default.expression, &[])?,
                default.span,
            ),
            (None, None) => {
                self.note_missing(instance, name, block);
                return Ok(self.unknown(match instance.caller {
                    None => name.to_owned(),
                    Some(_) => format!("{}var.{name}", instance.prefix),
                }));
            }
        };
        let default =
            |expression: &hcl_edit::expr::Expression| self.expression(instance, expression, &[]);
        let converted = constraint.convert(value, &default);
        converted.map_err(|error| self.note_unsuitable(span, name, error))
    }

    fn given_value(
        &self,
        instance: &Rc<ModuleInstance>,
        name: &str,
        constraint: &TypeConstraint,
    ) -> Option<Result<(HclValue, Span), ExpressionError>> {
        Some(match self.given.get(name)? {
            GivenVariable::File(attribute) => {
                let value = self.expression(instance, &attribute.expression, &[]);
                value.map(|value| (value, attribute.span))
            }
            GivenVariable::Text(text) => {
                let is_text = matches!(constraint, TypeConstraint::Any | TypeConstraint::Text);
                let parsed = (!is_text).then(|| hcl_edit::parser::parse_expr(text));
                match parsed {
                    Some(Ok(expression)) => {
                        let value = self.expression(instance, &expression, &[]);
                        value.map(|value| (value, Span::default()))
                    }
                    _ => Ok((HclValue::text(text), Span::default())),
                }
            }
        })
    }

    fn note_missing(&self, instance: &ModuleInstance, name: &str, block: &ConfigBlock) {
        let message = format!(
            "variable {:?} has no value",
            format!("{}{name}", instance.prefix)
        );
        let hint = match instance.caller {
            None => format!(
                "set it in terraform.tfvars or as TF_VAR_{name}; `stackgen dev` also takes `--parameter {name}=VALUE`"
            ),
            Some(_) => "set it in the `module` block that calls the module".to_owned(),
        };
        self.undetermined(ConfigurationProblem::new(block.span, message).hint(hint));
    }

    fn note_unsuitable(&self, span: Span, name: &str, error: ExpressionError) -> ExpressionError {
        let error = ExpressionError::new(format!("variable {name:?}: {}", error.message));
        self.note(ConfigurationProblem::of(span, error.clone()));
        error
    }
}
