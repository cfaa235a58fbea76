//! Calls of macros.

use std::collections::HashMap;
use std::sync::Arc;

use super::frame::{ArgumentReference, ContextFrame, MacroFrame};
use super::{RenderStop, Rendered, Renderer};
use crate::error::RenderProblem;
use crate::syntax::{Expr, MacroCall, MacroDefinition};
use crate::value::block_value;

/// Velocity's `velocimacro.max.depth`.
const MAX_MACRO_DEPTH: usize = 20;

impl Renderer<'_> {
    pub(super) fn render_call(&mut self, call: &Arc<MacroCall>, frame: usize) -> Rendered<()> {
        let Some(definition) = self.macros.get(&call.name).cloned() else {
            return self.write(&call.source.images());
        };
        for argument in &call.arguments {
            if let Expr::Nothing(word) = &argument.value {
                let (name, argument) = (call.name.clone(), word.clone());
                return self.fail(RenderProblem::MacroArgument { name, argument });
            }
        }
        let macro_frame = self.macro_frame(&definition, call, frame)?;
        let macro_frame = self.push_frame(ContextFrame::Macro(macro_frame));
        if self.macro_depth >= MAX_MACRO_DEPTH {
            return self.fail(RenderProblem::MacroDepth(call.name.clone()));
        }
        self.macro_depth += 1;
        match self.render_block(&definition.body, macro_frame) {
            Ok(()) => {
                self.macro_depth -= 1;
                Ok(())
            }
            // Velocity does not count back here: 20 macros that a #break ends are as many as it allows.
            Err(RenderStop::Innermost) => Ok(()),
            Err(stop) => Err(stop),
        }
    }

    fn macro_frame(
        &mut self,
        definition: &MacroDefinition,
        call: &Arc<MacroCall>,
        frame: usize,
    ) -> Rendered<MacroFrame> {
        let mut inner = MacroFrame {
            parent: frame,
            locals: HashMap::new(),
            arguments: HashMap::new(),
            literals: HashMap::new(),
        };
        let places = self.heap.charge_places(2 * definition.parameters.len() + 8);
        self.check(places)?;
        for (index, (parameter, argument)) in definition
            .parameters
            .iter()
            .zip(&call.arguments)
            .enumerate()
        {
            match &argument.value {
                Expr::Integer(_) | Expr::Float(_) | Expr::Boolean(_) => {
                    let value = self.value(&argument.value, frame)?;
                    inner.locals.insert(parameter.clone(), value);
                }
                _ => {
                    let argument = ArgumentReference {
                        call: Arc::clone(call),
                        index,
                    };
                    inner
                        .literals
                        .insert(format!("${parameter}"), argument.clone());
                    inner.arguments.insert(parameter.clone(), argument);
                }
            }
        }
        if let Some(body) = &call.body {
            let block = block_value(&mut self.heap, body, frame);
            let block = self.check(block)?;
            inner.locals.insert(body.name.clone(), block);
        }
        Ok(inner)
    }
}
