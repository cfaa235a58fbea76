//! Java's methods and properties of values.
//!
//! A method is found by its name and the classes of its arguments, as Velocity finds it: `substring("1")` does not exist. The
//! methods are those of Java 8, without the ones that return streams, bytes or iterators.

mod format;
mod list;
mod map;
mod number;
mod object;
mod regex;
mod string;

use crate::error::RenderProblem;
use crate::value::{Computed, Heap, Object, VtlValue, class_name};

/// Failure of a method.
enum MethodFailure {
    /// Java would throw an exception.
    Exception(String),
    /// A limit is exceeded.
    Problem(RenderProblem),
}

impl From<RenderProblem> for MethodFailure {
    fn from(problem: RenderProblem) -> Self {
        MethodFailure::Problem(problem)
    }
}

/// Result of a method; `None` if the class has no such method.
type Invoked = Result<Option<VtlValue>, MethodFailure>;

/// Result of a method that returns `void`: Velocity renders it as nothing.
fn void() -> VtlValue {
    VtlValue::text("")
}

fn exception<T>(reason: impl Into<String>) -> Result<T, MethodFailure> {
    Err(MethodFailure::Exception(reason.into()))
}

/// Returns an index that is in bounds.
fn checked_index(index: i32, length: usize) -> Result<usize, MethodFailure> {
    match usize::try_from(index) {
        Ok(index) if index < length => Ok(index),
        _ => exception(format!(
            "index {index} is out of bounds for length {length}"
        )),
    }
}

/// Calls a method. Returns `None` if the class of the receiver has none with this name and these arguments.
///
/// # Errors
///
/// Fails where Java would throw an exception, and if a limit is exceeded.
pub(crate) fn call(
    heap: &mut Heap,
    receiver: &VtlValue,
    method: &str,
    arguments: &[VtlValue],
) -> Computed<Option<VtlValue>> {
    invoke(heap, receiver, method, arguments).map_err(|failure| match failure {
        MethodFailure::Exception(reason) => RenderProblem::Method {
            method: method.to_owned(),
            class: class_name(heap, receiver),
            reason,
        },
        MethodFailure::Problem(problem) => problem,
    })
}

fn invoke(heap: &mut Heap, receiver: &VtlValue, method: &str, arguments: &[VtlValue]) -> Invoked {
    heap.charge(1)?;
    let found = match receiver {
        VtlValue::Text(text) => string::call(heap, text, method, arguments)?,
        VtlValue::Boolean(_)
        | VtlValue::Int(_)
        | VtlValue::Long(_)
        | VtlValue::Big(_)
        | VtlValue::Double(_)
        | VtlValue::Char(_) => number::call(heap, receiver, method, arguments)?,
        VtlValue::Object(id) => match heap.get(*id) {
            Object::List(_) => list::call(heap, *id, method, arguments)?,
            Object::Map(_) => map::call(heap, *id, method, arguments)?,
            Object::Entry(_) => object::call_entry(heap, *id, method, arguments)?,
            Object::Loop(_) => match object::call_loop(heap, *id, method, arguments) {
                Some(value) => Some(value),
                None => map::call(heap, *id, method, arguments)?,
            },
            Object::Block(_) => None,
        },
        VtlValue::Class(name) => object::call_class(name, method, arguments),
        VtlValue::Null | VtlValue::Input | VtlValue::Util => None,
    };
    match found {
        Some(value) => Ok(Some(value)),
        None if method == "compareTo" && arguments.len() == 1 && is_comparable(receiver) => {
            exception("the argument has another class")
        }
        None => object::call_any(heap, receiver, method, arguments),
    }
}

/// Returns true for classes with `compareTo(Object)`.
fn is_comparable(value: &VtlValue) -> bool {
    match value {
        VtlValue::Text(_) | VtlValue::Boolean(_) | VtlValue::Char(_) => true,
        value => value.is_number(),
    }
}

/// Reads a property: a getter, an entry of a map, or an `is` method.
///
/// # Errors
///
/// Fails if a limit is exceeded.
pub(crate) fn get_property(
    heap: &mut Heap,
    receiver: &VtlValue,
    name: &str,
) -> Computed<Option<VtlValue>> {
    if name == "class" || name == "Class" {
        return Ok(Some(VtlValue::Class(class_name(heap, receiver))));
    }
    if let VtlValue::Object(id) = receiver {
        let getter = format!("get{}", capitalize(name));
        let found = match heap.get(*id) {
            Object::Entry(_) => return call(heap, receiver, &getter, &[]),
            Object::Loop(_) => object::call_loop(heap, *id, &getter, &[]),
            _ => None,
        };
        if found.is_some() {
            return Ok(found);
        }
        if heap.entries(receiver).is_some() {
            let key = VtlValue::text(name);
            return call(heap, receiver, "get", &[key]);
        }
    }
    let is_empty = name == "empty" || name == "Empty";
    match receiver {
        VtlValue::Class(class) => Ok(object::class_property(class, name)),
        _ if is_empty => call(heap, receiver, "isEmpty", &[]),
        _ => Ok(None),
    }
}

/// Sets a property: an entry of a map, or the value of an entry. Other values have no properties that can be set.
///
/// # Errors
///
/// Fails if a limit is exceeded.
pub(crate) fn set_property(
    heap: &mut Heap,
    receiver: &VtlValue,
    name: &str,
    value: VtlValue,
) -> Computed<()> {
    let setter = format!("set{}", capitalize(name));
    if call(heap, receiver, &setter, std::slice::from_ref(&value))?.is_some() {
        return Ok(());
    }
    call(heap, receiver, "put", &[VtlValue::text(name), value]).map(drop)
}

fn capitalize(name: &str) -> String {
    let mut chars = name.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => String::new(),
    }
}
