//! An API, built as from a template.

use std::sync::Arc;

use stackgen_gateway_apis::DataPlane;
use stackgen_gateway_apis::apis::{
    AccessLogSettings, Pairs, ParameterConstraints, ProtocolType, RouteSettings, ServedStage,
    Snapshot, StoredApi, StoredAuthorizer, StoredIntegration, StoredIntegrationResponse,
    StoredModel, StoredRoute, StoredRouteResponse, StoredStage,
};
use stackgen_gateway_common::{
    ApiId, ArnScope, IntegrationId, IntegrationResponseId, ModelId, RouteResponseId, Settings,
};

use super::TestGateway;
use crate::apis::{api, authorizer, integration, route, snapshot, stage};

/// An API with a stage `prod`. Each route has its own integration, whose function has the route's name by default.
#[derive(Clone)]
pub(crate) struct TestApi {
    pub(crate) snapshot: Snapshot,
    pub(crate) stage: StoredStage,
    pub(crate) deployed: bool,
}

impl TestApi {
    /// Returns an API without routes, which selects routes by `action`.
    pub(crate) fn new() -> Self {
        TestApi {
            snapshot: snapshot(api("a1b2c3d4e5", ProtocolType::WebSocket)),
            stage: stage("prod"),
            deployed: true,
        }
    }

    /// Returns an API with these routes. Their functions have the same names without `$`.
    pub(crate) fn with(keys: &[&str]) -> Self {
        keys.iter()
            .fold(TestApi::new(), |test_api, key| test_api.route(key))
    }

    /// Adds a route whose function has the same name without `$`.
    pub(crate) fn route(mut self, key: &str) -> Self {
        let name = key.trim_start_matches('$');
        let integration = integration(name, name);
        let route = route(name, key, &integration.integration_id);
        let (routes, integrations) = (&mut self.snapshot.routes, &mut self.snapshot.integrations);
        routes.insert(route.route_key.clone(), Arc::new(route));
        integrations.insert(integration.integration_id.clone(), Arc::new(integration));
        self
    }

    /// Changes the API.
    pub(crate) fn change_api(mut self, change: impl FnOnce(&mut StoredApi)) -> Self {
        change(Arc::make_mut(&mut self.snapshot.api));
        self
    }

    /// Changes a route.
    pub(crate) fn change_route(mut self, key: &str, change: impl FnOnce(&mut StoredRoute)) -> Self {
        let route = self.snapshot.routes.get_mut(key).unwrap();
        change(Arc::make_mut(route));
        self
    }

    /// Changes a route's integration.
    pub(crate) fn change_integration(
        mut self,
        key: &str,
        change: impl FnOnce(&mut StoredIntegration),
    ) -> Self {
        let id = key.trim_start_matches('$');
        let integration = self.snapshot.integrations.get_mut(id).unwrap();
        change(Arc::make_mut(integration));
        self
    }

    /// Changes the stage.
    pub(crate) fn change_stage(mut self, change: impl FnOnce(&mut StoredStage)) -> Self {
        change(&mut self.stage);
        self
    }

    /// Makes a route two-way (row M8).
    pub(crate) fn two_way(self, key: &str) -> Self {
        let mut test_api = self.route_response(key);
        test_api = test_api.change_route(key, |route| {
            route.route_response_selection_expression = Some("$default".to_owned());
        });
        test_api
    }

    /// Adds a route response `$default`.
    pub(crate) fn route_response(mut self, key: &str) -> Self {
        let response = StoredRouteResponse {
            route_response_id: RouteResponseId::new("response"),
            route_response_key: "$default".to_owned(),
            model_selection_expression: None,
            response_models: Pairs::new(),
            response_parameters: indexmap::IndexMap::new(),
        };
        let id = self.snapshot.routes[key].route_id.clone();
        self.snapshot
            .route_responses
            .insert(id, vec![Arc::new(response)]);
        self
    }

    /// Adds an authorizer to `$connect` with these identity sources and the function `authorize`.
    pub(crate) fn authorizer(mut self, sources: &[&str]) -> Self {
        let authorizer = StoredAuthorizer {
            authorizer_uri: Some(ArnScope::default().function("authorize").invocation_uri()),
            ..authorizer("auth01", "REQUEST", sources)
        };
        let id = authorizer.authorizer_id.clone();
        self.snapshot
            .authorizers
            .insert(id.clone(), Arc::new(authorizer));
        self.change_route("$connect", |route| {
            route.authorization_type = "CUSTOM".to_owned();
            route.authorizer_id = Some(id);
        })
    }

    /// Requires a parameter of `$connect`.
    pub(crate) fn requires(self, source: &str) -> Self {
        let required = ParameterConstraints { required: true };
        self.change_route("$connect", |route| {
            route.request_parameters.insert(source.to_owned(), required);
        })
    }

    /// Validates the messages of a route against a schema.
    pub(crate) fn model(mut self, key: &str, schema: &str) -> Self {
        let model = StoredModel {
            model_id: ModelId::new("model1"),
            name: "Message".to_owned(),
            content_type: Some("application/json".to_owned()),
            schema: schema.to_owned(),
            description: None,
        };
        self.snapshot
            .models
            .insert(model.name.clone(), Arc::new(model));
        self.change_route(key, |route| {
            route.model_selection_expression = Some("\\$default".to_owned());
            route
                .request_models
                .insert("$default".to_owned(), "Message".to_owned());
        })
    }

    /// Adds an integration response.
    pub(crate) fn integration_response(self, key: &str, template: &str) -> Self {
        self.integration_response_for(key, "$default", template)
    }

    /// Adds an integration response with a key and this template.
    pub(crate) fn integration_response_for(
        mut self,
        key: &str,
        response_key: &str,
        template: &str,
    ) -> Self {
        let response = StoredIntegrationResponse {
            integration_response_id: IntegrationResponseId::new("response"),
            integration_response_key: response_key.to_owned(),
            response_templates: Pairs::from([("$default".to_owned(), template.to_owned())]),
            template_selection_expression: None,
            content_handling_strategy: None,
            response_parameters: Pairs::new(),
        };
        let id = IntegrationId::new(key.trim_start_matches('$'));
        self.snapshot
            .integration_responses
            .entry(id)
            .or_default()
            .push(Arc::new(response));
        self
    }

    /// Makes the integration responses of a route convert the body (row M10).
    pub(crate) fn convert_responses(mut self, key: &str, strategy: &str) -> Self {
        let id = IntegrationId::new(key.trim_start_matches('$'));
        for response in self.snapshot.integration_responses.get_mut(&id).unwrap() {
            Arc::make_mut(response).content_handling_strategy = Some(strategy.to_owned());
        }
        self
    }

    /// Throttles a route, or with `None` the stage.
    pub(crate) fn throttle(self, route: Option<&str>, burst: u32, rate: f64) -> Self {
        let settings = RouteSettings {
            throttling_burst_limit: Some(burst),
            throttling_rate_limit: Some(rate),
            ..RouteSettings::default()
        };
        self.change_stage(|stage| match route {
            Some(route) => {
                stage.route_settings.insert(route.to_owned(), settings);
            }
            None => stage.default_route_settings = settings,
        })
    }

    /// Turns on access logs in this format.
    pub(crate) fn access_log(self, format: &str) -> Self {
        self.change_stage(|stage| {
            stage.access_log_settings = Some(AccessLogSettings {
                destination_arn: Some(
                    "arn:aws:logs:us-east-1:000000000000:log-group:access".to_owned(),
                ),
                format: Some(format.to_owned()),
            });
        })
    }

    /// Returns the API's ID.
    pub(crate) fn api(&self) -> ApiId {
        self.snapshot.api.api_id.clone()
    }

    /// Serves this API in place of the previous one.
    pub(crate) fn serve(&self, plane: &DataPlane) {
        let served = ServedStage {
            stage: Arc::new(self.stage.clone()),
            snapshot: self.deployed.then(|| Arc::new(self.snapshot.clone())),
        };
        plane.apis.serve(&self.api(), served);
    }

    /// Starts a gateway with default settings.
    pub(crate) async fn start(self) -> TestGateway {
        TestGateway::start(self, Settings::default()).await
    }

    /// Starts a gateway with changed settings.
    pub(crate) async fn start_with(self, change: impl FnOnce(&mut Settings)) -> TestGateway {
        let mut settings = Settings::default();
        change(&mut settings);
        TestGateway::start(self, settings).await
    }
}
