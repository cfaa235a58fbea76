//! Mistakes in deployments and stages.

use serde_json::{Value, json};

use crate::authorizers::{rename_deployment, set, without_authorizer};
use crate::routes::add;
use crate::template::Template;
use crate::{Mistake, mistake};

pub const MISTAKES: &[Mistake] = &[
    mistake(
        "a stage without a deployment",
        "stage-serves-nothing",
        &[|it| {
            let stage = it.stage()?;
            set(it, &stage, "AutoDeploy", Value::Null);
            set(it, &stage, "DeploymentId", Value::Null);
            if let Some(deployment) = it.deployment() {
                it.remove(&deployment);
            }
            Some(())
        }],
    ),
    mistake(
        "a deployment beside a stage that serves nothing",
        "stage-serves-nothing",
        &[|it| {
            let stage = it.stage()?;
            it.deployment()?;
            set(it, &stage, "DeploymentId", Value::Null);
            Some(())
        }],
    ),
    mistake(
        "DeploymentId and AutoDeploy",
        "deployment-id-with-auto-deploy",
        &[|it| {
            let stage = it.stage()?;
            it.properties(&stage).get("DeploymentId")?;
            set(it, &stage, "AutoDeploy", json!(true));
            Some(())
        }],
    ),
    mistake(
        "no DependsOn",
        "deployment-without-depends-on",
        &[|it| {
            let id = it.deployment()?;
            it.0["Resources"][&id]
                .as_object_mut()?
                .shift_remove("DependsOn")
                .map(|_| ())
        }],
    ),
    mistake(
        "one route is not waited for",
        "deployment-without-depends-on",
        &[|it| {
            let (id, route) = (it.deployment()?, it.message_route()?);
            it.0["Resources"][&id]["DependsOn"]
                .as_array_mut()?
                .retain(|id| *id != route.as_str());
            Some(())
        }],
    ),
    mistake(
        "a constant logical id of the deployment",
        "constant-deployment-id",
        &[|it| {
            let id = it.deployment()?;
            let text =
                it.0.to_string()
                    .replace(&format!("\"{id}\""), "\"Deployment\"");
            it.0 = serde_json::from_str(&text).unwrap();
            Some(())
        }],
    ),
    mistake(
        "a route that is new, and the old deployment",
        "snapshot-changed-deployment-did-not",
        &[|it| {
            it.deployment()?;
            let route = it.message_route()?;
            add(it, "NewRoute", &route, &[("RouteKey", json!("new"))])
        }],
    )
    .compares(),
    mistake(
        "$connect is opened, and the old deployment",
        "snapshot-changed-deployment-did-not",
        &[|it| {
            it.deployment()?;
            let route = it.route("$connect")?;
            set(it, &route, "AuthorizationType", json!("AWS_IAM"));
            set(it, &route, "AuthorizerId", Value::Null);
            without_authorizer(it)?;
            Some(())
        }],
    )
    .compares(),
    mistake(
        "a route leaves with its deployment",
        "removed-route-still-deployed",
        &[|it| {
            it.deployment()?;
            let route = it.message_route()?;
            it.remove(&route);
            rename_deployment(it);
            Some(())
        }],
    )
    .compares(),
    mistake(
        "a deployment's id is written in",
        "literal-deployment-id",
        &[|it| {
            let stage = it.stage()?;
            let deployment = it.deployment()?;
            it.remove(&deployment);
            set(it, &stage, "DeploymentId", json!("a1b2c3"));
            Some(())
        }],
    ),
    mistake(
        "a deployment that no stage serves",
        "deployment-never-used",
        &[|it| {
            let (stage, deployment) = (it.stage()?, it.deployment()?);
            let copy = it.resources()[&deployment].clone();
            it.0["Resources"]["Idle2FA999A1D4"] = copy;
            it.properties(&stage).get("DeploymentId")?;
            Some(())
        }],
    ),
    mistake(
        "throttle 0",
        "throttle-zero",
        &[
            |it| {
                let stage = it.stage()?;
                let mut settings = it
                    .properties(&stage)
                    .get("DefaultRouteSettings")
                    .cloned()
                    .unwrap_or(json!({}));
                settings["ThrottlingBurstLimit"] = json!(0);
                set(it, &stage, "DefaultRouteSettings", settings);
                Some(())
            },
            |it| {
                change_sam_connect(
                    it,
                    "DefaultRouteSettings",
                    json!({ "ThrottlingBurstLimit": 0, "ThrottlingRateLimit": 0 }),
                )
            },
        ],
    ),
    mistake(
        "throttle 0 of a route",
        "throttle-zero",
        &[|it| {
            let stage = it.stage()?;
            it.deployment()?;
            set(
                it,
                &stage,
                "RouteSettings",
                json!({ "$default": { "ThrottlingRateLimit": 0 } }),
            );
            Some(())
        }],
    ),
    mistake(
        "settings of a route that is not there",
        "route-settings-for-unknown-route",
        &[
            |it| {
                let stage = it.stage()?;
                set(
                    it,
                    &stage,
                    "RouteSettings",
                    json!({ "elsewhere": { "ThrottlingRateLimit": 5 } }),
                );
                Some(())
            },
            |it| {
                change_sam_connect(
                    it,
                    "RouteSettings",
                    json!({ "elsewhere": { "ThrottlingRateLimit": 5 } }),
                )
            },
        ],
    ),
    mistake(
        "a log without a request id",
        "access-log-without-request-id",
        &[
            |it| format(it, "$context.connectionId $context.eventType"),
            |it| {
                it.put(
                    "Logs",
                    "AWS::Logs::LogGroup",
                    json!({ "RetentionInDays": 7 }),
                );
                change_sam_connect(
                    it,
                    "AccessLogSettings",
                    json!({
                        "DestinationArn": { "Fn::GetAtt": ["Logs", "Arn"] }, "Format": "$context.connectionId",
                    }),
                )
            },
        ],
    ),
    mistake(
        "variables of HTTP APIs in a log",
        "access-log-unknown-variable",
        &[|it| format(it, "$context.requestId $context.httpMethod $context.path")],
    ),
    mistake(
        "a log without the account's role",
        "log-settings-without-account-role",
        &[|it| {
            let stage = it.stage()?;
            if it.properties(&stage).contains_key("AccessLogSettings") {
                return None;
            }
            format(it, "$context.requestId $context.eventType")
        }],
    ),
    mistake(
        "a stage of that name is there",
        "duplicate-stage-name",
        &[|it| {
            let stage = it.stage()?;
            let copy = it.resources()[&stage].clone();
            it.0["Resources"]["Twin"] = copy;
            Some(())
        }],
    ),
    mistake(
        "a stage name with a dot",
        "stage-name-invalid",
        &[|it| {
            let stage = it.stage()?;
            let text = it.0.to_string().replace("/prod", "/v1.0");
            it.0 = serde_json::from_str(&text).unwrap();
            set(it, &stage, "StageName", json!("v1.0"));
            Some(())
        }],
    ),
    mistake(
        "a mapping that does not wait for its stage",
        "api-mapping-before-stage",
        &[|it| {
            let (api, stage) = (it.api(), it.stage()?);
            let name = it.properties(&stage)["StageName"].clone();
            domain(it);
            it.put(
                "Mapping",
                "AWS::ApiGatewayV2::ApiMapping",
                json!({
                    "ApiId": { "Ref": api }, "DomainName": { "Ref": "Domain" }, "Stage": name,
                }),
            );
            Some(())
        }],
    ),
    mistake(
        "a web ACL",
        "unsupported-waf",
        &[|it| {
            let (api, stage) = (it.api(), it.stage()?);
            let arn = format!(
                "arn:${{AWS::Partition}}:apigateway:${{AWS::Region}}::/apis/${{{api}}}/stages/${{{stage}}}"
            );
            it.put(
                "Guard",
                "AWS::WAFv2::WebACLAssociation",
                json!({
                    "ResourceArn": { "Fn::Sub": arn },
                    "WebACLArn": "arn:aws:wafv2:eu-west-1:123456789012:regional/webacl/a/b",
                }),
            );
            Some(())
        }],
    ),
    mistake(
        "an API of another kind at the domain",
        "domain-shared-with-http-api",
        &[|it| {
            let (api, stage) = (it.api(), it.stage()?);
            domain(it);
            it.put(
                "Other",
                "AWS::ApiGatewayV2::Api",
                json!({ "Name": "other", "ProtocolType": "HTTP" }),
            );
            it.put(
                "OtherStage",
                "AWS::ApiGatewayV2::Stage",
                json!({
                    "ApiId": { "Ref": "Other" }, "StageName": "$default", "AutoDeploy": true,
                }),
            );
            it.put("Mapping", "AWS::ApiGatewayV2::ApiMapping", json!({
            "ApiId": { "Ref": api }, "DomainName": { "Ref": "Domain" }, "Stage": { "Ref": stage },
        }));
            it.put("OtherMapping", "AWS::ApiGatewayV2::ApiMapping", json!({
            "ApiId": { "Ref": "Other" }, "DomainName": { "Ref": "Domain" }, "Stage": { "Ref": "OtherStage" },
            "ApiMappingKey": "http",
        }));
            Some(())
        }],
    ),
];

fn domain(it: &mut Template) {
    it.put(
        "Domain",
        "AWS::ApiGatewayV2::DomainName",
        json!({
            "DomainName": "ws.example.com",
            "DomainNameConfigurations": [{
                "EndpointType": "REGIONAL",
                "SecurityPolicy": "TLS_1_2",
                "CertificateArn": "arn:aws:acm:eu-west-1:123456789012:certificate/a",
            }],
        }),
    );
}

fn change_sam_connect(it: &mut Template, key: &str, value: Value) -> Option<()> {
    let api = it.api();
    (it.kind(&api) == "AWS::Serverless::WebSocketApi").then(|| set(it, &api, key, value))
}

fn format(it: &mut Template, format: &str) -> Option<()> {
    let stage = it.stage()?;
    it.put(
        "Logs",
        "AWS::Logs::LogGroup",
        json!({ "RetentionInDays": 7 }),
    );
    let mut settings = it.properties(&stage).get("AccessLogSettings").cloned();
    let settings = settings
        .get_or_insert_with(|| json!({ "DestinationArn": { "Fn::GetAtt": ["Logs", "Arn"] } }));
    settings["Format"] = json!(format);
    set(it, &stage, "AccessLogSettings", settings.clone());
    Some(())
}
