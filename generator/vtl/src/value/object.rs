//! Objects of the heap.

use std::rc::Rc;
use std::sync::Arc;

use indexmap::IndexMap;

use super::VtlValue;
use crate::syntax::DefineDirective;

/// Index of an object in the heap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ObjectId(pub(super) usize);

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
    /// Number of renders of the block that have not ended.
    pub(crate) depth: usize,
}
