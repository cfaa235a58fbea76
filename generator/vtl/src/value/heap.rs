//! Heap of a render, and its budget of work.

use super::object::{ListKind, ListObject, MapEntryObject, MapObject, Object, ObjectId};
use super::{Computed, VtlValue};
use crate::error::RenderProblem;

/// Units of work for an object or a place in a list: about its bytes.
const OBJECT_WORK: u64 = 32;

/// Objects of a render, and the work that is left.
#[derive(Debug)]
pub(crate) struct Heap {
    objects: Vec<Object>,
    work_left: u64,
    work: u64,
}

impl Heap {
    pub(crate) fn new(work: u64) -> Self {
        Heap {
            objects: Vec::new(),
            work_left: work,
            work,
        }
    }

    /// Takes work from the budget.
    ///
    /// # Errors
    ///
    /// Fails if nothing is left.
    pub(crate) fn charge(&mut self, work: u64) -> Computed<()> {
        match self.work_left.checked_sub(work) {
            Some(left) => {
                self.work_left = left;
                Ok(())
            }
            None => Err(RenderProblem::TooMuchWork(self.work)),
        }
    }

    /// Takes the work of a number of bytes or steps.
    pub(crate) fn charge_length(&mut self, length: usize) -> Computed<()> {
        self.charge(u64::try_from(length).unwrap_or(u64::MAX))
    }

    pub(crate) fn allocate(&mut self, object: Object) -> Computed<VtlValue> {
        let places = match &object {
            Object::List(list) => list.items.len(),
            Object::Map(map) => map.len(),
            _ => 0,
        };
        self.charge_places(places + 1)?;
        self.objects.push(object);
        Ok(VtlValue::Object(ObjectId(self.objects.len() - 1)))
    }

    /// Takes the work of new places in lists and maps.
    pub(crate) fn charge_places(&mut self, places: usize) -> Computed<()> {
        let places = u64::try_from(places).unwrap_or(u64::MAX);
        self.charge(places.saturating_mul(OBJECT_WORK))
    }

    pub(crate) fn list(&mut self, kind: ListKind, items: Vec<VtlValue>) -> Computed<VtlValue> {
        self.allocate(Object::List(ListObject {
            kind,
            items,
            view_of: None,
        }))
    }

    /// Creates a list of what is in a map now. Java's is a view: loops over it notice when the map changes.
    pub(crate) fn view(
        &mut self,
        kind: ListKind,
        items: Vec<VtlValue>,
        of: ObjectId,
    ) -> Computed<VtlValue> {
        self.allocate(Object::List(ListObject {
            kind,
            items,
            view_of: Some(of),
        }))
    }

    pub(crate) fn map(&mut self, entries: Vec<(VtlValue, VtlValue)>) -> Computed<VtlValue> {
        let mut map = MapObject::default();
        for (key, value) in entries {
            map.put(key, value);
        }
        self.allocate(Object::Map(map))
    }

    /// Creates a string.
    pub(crate) fn string(&mut self, text: String) -> Computed<VtlValue> {
        self.charge_length(text.len())?;
        Ok(VtlValue::Text(text.into()))
    }

    pub(crate) fn get(&self, id: ObjectId) -> &Object {
        // Ids come from `allocate`, and objects stay.
        &self.objects[id.0]
    }

    pub(crate) fn get_mut(&mut self, id: ObjectId) -> &mut Object {
        &mut self.objects[id.0]
    }

    /// Returns the items of a list, an array or a set.
    pub(crate) fn items(&self, value: &VtlValue) -> Option<&[VtlValue]> {
        match value {
            VtlValue::Object(id) => match self.get(*id) {
                Object::List(list) => Some(&list.items),
                _ => None,
            },
            _ => None,
        }
    }

    /// Returns the entries of a map.
    pub(crate) fn entries(&self, value: &VtlValue) -> Option<&MapObject> {
        match value {
            VtlValue::Object(id) => match self.get(*id) {
                Object::Map(map) => Some(map),
                Object::Loop(scope) => Some(&scope.storage),
                _ => None,
            },
            _ => None,
        }
    }

    /// Returns the value of a map's entry: that of the map, unless the key was removed.
    pub(crate) fn entry_value(&self, entry: &MapEntryObject) -> VtlValue {
        let value = self
            .entries(&VtlValue::Object(entry.map))
            .and_then(|map| map.get(&entry.key));
        value.unwrap_or(&entry.value).clone()
    }

    /// Returns the map that a loop over a value reads.
    pub(crate) fn map_behind(&self, value: &VtlValue) -> Option<&MapObject> {
        match value {
            VtlValue::Object(id) => match self.get(*id) {
                Object::List(list) => self.entries(&VtlValue::Object(list.view_of?)),
                _ => self.entries(value),
            },
            _ => None,
        }
    }
}
