//! Mistakes in authorizers and in the authorization of `$connect`.

use serde_json::{Value, json};

use crate::integrations::source_arn;
use crate::template::Template;
use crate::{Mistake, mistake};

pub const MISTAKES: &[Mistake] = &[
    mistake(
        "$connect NONE beside an authorizer",
        "connect-open-beside-authorizer",
        &[|it| {
            connect(
                it,
                &[
                    ("AuthorizationType", json!("NONE")),
                    ("AuthorizerId", Value::Null),
                ],
            )
        }],
    ),
    mistake(
        "$connect without a type beside an authorizer",
        "connect-open-beside-authorizer",
        &[|it| {
            connect(
                it,
                &[
                    ("AuthorizationType", Value::Null),
                    ("AuthorizerId", Value::Null),
                ],
            )
        }],
    ),
    mistake(
        "$connect NONE with an AuthorizerId",
        "authorizer-id-without-custom",
        &[
            |it| connect(it, &[("AuthorizationType", json!("NONE"))]),
            |it| auth(it, &[("AuthType", json!("NONE"))]),
        ],
    ),
    mistake(
        "$connect without a type with an AuthorizerId",
        "authorizer-id-without-custom",
        &[
            |it| connect(it, &[("AuthorizationType", Value::Null)]),
            |it| auth(it, &[("AuthType", Value::Null)]),
        ],
    ),
    mistake(
        "$connect CUSTOM without an AuthorizerId",
        "custom-without-authorizer",
        &[
            |it| connect(it, &[("AuthorizerId", Value::Null)]),
            |it| {
                auth(
                    it,
                    &[("AuthArn", Value::Null), ("IdentitySource", Value::Null)],
                )
            },
        ],
    ),
    mistake(
        "a second authorizer that no route names",
        "authorizer-never-attached",
        &[second],
    ),
    mistake(
        "an authorizer beside AWS_IAM",
        "authorizer-never-attached",
        &[|it| {
            connect(
                it,
                &[
                    ("AuthorizationType", json!("AWS_IAM")),
                    ("AuthorizerId", Value::Null),
                ],
            )
        }],
    ),
    mistake(
        "CUSTOM on a message route too",
        "authorization-off-connect",
        &[|it| {
            let (route, id) = (it.message_route()?, it.authorizer()?);
            set(it, &route, "AuthorizationType", json!("CUSTOM"));
            set(it, &route, "AuthorizerId", json!({ "Ref": id }));
            Some(())
        }],
    ),
    mistake(
        "CUSTOM on $default in the place of $connect",
        "authorization-off-connect",
        &[|it| {
            let (route, id) = (it.route("$default")?, it.authorizer()?);
            set(it, &route, "AuthorizationType", json!("CUSTOM"));
            set(it, &route, "AuthorizerId", json!({ "Ref": id }));
            connect(
                it,
                &[
                    ("AuthorizationType", json!("NONE")),
                    ("AuthorizerId", Value::Null),
                ],
            )
        }],
    ),
    mistake(
        "an authorizer of the type JWT",
        "jwt-on-websocket",
        &[|it| {
            let id = it.authorizer()?;
            it.put(&id, "AWS::ApiGatewayV2::Authorizer", json!({
            "ApiId": { "Ref": it.api() },
            "Name": "jwt",
            "AuthorizerType": "JWT",
            "IdentitySource": ["$request.header.Authorization"],
            "JwtConfiguration": { "Audience": ["client"], "Issuer": "https://issuer.example.com" },
        }));
            for permission in it
                .find_all(|it| it.to_string().contains("/authorizers/"))
                .collect::<Vec<_>>()
            {
                if it.kind(&permission) == "AWS::Lambda::Permission" {
                    it.remove(&permission);
                }
            }
            connect(it, &[("AuthorizationType", json!("JWT"))])
        }],
    ),
    mistake(
        "$connect of the type JWT",
        "jwt-on-websocket",
        &[
            |it| connect(it, &[("AuthorizationType", json!("JWT"))]),
            |it| auth(it, &[("AuthType", json!("JWT"))]),
        ],
    ),
    mistake(
        "JWT of the authorizer alone",
        "jwt-on-websocket",
        &[|it| authorizer(it, "AuthorizerType", json!("JWT"))],
    ),
    mistake(
        "an authorizer of the type TOKEN",
        "authorizer-not-request",
        &[|it| authorizer(it, "AuthorizerType", json!("TOKEN"))],
    ),
    mistake(
        "$connect of the type COGNITO_USER_POOLS",
        "no-such-authorization-type",
        &[
            |it| connect(it, &[("AuthorizationType", json!("COGNITO_USER_POOLS"))]),
            |it| auth(it, &[("AuthType", json!("COGNITO_USER_POOLS"))]),
        ],
    ),
    mistake(
        "AuthorizerResultTtlInSeconds 0",
        "authorizer-result-ttl",
        &[|it| authorizer(it, "AuthorizerResultTtlInSeconds", json!(0))],
    ),
    mistake(
        "EnableSimpleResponses",
        "authorizer-simple-responses",
        &[|it| authorizer(it, "EnableSimpleResponses", json!(true))],
    ),
    mistake(
        "AuthorizerPayloadFormatVersion",
        "authorizer-payload-version",
        &[|it| authorizer(it, "AuthorizerPayloadFormatVersion", json!("2.0"))],
    ),
    mistake(
        "the ARN of a function as AuthorizerUri",
        "authorizer-uri-not-invocation",
        &[|it| {
            let function = it.authorizer_function()?;
            authorizer(
                it,
                "AuthorizerUri",
                json!({ "Fn::GetAtt": [function, "Arn"] }),
            )
        }],
    ),
    mistake(
        "no AuthorizerUri",
        "authorizer-without-function",
        &[|it| authorizer(it, "AuthorizerUri", Value::Null)],
    ),
    mistake(
        "the function as AuthorizerId",
        "authorizer-of-another-api",
        &[|it| {
            let function = it.authorizer_function()?;
            connect(it, &[("AuthorizerId", json!({ "Ref": function }))])
        }],
    ),
    mistake(
        "$request.header.Authorization",
        "http-api-identity-source",
        &[|it| identity_source(it, json!(["$request.header.Authorization"]))],
    ),
    mistake(
        "$request.querystring.token",
        "http-api-identity-source",
        &[|it| identity_source(it, json!(["$request.querystring.token"]))],
    ),
    mistake(
        "method.request.header.Authorization",
        "http-api-identity-source",
        &[|it| identity_source(it, json!(["method.request.header.Authorization"]))],
    ),
    mistake(
        "an identity source with a space",
        "identity-source-malformed",
        &[|it| identity_source(it, json!(["route.request.header.My Token"]))],
    ),
    mistake(
        "an identity source where the stack records mixed callers",
        "identity-source-shuts-out-anonymous",
        &[|it| {
            let id = it.authorizer()?;
            it.0["Resources"][&id]["Metadata"] = json!({ "Stackgen": { "Callers": "mixed" } });
            it.properties(&id).shift_remove("IdentitySource");
            authorizer(
                it,
                "IdentitySource",
                json!(["route.request.querystring.ticket"]),
            )
        }],
    ),
    mistake(
        "a token demanded although the function admits callers without",
        "identity-source-shuts-out-anonymous",
        &[|it| {
            let function = it.authorizer_function()?;
            it.set_variable(&function, "ALLOW_ANONYMOUS", json!("true"));
            identity_source(it, json!(["route.request.querystring.token"]))
        }],
    ),
    mistake(
        "a header demanded of browsers",
        "header-identity-source-for-browsers",
        &[|it| {
            let function = it.connect_function()?;
            it.set_variable(
                &function,
                "ALLOWED_ORIGINS",
                json!("https://app.example.com"),
            );
            // Anonymous callers are another mistake.
            if let Some(id) = it.authorizer() {
                it.0["Resources"][&id]["Metadata"] = Value::Null;
                let function = it.authorizer_function()?;
                it.set_variable(&function, "AUTHORIZER_CALLERS", json!("authenticated"));
            }
            identity_source(it, json!(["route.request.header.Authorization"]))
        }],
    ),
    mistake(
        "no permission for the authorizer",
        "authorizer-permission-missing",
        &[|it| {
            let function = it.authorizer_function()?;
            it.permissions(&function)?
                .iter()
                .for_each(|id| it.remove(id));
            Some(())
        }],
    ),
    mistake(
        "the authorizer's permission is for routes",
        "authorizer-permission-missing",
        &[|it| {
            let api = it.api();
            source_of_authorizer(it, &format!("${{{api}}}/*/$connect"))
        }],
    ),
    mistake(
        "the authorizer's permission is for another API",
        "authorizer-permission-of-another-api",
        &[|it| {
            let other = another_api(it);
            source_of_authorizer(it, &format!("${{{other}}}/authorizers/*"))
        }],
    ),
    mistake(
        "the authorizer's permission is for an API's id that is written in",
        "hard-coded-api-id",
        &[|it| source_of_authorizer(it, "a1b2c3d4e5/authorizers/*")],
    ),
    mistake(
        "the authorizer's permission has no source",
        "authorizer-permission-without-source",
        &[|it| {
            let function = it.authorizer_function()?;
            let permission = it.permissions(&function)?.pop()?;
            it.properties(&permission)
                .shift_remove("SourceArn")
                .map(|_| ())
        }],
    ),
    mistake(
        "two authorizers of one name",
        "duplicate-authorizer-name",
        &[|it| {
            let (route, first) = (it.route("$connect")?, it.authorizer()?);
            let name = it.properties(&first)["Name"].clone();
            second(it)?;
            it.properties("Second").insert("Name".to_owned(), name);
            // Another route uses it, so that it is attached.
            it.0["Conditions"] =
                json!({ "Two": { "Fn::Equals": [{ "Ref": "AWS::Region" }, "eu-west-1"] } });
            let ids = json!({ "Fn::If": ["Two", { "Ref": "Second" }, { "Ref": first }] });
            set(it, &route, "AuthorizerId", ids);
            Some(())
        }],
    ),
    mistake(
        "the identity source goes without a word",
        "identity-source-removed",
        &[
            |it| {
                let id = it.authorizer()?;
                let sources = it.properties(&id).shift_remove("IdentitySource")?;
                rename_deployment(it);
                (!sources.as_array()?.is_empty()).then_some(())
            },
            |it| {
                let api = it.api();
                it.properties(&api)
                    .get_mut("Auth")?
                    .as_object_mut()?
                    .shift_remove("IdentitySource")
                    .map(|_| ())
            },
        ],
    )
    .compares(),
    mistake(
        "the type of $connect goes without a word",
        "authorization-type-removed",
        &[
            |it| {
                without_authorizer(it)?;
                rename_deployment(it);
                connect(
                    it,
                    &[
                        ("AuthorizationType", Value::Null),
                        ("AuthorizerId", Value::Null),
                    ],
                )
            },
            |it| {
                let api = it.api();
                it.properties(&api).shift_remove("Auth").map(|_| ())
            },
        ],
    )
    .compares(),
];

/// Sets a property, or removes it.
pub fn set(it: &mut Template, id: &str, key: &str, value: Value) {
    match value {
        Value::Null => drop(it.properties(id).shift_remove(key)),
        value => drop(it.properties(id).insert(key.to_owned(), value)),
    }
}

fn connect(it: &mut Template, values: &[(&str, Value)]) -> Option<()> {
    let route = it.route("$connect")?;
    values
        .iter()
        .for_each(|(key, value)| set(it, &route, key, value.clone()));
    Some(())
}

/// Changes `Auth` of a SAM resource.
fn auth(it: &mut Template, values: &[(&str, Value)]) -> Option<()> {
    let api = it.api();
    let auth = it.properties(&api).get_mut("Auth")?.as_object_mut()?;
    for (key, value) in values {
        match value {
            Value::Null => drop(auth.shift_remove(*key)),
            value => drop(auth.insert((*key).to_owned(), value.clone())),
        }
    }
    Some(())
}

fn authorizer(it: &mut Template, key: &str, value: Value) -> Option<()> {
    let id = it.authorizer()?;
    set(it, &id, key, value);
    Some(())
}

/// Sets identity sources, in a template that admits no anonymous callers.
fn identity_source(it: &mut Template, sources: Value) -> Option<()> {
    if let Some(id) = it.authorizer() {
        set(it, &id, "IdentitySource", sources);
        return Some(());
    }
    auth(it, &[("IdentitySource", sources)])
}

/// Adds a second authorizer with its permission, which no route uses.
fn second(it: &mut Template) -> Option<()> {
    let first = it.authorizer()?;
    let mut properties = it.properties(&first).clone();
    properties.insert("Name".to_owned(), json!("second"));
    it.put("Second", "AWS::ApiGatewayV2::Authorizer", properties.into());
    let function = it.authorizer_function()?;
    let Some(permission) = it.permissions(&function).and_then(|mut ids| ids.pop()) else {
        return Some(());
    };
    let permission = it.properties(&permission);
    // A permission without a source is for this authorizer too.
    if permission.contains_key("SourceArn") {
        let text = Value::from(permission.clone()).to_string();
        let properties = serde_json::from_str(&text.replace(&first, "Second")).unwrap();
        it.put("SecondPermission", "AWS::Lambda::Permission", properties);
    }
    Some(())
}

fn source_of_authorizer(it: &mut Template, source: &str) -> Option<()> {
    let function = it.authorizer_function()?;
    let permission = it.permissions(&function)?.pop()?;
    set(it, &permission, "SourceArn", source_arn(source));
    Some(())
}

/// Removes the authorizer and its permissions.
pub fn without_authorizer(it: &mut Template) -> Option<()> {
    let id = it.authorizer()?;
    it.remove(&id);
    let naming = it.find_all(|it| it.to_string().contains(&id));
    for permission in naming.collect::<Vec<_>>() {
        if it.kind(&permission) == "AWS::Lambda::Permission" {
            it.remove(&permission);
        }
    }
    Some(())
}

/// Adds an HTTP API.
pub fn another_api(it: &mut Template) -> String {
    it.put(
        "Other",
        "AWS::ApiGatewayV2::Api",
        json!({ "Name": "other", "ProtocolType": "HTTP" }),
    );
    "Other".to_owned()
}

/// Gives the deployment another logical ID, as new wiring does.
pub fn rename_deployment(it: &mut Template) {
    if let Some(id) = it.deployment() {
        let text =
            it.0.to_string()
                .replace(&format!("\"{id}\""), &format!("\"{id}2\""));
        it.0 = serde_json::from_str(&text).unwrap();
    }
}
