//! References: their values, how they render, and assignments to them.

use super::{Rendered, Renderer};
use crate::error::RenderProblem;
use crate::gateway;
use crate::methods;
use crate::syntax::{Access, Expr, VtlReference};
use crate::value::{Heap, Object, ObjectId, VtlValue, class_name};
use crate::variables::UnresolvedReferences;

impl Renderer<'_> {
    pub(super) fn render_reference(
        &mut self,
        reference: &VtlReference,
        frame: usize,
    ) -> Rendered<()> {
        self.mark(reference.position);
        if reference.is_text {
            return self.write(&reference.name);
        }
        let value = self.resolve(reference, frame)?;
        if reference.escaped {
            self.write(&reference.escape_prefix)?;
            if value.is_null() {
                self.write("\\")?;
            }
            return self.write_source(reference, frame);
        }
        if let Some(id) = self.block_of(&value)
            && self.render_block_object(id, frame)?
        {
            return Ok(());
        }
        match self.text_of(&value)? {
            Some(text) => {
                self.write(&reference.escape_prefix)?;
                self.write(&reference.more_prefix)?;
                self.write(&text)
            }
            None => {
                self.write(&reference.escape_prefix)?;
                self.write(&reference.escape_prefix)?;
                self.write(&reference.more_prefix)?;
                self.write_source(reference, frame)
            }
        }
    }

    fn write_source(&mut self, reference: &VtlReference, frame: usize) -> Rendered<()> {
        match self.argument_source(&reference.null_text, frame) {
            Some(source) => self.write(&source),
            None => self.write(&reference.null_text),
        }
    }

    /// Returns the value of a reference. Without one it is null, or an empty string as API Gateway has it.
    pub(super) fn resolve(&mut self, reference: &VtlReference, frame: usize) -> Rendered<VtlValue> {
        if reference.is_text {
            return Ok(VtlValue::Null);
        }
        let value = self.nested(|renderer| {
            let value = renderer.lookup(&reference.name, frame)?;
            renderer.follow(value, &reference.accesses, frame)
        })?;
        match self.unresolved {
            UnresolvedReferences::Empty if value.is_null() => Ok(VtlValue::text("")),
            _ => Ok(value),
        }
    }

    fn follow(&mut self, value: VtlValue, accesses: &[Access], frame: usize) -> Rendered<VtlValue> {
        let mut value = value;
        for access in accesses {
            if value.is_null() {
                return Ok(value);
            }
            value = self.access(&value, access, frame)?;
        }
        Ok(value)
    }

    fn access(&mut self, value: &VtlValue, access: &Access, frame: usize) -> Rendered<VtlValue> {
        match access {
            Access::Property(name, position) => {
                self.mark(*position);
                let found = match gateway::property(&mut self.heap, &mut self.gateway, value, name)
                {
                    Ok(None) => methods::get_property(&mut self.heap, value, name),
                    found => found,
                };
                Ok(self.check(found)?.unwrap_or(VtlValue::Null))
            }
            Access::Method(name, arguments, position) => {
                let mut values = Vec::with_capacity(arguments.len());
                for argument in arguments {
                    values.push(self.value(argument, frame)?);
                }
                self.mark(*position);
                self.call_method(value, name, &values)
            }
            Access::Index(index, position) => {
                let index = self.value(index, frame)?;
                self.mark(*position);
                let index = self.index_from_end(value, index)?;
                self.call_method(value, "get", &[index])
            }
        }
    }

    fn call_method(
        &mut self,
        value: &VtlValue,
        name: &str,
        arguments: &[VtlValue],
    ) -> Rendered<VtlValue> {
        if name == "toString"
            && arguments.is_empty()
            && let Some(id) = self.block_of(value)
        {
            let text = self.text_of_block(id)?;
            return Ok(text.map_or(VtlValue::Null, VtlValue::text));
        }
        let found = match gateway::call(&mut self.heap, &mut self.gateway, value, name, arguments) {
            Ok(None) => methods::call(&mut self.heap, value, name, arguments),
            found => found,
        };
        Ok(self.check(found)?.unwrap_or(VtlValue::Null))
    }

    /// Counts a negative index from the end.
    fn index_from_end(&mut self, value: &VtlValue, index: VtlValue) -> Rendered<VtlValue> {
        let VtlValue::Int(from_end @ ..0) = index else {
            return Ok(index);
        };
        let size = methods::call(&mut self.heap, value, "size", &[]);
        match self.check(size)? {
            Some(VtlValue::Int(size)) => Ok(VtlValue::Int(size + from_end)),
            _ => self.fail(RenderProblem::Method {
                method: "get".to_owned(),
                class: class_name(&self.heap, value),
                reason: "a negative index needs a size() method".to_owned(),
            }),
        }
    }

    /// Assigns to the last property or index of a reference. If there is nothing to assign to, nothing happens.
    pub(super) fn assign(
        &mut self,
        target: &VtlReference,
        value: VtlValue,
        frame: usize,
    ) -> Rendered<()> {
        let Some((last, before)) = target.accesses.split_last() else {
            return Ok(());
        };
        let owner = self.lookup(&target.name, frame)?;
        let owner = self.follow(owner, before, frame)?;
        if owner.is_null() {
            return Ok(());
        }
        match last {
            Access::Index(index, position) => {
                self.assign_index(&owner, index, value, frame).map(|()| {
                    self.mark(*position);
                })
            }
            Access::Property(name, position) | Access::Method(name, _, position) => {
                self.mark(*position);
                let set = methods::set_property(&mut self.heap, &owner, name, value);
                self.check(set)
            }
        }
    }

    fn assign_index(
        &mut self,
        owner: &VtlValue,
        index: &Expr,
        value: VtlValue,
        frame: usize,
    ) -> Rendered<()> {
        let index = self.value(index, frame)?;
        let index = self.index_from_end(owner, index)?;
        let arguments = [index, value];
        for method in ["set", "put"] {
            let found = methods::call(&mut self.heap, owner, method, &arguments);
            if self.check(found)?.is_some() {
                break;
            }
        }
        Ok(())
    }

    pub(super) fn block_of(&self, value: &VtlValue) -> Option<ObjectId> {
        match value {
            VtlValue::Object(id) if is_block(&self.heap, *id) => Some(*id),
            _ => None,
        }
    }
}

fn is_block(heap: &Heap, id: ObjectId) -> bool {
    matches!(heap.get(id), Object::Block(_))
}
