//! Variables: those of the template, and those of each macro call.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Rendered, Renderer};
use crate::syntax::{Expr, MacroCall};
use crate::value::VtlValue;

/// Variables that hide those of the frame around them.
pub(super) enum ContextFrame {
    /// Variables of the template.
    Base(HashMap<String, VtlValue>),
    Macro(MacroFrame),
    /// Hides the variable of a loop while its item is null.
    NullItem {
        parent: usize,
        variable: String,
        active: bool,
    },
}

/// Variables of a macro call. Arguments are evaluated each time that they are used.
pub(super) struct MacroFrame {
    pub(super) parent: usize,
    pub(super) locals: HashMap<String, VtlValue>,
    pub(super) arguments: HashMap<String, ArgumentReference>,
    /// Arguments by the references that stand for them, such as `$x`: their source renders if they have no value.
    pub(super) literals: HashMap<String, ArgumentReference>,
}

/// Argument of a macro call.
#[derive(Clone)]
pub(super) struct ArgumentReference {
    pub(super) call: Arc<MacroCall>,
    pub(super) index: usize,
}

impl Renderer<'_> {
    pub(super) fn push_frame(&mut self, frame: ContextFrame) -> usize {
        self.frames.push(frame);
        self.frames.len() - 1
    }

    /// Returns the value of a variable, or null.
    pub(super) fn lookup(&mut self, name: &str, frame: usize) -> Rendered<VtlValue> {
        let mut at = frame;
        loop {
            match &self.frames[at] {
                ContextFrame::Base(variables) => {
                    return Ok(variables.get(name).cloned().unwrap_or(VtlValue::Null));
                }
                ContextFrame::NullItem {
                    active: true,
                    variable,
                    ..
                } if variable == name => {
                    return Ok(VtlValue::Null);
                }
                ContextFrame::NullItem { parent, .. } => at = *parent,
                ContextFrame::Macro(inner) => {
                    if let Some(value) = inner.locals.get(name).filter(|value| !value.is_null()) {
                        return Ok(value.clone());
                    }
                    let parent = inner.parent;
                    if let Some(argument) = inner.arguments.get(name).cloned() {
                        return self.argument(&argument, parent);
                    }
                    at = parent;
                }
            }
        }
    }

    fn argument(&mut self, argument: &ArgumentReference, frame: usize) -> Rendered<VtlValue> {
        let Some(argument) = argument.call.arguments.get(argument.index) else {
            return Ok(VtlValue::Null);
        };
        match &argument.value {
            Expr::Reference(reference) if reference.accesses.is_empty() => {
                self.nested(|renderer| renderer.lookup(&reference.name, frame))
            }
            value => self.nested(|renderer| renderer.value(value, frame)),
        }
    }

    /// Sets a variable in a frame and in all frames around it.
    pub(super) fn put(&mut self, name: &str, value: &VtlValue, frame: usize) {
        let mut at = frame;
        loop {
            match &mut self.frames[at] {
                ContextFrame::Base(variables) => {
                    variables.insert(name.to_owned(), value.clone());
                    return;
                }
                ContextFrame::NullItem {
                    parent,
                    variable,
                    active,
                } => {
                    *active = *active || (value.is_null() && variable == name);
                    at = *parent;
                }
                ContextFrame::Macro(inner) => {
                    inner.locals.insert(name.to_owned(), value.clone());
                    at = inner.parent;
                }
            }
        }
    }

    /// Sets a variable back to what it was, or removes it.
    pub(super) fn restore(&mut self, name: &str, value: &VtlValue, frame: usize) {
        if value.is_null() {
            self.remove(name, frame);
        } else {
            self.put(name, value, frame);
        }
    }

    fn remove(&mut self, name: &str, frame: usize) {
        let mut at = frame;
        loop {
            match &mut self.frames[at] {
                ContextFrame::Base(variables) => {
                    variables.remove(name);
                    return;
                }
                ContextFrame::NullItem {
                    parent,
                    variable,
                    active,
                } => {
                    *active = *active && variable != name;
                    at = *parent;
                }
                ContextFrame::Macro(inner) => {
                    inner.locals.remove(name);
                    inner.arguments.remove(name);
                    at = inner.parent;
                }
            }
        }
    }

    /// Returns the source of the argument that a reference in a macro stands for.
    pub(super) fn argument_source(&self, reference: &str, frame: usize) -> Option<String> {
        let mut at = frame;
        loop {
            match &self.frames[at] {
                ContextFrame::Base(_) => return None,
                ContextFrame::NullItem { parent, .. } => at = *parent,
                ContextFrame::Macro(inner) => {
                    if let Some(argument) = inner.literals.get(reference) {
                        let argument = argument.call.arguments.get(argument.index);
                        return argument.map(|argument| argument.source.text());
                    }
                    at = inner.parent;
                }
            }
        }
    }
}
