//! Values of templates, and the heap that holds those that can change.
//!
//! Lists and maps live in a heap that a render drops as a whole: values that contain themselves need no collector, and no
//! drop recurses.

mod equality;
mod heap;
mod json;
mod number;
mod object;
mod text;

use std::rc::Rc;
use std::sync::Arc;

pub(crate) use equality::{java_equals, java_hash, template_equals};
pub(crate) use heap::Heap;
pub(crate) use json::{from_json, parse_json};
pub(crate) use number::{arithmetic, compare, java_double, narrow, to_int};
pub(crate) use object::{
    BlockObject, ListKind, LoopScope, MapEntryObject, MapObject, Object, ObjectId,
};
pub(crate) use text::{to_json, to_text};

use crate::error::RenderProblem;
use crate::syntax::DefineDirective;

/// Result of an operation on values.
pub(crate) type Computed<T> = Result<T, RenderProblem>;

/// Value of a reference or an expression. The variants are Java's classes.
#[derive(Clone, Debug)]
pub(crate) enum VtlValue {
    Null,
    Boolean(bool),
    /// `Integer`.
    Int(i32),
    /// `Long`.
    Long(i64),
    /// `BigInteger`, up to 128 bits.
    Big(i128),
    Double(f64),
    /// `Character`: a UTF-16 code unit.
    Char(u16),
    Text(Rc<str>),
    Object(ObjectId),
    /// `Class`, for `$x.class.name`.
    Class(&'static str),
    /// `$input`.
    Input,
    /// `$util`.
    Util,
}

impl VtlValue {
    pub(crate) fn text(text: impl AsRef<str>) -> Self {
        VtlValue::Text(text.as_ref().into())
    }

    pub(crate) fn is_null(&self) -> bool {
        matches!(self, VtlValue::Null)
    }

    pub(crate) fn is_number(&self) -> bool {
        matches!(
            self,
            VtlValue::Int(_) | VtlValue::Long(_) | VtlValue::Big(_) | VtlValue::Double(_)
        )
    }

    /// Returns a length or a position as Java's `int`.
    pub(crate) fn length(length: usize) -> Self {
        VtlValue::Int(i32::try_from(length).unwrap_or(i32::MAX))
    }
}

/// Returns the name of the value's class in Java.
pub(crate) fn class_name(heap: &Heap, value: &VtlValue) -> &'static str {
    match value {
        VtlValue::Null => "null",
        VtlValue::Boolean(_) => "java.lang.Boolean",
        VtlValue::Int(_) => "java.lang.Integer",
        VtlValue::Long(_) => "java.lang.Long",
        VtlValue::Big(_) => "java.math.BigInteger",
        VtlValue::Double(_) => "java.lang.Double",
        VtlValue::Char(_) => "java.lang.Character",
        VtlValue::Text(_) => "java.lang.String",
        VtlValue::Class(_) => "java.lang.Class",
        VtlValue::Input => "$input",
        VtlValue::Util => "$util",
        VtlValue::Object(id) => match heap.get(*id) {
            Object::List(list) => list.kind.class_name(),
            Object::Map(_) => "java.util.LinkedHashMap",
            Object::Entry(_) => "java.util.LinkedHashMap$Entry",
            Object::Loop(_) => "org.apache.velocity.runtime.directive.ForeachScope",
            Object::Block(_) => "org.apache.velocity.runtime.directive.Block$Reference",
        },
    }
}

/// Creates the value of a block that `#define` names.
pub(crate) fn block_value(
    heap: &mut Heap,
    define: &Arc<DefineDirective>,
    frame: usize,
) -> Computed<VtlValue> {
    let block = BlockObject {
        define: Arc::clone(define),
        frame,
        depth: 0,
    };
    heap.allocate(Object::Block(block))
}
