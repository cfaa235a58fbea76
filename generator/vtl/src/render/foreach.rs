//! `#foreach`.

use std::sync::Arc;

use super::frame::ContextFrame;
use super::{RenderStop, Rendered, Renderer};
use crate::error::RenderProblem;
use crate::syntax::ForeachDirective;
use crate::value::{LoopScope, MapObject, Object, ObjectId, VtlValue, class_name};

/// Variables of a loop that stand for the number of the iteration and for its being the last one.
const COUNT: &str = "velocityCount";
const HAS_NEXT: &str = "velocityHasNext";
const SCOPE: &str = "foreach";

/// Variables as they were before a loop.
struct Saved {
    item: VtlValue,
    count: VtlValue,
    has_next: VtlValue,
}

impl Renderer<'_> {
    pub(super) fn render_foreach(
        &mut self,
        foreach: &Arc<ForeachDirective>,
        frame: usize,
    ) -> Rendered<()> {
        self.mark(foreach.position);
        let Some(list) = &foreach.list else {
            return Ok(());
        };
        let list = self.value(list, frame)?;
        let Some(items) = self.iterate(&list)? else {
            return Ok(());
        };
        let saved = Saved {
            item: self.lookup(&foreach.variable, frame)?,
            count: self.lookup(COUNT, frame)?,
            has_next: self.lookup(HAS_NEXT, frame)?,
        };
        let owner = Arc::as_ptr(foreach).addr();
        let scope = self.enter_scope(owner, frame)?;
        let result = self.iterations(foreach, &list, &items, scope, frame);
        self.restore(&foreach.variable, &saved.item, frame);
        self.restore(COUNT, &saved.count, frame);
        self.restore(HAS_NEXT, &saved.has_next, frame);
        self.leave_scope(frame)?;
        match result {
            Err(RenderStop::Innermost) => Ok(()),
            Err(RenderStop::Loop(ended)) if ended == owner => Ok(()),
            result => result,
        }
    }

    /// Returns the items of a list, an array or a set, or the values of a map.
    fn iterate(&mut self, value: &VtlValue) -> Rendered<Option<Vec<VtlValue>>> {
        let items = match (self.heap.items(value), self.heap.entries(value)) {
            (Some(items), _) => items.to_vec(),
            (None, Some(entries)) => entries.iter().map(|(_, value)| value.clone()).collect(),
            (None, None) => return Ok(None),
        };
        let charged = self.heap.charge_length(items.len());
        self.check(charged)?;
        Ok(Some(items))
    }

    fn iterations(
        &mut self,
        foreach: &ForeachDirective,
        list: &VtlValue,
        items: &[VtlValue],
        scope: ObjectId,
        frame: usize,
    ) -> Rendered<()> {
        let mut null_frame = None;
        for (index, item) in items.iter().enumerate() {
            self.mark(foreach.position);
            if index >= self.limits.loop_iterations {
                return self.fail(RenderProblem::TooManyIterations(
                    self.limits.loop_iterations,
                ));
            }
            let has_next = index + 1 < items.len();
            self.put(COUNT, &VtlValue::length(index + 1), frame);
            self.put(HAS_NEXT, &VtlValue::Boolean(has_next), frame);
            self.put(&foreach.variable, item, frame);
            if let Object::Loop(scope) = self.heap.get_mut(scope) {
                scope.index += 1;
                scope.has_next = has_next;
            }
            let body_frame = match (item.is_null(), null_frame) {
                (false, _) => frame,
                (true, Some(null_frame)) => null_frame,
                (true, None) => {
                    let variable = foreach.variable.clone();
                    let hides = ContextFrame::NullItem {
                        parent: frame,
                        variable,
                        active: true,
                    };
                    *null_frame.insert(self.push_frame(hides))
                }
            };
            self.render_block(&foreach.body, body_frame)?;
            if self.ends_early(list, items.len(), index + 1)? {
                break;
            }
        }
        Ok(())
    }

    /// Checks whether the body has changed the length of the list. Java's iterator ends if the list became so short that it
    /// has been read, and fails otherwise.
    fn ends_early(&self, list: &VtlValue, length: usize, read: usize) -> Rendered<bool> {
        let map = self.heap.map_behind(list);
        let now = match (self.heap.items(list), map) {
            (_, Some(map)) => map.len(),
            (Some(items), None) => items.len(),
            (None, None) => length,
        };
        if now == length {
            return Ok(false);
        }
        if read == if map.is_some() { length } else { now } {
            return Ok(true);
        }
        self.fail(RenderProblem::Method {
            method: "next".to_owned(),
            class: class_name(&self.heap, list),
            reason: "the list changed during the loop".to_owned(),
        })
    }

    fn enter_scope(&mut self, owner: usize, frame: usize) -> Rendered<ObjectId> {
        let previous = self.lookup(SCOPE, frame)?;
        let parent = match previous {
            VtlValue::Object(id) if matches!(self.heap.get(id), Object::Loop(_)) => Some(id),
            _ => None,
        };
        let scope = self.heap.allocate(Object::Loop(LoopScope {
            owner,
            index: -1,
            has_next: false,
            parent,
            replaced: if parent.is_some() {
                VtlValue::Null
            } else {
                previous
            },
            storage: MapObject::default(),
        }));
        let scope = self.check(scope)?;
        self.put(SCOPE, &scope, frame);
        match scope {
            VtlValue::Object(id) => Ok(id),
            _ => self.fail(RenderProblem::Unsupported("a loop without a scope")),
        }
    }

    /// Sets `$foreach` back, unless the template has replaced it.
    fn leave_scope(&mut self, frame: usize) -> Rendered<()> {
        let VtlValue::Object(id) = self.lookup(SCOPE, frame)? else {
            return Ok(());
        };
        let Object::Loop(scope) = self.heap.get(id) else {
            return Ok(());
        };
        let before = match scope.parent {
            Some(parent) => VtlValue::Object(parent),
            None => scope.replaced.clone(),
        };
        self.restore(SCOPE, &before, frame);
        Ok(())
    }
}
