//! Mistakes in routes.

use serde_json::{Value, json};

use crate::authorizers::{another_api, set, without_authorizer};
use crate::integrations::source_arn;
use crate::template::Template;
use crate::{Mistake, mistake};

pub const MISTAKES: &[Mistake] = &[
    mistake(
        "no $connect beside an authorizer",
        "connect-open-beside-authorizer",
        &[|it| {
            it.authorizer()?;
            without(it, "$connect")
        }],
    ),
    mistake(
        "no $connect",
        "connect-route-missing",
        &[
            |it| {
                without_authorizer(it)?;
                without(it, "$connect")
            },
            |it| {
                // SAM refuses an authorizer without $connect.
                let api = it.api();
                let properties = it.0["Resources"][&api]["Properties"].as_object_mut()?;
                properties.remove("Auth")?;
                without(it, "$connect")
            },
            |it| without(it, "$connect"),
        ],
    ),
    mistake(
        "no $disconnect",
        "disconnect-route-missing",
        &[|it| without(it, "$disconnect")],
    ),
    mistake(
        "no $default",
        "default-route-missing",
        &[|it| without(it, "$default")],
    ),
    mistake(
        "one key twice",
        "duplicate-route-key",
        &[|it| {
            let route = it.message_route()?;
            add(it, "Twice", &route, &[])
        }],
    ),
    mistake(
        "$Default",
        "reserved-route-key",
        &[|it| {
            let route = it.route("$default")?;
            change(it, &route, "RouteKey", json!("$Default"))
        }],
    ),
    mistake(
        "$Default in SAM",
        "sam-route-key-refused",
        &[|it| rename_in_sam(it, "$default", "$Default")],
    ),
    mistake(
        "send-message in SAM",
        "sam-route-key-refused",
        &[|it| rename_in_sam(it, "sendMessage", "send-message")],
    ),
    mistake(
        "$message",
        "reserved-route-key",
        &[|it| {
            let route = it.message_route()?;
            change(it, &route, "RouteKey", json!("$message"))
        }],
    ),
    mistake(
        "POST /messages",
        "http-route-key",
        &[|it| {
            let route = it.message_route()?;
            let key = it.properties(&route)["RouteKey"].as_str()?.to_owned();
            // Its permission has a name that sorts after it.
            let text =
                it.0.to_string()
                    .replace(&format!("/*{key}\""), "/*POST /messages\"");
            let text = text.replace(&format!("/{key}\""), "/POST /messages\"");
            it.0 = serde_json::from_str(&text).unwrap();
            change(it, &route, "RouteKey", json!("POST /messages"))
        }],
    ),
    mistake(
        "no target",
        "route-without-target",
        &[|it| {
            let route = it.message_route()?;
            change(it, &route, "Target", Value::Null)
        }],
    ),
    mistake(
        "no target of $connect",
        "route-without-target",
        &[|it| {
            let route = it.route("$connect")?;
            change(it, &route, "Target", Value::Null)
        }],
    ),
    mistake(
        "a function as target",
        "dangling-target",
        &[|it| {
            let (route, function) = (it.message_route()?, it.connect_function()?);
            change(
                it,
                &route,
                "Target",
                json!({ "Fn::Sub": format!("integrations/${{{function}}}") }),
            )
        }],
    ),
    mistake(
        "a target of another API",
        "target-of-another-api",
        &[|it| {
            let (route, other) = (it.message_route()?, another_api(it));
            let integration = it.integration(&route)?;
            let mut properties = it.properties(&integration).clone();
            properties.insert("ApiId".to_owned(), json!({ "Ref": other }));
            it.put(
                "Foreign",
                "AWS::ApiGatewayV2::Integration",
                properties.into(),
            );
            change(
                it,
                &route,
                "Target",
                json!({ "Fn::Sub": "integrations/${Foreign}" }),
            )
        }],
    ),
    mistake(
        "a target without integrations/",
        "target-without-integrations-prefix",
        &[|it| {
            let route = it.message_route()?;
            let integration = it.integration(&route)?;
            change(it, &route, "Target", json!({ "Ref": integration }))
        }],
    ),
    mistake(
        "an expression without a route response",
        "half-two-way-route",
        &[
            |it| {
                let route = it.message_route()?;
                change(
                    it,
                    &route,
                    "RouteResponseSelectionExpression",
                    json!("$default"),
                )
            },
            |it| {
                let api = it.api();
                let route = it
                    .properties(&api)
                    .get_mut("Routes")?
                    .get_mut("sendMessage")?;
                route["RouteResponseSelectionExpression"] = json!("$default");
                Some(())
            },
        ],
    ),
    mistake(
        "a route response without an expression",
        "half-two-way-route",
        &[|it| {
            let (route, api) = (it.message_route()?, it.api());
            it.put("Answer", "AWS::ApiGatewayV2::RouteResponse", json!({
            "ApiId": { "Ref": api }, "RouteId": { "Ref": route }, "RouteResponseKey": "$default",
        }));
            if let Some(deployment) = it.deployment() {
                it.0["Resources"][&deployment]["DependsOn"]
                    .as_array_mut()?
                    .push(json!("Answer"));
            }
            Some(())
        }],
    ),
    mistake(
        "parameters of a message",
        "request-parameters-off-connect",
        &[
            |it| {
                let route = it.message_route()?;
                let parameters =
                    json!({ "route.request.querystring.session": { "Required": true } });
                change(it, &route, "RequestParameters", parameters)
            },
            |it| {
                let api = it.api();
                let route = it
                    .properties(&api)
                    .get_mut("Routes")?
                    .get_mut("sendMessage")?;
                route["RequestParameters"] =
                    json!({ "route.request.querystring.session": { "Required": true } });
                Some(())
            },
        ],
    ),
    mistake(
        "keys that collide in SAM",
        "sam-route-keys-collide",
        &[|it| {
            let api = it.api();
            let routes = it.properties(&api).get_mut("Routes")?;
            routes["sendmessage"] = routes["sendMessage"].clone();
            Some(())
        }],
    ),
    mistake(
        "request.body.action without $",
        "static-route-selection",
        &[|it| of_api(it, "RouteSelectionExpression", json!("request.body.action"))],
    ),
    mistake(
        "selection by a header",
        "static-route-selection",
        &[|it| {
            of_api(
                it,
                "RouteSelectionExpression",
                json!("$request.header.action"),
            )
        }],
    ),
    mistake(
        "no route selection",
        "route-selection-missing",
        &[|it| of_api(it, "RouteSelectionExpression", Value::Null)],
    ),
    mistake(
        "CORS",
        "http-api-property",
        &[|it| {
            if it.kind(&it.api()) != "AWS::ApiGatewayV2::Api" {
                return None;
            }
            of_api(it, "CorsConfiguration", json!({ "AllowOrigins": ["*"] }))
        }],
    ),
    mistake(
        "a key that no expression comes to",
        "route-never-selected",
        &[|it| {
            of_api(
                it,
                "RouteSelectionExpression",
                json!("chat/${request.body.action}"),
            )
        }],
    ),
    mistake(
        "an API key from the query string",
        "api-key-selection-unsupported",
        &[|it| {
            of_api(
                it,
                "ApiKeySelectionExpression",
                json!("$request.querystring.key"),
            )
        }],
    ),
    mistake(
        "a model that nothing selects",
        "request-models-without-selection",
        &[|it| {
            let (route, api) = (it.message_route()?, it.api());
            it.put("Message", "AWS::ApiGatewayV2::Model", json!({
            "ApiId": { "Ref": api }, "Name": "message", "ContentType": "application/json", "Schema": {},
        }));
            it.0["Resources"][&route]["DependsOn"] = json!("Message");
            change(
                it,
                &route,
                "RequestModels",
                json!({ "$default": "message" }),
            )
        }],
    ),
];

fn change(it: &mut Template, id: &str, key: &str, value: Value) -> Option<()> {
    set(it, id, key, value);
    Some(())
}

fn of_api(it: &mut Template, key: &str, value: Value) -> Option<()> {
    let api = it.api();
    change(it, &api, key, value)
}

fn without(it: &mut Template, key: &str) -> Option<()> {
    if let Some(route) = it.route(key) {
        it.remove(&route);
        return Some(());
    }
    let api = it.api();
    it.properties(&api)
        .get_mut("Routes")?
        .as_object_mut()?
        .shift_remove(key)
        .map(|_| ())
}

fn rename_in_sam(it: &mut Template, from: &str, to: &str) -> Option<()> {
    let api = it.api();
    let routes = it.properties(&api).get_mut("Routes")?.as_object_mut()?;
    let route = routes.shift_remove(from)?;
    routes.insert(to.to_owned(), route);
    Some(())
}

/// Adds a copy of a route that may invoke its function and on which the deployment depends.
pub fn add(it: &mut Template, id: &str, like: &str, values: &[(&str, Value)]) -> Option<()> {
    let properties = it.properties(like).clone();
    it.put(id, "AWS::ApiGatewayV2::Route", properties.into());
    for (key, value) in values {
        set(it, id, key, value.clone());
    }
    if let Some(deployment) = it.deployment() {
        let waits = it.0["Resources"][&deployment]["DependsOn"].as_array_mut();
        waits?.push(json!(id));
    }
    let integration = it.integration(like)?;
    let function = it.function(&it.resources()[&integration]["Properties"]["IntegrationUri"])?;
    let permissions = it.permissions(&function).unwrap_or_default();
    let is_narrow = |id: &String| it.resources()[id]["Properties"].get("SourceArn").is_some();
    if permissions.iter().any(is_narrow) {
        let api = it.api();
        let source = source_arn(&format!("${{{api}}}/*"));
        it.put(
            "PermissionOfAll",
            "AWS::Lambda::Permission",
            json!({
                "FunctionName": { "Ref": function },
                "Action": "lambda:InvokeFunction",
                "Principal": "apigateway.amazonaws.com",
                "SourceArn": source,
            }),
        );
    }
    Some(())
}
