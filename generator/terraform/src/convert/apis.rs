//! APIs of API Gateway v2.

use stackgen_cfn::{Entry, Map, Node};

use super::properties::ResourceProperties;
use crate::value::HclValue;

const ROUTE_SETTINGS: &[(&str, &str)] = &[
    ("data_trace_enabled", "DataTraceEnabled"),
    ("detailed_metrics_enabled", "DetailedMetricsEnabled"),
    ("logging_level", "LoggingLevel"),
    ("throttling_burst_limit", "ThrottlingBurstLimit"),
    ("throttling_rate_limit", "ThrottlingRateLimit"),
];

pub(super) fn api(properties: &mut ResourceProperties<'_, '_>) {
    properties.copy_block(
        "cors_configuration",
        "CorsConfiguration",
        &[
            ("allow_credentials", "AllowCredentials"),
            ("allow_headers", "AllowHeaders"),
            ("allow_methods", "AllowMethods"),
            ("allow_origins", "AllowOrigins"),
            ("expose_headers", "ExposeHeaders"),
            ("max_age", "MaxAge"),
        ],
    );
}

pub(super) fn authorizer(properties: &mut ResourceProperties<'_, '_>) {
    properties.copy_block(
        "jwt_configuration",
        "JwtConfiguration",
        &[("audience", "Audience"), ("issuer", "Issuer")],
    );
}

pub(super) fn integration(properties: &mut ResourceProperties<'_, '_>) {
    properties.copy_block(
        "tls_config",
        "TlsConfig",
        &[("server_name_to_verify", "ServerNameToVerify")],
    );
}

pub(super) fn domain_name(properties: &mut ResourceProperties<'_, '_>) {
    properties.copy_blocks(
        "domain_name_configuration",
        "DomainNameConfigurations",
        &[
            ("certificate_arn", "CertificateArn"),
            ("endpoint_type", "EndpointType"),
            ("ip_address_type", "IpAddressType"),
            ("security_policy", "SecurityPolicy"),
        ],
    );
    properties.copy_block(
        "mutual_tls_authentication",
        "MutualTlsAuthentication",
        &[
            ("truststore_uri", "TruststoreUri"),
            ("truststore_version", "TruststoreVersion"),
        ],
    );
}

pub(super) fn route(properties: &mut ResourceProperties<'_, '_>) {
    let mut parameters = Map::new();
    for index in 0..properties.blocks("request_parameter") {
        let block = format!("request_parameter.{index}");
        if let Some(key) = properties.text(&format!("{block}.request_parameter_key"))
            && let Some(node) = properties.nested(&block, &[("required", "Required")])
        {
            parameters.insert(key, node);
        }
    }
    if !parameters.is_empty() {
        properties.set("RequestParameters", "request_parameter.0", parameters);
    }
}

pub(super) fn stage(properties: &mut ResourceProperties<'_, '_>) {
    properties.copy_block(
        "access_log_settings",
        "AccessLogSettings",
        &[("destination_arn", "DestinationArn"), ("format", "Format")],
    );
    properties.copy_block(
        "default_route_settings",
        "DefaultRouteSettings",
        ROUTE_SETTINGS,
    );
    let mut routes = Map::new();
    for index in 0..properties.blocks("route_settings") {
        let block = format!("route_settings.{index}");
        // A key that is unknown is left out: its settings have no effect here.
        let key = properties
            .value(&format!("{block}.route_key"))
            .and_then(HclValue::as_text);
        if let Some(key) = key
            && let Some(node) = properties.nested(&block, ROUTE_SETTINGS)
        {
            let entry = Entry {
                key_span: properties.span(&block),
                node,
            };
            routes.insert_entry(key, entry);
        }
    }
    if !routes.is_empty() {
        properties.set("RouteSettings", "route_settings.0", Node::from(routes));
    }
}
