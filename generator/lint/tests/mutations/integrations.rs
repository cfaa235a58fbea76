//! Mistakes in integrations and in permissions of their functions.

use serde_json::{Value, json};

use crate::authorizers::{another_api, set};
use crate::template::Template;
use crate::{Mistake, mistake};

pub const MISTAKES: &[Mistake] = &[
    mistake(
        "a timeout of 60000",
        "integration-timeout-out-of-range",
        &[
            |it| integration(it, "TimeoutInMillis", json!(60000)),
            |it| change_sam_connect(it, "IntegrationTimeout", json!(60000)),
        ],
    ),
    mistake(
        "a timeout of 29 milliseconds",
        "integration-timeout-out-of-range",
        &[
            |it| integration(it, "TimeoutInMillis", json!(29)),
            |it| change_sam_connect(it, "IntegrationTimeout", json!(29)),
        ],
    ),
    mistake(
        "a timeout under the function's",
        "integration-timeout-under-function",
        &[
            |it| {
                let function = it.connect_function()?;
                set(it, &function, "Timeout", json!(20));
                integration(it, "TimeoutInMillis", json!(5000))
            },
            |it| change_sam_connect(it, "IntegrationTimeout", json!(5000)),
        ],
    ),
    mistake(
        "payload format 2.0",
        "integration-payload-version-2",
        &[|it| integration(it, "PayloadFormatVersion", json!("2.0"))],
    ),
    mistake(
        "the ARN of a function as IntegrationUri",
        "integration-uri-not-invocation",
        &[|it| {
            let function = it.connect_function()?;
            integration(
                it,
                "IntegrationUri",
                json!({ "Fn::GetAtt": [function, "Arn"] }),
            )
        }],
    ),
    mistake(
        "no IntegrationUri",
        "integration-without-uri",
        &[|it| integration(it, "IntegrationUri", Value::Null)],
    ),
    mistake(
        "HTTP_PROXY of a function",
        "function-behind-http-integration",
        &[|it| integration(it, "IntegrationType", json!("HTTP_PROXY"))],
    ),
    mistake(
        "an account in the URI",
        "hard-coded-account",
        &[|it| uri(it, "${AWS::Partition}", "${AWS::Region}", "123456789012")],
    ),
    mistake(
        "a region in the URI",
        "hard-coded-region",
        &[|it| uri(it, "${AWS::Partition}", "eu-west-1", "${AWS::AccountId}")],
    ),
    mistake(
        "a partition in the URI",
        "hard-coded-partition",
        &[|it| uri(it, "aws", "${AWS::Region}", "${AWS::AccountId}")],
    ),
    mistake(
        "a function outside of the stack",
        "function-outside-stack",
        &[|it| {
            let arn = "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/arn:aws:lambda:eu-west-1:123456789012:function:elsewhere/invocations";
            integration(it, "IntegrationUri", json!(arn))
        }],
    ),
    mistake(
        "no permission for $connect",
        "integration-permission-missing",
        &[|it| {
            let function = it.connect_function()?;
            let ids = it.permissions(&function)?;
            let fits = |id: &&String| {
                ids.len() == 1 || it.resources()[*id].to_string().contains("$connect")
            };
            let permission = ids.iter().find(fits)?.clone();
            it.remove(&permission);
            Some(())
        }],
    ),
    mistake(
        "no permission at all",
        "integration-permission-missing",
        &[|it| {
            let function = it.connect_function()?;
            it.permissions(&function)?
                .iter()
                .for_each(|id| it.remove(id));
            Some(())
        }],
    ),
    mistake(
        "a permission for another API",
        "integration-permission-of-another-api",
        &[|it| {
            let other = another_api(it);
            source(it, &format!("${{{other}}}/*"))
        }],
    ),
    mistake(
        "a permission for another stage",
        "integration-permission-missing",
        &[|it| {
            let api = it.api();
            source(it, &format!("${{{api}}}/elsewhere/*"))
        }],
    ),
    mistake(
        "a permission for an API's id that is written in",
        "hard-coded-api-id",
        &[|it| source(it, "a1b2c3d4e5/*")],
    ),
    mistake(
        "a permission without a source",
        "integration-permission-too-wide",
        &[|it| {
            let function = it.connect_function()?;
            let permission = it.permissions(&function)?.into_iter().next()?;
            it.properties(&permission)
                .shift_remove("SourceArn")
                .map(|_| ())
        }],
    ),
    mistake(
        "a permission for another principal",
        "integration-permission-missing",
        &[|it| {
            let function = it.connect_function()?;
            let permissions = it.permissions(&function)?;
            for id in permissions {
                set(it, &id, "Principal", json!("events.amazonaws.com"));
            }
            Some(())
        }],
    ),
    mistake(
        "a role that may not invoke",
        "invoke-role-cannot-invoke",
        &[|it| {
            let id = it.integration(&it.route("$connect")?)?;
            let role = it
                .mentioned(it.resources()[&id]["Properties"].get("CredentialsArn")?)
                .pop()?;
            let text = it.resources()[&role]
                .to_string()
                .replace("lambda:InvokeFunction", "lambda:InvokeAsync");
            it.0["Resources"][&role] = serde_json::from_str(&text).unwrap();
            // A separate policy, as CDK writes.
            it.remove_action("lambda:InvokeFunction");
            Some(())
        }],
    ),
    mistake(
        "an answer on a one-way route",
        "integration-response-on-one-way-route",
        &[|it| {
            let (route, api) = (it.message_route()?, it.api());
            let integration = it.integration(&route)?;
            // The response of an integration on a two-way route reaches a client.
            let named = |it: &Value| {
                it["Properties"]["Target"]
                    .to_string()
                    .contains(&integration)
            };
            let answers =
                |it: &Value| it["Properties"]["RouteResponseSelectionExpression"].is_string();
            if it.find(|it| named(it) && answers(it)).is_some() {
                return None;
            }
            it.put(
                "Answer",
                "AWS::ApiGatewayV2::IntegrationResponse",
                json!({
                    "ApiId": { "Ref": api },
                    "IntegrationId": { "Ref": integration },
                    "IntegrationResponseKey": "$default",
                    "ResponseTemplates": { "$default": "{}" },
                }),
            );
            if let Some(deployment) = it.deployment() {
                it.0["Resources"][&deployment]["DependsOn"]
                    .as_array_mut()?
                    .push(json!("Answer"));
            }
            Some(())
        }],
    ),
    mistake(
        "an integration that no route names",
        "integration-never-used",
        &[|it| {
            let id = it.integration(&it.route("$connect")?)?;
            let properties = it.properties(&id).clone();
            it.put("Idle", "AWS::ApiGatewayV2::Integration", properties.into());
            Some(())
        }],
    ),
    mistake(
        "a permission for an alias that is not called",
        "permission-on-other-qualifier",
        &[|it| {
            let function = it.connect_function()?;
            let permission = it.permissions(&function)?.into_iter().next()?;
            it.put("Live", "AWS::Lambda::Alias", json!({
            "FunctionName": { "Ref": function }, "FunctionVersion": "$LATEST", "Name": "live",
        }));
            set(it, &permission, "FunctionName", json!({ "Ref": "Live" }));
            Some(())
        }],
    ),
];

fn integration(it: &mut Template, key: &str, value: Value) -> Option<()> {
    let id = it.integration(&it.route("$connect")?)?;
    set(it, &id, key, value);
    Some(())
}

/// Sets a property of the `$connect` route of a SAM resource.
fn change_sam_connect(it: &mut Template, key: &str, value: Value) -> Option<()> {
    let api = it.api();
    it.properties(&api).get_mut("Routes")?["$connect"][key] = value;
    Some(())
}

/// Names the function of `$connect` in a partly literal ARN.
fn uri(it: &mut Template, partition: &str, region: &str, account: &str) -> Option<()> {
    let function = it.connect_function()?;
    let arn = format!("arn:{partition}:lambda:{region}:{account}:function:${{{function}}}");
    let path = format!(
        "arn:{partition}:apigateway:{region}:lambda:path/2015-03-31/functions/{arn}/invocations"
    );
    integration(it, "IntegrationUri", json!({ "Fn::Sub": path }))
}

/// Gives the function of `$connect` one permission with a source.
fn source(it: &mut Template, source: &str) -> Option<()> {
    let function = it.connect_function()?;
    let mut permissions = it.permissions(&function)?.into_iter();
    let kept = permissions.next()?;
    set(it, &kept, "SourceArn", source_arn(source));
    permissions.for_each(|id| it.remove(&id));
    Some(())
}

/// Returns the ARN of a part of an API in the stack's region and account.
pub fn source_arn(part: &str) -> Value {
    let arn =
        format!("arn:${{AWS::Partition}}:execute-api:${{AWS::Region}}:${{AWS::AccountId}}:{part}");
    json!({ "Fn::Sub": arn })
}
