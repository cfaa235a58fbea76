//! JSON Schema of stackgen.yaml, for editors and for the checks.

use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use crate::spec::Spec;

/// Returns the JSON Schema (draft 2020-12) of stackgen.yaml.
///
/// An environment can contain any part of the file, so its schema is the file's schema without required keys.
pub fn schema() -> Value {
    let mut schema = file_schema().clone();
    let partial = partial(&schema);
    let environment = json!({
        "description": "Differences of this environment, merged over the rest of the file.",
        "anyOf": [{ "$ref": "#/$defs/Environment" }, { "type": "null" }],
    });
    if let Some(environments) = schema.pointer_mut("/properties/environments") {
        environments["additionalProperties"] = environment;
    }
    if let Some(Value::Object(definitions)) = schema.get_mut("$defs") {
        definitions.extend(partial);
        for name in ["Expression", "EnvironmentExpression"] {
            // To an editor `!Join [...]` is a list. Our own check recognises the function.
            if let Some(Value::Array(types)) =
                definitions.get_mut(name).and_then(|it| it.get_mut("type"))
            {
                types.push("array".into());
            }
        }
    }
    schema
}

/// Returns the schema of the file with an environment merged in. It is built once: that takes as long as loading a small
/// file.
pub(crate) fn file_schema() -> &'static Value {
    static SCHEMA: LazyLock<Value> = LazyLock::new(|| schemars::schema_for!(Spec).to_value());
    &SCHEMA
}

/// Returns copies of the definitions, named `Environment…`, in which every key is optional and `null` removes a part.
fn partial(schema: &Value) -> Map<String, Value> {
    let mut definitions = Map::new();
    let mut whole = json!({
        "type": "object",
        "properties": schema["properties"],
        "additionalProperties": false,
    });
    if let Some(Value::Object(properties)) = whole.get_mut("properties") {
        properties.remove("environments");
        properties.remove("name");
    }
    loosen(&mut whole);
    definitions.insert("Environment".to_owned(), whole);
    if let Some(Value::Object(originals)) = schema.get("$defs") {
        for (name, definition) in originals {
            let mut definition = definition.clone();
            loosen(&mut definition);
            definitions.insert(format!("Environment{name}"), definition);
        }
    }
    definitions
}

fn loosen(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            object.remove("required");
            object.remove("minProperties");
            if let Some(Value::String(reference)) = object.get_mut("$ref") {
                *reference = reference.replace("#/$defs/", "#/$defs/Environment");
            }
            object.values_mut().for_each(loosen);
        }
        Value::Array(items) => items.iter_mut().for_each(loosen),
        _ => {}
    }
}
