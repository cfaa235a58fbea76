//! What AWS fills in, so that saying it and leaving it out mean the same.

use serde_json::{Map, Value as Json};

use super::Kind;

/// Adds the defaults that the content does not say.
pub(crate) fn fill(kind: &Kind, content: &mut Map<String, Json>) {
    let defaults: &[(&str, &str)] = match kind {
        Kind::Api => &[
            ("ApiKeySelectionExpression", "$request.header.x-api-key"),
            ("DisableExecuteApiEndpoint", "false"),
            ("DisableSchemaValidation", "false"),
        ],
        Kind::Route => &[("ApiKeyRequired", "false"), ("AuthorizationType", "NONE")],
        Kind::Integration => INTEGRATION,
        Kind::Stage => &[("AutoDeploy", "false")],
        Kind::Function => &[
            ("MemorySize", "128"),
            ("PackageType", "Zip"),
            ("Timeout", "3"),
        ],
        Kind::Table => &[
            ("BillingMode", "PROVISIONED"),
            ("DeletionProtectionEnabled", "false"),
        ],
        _ => &[],
    };
    add(defaults, content);
    match kind {
        Kind::Route => {
            content
                .entry("AuthorizationScopes")
                .or_insert_with(|| Json::Array(Vec::new()));
            if let Some(Json::Object(integration)) = content.get_mut("Target") {
                add(INTEGRATION, integration);
            }
        }
        // No source and an empty list of sources are the same (row A4).
        Kind::Authorizer => {
            content
                .entry("IdentitySource")
                .or_insert_with(|| Json::Array(Vec::new()));
        }
        Kind::Stage => {
            let settings = content
                .entry("DefaultRouteSettings")
                .or_insert_with(|| Json::Object(Map::new()));
            if let Json::Object(settings) = settings {
                add(ROUTE_SETTINGS, settings);
            }
        }
        Kind::Function => {
            content
                .entry("Architectures")
                .or_insert_with(|| vec!["x86_64"].into());
        }
        _ => {}
    }
}

const INTEGRATION: &[(&str, &str)] = &[
    ("ConnectionType", "INTERNET"),
    ("IntegrationMethod", "POST"),
];

const ROUTE_SETTINGS: &[(&str, &str)] = &[
    ("DataTraceEnabled", "false"),
    ("DetailedMetricsEnabled", "false"),
    ("LoggingLevel", "OFF"),
];

fn add(defaults: &[(&str, &str)], content: &mut Map<String, Json>) {
    for (key, value) in defaults {
        content.entry(*key).or_insert_with(|| Json::from(*value));
    }
}
