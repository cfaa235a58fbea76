//! Changes of functions' environment variables without their values, which not every reader of the output may see.

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json};
use stackgen_model::diff::{ChangeKind, MASK, ModelChange};

/// Property of a function that holds its variables.
const ENVIRONMENT: &str = "Environment";

/// Path of the variables.
const VARIABLES: &str = "Environment.Variables";

/// Removes values of variables from changes, and splits them into one change per variable.
pub(super) fn without_values(changes: Vec<ModelChange>) -> Vec<ModelChange> {
    let mut masked: Vec<ModelChange> = changes.into_iter().flat_map(without_values_of).collect();
    // A value that depends on a condition may change in several branches.
    masked.dedup();
    masked
}

/// Puts changes of variables into words: `variable TOKEN changed`.
pub(super) fn in_words(mut changes: Vec<ModelChange>) -> Vec<ModelChange> {
    for change in changes.iter_mut().filter(|change| is_environment(change)) {
        if let ChangeKind::Changed {
            field,
            before,
            after,
        } = &mut change.kind
        {
            let subject = match variable(field) {
                Some(name) => format!("variable {name}"),
                None => "environment".to_owned(),
            };
            let verb = match (before.take(), after.take()) {
                (None, _) => "is new",
                (_, None) => "is gone",
                _ => "changed",
            };
            *field = format!("{subject} {verb}");
        }
    }
    changes
}

/// Returns true for a change of a function's environment, or of a part of it.
fn is_environment(change: &ModelChange) -> bool {
    let ChangeKind::Changed { field, .. } = &change.kind else {
        return false;
    };
    let rest = field.strip_prefix(ENVIRONMENT);
    change.subject.kind == "function"
        && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

fn without_values_of(change: ModelChange) -> Vec<ModelChange> {
    let ChangeKind::Changed {
        field,
        before,
        after,
    } = &change.kind
    else {
        return vec![change];
    };
    if !is_environment(&change) {
        return vec![change];
    }
    let is_there = |value: &Option<Json>| value.is_some();
    if let Some(name) = variable(field) {
        let path = format!("{VARIABLES}.{name}");
        // A part of a value may appear or disappear while the variable stays.
        let is_part = *field != path;
        let (was, is) = (is_there(before) || is_part, is_there(after) || is_part);
        return vec![masked(&change, path, was, is)];
    }
    let (old, new) = (variables(field, before), variables(field, after));
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    if names.is_empty() {
        let field = ENVIRONMENT.to_owned();
        return vec![masked(&change, field, is_there(before), is_there(after))];
    }
    let changes = names.into_iter().map(|name| {
        let path = format!("{VARIABLES}.{name}");
        masked(
            &change,
            path,
            old.contains_key(name),
            new.contains_key(name),
        )
    });
    changes.collect()
}

/// Returns the name of the variable whose value, or a part of it, is at this path.
fn variable(field: &str) -> Option<&str> {
    let path = field.strip_prefix(VARIABLES)?.strip_prefix('.')?;
    match path.split_once('.') {
        Some((name, _)) => Some(name),
        None => Some(path),
    }
}

/// Returns the variables in the value of a field; empty if the value is unknown.
fn variables(field: &str, value: &Option<Json>) -> Map<String, Json> {
    let value = value.as_ref();
    let variables = match field {
        ENVIRONMENT => value.and_then(|value| value.get("Variables")),
        VARIABLES => value,
        _ => None,
    };
    variables
        .and_then(Json::as_object)
        .cloned()
        .unwrap_or_default()
}

fn masked(change: &ModelChange, field: String, was: bool, is: bool) -> ModelChange {
    let mask = |is_there: bool| is_there.then(|| Json::from(MASK));
    ModelChange {
        kind: ChangeKind::Changed {
            field,
            before: mask(was),
            after: mask(is),
        },
        ..change.clone()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use stackgen_model::diff::diff;
    use stackgen_model::{Inputs, Model};

    use super::*;

    fn model(properties: &Json) -> Model {
        let template = json!({
            "Parameters": {
                "Token": { "Type": "String", "NoEcho": true, "Default": "secret" },
                "Set": { "Type": "String" },
            },
            "Conditions": { "IsSet": { "Fn::Equals": [{ "Ref": "Set" }, "yes"] } },
            "Resources": { "F": { "Type": "AWS::Lambda::Function", "Properties": properties } },
        });
        let mut sources = stackgen_cfn::Sources::new();
        let text = template.to_string();
        let node = stackgen_cfn::parse(sources.add("t.json", text.as_str())).unwrap();
        Model::from_template(&node, &Inputs::none())
    }

    fn function(variables: Json) -> Json {
        json!({ "FunctionName": "f", "Environment": { "Variables": variables } })
    }

    /// Formats the changes, without their effects, and checks that neither JSON nor text shows a secret.
    fn shown(before: &Json, after: &Json) -> String {
        let mut changes = diff(&model(before), &model(after));
        changes.changes = without_values(changes.changes);
        let json = serde_json::to_string(&changes).unwrap();
        assert!(!json.contains("secret"), "{json}");
        changes.changes = in_words(changes.changes);
        let text = changes.human();
        assert!(!text.contains("secret"), "{text}");
        let lines = text.lines().map(|line| line.rsplit_once("   ").unwrap().0);
        lines.map(str::trim_end).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn a_changed_variable_is_named_without_its_value() {
        let before = function(json!({
            "A": "secret1\nforged",
            "B": { "Fn::Sub": "secret2${AWS::StackId}" },
            "C": { "Ref": "Token" },
            "D": "secret4",
        }));
        let after = function(json!({
            "A": "secret5\u{202e}",
            "B": { "Fn::Sub": "secret6${AWS::StackId}" },
            "C": { "Fn::Sub": "secret7${Token}" },
            "E": { "Ref": "Token" },
        }));
        let expected = "\
~ function f: variable A changed
~ function f: variable B changed
~ function f: variable C changed
~ function f: variable D is gone
~ function f: variable E is new";
        assert_eq!(shown(&before, &after), expected);
    }

    #[test]
    fn added_and_removed_variables_are_named() {
        let variables = function(json!({ "A": "secret1", "B": { "Ref": "Token" } }));
        let expected = "~ function f: variable A is new\n~ function f: variable B is new";
        for none in [
            json!({ "FunctionName": "f" }),
            json!({ "FunctionName": "f", "Environment": {} }),
        ] {
            assert_eq!(shown(&none, &variables), expected);
            assert_eq!(
                shown(&variables, &none),
                expected.replace("is new", "is gone")
            );
        }
    }

    #[test]
    fn variables_that_depend_on_a_condition_show_no_value() {
        let either = |yes: Json, no: Json| json!({ "Fn::If": ["IsSet", yes, no] });
        let value = |text: &str| function(json!({ "A": either(text.into(), "secret3".into()) }));
        assert_eq!(
            shown(&value("secret1"), &value("secret2")),
            "~ function f: variable A changed"
        );
        let none = json!({ "Ref": "AWS::NoValue" });
        let variables = |text: &str| function(either(json!({ "A": text }), none.clone()));
        shown(&variables("secret1"), &variables("secret2"));
        let environment = |text: &str| {
            let yes = json!({ "Variables": { "A": text } });
            json!({ "FunctionName": "f", "Environment": either(yes, none.clone()) })
        };
        assert_eq!(
            shown(&environment("secret1"), &environment("secret2")),
            "~ function f: environment changed"
        );
    }

    #[test]
    fn other_resources_keep_the_values_of_their_environment() {
        let change = ModelChange {
            subject: stackgen_model::diff::ChangeSubject {
                kind: "AWS::CodeBuild::Project".to_owned(),
                name: "Build".to_owned(),
                api: None,
            },
            kind: ChangeKind::Changed {
                field: "Environment.Image".to_owned(),
                before: Some(json!("a")),
                after: Some(json!("b")),
            },
            effect: stackgen_model::ChangeEffect::Settings,
        };
        assert_eq!(without_values(vec![change.clone()]), [change]);
    }
}
