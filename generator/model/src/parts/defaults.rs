//! AWS's defaults, so that written and absent defaults are equal.

use serde_json::{Map, Value as Json};

use super::PartKind;

/// Adds the defaults of absent properties.
pub(crate) fn fill(kind: &PartKind, content: &mut Map<String, Json>) {
    let defaults: &[(&str, &str)] = match kind {
        PartKind::Api => &[
            ("ApiKeySelectionExpression", "$request.header.x-api-key"),
            ("DisableExecuteApiEndpoint", "false"),
            ("DisableSchemaValidation", "false"),
        ],
        PartKind::Route => &[("ApiKeyRequired", "false"), ("AuthorizationType", "NONE")],
        PartKind::Integration => INTEGRATION,
        PartKind::Stage => &[("AutoDeploy", "false")],
        PartKind::Function => &[
            ("MemorySize", "128"),
            ("PackageType", "Zip"),
            ("Timeout", "3"),
        ],
        PartKind::Table => &[
            ("BillingMode", "PROVISIONED"),
            ("DeletionProtectionEnabled", "false"),
        ],
        _ => &[],
    };
    add(defaults, content);
    match kind {
        PartKind::Route => {
            content
                .entry("AuthorizationScopes")
                .or_insert_with(|| Json::Array(Vec::new()));
            if let Some(Json::Object(integration)) = content.get_mut("Target") {
                add(INTEGRATION, integration);
            }
        }
        // A missing list and an empty one are the same (row A4).
        PartKind::Authorizer => {
            content
                .entry("IdentitySource")
                .or_insert_with(|| Json::Array(Vec::new()));
        }
        PartKind::Stage => {
            let settings = content
                .entry("DefaultRouteSettings")
                .or_insert_with(|| Json::Object(Map::new()));
            if let Json::Object(settings) = settings {
                add(ROUTE_SETTINGS, settings);
            }
        }
        PartKind::Function => {
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
