//! Finds `${…}` in text that no `Fn::Sub` replaces.

use std::collections::BTreeSet;

use stackgen_cfn::{Intrinsic, IntrinsicCall, Node, Value};
use stackgen_model::{LogicalId, Model, Pseudo};

use super::mapping_template;

/// Keys whose text is code or a language of its own, in which `${…}` may mean something else.
const OTHER_LANGUAGES: &[&str] = &[
    "Body",
    "Code",
    "Definition",
    "DefinitionBody",
    "DefinitionString",
    "DefinitionSubstitutions",
    "Description",
    "InlineCode",
    "Schema",
    "UserData",
    "ZipFile",
];

/// Text that contains the name of a resource, a parameter or a pseudo parameter in `${…}`.
pub(crate) struct Unsubstituted<'n> {
    /// Path of the property.
    pub(crate) path: Vec<String>,
    pub(crate) node: &'n Node,
    /// The first name: `AWS::Region`, `Function.Arn`.
    pub(crate) name: &'n str,
    /// The argument of a `Fn::Sub` that replaces the names, if the template knows all of them.
    pub(crate) substitutable: Option<String>,
}

/// Returns such texts below a node.
pub(crate) fn unsubstituted<'n>(model: &Model, node: &'n Node) -> Vec<Unsubstituted<'n>> {
    let mut found = Vec::new();
    visit(model, node, &mut Vec::new(), &mut found);
    found
}

/// The recursion is bounded, because the depth of nodes is.
fn visit<'n>(
    model: &Model,
    node: &'n Node,
    path: &mut Vec<String>,
    found: &mut Vec<Unsubstituted<'n>>,
) {
    let mut inside = |key: String, node: &'n Node| {
        path.push(key);
        visit(model, node, path, found);
        path.pop();
    };
    match &node.value {
        Value::String(text) => {
            if let Some(name) = first_name(model, text) {
                let path = path.clone();
                let substitutable = substitutable(model, text);
                found.push(Unsubstituted {
                    path,
                    node,
                    name,
                    substitutable,
                });
            }
        }
        Value::List(items) => {
            for (index, item) in items.iter().enumerate() {
                inside(index.to_string(), item);
            }
        }
        Value::Map(map) => {
            for (key, item) in map.iter() {
                if !OTHER_LANGUAGES.contains(&key) && !key.starts_with("Fn::") {
                    inside(key.to_owned(), item);
                }
            }
        }
        Value::Call(call) => visit_call(model, call, path, found),
        _ => {}
    }
}

fn visit_call<'n>(
    model: &Model,
    call: &'n IntrinsicCall,
    path: &mut Vec<String>,
    found: &mut Vec<Unsubstituted<'n>>,
) {
    let argument = &call.argument;
    match call.function {
        // The first element is the text, and the second one has the values of its variables.
        Intrinsic::Sub => {
            if let Some([_, variables]) = argument.as_list() {
                visit(model, variables, path, found);
            }
        }
        Intrinsic::Transform => {}
        _ => visit(model, argument, path, found),
    }
}

/// Returns the names in `${…}`.
fn names(text: &str) -> impl Iterator<Item = &str> {
    let parts = text.split("${").skip(1);
    parts.filter_map(|part| Some(part.split_once('}')?.0))
}

/// Returns the first name in `${…}` that the template knows.
fn first_name<'t>(model: &Model, text: &'t str) -> Option<&'t str> {
    names(text).find(|name| is_known(model, name) && !is_variable(text, name))
}

/// Returns the argument of a `Fn::Sub` in which the variables of a mapping template are escaped. Returns `None` if the
/// template does not know another name.
fn substitutable(model: &Model, text: &str) -> Option<String> {
    let names: BTreeSet<_> = names(text).collect();
    let (variables, others): (Vec<_>, Vec<_>) =
        names.into_iter().partition(|name| is_variable(text, name));
    if !others.iter().all(|name| is_known(model, name)) {
        return None;
    }
    let escaped = variables.iter().fold(text.to_owned(), |text, name| {
        text.replace(&format!("${{{name}}}"), &format!("${{!{name}}}"))
    });
    Some(escaped)
}

/// Returns true for a variable that the text sets as a mapping template. It can have the name of a resource.
fn is_variable(text: &str, name: &str) -> bool {
    mapping_template::sets(text, id_of(name))
}

fn is_known(model: &Model, name: &str) -> bool {
    Pseudo::from_name(name).is_some()
        || model.resources.contains_key(&LogicalId::new(id_of(name)))
        || model.parameters.get(name).is_some()
}

/// Returns the resource of `Function.Arn`.
fn id_of(name: &str) -> &str {
    name.split('.').next().unwrap_or(name)
}
