//! `#set`, `#if`, `#define`, `#evaluate` and `#break`.

use std::sync::Arc;

use super::{RenderStop, Rendered, Renderer};
use crate::error::RenderProblem;
use crate::syntax::{BreakDirective, Condition, DefineDirective, Expr, SetDirective, parse};
use crate::value::{Object, ObjectId, VtlValue, block_value};

impl Renderer<'_> {
    /// Assigns a value. Null is not assigned: the old value stays.
    pub(super) fn render_set(&mut self, set: &SetDirective, frame: usize) -> Rendered<()> {
        self.mark(set.target.position);
        let value = self.value(&set.value, frame)?;
        if value.is_null() {
            return Ok(());
        }
        if set.target.accesses.is_empty() {
            self.put(&set.name, &value, frame);
            return Ok(());
        }
        self.assign(&set.target, value, frame)
    }

    pub(super) fn render_if(&mut self, branches: &[Condition], frame: usize) -> Rendered<()> {
        for branch in branches {
            let holds = match &branch.condition {
                Some(condition) => self.is_true(condition, frame)?,
                None => true,
            };
            if holds {
                return self.render_block(&branch.body, frame);
            }
        }
        Ok(())
    }

    pub(super) fn render_define(
        &mut self,
        define: &Arc<DefineDirective>,
        frame: usize,
    ) -> Rendered<()> {
        let block = block_value(&mut self.heap, define, frame);
        let block = self.check(block)?;
        self.put(&define.name, &block, frame);
        Ok(())
    }

    /// Renders a block with the variables of a frame. Returns false if it contains itself too often.
    pub(super) fn render_block_object(&mut self, id: ObjectId, frame: usize) -> Rendered<bool> {
        let Object::Block(block) = self.heap.get_mut(id) else {
            return Ok(false);
        };
        if block.depth >= block.define.max_depth {
            return Ok(false);
        }
        block.depth += 1;
        let define = Arc::clone(&block.define);
        match self.render_block(&define.body, frame) {
            Ok(()) | Err(RenderStop::Innermost) => {}
            Err(stop) => return Err(stop),
        }
        if let Object::Block(block) = self.heap.get_mut(id) {
            block.depth -= 1;
        }
        Ok(true)
    }

    /// Returns what a block renders with the variables of its definition, or `None` if it contains itself too often.
    pub(super) fn text_of_block(&mut self, id: ObjectId) -> Rendered<Option<String>> {
        let Object::Block(block) = self.heap.get(id) else {
            return Ok(None);
        };
        let frame = block.frame;
        self.capture(|renderer| renderer.render_block_object(id, frame))
    }

    pub(super) fn render_evaluate(&mut self, text: &Expr, frame: usize) -> Rendered<()> {
        let value = self.value(text, frame)?;
        let text = self.text_of(&value)?.unwrap_or_default();
        // A parser does more for each character than the evaluator.
        let charged = self.heap.charge_length(text.len().saturating_mul(50));
        self.check(charged)?;
        let template = match parse(&text, &self.macro_names) {
            Ok(template) => template,
            Err(error) => return self.fail(RenderProblem::Evaluate(Box::new(error))),
        };
        self.register_macros(&template);
        self.inner_templates += 1;
        let result = self.render_block(&template.body, frame);
        self.inner_templates -= 1;
        match result {
            Err(RenderStop::Innermost | RenderStop::Everything) => Ok(()),
            result => result,
        }
    }

    pub(super) fn render_break(
        &mut self,
        directive: &BreakDirective,
        frame: usize,
    ) -> Rendered<()> {
        let Some(scope) = &directive.scope else {
            return Err(RenderStop::Innermost);
        };
        let value = self.value(scope, frame)?;
        self.mark(directive.position);
        if let VtlValue::Object(id) = value
            && let Object::Loop(scope) = self.heap.get(id)
        {
            return Err(RenderStop::Loop(scope.owner));
        }
        let source = directive.source.as_ref().map(|source| source.text());
        self.fail(RenderProblem::BreakScope(source.unwrap_or_default()))
    }
}
