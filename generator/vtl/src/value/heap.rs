//! Heap of a render, and its budget of work.

use std::rc::Rc;
use std::sync::Arc;

use indexmap::IndexMap;

use super::{Computed, VtlValue};
use crate::error::RenderProblem;
use crate::syntax::DefineDirective;

/// Units of work for an object or a place in a list: about its bytes.
const OBJECT_WORK: u64 = 32;

/// Index of an object in the heap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ObjectId(usize);

/// Object that can change.
#[derive(Debug)]
pub(crate) enum Object {
    List(ListObject),
    Map(MapObject),
    Entry(MapEntryObject),
    Loop(LoopScope),
    Block(BlockObject),
}

/// List, array or set.
#[derive(Debug)]
pub(crate) struct ListObject {
    pub(crate) kind: ListKind,
    pub(crate) items: Vec<VtlValue>,
    /// Map whose keys, values or entries these are.
    pub(crate) view_of: Option<ObjectId>,
}

/// Java's class of a list. It decides which methods exist, and how the list renders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ListKind {
    /// `ArrayList`.
    List,
    /// `JSONArray` of json-smart, which API Gateway's JSONPath returns: it renders as JSON.
    Json,
    /// `String[]`, of `split`.
    Array,
    /// Keys or entries of a map.
    Set,
    /// Values of a map.
    Values,
}

impl ListKind {
    pub(crate) fn class_name(self) -> &'static str {
        match self {
            ListKind::List => "java.util.ArrayList",
            ListKind::Json => "net.minidev.json.JSONArray",
            ListKind::Array => "[Ljava.lang.String;",
            ListKind::Set => "java.util.LinkedHashMap$LinkedKeySet",
            ListKind::Values => "java.util.LinkedHashMap$LinkedValues",
        }
    }
}

/// `LinkedHashMap`.
#[derive(Debug, Default)]
pub(crate) struct MapObject {
    entries: IndexMap<MapKey, (VtlValue, VtlValue)>,
}

/// Key of a map with Java's equality. Lists and maps are equal only to themselves.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum MapKey {
    Null,
    Boolean(bool),
    Int(i32),
    Long(i64),
    Big(i128),
    Double(u64),
    Char(u16),
    Text(Rc<str>),
    Object(ObjectId),
    Other(&'static str),
}

impl MapKey {
    fn of(value: &VtlValue) -> Self {
        match value {
            VtlValue::Null => MapKey::Null,
            VtlValue::Boolean(value) => MapKey::Boolean(*value),
            VtlValue::Int(value) => MapKey::Int(*value),
            VtlValue::Long(value) => MapKey::Long(*value),
            VtlValue::Big(value) => MapKey::Big(*value),
            VtlValue::Double(value) => MapKey::Double(value.to_bits()),
            VtlValue::Char(value) => MapKey::Char(*value),
            VtlValue::Text(value) => MapKey::Text(Rc::clone(value)),
            VtlValue::Object(id) => MapKey::Object(*id),
            VtlValue::Class(name) => MapKey::Other(name),
            VtlValue::Input => MapKey::Other("$input"),
            VtlValue::Util => MapKey::Other("$util"),
        }
    }
}

impl MapObject {
    pub(crate) fn get(&self, key: &VtlValue) -> Option<&VtlValue> {
        self.entries.get(&MapKey::of(key)).map(|(_, value)| value)
    }

    /// Sets an entry and returns the old value. The place and the key of an old entry stay.
    pub(crate) fn put(&mut self, key: VtlValue, value: VtlValue) -> Option<VtlValue> {
        match self.entries.get_mut(&MapKey::of(&key)) {
            Some((_, old)) => Some(std::mem::replace(old, value)),
            None => {
                self.entries.insert(MapKey::of(&key), (key, value));
                None
            }
        }
    }

    pub(crate) fn remove(&mut self, key: &VtlValue) -> Option<VtlValue> {
        self.entries
            .shift_remove(&MapKey::of(key))
            .map(|(_, value)| value)
    }

    pub(crate) fn clear(&mut self) {
        self.entries.clear();
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &(VtlValue, VtlValue)> {
        self.entries.values()
    }
}

/// `Map.Entry`.
#[derive(Debug)]
pub(crate) struct MapEntryObject {
    pub(crate) map: ObjectId,
    pub(crate) key: VtlValue,
    /// Value when the entry was read.
    pub(crate) value: VtlValue,
}

/// `$foreach` in a loop. It is a map, too, for variables of the loop.
#[derive(Debug)]
pub(crate) struct LoopScope {
    /// Address of the directive, which `#break($foreach)` ends.
    pub(crate) owner: usize,
    pub(crate) index: i32,
    pub(crate) has_next: bool,
    pub(crate) parent: Option<ObjectId>,
    /// Value of `$foreach` before the loop, if that was none.
    pub(crate) replaced: VtlValue,
    pub(crate) storage: MapObject,
}

/// Block that `#define` names.
#[derive(Clone, Debug)]
pub(crate) struct BlockObject {
    pub(crate) define: Arc<DefineDirective>,
    /// Variables where the block was defined: Java's `toString` renders the block with them.
    pub(crate) frame: usize,
    /// How often the block is being rendered now.
    pub(crate) depth: usize,
}

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
