//! CloudFormation's properties as API Gateway's own API takes them: the same names in another case, numbers and
//! booleans also where a template writes them as text.

use serde_json::{Map, Value as Json};

/// What a property holds.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shape {
    /// Text; other scalars are written as text.
    Text,
    /// True or false.
    Bool,
    /// A number.
    Number,
    /// Texts.
    Texts,
    /// Names and texts.
    Pairs,
    /// JSON that the API takes as text.
    JsonText,
    /// A structure.
    Object(&'static [(&'static str, Shape)]),
    /// Names and structures.
    MapOf(&'static Shape),
}

use Shape::{Bool, JsonText, MapOf, Number, Object, Pairs, Text, Texts};

/// Properties by their names in a template.
pub(super) type Shapes = &'static [(&'static str, Shape)];

const REQUIRED: Shape = Object(&[("Required", Bool)]);

const ROUTE_SETTINGS: Shape = Object(&[
    ("DataTraceEnabled", Bool),
    ("DetailedMetricsEnabled", Bool),
    ("LoggingLevel", Text),
    ("ThrottlingBurstLimit", Number),
    ("ThrottlingRateLimit", Number),
]);

/// The properties of an API Gateway type that mean something here; `None` for types that are not API Gateway's.
pub(super) fn of(kind: &str) -> Option<Shapes> {
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

/// A property's value as the API takes it; what is wrong is passed on as it is, for the API to refuse.
pub(super) fn shaped(value: Json, shape: Shape) -> Json {
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
        (Texts, Json::Array(items)) => items.into_iter().map(|item| shaped(item, Text)).collect(),
        // CloudFormation takes one where a list is due.
        (Texts, Json::String(text)) => Json::from(vec![text]),
        (Pairs, Json::Object(map)) => each(map, Text),
        (JsonText, value @ (Json::Object(_) | Json::Array(_))) => Json::from(value.to_string()),
        (MapOf(shape), Json::Object(map)) => each(map, *shape),
        (Object(shapes), Json::Object(map)) => Json::Object(object(map, shapes)),
        (_, value) => value,
    }
}

fn each(map: Map<String, Json>, shape: Shape) -> Json {
    let entries = map
        .into_iter()
        .map(|(key, value)| (key, shaped(value, shape)));
    Json::Object(entries.collect())
}

/// A structure's properties as the API names them. Others are left out.
fn object(mut map: Map<String, Json>, shapes: Shapes) -> Map<String, Json> {
    let known = shapes.iter().filter_map(|(name, shape)| {
        let value = map.remove(*name)?;
        (!value.is_null()).then(|| (api_name(name), shaped(value, *shape)))
    });
    known.collect()
}

/// `RouteKey` as `routeKey`.
pub(super) fn api_name(property: &str) -> String {
    let mut letters = property.chars();
    let first = letters.next().map(|letter| letter.to_ascii_lowercase());
    first.into_iter().chain(letters).collect()
}

/// What takes a property away that was there before: updates merge, and leave alone what they do not name.
pub(super) fn absent(before: &Json, shape: Shape) -> Json {
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

/// Properties that stay on in the account when they leave a template, for CloudFormation's update does not name them
/// (row D12, and of a route its authorizer).
pub(super) fn lingers(kind: &str, property: &str) -> bool {
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
        let Some(shapes) = of("AWS::ApiGatewayV2::Stage") else {
            panic!("stages have properties");
        };
        shaped(properties, Object(shapes))
    }

    #[test]
    fn names_change_their_case_and_keys_of_maps_do_not() {
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
    fn text_is_a_boolean_where_one_is_due_and_nonsense_is_passed_on() {
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
