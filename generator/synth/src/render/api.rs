//! Resources that WebSocket and HTTP APIs share: invoke permissions, integrations, stages, logs and domains.

use std::collections::{BTreeMap, BTreeSet};

use stackgen_cfn::{Map, Node, get_att, list, map, r#ref, sub};

use super::api_names::ApiNames;
use super::context::{RenderContext, string_map};
use super::function;
use super::function_ids::FunctionIds;
use super::policy::{allow, assumed_by, policy};
use super::template::{ResourceBuilder, TemplateBuilder};
use crate::spec::{AccessLogsSpec, DomainSpec, LogLevel, Retention, StageSpec, ThrottlingSpec};

const PERMISSION: &str = "AWS::Lambda::Permission";
pub(super) const ACCOUNT: &str = "ApiGatewayAccount";

/// Returns the source ARN of invocations by the API. `source` is the part after the API's ID.
fn source_arn(api: ApiNames, source: &str) -> Node {
    sub(format!(
        "arn:${{AWS::Partition}}:execute-api:${{AWS::Region}}:${{AWS::AccountId}}:${{{}}}/{source}",
        api.id
    ))
}

/// Permission for one route or authorizer to invoke a function. `source` is the part of the source ARN after the API's
/// ID.
pub(super) fn permission(api: ApiNames, function: &str, source: &str) -> ResourceBuilder {
    ResourceBuilder::new(PERMISSION)
        .set("Action", "lambda:InvokeFunction")
        .set(
            "FunctionName",
            get_att(FunctionIds::new(function).function, "Arn"),
        )
        .set("Principal", "apigateway.amazonaws.com")
        .set("SourceArn", source_arn(api, source))
}

/// Role with which a pinned API invokes any version of its functions, so that an earlier deployment can still invoke
/// its versions (row D19).
pub(super) fn invoke_role(
    context: &RenderContext<'_>,
    functions: &BTreeSet<impl AsRef<str>>,
) -> ResourceBuilder {
    let resources = functions.iter().flat_map(|name| {
        let id = FunctionIds::new(name.as_ref()).function;
        [get_att(&id, "Arn"), sub(format!("${{{id}.Arn}}:*"))]
    });
    let statement = allow(["lambda:InvokeFunction".to_owned()], resources.collect());
    assumed_by("apigateway.amazonaws.com")
        .set("Policies", policy("invoke", vec![statement]))
        .set_some("Tags", context.tag_list())
}

/// Lambda proxy integration.
pub(super) fn integration(
    context: &RenderContext<'_>,
    api: ApiNames,
    name: &str,
    millis: u64,
) -> ResourceBuilder {
    ResourceBuilder::new("AWS::ApiGatewayV2::Integration")
        .set("ApiId", r#ref(api.id))
        .set("IntegrationType", "AWS_PROXY")
        .set("IntegrationMethod", "POST")
        .set("IntegrationUri", function::invocation_uri(context, name))
        .set_some(
            "CredentialsArn",
            context
                .pinned()
                .then(|| get_att(api.invoke_role_id(), "Arn")),
        )
        .set("TimeoutInMillis", i64::try_from(millis).unwrap_or(i64::MAX))
}

/// Returns a route's target: `integrations/{id}`.
pub(super) fn target(integration: &str) -> Node {
    sub(format!("integrations/${{{integration}}}"))
}

/// Adds the stage. `DeploymentId` refers to the placeholder until everything that the deployment snapshots is known.
pub(super) fn stage(
    context: &RenderContext<'_>,
    api: ApiNames,
    name: &str,
    stage: &StageSpec,
    routes: &BTreeMap<&str, ThrottlingSpec>,
    template: &mut TemplateBuilder,
) {
    // The stage must not serve a function before API Gateway may invoke it.
    let mut first = template.ids_of(api.section, PERMISSION);
    if has_logs(stage) && context.spec.api_gateway_cloud_watch_role {
        first.push(ACCOUNT.to_owned());
    }
    let resource = || {
        ResourceBuilder::new("AWS::ApiGatewayV2::Stage")
            .depends_on(first)
            .set("ApiId", r#ref(api.id))
            .set("StageName", name)
            .set("DeploymentId", r#ref(api.deployment_id()))
            .set("DefaultRouteSettings", default_route_settings(api, stage))
            .set_some("RouteSettings", route_settings(routes))
            .set_some(
                "AccessLogSettings",
                stage
                    .access_logs
                    .as_ref()
                    .map(|logs| access_log_settings(api, logs)),
            )
            .set_some(
                "StageVariables",
                (!stage.variables.is_empty()).then(|| string_map(&stage.variables)),
            )
            .set_some("Tags", context.tag_map())
    };
    template.add(&api.stage_id(), &[api.section, "stage"], resource);
}

/// Returns true if the stage writes to CloudWatch Logs, for which the account needs a role (row L3).
pub(super) fn has_logs(stage: &StageSpec) -> bool {
    stage.access_logs.is_some() || stage.execution_logs.is_some()
}

/// Adds the log group of the access log.
pub(super) fn access_log_group(
    context: &RenderContext<'_>,
    api: ApiNames,
    name: &str,
    stage: &StageSpec,
    template: &mut TemplateBuilder,
) {
    if let Some(logs) = &stage.access_logs {
        let retention = logs.retention_in_days.unwrap_or(Retention(30));
        let group = || {
            function::log_group(
                context,
                &api.log_group_name(&context.name(name)),
                retention,
                logs.kms_key_arn.as_ref(),
            )
        };
        template.add(
            &api.log_group_id(),
            &[api.section, "stage", "accessLogs"],
            group,
        );
    }
}

fn access_log_settings(api: ApiNames, logs: &AccessLogsSpec) -> Node {
    let format = logs
        .format
        .clone()
        .unwrap_or_else(|| default_format(api).to_string());
    map([
        ("DestinationArn", get_att(api.log_group_id(), "Arn")),
        ("Format", format.into()),
    ])
}

/// Returns the default access log format, with the fields that explain a refused request, a failure or a closed
/// connection (row L1).
fn default_format(api: ApiNames) -> serde_json::Value {
    let websocket = [
        ("requestId", "requestId"),
        ("extendedRequestId", "extendedRequestId"),
        ("requestTime", "requestTime"),
        ("eventType", "eventType"),
        ("routeKey", "routeKey"),
        ("status", "status"),
        ("connectionId", "connectionId"),
        ("connectedAt", "connectedAt"),
        ("messageId", "messageId"),
        ("sourceIp", "identity.sourceIp"),
        ("userAgent", "identity.userAgent"),
        ("principalId", "authorizer.principalId"),
        ("authorizerStatus", "authorizer.status"),
        ("authorizerError", "authorizer.error"),
        ("authorizerLatency", "authorizer.latency"),
        ("integrationStatus", "integration.status"),
        ("integrationError", "integration.error"),
        ("integrationLatency", "integrationLatency"),
        ("errorMessage", "error.message"),
        ("errorResponseType", "error.responseType"),
    ];
    let http = [
        ("requestId", "requestId"),
        ("requestTime", "requestTime"),
        ("routeKey", "routeKey"),
        ("path", "path"),
        ("status", "status"),
        ("sourceIp", "identity.sourceIp"),
        ("userAgent", "identity.userAgent"),
        ("authorizerError", "authorizer.error"),
        ("integrationStatus", "integration.status"),
        ("integrationError", "integrationErrorMessage"),
        ("integrationLatency", "integrationLatency"),
        ("errorMessage", "error.message"),
        ("errorResponseType", "error.responseType"),
    ];
    let fields = if api.is_http() {
        &http[..]
    } else {
        &websocket[..]
    };
    fields
        .iter()
        .map(|(name, variable)| ((*name).to_owned(), format!("$context.{variable}").into()))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

/// Returns the default route settings. Logs and metrics are explicit even when they are off, because UpdateStage
/// merges: a setting that leaves the template would stay on (row D12).
fn default_route_settings(api: ApiNames, stage: &StageSpec) -> Map {
    let mut settings = stage.throttling.map(throttling).unwrap_or_default();
    settings.insert("DetailedMetricsEnabled", stage.detailed_metrics);
    if !api.is_http() {
        let logs = stage.execution_logs.as_ref();
        let level = match logs.map(|logs| logs.level) {
            None => "OFF",
            Some(LogLevel::Error) => "ERROR",
            Some(LogLevel::Info) => "INFO",
        };
        settings.insert("LoggingLevel", level);
        settings.insert("DataTraceEnabled", logs.is_some_and(|logs| logs.data_trace));
    }
    settings
}

fn route_settings(routes: &BTreeMap<&str, ThrottlingSpec>) -> Option<Node> {
    let settings: Map = routes
        .iter()
        .map(|(key, limits)| (*key, Node::from(throttling(*limits))))
        .collect();
    (!settings.is_empty()).then(|| settings.into())
}

fn throttling(limits: ThrottlingSpec) -> Map {
    let mut settings = Map::new();
    settings.insert("ThrottlingBurstLimit", limits.burst_limit);
    settings.insert("ThrottlingRateLimit", Node::from(limits.rate_limit));
    settings
}

/// Adds the mapping of a domain name to the stage and, unless the domain name exists already, the domain name and its DNS
/// record.
pub(super) fn domain(
    context: &RenderContext<'_>,
    api: ApiNames,
    domain: &DomainSpec,
    template: &mut TemplateBuilder,
) {
    let name = match domain.existing {
        true => domain.name.0.clone(),
        false => {
            domain_name(context, api, domain, template);
            r#ref(api.domain_name_id())
        }
    };
    let mapping = || {
        ResourceBuilder::new("AWS::ApiGatewayV2::ApiMapping")
            .set("ApiId", r#ref(api.id))
            .set("DomainName", name)
            .set("Stage", r#ref(api.stage_id()))
            .set_some("ApiMappingKey", domain.mapping_key.as_deref())
    };
    template.add(&api.api_mapping_id(), &[api.section, "domain"], mapping);
    if !domain.existing {
        domain_target(api, domain, template);
    }
}

fn domain_name(
    context: &RenderContext<'_>,
    api: ApiNames,
    domain: &DomainSpec,
    template: &mut TemplateBuilder,
) {
    let certificate = domain.certificate_arn.as_ref().map(|arn| arn.0.clone());
    let configuration = map([
        // The check of the file requires a certificate.
        ("CertificateArn", certificate.unwrap_or_default()),
        ("EndpointType", "REGIONAL".into()),
        ("SecurityPolicy", "TLS_1_2".into()),
    ]);
    let name = || {
        ResourceBuilder::new("AWS::ApiGatewayV2::DomainName")
            .set("DomainName", domain.name.0.clone())
            .set("DomainNameConfigurations", list([configuration]))
            .set_some("Tags", context.tag_map())
    };
    template.add(&api.domain_name_id(), &[api.section, "domain"], name);
}

/// Adds the DNS record of a domain name if the hosted zone is known, and an output with what the record points at.
fn domain_target(api: ApiNames, domain: &DomainSpec, template: &mut TemplateBuilder) {
    let name_id = api.domain_name_id();
    let target = get_att(&name_id, "RegionalDomainName");
    if let Some(zone) = &domain.hosted_zone_id {
        let alias = map([
            ("DNSName", target.clone()),
            ("HostedZoneId", get_att(&name_id, "RegionalHostedZoneId")),
        ]);
        let record = || {
            ResourceBuilder::new("AWS::Route53::RecordSet")
                .set("HostedZoneId", zone.0.clone())
                .set("Name", domain.name.0.clone())
                .set("Type", "A")
                .set("AliasTarget", alias)
        };
        template.add(&api.record_id(), &[api.section, "domain"], record);
    }
    template.output(
        &api.domain_target_output_id(),
        "What the domain's DNS record points at",
        target,
    );
}

/// Adds the role with which API Gateway writes to CloudWatch Logs, for the whole account and region.
pub(super) fn account(context: &RenderContext<'_>, template: &mut TemplateBuilder) {
    if !context.spec.api_gateway_cloud_watch_role {
        return;
    }
    let origin = ["apiGatewayCloudWatchRole"];
    // Retained, because the account refers to it even after the stack is deleted.
    let role = || {
        assumed_by("apigateway.amazonaws.com")
        .retained(true)
        .set("ManagedPolicyArns", list([sub("arn:${AWS::Partition}:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs")]))
        .set_some("Tags", context.tag_list())
    };
    template.add("ApiGatewayCloudWatchRole", &origin, role);
    let account = || {
        ResourceBuilder::new("AWS::ApiGateway::Account")
            .retained(true)
            .set(
                "CloudWatchRoleArn",
                get_att("ApiGatewayCloudWatchRole", "Arn"),
            )
    };
    template.add(ACCOUNT, &origin, account);
}
