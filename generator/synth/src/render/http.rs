//! The HTTP API.

use std::collections::{BTreeMap, BTreeSet};

use stackgen_cfn::{Map, Node, list, map, r#ref, sub};

use super::api;
use super::api_names::ApiNames;
use super::context::RenderContext;
use super::deployment;
use super::endpoint;
use super::template::{ResourceBuilder, TemplateBuilder};
use crate::names::{http_route_id, pascal_case};
use crate::spec::{
    Auth, CorsSpec, DomainSpec, Duration, HttpAuthorizerSpec, HttpRouteSpec, HttpSpec,
};

const API: ApiNames = ApiNames::HTTP;
const AUTHORIZER: &str = "HttpAuthorizer";
const DEFAULT_TIMEOUT: Duration = Duration::from_millis(30_000);

/// Adds the API with its authorizer, integrations, routes, permissions, deployment and stage.
pub(super) fn render(context: &RenderContext<'_>, http: &HttpSpec, template: &mut TemplateBuilder) {
    let origin = [API.section];
    let closed = DomainSpec::is_only_endpoint(http.domain.as_ref());
    let resource = || {
        ResourceBuilder::new("AWS::ApiGatewayV2::Api")
            .set("Name", context.name(&http.name))
            .set_some("Description", http.description.as_deref())
            .set("ProtocolType", "HTTP")
            .set_some("CorsConfiguration", http.cors.as_ref().map(cors))
            .set("DisableExecuteApiEndpoint", closed)
            .set_some("Tags", context.tag_map())
    };
    template.add(API.id, &origin, resource);
    if context.pinned() {
        let functions: BTreeSet<_> = http
            .routes
            .values()
            .map(|route| route.function.as_str())
            .collect();
        template.add(&API.invoke_role_id(), &origin, || {
            api::invoke_role(context, &functions)
        });
    }
    if let Some(authorizer) = &http.authorizer {
        template.add(AUTHORIZER, &[API.section, "authorizer"], || {
            self::authorizer(context, http, authorizer)
        });
    }
    integrations(context, http, template);
    for (key, route) in &http.routes {
        self::route(context, http, key, route, template);
    }
    api::access_log_group(context, API, &http.name, &http.stage, template);
    deployment::reserve(API, template);
    let throttled: BTreeMap<_, _> = http
        .routes
        .iter()
        .filter_map(|(key, route)| Some((key.as_str(), route.throttling?)))
        .collect();
    api::stage(
        context,
        API,
        http.stage_name(),
        &http.stage,
        &throttled,
        template,
    );
    if let Some(domain) = &http.domain {
        api::domain(context, API, domain, template);
    }
    template.output("HttpUrl", "Where the HTTP API is", url(http));
    template.output("HttpApiId", "Id of the HTTP API", r#ref(API.id));
}

fn url(http: &HttpSpec) -> Node {
    let stage = match http.stage_name() {
        "$default" => String::new(),
        name => format!("/{name}"),
    };
    let own = http
        .domain
        .as_ref()
        .map(|domain| endpoint::custom_domain_url("https", domain));
    own.unwrap_or_else(|| {
        sub(format!(
            "https://${{{}}}.execute-api.${{AWS::Region}}.${{AWS::URLSuffix}}{stage}",
            API.id
        ))
    })
}

fn cors(cors: &CorsSpec) -> Node {
    let mut configuration = Map::new();
    let lists = [
        ("AllowOrigins", &cors.allow_origins),
        ("AllowMethods", &cors.allow_methods),
        ("AllowHeaders", &cors.allow_headers),
        ("ExposeHeaders", &cors.expose_headers),
    ];
    for (name, values) in lists {
        if !values.is_empty() {
            configuration.insert(name, list(values.iter().map(String::as_str)));
        }
    }
    if let Some(seconds) = cors.max_age.and_then(Duration::seconds) {
        configuration.insert("MaxAge", i64::try_from(seconds).unwrap_or(i64::MAX));
    }
    if cors.allow_credentials {
        configuration.insert("AllowCredentials", true);
    }
    configuration.into()
}

fn authorizer(
    context: &RenderContext<'_>,
    http: &HttpSpec,
    authorizer: &HttpAuthorizerSpec,
) -> ResourceBuilder {
    let sources = match authorizer.identity_source.as_slice() {
        [] => list(["$request.header.Authorization"]),
        sources => list(sources.iter().map(String::as_str)),
    };
    let jwt = map([
        ("Issuer", authorizer.issuer.0.clone()),
        (
            "Audience",
            list(
                authorizer
                    .audience
                    .iter()
                    .map(|audience| audience.0.clone()),
            ),
        ),
    ]);
    ResourceBuilder::new("AWS::ApiGatewayV2::Authorizer")
        .set("ApiId", r#ref(API.id))
        .set("Name", format!("{}-jwt", context.name(&http.name)))
        .set("AuthorizerType", "JWT")
        .set("IdentitySource", sources)
        .set("JwtConfiguration", jwt)
}

fn timeout(http: &HttpSpec, route: &HttpRouteSpec) -> u64 {
    route
        .timeout
        .or(http.timeout)
        .unwrap_or(DEFAULT_TIMEOUT)
        .millis()
}

/// Returns the logical ID of the integration of a route. Routes with the same function share an integration unless
/// their settings differ.
fn integration_id(http: &HttpSpec, route: &HttpRouteSpec) -> String {
    let millis = timeout(http, route);
    let usual = http.timeout.unwrap_or(DEFAULT_TIMEOUT).millis();
    let suffix = if millis == usual {
        String::new()
    } else {
        format!("Timeout{millis}")
    };
    format!("{}HttpIntegration{suffix}", pascal_case(&route.function))
}

fn integrations(context: &RenderContext<'_>, http: &HttpSpec, template: &mut TemplateBuilder) {
    let mut integrations: BTreeMap<(&str, u64), (&str, &HttpRouteSpec)> = BTreeMap::new();
    for (key, route) in &http.routes {
        integrations
            .entry((&route.function, timeout(http, route)))
            .or_insert((key, route));
    }
    for ((function, millis), (key, route)) in integrations {
        let resource =
            || api::integration(context, API, function, millis).set("PayloadFormatVersion", "2.0");
        template.add(
            &integration_id(http, route),
            &[API.section, "routes", key],
            resource,
        );
    }
}

/// Adds a route and its permission.
fn route(
    context: &RenderContext<'_>,
    http: &HttpSpec,
    key: &str,
    route: &HttpRouteSpec,
    template: &mut TemplateBuilder,
) {
    let origin = [API.section, "routes", key];
    let id = http_route_id(key);
    let jwt = route.auth == Auth::Jwt;
    let resource = || {
        ResourceBuilder::new("AWS::ApiGatewayV2::Route")
            .set("ApiId", r#ref(API.id))
            .set("RouteKey", key)
            .set("AuthorizationType", if jwt { "JWT" } else { "NONE" })
            .set_some("AuthorizerId", jwt.then(|| r#ref(AUTHORIZER)))
            .set_some(
                "AuthorizationScopes",
                jwt.then(|| list(route.scopes.iter().map(String::as_str))),
            )
            .set("Target", api::target(&integration_id(http, route)))
    };
    template.add(&id, &origin, resource);
    if !context.pinned() {
        let source = format!("{}/{}", http.stage_name(), source_path(key));
        template.add(&format!("{id}Permission"), &origin, || {
            api::permission(API, &route.function, &source)
        });
    }
}

/// Returns a route key as the source of an invocation: method and path, with `*` for path parameters and for `ANY`.
fn source_path(key: &str) -> String {
    let Some((method, path)) = key.split_once(' ') else {
        return key.to_owned();
    };
    let method = if method == "ANY" { "*" } else { method };
    let segments = path.split('/').map(|segment| {
        if segment.starts_with('{') {
            "*"
        } else {
            segment
        }
    });
    format!("{method}{}", segments.collect::<Vec<_>>().join("/"))
}
