//! Tasks of state machines that call what runs in the gateway: functions, tables, APIs, topics and event buses. In the emulator's
//! copy of a definition, they invoke a function of the emulator that calls back.

use serde_json::{Map, Value as Json, json};
use stackgen_gateway_common::{ArnScope, FunctionArn};

/// Suffix of tasks that wait until somebody returns their token.
const TOKEN: &str = ".waitForTaskToken";

/// Integrations of Step Functions that the gateway serves, after `arn:{partition}:states:::`. A name that ends with a colon
/// stands for all actions.
const SERVED: [&str; 7] = [
    "apigateway:invoke",
    "aws-sdk:dynamodb:",
    "aws-sdk:lambda:invoke",
    "dynamodb:",
    "events:putEvents",
    "lambda:invoke",
    "sns:publish",
];

/// Returns true if a task of a definition calls what runs in the gateway.
pub(super) fn calls_gateway(definition: &Json, scope: &ArnScope) -> bool {
    let mut found = false;
    let mut copy = definition.clone();
    visit_tasks(&mut copy, false, &mut |task, _| {
        found |= target(task, scope).is_some();
    });
    found
}

/// Makes the tasks that call what runs in the gateway invoke this function, with the name of the task and its input.
pub(super) fn redirect(definition: &mut Json, function: &str, scope: &ArnScope) {
    visit_tasks(definition, false, &mut |task, is_jsonata| {
        if let Some(target) = target(task, scope) {
            redirect_task(task, &target, function, is_jsonata);
        }
    });
}

/// Calls `visit` with all tasks of a definition or a part of it, and with true if they use JSONata.
fn visit_tasks(
    machine: &mut Json,
    is_jsonata: bool,
    visit: &mut impl FnMut(&mut Map<String, Json>, bool),
) {
    let is_jsonata = language(machine, is_jsonata);
    let states = machine.get_mut("States").and_then(Json::as_object_mut);
    for state in states.into_iter().flat_map(Map::values_mut) {
        let is_jsonata = language(state, is_jsonata);
        if let Some(branches) = state.get_mut("Branches").and_then(Json::as_array_mut) {
            for branch in branches {
                visit_tasks(branch, is_jsonata, visit);
            }
        }
        for inner in ["Iterator", "ItemProcessor"] {
            if let Some(inner) = state.get_mut(inner) {
                visit_tasks(inner, is_jsonata, visit);
            }
        }
        if state["Type"] == "Task"
            && let Some(task) = state.as_object_mut()
        {
            visit(task, is_jsonata);
        }
    }
}

/// Returns true if a machine or a state uses JSONata. `outer` is the choice of what contains it.
fn language(of: &Json, outer: bool) -> bool {
    match of.get("QueryLanguage").and_then(Json::as_str) {
        Some(language) => language == "JSONata",
        None => outer,
    }
}

/// Returns the function or the integration that a task calls, if the gateway serves it.
fn target(task: &Map<String, Json>, scope: &ArnScope) -> Option<String> {
    let resource = task.get("Resource")?.as_str()?;
    if let Some(function) = FunctionArn::parse(resource) {
        return (function.scope == *scope).then(|| resource.to_owned());
    }
    let (_, integration) = resource.split_once(":states:::")?;
    let integration = integration.strip_suffix(TOKEN).unwrap_or(integration);
    let is_served = SERVED.iter().any(|served| match served.ends_with(':') {
        true => integration.starts_with(served),
        false => integration == *served,
    });
    is_served.then(|| integration.to_owned())
}

fn redirect_task(task: &mut Map<String, Json>, target: &str, function: &str, is_jsonata: bool) {
    let resource = task.get("Resource").and_then(Json::as_str);
    let resource = resource.unwrap_or_default().to_owned();
    let is_jsonata = is_jsonata || task.contains_key("Arguments");
    let property = if is_jsonata {
        "Arguments"
    } else {
        "Parameters"
    };
    let mut input = json!({ "task": target });
    match (task.remove(property), is_jsonata) {
        (Some(parameters), _) => input["input"] = parameters,
        (None, true) => input["input"] = "{% $states.input %}".into(),
        (None, false) => input["input.$"] = "$".into(),
    }
    if resource.ends_with(TOKEN) {
        let partition = resource.split(':').nth(1).unwrap_or("aws");
        let invoke = format!("arn:{partition}:states:::lambda:invoke{TOKEN}");
        task.insert("Resource".to_owned(), invoke.into());
        input = json!({ "FunctionName": function, "Payload": input });
    } else {
        task.insert("Resource".to_owned(), function.into());
    }
    task.insert(property.to_owned(), input);
}

#[cfg(test)]
mod tests {
    use super::*;

    const BRIDGE: &str = "arn:aws:lambda:us-east-1:000000000000:function:bridge";

    fn redirected(mut definition: Json) -> Json {
        let scope = ArnScope::default();
        assert!(calls_gateway(&definition, &scope));
        redirect(&mut definition, BRIDGE, &scope);
        definition
    }

    #[test]
    fn tasks_that_the_gateway_serves_invoke_the_function_with_their_input() {
        let work = "arn:aws:lambda:us-east-1:000000000000:function:work:live";
        let definition = json!({ "StartAt": "A", "States": {
            "A": { "Type": "Task", "Resource": work, "Next": "B" },
            "B": { "Type": "Parallel", "Branches": [{ "StartAt": "C", "States": {
                "C": {
                    "Type": "Task", "Resource": "arn:aws:states:::dynamodb:putItem", "End": true,
                    "Parameters": { "TableName": "t", "Item": { "id": { "S.$": "$.id" } } },
                },
            } }] },
            "D": { "Type": "Map", "ItemProcessor": { "StartAt": "E", "States": {
                "E": { "Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage", "Parameters": {} },
                "F": {
                    "Type": "Task", "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
                    "Parameters": { "FunctionName": work, "Payload": { "token.$": "$$.Task.Token" } },
                },
            } } },
        } });
        let states = &redirected(definition)["States"];
        assert_eq!(
            states["A"],
            json!({
                "Type": "Task", "Resource": BRIDGE, "Next": "B",
                "Parameters": { "task": work, "input.$": "$" },
            })
        );
        assert_eq!(
            states["B"]["Branches"][0]["States"]["C"],
            json!({
                "Type": "Task", "Resource": BRIDGE, "End": true,
                "Parameters": {
                    "task": "dynamodb:putItem",
                    "input": { "TableName": "t", "Item": { "id": { "S.$": "$.id" } } },
                },
            })
        );
        let inner = &states["D"]["ItemProcessor"]["States"];
        assert_eq!(inner["E"]["Resource"], "arn:aws:states:::sqs:sendMessage");
        assert_eq!(
            inner["F"],
            json!({
                "Type": "Task", "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
                "Parameters": { "FunctionName": BRIDGE, "Payload": {
                    "task": "lambda:invoke",
                    "input": { "FunctionName": work, "Payload": { "token.$": "$$.Task.Token" } },
                } },
            })
        );
    }

    #[test]
    fn tasks_with_jsonata_keep_their_arguments() {
        let definition = json!({ "QueryLanguage": "JSONata", "StartAt": "A", "States": {
            "A": { "Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Arguments": "{% $x %}" },
            "B": { "Type": "Task", "Resource": "arn:aws:states:::apigateway:invoke" },
        } });
        let states = &redirected(definition)["States"];
        assert_eq!(
            states["A"]["Arguments"],
            json!({ "task": "lambda:invoke", "input": "{% $x %}" })
        );
        assert_eq!(
            states["B"]["Arguments"],
            json!({ "task": "apigateway:invoke", "input": "{% $states.input %}" })
        );
    }

    #[test]
    fn tasks_of_other_services_and_accounts_stay() {
        let scope = ArnScope::default();
        for resource in [
            "arn:aws:states:::sqs:sendMessage",
            "arn:aws:states:::aws-sdk:s3:getObject",
            "arn:aws:states:us-east-1:000000000000:activity:a",
            "arn:aws:lambda:eu-west-1:000000000000:function:work",
        ] {
            let definition = json!({ "States": { "A": { "Type": "Task", "Resource": resource } } });
            assert!(!calls_gateway(&definition, &scope), "{resource}");
        }
        assert!(!calls_gateway(&Json::Null, &scope));
    }
}
