//! Converts CloudFormation's properties to the input of API Gateway's API: names in camel case, and numbers and booleans that
//! the template writes as text.

use serde_json::{Map, Value as Json};

/// Type of a property.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shape {
    /// Text; other scalars are converted to text.
    Text,
    /// Boolean.
    Bool,
    /// Number.
    Number,
    /// List of texts.
    Texts,
    /// Map from names to texts.
    Pairs,
    /// JSON document that the API expects as text.
    JsonText,
    /// Structure.
    Object(&'static [(&'static str, Shape)]),
    /// Map from names to values of this shape.
    MapOf(&'static Shape),
}

use Shape::{Bool, JsonText, MapOf, Number, Object, Pairs, Text, Texts};

/// Properties with their names in a template.
pub(super) type Shapes = &'static [(&'static str, Shape)];

const REQUIRED: Shape = Object(&[("Required", Bool)]);

const ROUTE_SETTINGS: Shape = Object(&[
    ("DataTraceEnabled", Bool),
    ("DetailedMetricsEnabled", Bool),
    ("LoggingLevel", Text),
    ("ThrottlingBurstLimit", Number),
    ("ThrottlingRateLimit", Number),
]);

/// Returns the properties of an API Gateway type that the gateway uses, or `None` for types of other services.
pub(super) fn shapes_of(kind: &str) -> Option<Shapes> {
    Some(match kind.strip_prefix("AWS::ApiGatewayV2::")? {
        "Api" => API,
        "Route" => ROUTE,
        "Integration" => INTEGRATION,
        "IntegrationResponse" => INTEGRATION_RESPONSE,
        "RouteResponse" => ROUTE_RESPONSE,
        "Authorizer" => AUTHORIZER,
        "Model" => MODEL,
        "Deployment" => DEPLOYMENT,
        "Stage" => STAGE,
        _ => return None,
    })
}

const API: Shapes = &[
    ("Name", Text),
    ("ProtocolType", Text),
    ("RouteSelectionExpression", Text),
    ("ApiKeySelectionExpression", Text),
    (
        "CorsConfiguration",
        Object(&[
            ("AllowCredentials", Bool),
            ("AllowHeaders", Texts),
            ("AllowMethods", Texts),
            ("AllowOrigins", Texts),
            ("ExposeHeaders", Texts),
            ("MaxAge", Number),
        ]),
    ),
    ("Description", Text),
    ("DisableSchemaValidation", Bool),
    ("DisableExecuteApiEndpoint", Bool),
    ("Version", Text),
    ("Tags", Pairs),
    ("Target", Text),
    ("RouteKey", Text),
    ("CredentialsArn", Text),
];

const ROUTE: Shapes = &[
    ("RouteKey", Text),
    ("AuthorizationType", Text),
    ("AuthorizerId", Text),
    ("AuthorizationScopes", Texts),
    ("ApiKeyRequired", Bool),
    ("Target", Text),
    ("RouteResponseSelectionExpression", Text),
    ("ModelSelectionExpression", Text),
    ("RequestModels", Pairs),
    ("RequestParameters", MapOf(&REQUIRED)),
    ("OperationName", Text),
];

const INTEGRATION_RESPONSE: Shapes = &[
    ("IntegrationResponseKey", Text),
    ("ResponseTemplates", Pairs),
    ("ResponseParameters", Pairs),
    ("ContentHandlingStrategy", Text),
    ("TemplateSelectionExpression", Text),
];

const ROUTE_RESPONSE: Shapes = &[
    ("RouteResponseKey", Text),
    ("ModelSelectionExpression", Text),
    ("ResponseModels", Pairs),
    ("ResponseParameters", MapOf(&REQUIRED)),
];

const AUTHORIZER: Shapes = &[
    ("Name", Text),
    ("AuthorizerType", Text),
    ("AuthorizerUri", Text),
    ("IdentitySource", Texts),
    ("AuthorizerCredentialsArn", Text),
    ("AuthorizerResultTtlInSeconds", Number),
    ("AuthorizerPayloadFormatVersion", Text),
    ("EnableSimpleResponses", Bool),
    (
        "JwtConfiguration",
        Object(&[("Issuer", Text), ("Audience", Texts)]),
    ),
    ("IdentityValidationExpression", Text),
];

const MODEL: Shapes = &[
    ("Name", Text),
    ("ContentType", Text),
    ("Schema", JsonText),
    ("Description", Text),
];

const DEPLOYMENT: Shapes = &[("Description", Text), ("StageName", Text)];

const STAGE: Shapes = &[
    ("StageName", Text),
    ("DeploymentId", Text),
    ("AutoDeploy", Bool),
    ("DefaultRouteSettings", ROUTE_SETTINGS),
    ("RouteSettings", MapOf(&ROUTE_SETTINGS)),
    ("StageVariables", Pairs),
    (
        "AccessLogSettings",
        Object(&[("DestinationArn", Text), ("Format", Text)]),
    ),
    ("Description", Text),
    ("Tags", Pairs),
];

const INTEGRATION: Shapes = &[
    ("IntegrationType", Text),
    ("IntegrationUri", Text),
    ("IntegrationMethod", Text),
    ("IntegrationSubtype", Text),
    ("CredentialsArn", Text),
    ("TimeoutInMillis", Number),
    ("PayloadFormatVersion", Text),
    ("ConnectionType", Text),
    ("ConnectionId", Text),
    ("ContentHandlingStrategy", Text),
    ("PassthroughBehavior", Text),
    ("TemplateSelectionExpression", Text),
    ("RequestTemplates", Pairs),
    ("RequestParameters", Pairs),
    ("Description", Text),
];

/// Converts a property's value for the API. Invalid values are passed unchanged, so that the API rejects them.
pub(super) fn convert(value: Json, shape: Shape) -> Json {
    match (shape, value) {
        (Text, Json::Bool(value)) => Json::from(value.to_string()),
        (Text, Json::Number(value)) => Json::from(value.to_string()),
        (Bool, Json::String(text)) => match text.parse::<bool>() {
            Ok(value) => Json::from(value),
            Err(_) => Json::from(text),
        },
        (Number, Json::String(text)) => match serde_json::from_str(&text) {
            Ok(number @ Json::Number(_)) => number,
            _ => Json::from(text),
        },
        (Texts, Json::Array(items)) => items.into_iter().map(|item| convert(item, Text)).collect(),
        // CloudFormation accepts a single text in place of a list.
        (Texts, Json::String(text)) => Json::from(vec![text]),
        (Pairs, Json::Object(map)) => convert_map(map, Text),
        (JsonText, value @ (Json::Object(_) | Json::Array(_))) => Json::from(value.to_string()),
        (MapOf(shape), Json::Object(map)) => convert_map(map, *shape),
        (Object(shapes), Json::Object(map)) => Json::Object(convert_object(map, shapes)),
        (_, value) => value,
    }
}

fn convert_map(map: Map<String, Json>, shape: Shape) -> Json {
    let entries = map
        .into_iter()
        .map(|(key, value)| (key, convert(value, shape)));
    Json::Object(entries.collect())
}

/// Converts the properties of a structure. Unknown properties are left out.
fn convert_object(mut map: Map<String, Json>, shapes: Shapes) -> Map<String, Json> {
    let known = shapes.iter().filter_map(|(name, shape)| {
        let value = map.remove(*name)?;
        (!value.is_null()).then(|| (api_name(name), convert(value, *shape)))
    });
    known.collect()
}

/// Returns the API's name of a property: `routeKey` for `RouteKey`.
pub(super) fn api_name(property: &str) -> String {
    let mut letters = property.chars();
    let first = letters.next().map(|letter| letter.to_ascii_lowercase());
    first.into_iter().chain(letters).collect()
}

/// Returns the value that resets a removed property. It must be sent, because updates keep properties that they do not
/// contain.
pub(super) fn reset_value(before: &Json, shape: Shape) -> Json {
    let none = |keys: &Map<String, Json>| {
        let entries = keys.keys().map(|key| (key.clone(), Json::from("")));
        Json::Object(entries.collect())
    };
    match (shape, before) {
        (Bool, _) => Json::from(false),
        (Texts, _) => Json::from(Vec::<String>::new()),
        (Pairs, Json::Object(keys)) => none(keys),
        (Number | Object(_) | MapOf(_), _) => Json::Null,
        _ => Json::from(""),
    }
}

/// Returns true for properties that CloudFormation does not reset when they leave a template, so that they stay in the
/// account (row D12; also the authorizer of a route).
pub(super) fn stays_after_removal(kind: &str, property: &str) -> bool {
    let lingering: &[&str] = match kind {
        "AWS::ApiGatewayV2::Api" => &["CorsConfiguration"],
        "AWS::ApiGatewayV2::Route" => &["AuthorizationType", "AuthorizerId"],
        "AWS::ApiGatewayV2::Stage" => &[
            "AccessLogSettings",
            "DefaultRouteSettings",
            "RouteSettings",
            "StageVariables",
        ],
        _ => &[],
    };
    lingering.contains(&property)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn stage(properties: Json) -> Json {
        let Some(shapes) = shapes_of("AWS::ApiGatewayV2::Stage") else {
            panic!("stages have properties");
        };
        convert(properties, Object(shapes))
    }

    #[test]
    fn property_names_change_to_camel_case_and_map_keys_do_not() {
        let shaped = stage(json!({
            "StageName": "prod",
            "RouteSettings": { "SendAudio": { "ThrottlingRateLimit": "1.5" } },
            "StageVariables": { "Tier": 1 },
            "ApiId": "left out",
        }));
        let expected = json!({
            "stageName": "prod",
            "routeSettings": { "SendAudio": { "throttlingRateLimit": 1.5 } },
            "stageVariables": { "Tier": "1" },
        });
        assert_eq!(shaped, expected);
    }

    #[test]
    fn text_is_converted_to_booleans_and_invalid_text_is_passed_unchanged() {
        assert_eq!(
            stage(json!({ "AutoDeploy": "true" })),
            json!({ "autoDeploy": true })
        );
        assert_eq!(
            stage(json!({ "AutoDeploy": "perhaps" })),
            json!({ "autoDeploy": "perhaps" })
        );
    }
}
