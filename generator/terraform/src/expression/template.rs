//! Templates: texts with `${…}` and `%{…}`.

use hcl_edit::expr::Expression;
use hcl_edit::template::{
    Directive, Element, ForDirective, HeredocTemplate, IfDirective, Strip, Template,
};

use super::{Evaluated, ExpressionContext, Locals};
use crate::error::ExpressionError;
use crate::functions::known;
use crate::value::HclValue;

impl ExpressionContext<'_> {
    /// Evaluates a template. One that is only `${…}` has the value of that expression.
    pub(super) fn template(&self, template: &Template, locals: &Locals<'_>) -> Evaluated {
        if let Some(Element::Interpolation(only)) = template.as_single_element() {
            return self.evaluate(&only.expr, locals);
        }
        self.template_text(template, Strip::None, locals)
            .map(HclValue::Text)
    }

    pub(super) fn heredoc(&self, heredoc: &HeredocTemplate, locals: &Locals<'_>) -> Evaluated {
        self.template_text(&heredoc.template, Strip::None, locals)
            .map(HclValue::Text)
    }

    /// Evaluates the text of a template file.
    pub(crate) fn template_source(&self, source: &str, locals: &Locals<'_>) -> Evaluated {
        let template = hcl_edit::parser::parse_template(source).map_err(|error| {
            let line = error.location().line();
            ExpressionError::new(format!(
                "line {line} of the template is not valid: {}",
                error.message()
            ))
        })?;
        self.template(&template, locals)
    }

    /// Returns the text of a template. `inner` says whether white space is removed at its start (`End`) and end (`Start`),
    /// seen from the directives around it.
    fn template_text(
        &self,
        template: &Template,
        inner: Strip,
        locals: &Locals<'_>,
    ) -> Result<String, ExpressionError> {
        let elements: Vec<&Element> = template.iter().collect();
        let mut text = String::new();
        for (position, element) in elements.iter().enumerate() {
            match element {
                Element::Literal(literal) => {
                    let before = position.checked_sub(1).map(|at| elements[at]);
                    let starts =
                        before.map_or(inner.strip_end(), |one| outer_strip(one).strip_end());
                    let after = elements.get(position + 1);
                    let ends =
                        after.map_or(inner.strip_start(), |one| outer_strip(one).strip_start());
                    let mut literal = literal.as_str();
                    if starts {
                        literal = literal.trim_start();
                    }
                    if ends {
                        literal = literal.trim_end();
                    }
                    text.push_str(literal);
                }
                Element::Interpolation(interpolation) => {
                    text.push_str(&self.interpolated(&interpolation.expr, locals)?);
                }
                Element::Directive(directive) => match &**directive {
                    Directive::If(directive) => {
                        text.push_str(&self.if_directive(directive, locals)?)
                    }
                    Directive::For(directive) => {
                        text.push_str(&self.for_directive(directive, locals)?)
                    }
                },
            }
        }
        Ok(text)
    }

    fn interpolated(
        &self,
        expression: &Expression,
        locals: &Locals<'_>,
    ) -> Result<String, ExpressionError> {
        self.evaluate(expression, locals)?.to_text()
    }

    fn if_directive(
        &self,
        directive: &IfDirective,
        locals: &Locals<'_>,
    ) -> Result<String, ExpressionError> {
        let condition = self.evaluate(&directive.if_expr.cond_expr, locals)?;
        let condition = known(self.tokens, &condition);
        let end = directive.endif_expr.strip;
        match (condition.as_bool(), &directive.else_expr) {
            (Some(true), otherwise) => {
                let after = otherwise.as_ref().map_or(end, |otherwise| otherwise.strip);
                let inner = Strip::from((after.strip_start(), directive.if_expr.strip.strip_end()));
                self.template_text(&directive.if_expr.template, inner, locals)
            }
            (Some(false), None) => Ok(String::new()),
            (Some(false), Some(otherwise)) => {
                let inner = Strip::from((end.strip_start(), otherwise.strip.strip_end()));
                self.template_text(&otherwise.template, inner, locals)
            }
            (None, _) if self.is_unknown(&condition) => self.derived("if", &[&condition]).to_text(),
            (None, _) => Err(ExpressionError::new(format!(
                "a condition is true or false, and not a {}",
                condition.kind()
            ))),
        }
    }

    fn for_directive(
        &self,
        directive: &ForDirective,
        locals: &Locals<'_>,
    ) -> Result<String, ExpressionError> {
        let intro = &directive.for_expr;
        let collection = self.evaluate(&intro.collection_expr, locals)?;
        let Some(pairs) = self.pairs(&collection)? else {
            return self.derived("for", &[&collection]).to_text();
        };
        let inner = Strip::from((
            directive.endfor_expr.strip.strip_start(),
            intro.strip.strip_end(),
        ));
        let mut text = String::new();
        for (key, value) in pairs {
            let mut names = vec![(intro.value_var.as_str().to_owned(), value)];
            if let Some(name) = &intro.key_var {
                names.push((name.as_str().to_owned(), key));
            }
            let locals = Locals::within(&names, locals);
            text.push_str(&self.template_text(&intro.template, inner, &locals)?);
        }
        Ok(text)
    }
}

/// Returns the white space that an element removes around itself.
fn outer_strip(element: &Element) -> Strip {
    match element {
        Element::Literal(_) => Strip::None,
        Element::Interpolation(interpolation) => interpolation.strip,
        Element::Directive(directive) => {
            let (start, end) = match &**directive {
                Directive::If(directive) => (directive.if_expr.strip, directive.endif_expr.strip),
                Directive::For(directive) => {
                    (directive.for_expr.strip, directive.endfor_expr.strip)
                }
            };
            Strip::from((start.strip_start(), end.strip_end()))
        }
    }
}
