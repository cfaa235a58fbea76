//! Functions that evaluate their arguments themselves.

use std::path::Path;

use hcl_edit::expr::FuncCall;

use super::{Evaluated, ExpressionContext, Locals};
use crate::error::ExpressionError;
use crate::functions::{known, text_of_file};
use crate::value::HclValue;

impl ExpressionContext<'_> {
    /// Calls `try`, `can`, `templatefile` or `templatestring`; `None` for another function.
    pub(super) fn special(
        &self,
        name: &str,
        call: &FuncCall,
        locals: &Locals<'_>,
    ) -> Option<Evaluated> {
        Some(match name {
            "try" => self.first_valid(call, locals),
            "can" => {
                let argument = call.args.iter().next()?;
                Ok(match self.evaluate(argument, locals) {
                    Ok(unknown @ HclValue::Unknown(_)) => self.derived("can", &[&unknown]),
                    result => HclValue::Bool(result.is_ok()),
                })
            }
            "templatefile" => self
                .arguments(call, locals)
                .and_then(|them| self.template_file(&them)),
            "templatestring" => {
                self.arguments(call, locals)
                    .and_then(|them| match them.as_slice() {
                        [source, variables] => self.template_with(&source.to_text()?, variables),
                        _ => Err(ExpressionError::new(
                            "templatestring needs a template and its variables",
                        )),
                    })
            }
            _ => return None,
        })
    }

    fn first_valid(&self, call: &FuncCall, locals: &Locals<'_>) -> Evaluated {
        let mut failures = Vec::new();
        for argument in call.args.iter() {
            match self.evaluate(argument, locals) {
                Ok(value) => return Ok(value),
                Err(error) => failures.push(error.message),
            }
        }
        Err(ExpressionError::new(format!(
            "try: no argument is valid: {}",
            failures.join("; ")
        )))
    }

    fn template_file(&self, arguments: &[HclValue]) -> Evaluated {
        let [path, variables] = arguments else {
            return Err(ExpressionError::new(
                "templatefile needs a path and the template's variables",
            ));
        };
        let path = known(self.tokens, path);
        if self.is_unknown(&path) {
            return Ok(self.derived("templatefile", &[&path]));
        }
        let path = path.to_text()?;
        let content = self.files.read(Path::new(&path)).map_err(|reason| {
            ExpressionError::new(format!("templatefile: cannot read {path}: {reason}"))
        })?;
        let Some(content) = content else {
            return Err(ExpressionError::new(format!(
                "templatefile: there is no file {path}"
            )));
        };
        let text = text_of_file(Path::new(&path), content)
            .map_err(|error| ExpressionError::new(format!("templatefile: {}", error.message)))?;
        let rendered = self.template_with(&text, variables);
        rendered.map_err(|error| {
            ExpressionError::new(format!("templatefile: {path}: {}", error.message))
        })
    }

    /// Renders a template with variables of its own.
    pub(crate) fn template_with(&self, source: &str, variables: &HclValue) -> Evaluated {
        let Some(entries) = variables.entries() else {
            return match self.is_unknown(variables) {
                true => Ok(self.derived("templatefile", &[variables])),
                false => Err(ExpressionError::new(
                    "the variables of a template are a map",
                )),
            };
        };
        let names: Vec<_> = entries
            .iter()
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        let outer = Locals::default();
        self.template_source(source, &Locals::within(&names, &outer))
    }
}
