//! Invariants that hold after any sequence of changes.

use std::collections::HashMap;
use std::sync::Arc;

use proptest::prelude::*;
use stackgen_gateway_apis::apis::{
    ApiInput, Apis, DeploymentInput, IntegrationInput, ModelInput, Pairs, ProtocolType, RouteInput,
    RouteResponseInput, Snapshot, StageInput,
};
use stackgen_gateway_common::{ApiId, DeploymentId, IntegrationId, RouteId, RouteKey, StageName};

/// A change. Numbers select an existing resource, or one that does not exist.
#[derive(Clone, Debug)]
enum ApiChange {
    Expression(u8),
    CreateRoute(u8, Option<u8>),
    UpdateRoute(u8, Option<u8>, Option<u8>),
    DeleteRoute(u8),
    CreateResponse(u8),
    CreateIntegration(u8),
    UpdateIntegration(u8, u8),
    DeleteIntegration(u8),
    CreateModel(u8),
    Deploy(Option<u8>),
    DeleteDeployment(u8),
    CreateStage(u8, Option<u8>, bool),
    UpdateStage(u8, Option<u8>, Option<bool>),
    Variable(u8, u8),
    DeleteStage(u8),
}

fn change() -> impl Strategy<Value = ApiChange> {
    let one = || 0..4u8;
    let maybe = || prop::option::of(0..4u8);
    use ApiChange::*;
    prop_oneof![
        one().prop_map(Expression),
        (one(), maybe()).prop_map(|(a, b)| CreateRoute(a, b)),
        (one(), maybe(), maybe()).prop_map(|(a, b, c)| UpdateRoute(a, b, c)),
        one().prop_map(DeleteRoute),
        one().prop_map(CreateResponse),
        one().prop_map(CreateIntegration),
        (one(), one()).prop_map(|(a, b)| UpdateIntegration(a, b)),
        one().prop_map(DeleteIntegration),
        one().prop_map(CreateModel),
        maybe().prop_map(Deploy),
        one().prop_map(DeleteDeployment),
        (one(), maybe(), any::<bool>()).prop_map(|(a, b, c)| CreateStage(a, b, c)),
        (one(), maybe(), prop::option::of(any::<bool>()))
            .prop_map(|(a, b, c)| UpdateStage(a, b, c)),
        (one(), one()).prop_map(|(a, b)| Variable(a, b)),
        one().prop_map(DeleteStage),
    ]
}

/// The API under test.
struct TestedApi {
    apis: Apis,
    api: ApiId,
    deployments: Vec<DeploymentId>,
}

impl TestedApi {
    fn new() -> Self {
        let apis = Apis::default();
        let api = ApiId::new("subject");
        let input = ApiInput {
            name: Some("subject".to_owned()),
            protocol_type: Some(ProtocolType::WebSocket),
            route_selection_expression: Some("$request.body.action".to_owned()),
            ..ApiInput::default()
        };
        apis.create_api(Some(api.clone()), input).unwrap();
        TestedApi {
            apis,
            api,
            deployments: Vec::new(),
        }
    }

    fn deployment(&self, n: u8) -> DeploymentId {
        let known = self.deployments.get(usize::from(n));
        known.cloned().unwrap_or_else(|| DeploymentId::new("none"))
    }

    /// Makes the change. Returns false if it is refused.
    fn apply(&mut self, change: &ApiChange) -> bool {
        let (apis, api) = (&self.apis, &self.api);
        let target = |n: &u8| format!("integrations/i{n}");
        let key = |n: &u8| RouteKey::new(format!("k{n}"));
        match change {
            ApiChange::Expression(n) => {
                let input = ApiInput {
                    route_selection_expression: Some(format!("$request.body.x{n}")),
                    ..ApiInput::default()
                };
                apis.update_api(api, input).is_ok()
            }
            ApiChange::CreateRoute(n, to) => {
                let input = RouteInput {
                    route_key: Some(key(n)),
                    target: to.as_ref().map(target),
                    ..RouteInput::default()
                };
                apis.create_route(api, Some(RouteId::new(format!("r{n}"))), input)
                    .is_ok()
            }
            ApiChange::UpdateRoute(n, to, renamed) => {
                let input = RouteInput {
                    route_key: renamed.as_ref().map(key),
                    target: to.as_ref().map(target),
                    ..RouteInput::default()
                };
                apis.update_route(api, &RouteId::new(format!("r{n}")), input)
                    .is_ok()
            }
            ApiChange::DeleteRoute(n) => apis
                .delete_route(api, &RouteId::new(format!("r{n}")))
                .is_ok(),
            ApiChange::CreateResponse(n) => {
                let input = RouteResponseInput {
                    route_response_key: Some("$default".to_owned()),
                    ..RouteResponseInput::default()
                };
                let route = RouteId::new(format!("r{n}"));
                apis.create_route_response(api, &route, None, input).is_ok()
            }
            ApiChange::CreateModel(n) => {
                let input = ModelInput {
                    name: Some(format!("m{n}")),
                    schema: Some("{}".to_owned()),
                    ..ModelInput::default()
                };
                apis.create_model(api, None, input).is_ok()
            }
            _ => self.apply_more(change),
        }
    }

    fn apply_more(&mut self, change: &ApiChange) -> bool {
        let (apis, api) = (&self.apis, &self.api);
        let integration = |n: &u8| IntegrationId::new(format!("i{n}"));
        let mock = |timeout: u8| IntegrationInput {
            integration_type: Some("MOCK".to_owned()),
            timeout_in_millis: Some(50 + u64::from(timeout)),
            ..IntegrationInput::default()
        };
        let stage = |deployment: Option<DeploymentId>, auto: Option<bool>| StageInput {
            deployment_id: deployment,
            auto_deploy: auto,
            ..StageInput::default()
        };
        match change {
            ApiChange::CreateIntegration(n) => apis
                .create_integration(api, Some(integration(n)), mock(0))
                .is_ok(),
            ApiChange::UpdateIntegration(n, to) => apis
                .update_integration(api, &integration(n), mock(*to))
                .is_ok(),
            ApiChange::DeleteIntegration(n) => {
                apis.delete_integration(api, &integration(n)).is_ok()
            }
            ApiChange::Deploy(n) => {
                let input = DeploymentInput {
                    stage_name: n.map(|n| StageName::new(format!("s{n}"))),
                    ..DeploymentInput::default()
                };
                let created = apis.create_deployment(api, None, input);
                let id = created.map(|created| created.deployment_id.clone());
                self.deployments.extend(id.as_ref().ok().cloned());
                id.is_ok()
            }
            ApiChange::DeleteDeployment(n) => {
                apis.delete_deployment(api, &self.deployment(*n)).is_ok()
            }
            ApiChange::CreateStage(n, deployment, auto) => {
                let input = StageInput {
                    stage_name: Some(StageName::new(format!("s{n}"))),
                    ..stage(deployment.map(|n| self.deployment(n)), Some(*auto))
                };
                apis.create_stage(api, input).is_ok()
            }
            ApiChange::UpdateStage(n, deployment, auto) => {
                let input = stage(deployment.map(|n| self.deployment(n)), *auto);
                apis.update_stage(api, &format!("s{n}"), input).is_ok()
            }
            ApiChange::Variable(n, value) => {
                let input = StageInput {
                    stage_variables: Some(Pairs::from([("v".to_owned(), value.to_string())])),
                    ..StageInput::default()
                };
                apis.update_stage(api, &format!("s{n}"), input).is_ok()
            }
            ApiChange::DeleteStage(n) => apis.delete_stage(api, &format!("s{n}")).is_ok(),
            _ => unreachable!("made before"),
        }
    }

    /// Returns the API's complete readable state.
    fn all(&self) -> String {
        let (apis, api) = (&self.apis, &self.api);
        format!(
            "{:?}",
            (
                apis.get_api(api),
                apis.list_routes(api),
                apis.list_integrations(api),
                apis.list_models(api),
                // Snapshots are checked separately: they must never change.
                apis.list_deployments(api).map(|all| {
                    let ids = all.iter().map(|one| one.deployment_id.to_string());
                    ids.collect::<Vec<_>>()
                }),
                apis.list_stages(api),
            )
        )
    }

    fn check_invariants(
        &self,
        frozen: &mut HashMap<DeploymentId, Snapshot>,
    ) -> Result<(), TestCaseError> {
        let (apis, api) = (&self.apis, &self.api);
        let deployments = apis.list_deployments(api).unwrap();
        for deployment in &deployments {
            let first = frozen
                .entry(deployment.deployment_id.clone())
                .or_insert_with(|| Snapshot::clone(&deployment.snapshot));
            prop_assert_eq!(&*deployment.snapshot, &*first, "a snapshot never changes");
            prop_assert!(!deployment.snapshot.routes.is_empty());
            for route in deployment
                .snapshot
                .routes
                .values()
                .filter(|route| route.target.is_some())
            {
                prop_assert!(deployment.snapshot.integration(route).is_some());
            }
        }
        let stages = apis.list_stages(api).unwrap();
        for n in 0..4 {
            let name = format!("s{n}");
            let stage = stages
                .iter()
                .find(|stage| stage.stage_name == name.as_str());
            let served = apis.served(api, &name);
            prop_assert_eq!(served.is_some(), stage.is_some());
            let (Some(served), Some(stage)) = (served, stage) else {
                continue;
            };
            prop_assert_eq!(&served.stage, stage);
            let pointed = stage
                .deployment_id
                .as_ref()
                .map(|id| deployments.iter().find(|one| one.deployment_id == *id));
            prop_assert_ne!(&pointed, &Some(None), "a stage's deployment always exists");
            let snapshot = pointed.flatten().map(|one| one.snapshot.clone());
            prop_assert_eq!(&served.snapshot, &snapshot);
            let stale = apis.stale_stages(api).unwrap();
            let is_stale = stale.iter().any(|one| one.stage_name == name.as_str());
            let changes = apis.undeployed_changes(api, &name).unwrap();
            prop_assert_eq!(!changes.is_empty(), is_stale, "{:?}", changes);
            let routes = apis.list_routes(api).unwrap();
            if stage.auto_deploy && !routes.is_empty() {
                let snapshot = snapshot.unwrap();
                prop_assert_eq!(snapshot.routes.len(), routes.len());
                for route in routes {
                    let same = snapshot.routes.get(&route.route_key);
                    prop_assert!(same.is_some_and(|same| Arc::ptr_eq(same, &route)));
                }
            }
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn stages_serve_the_snapshots_of_their_deployments_after_any_changes(
        changes in prop::collection::vec(change(), 1..60)
    ) {
        let mut subject = TestedApi::new();
        let mut frozen = HashMap::new();
        for change in &changes {
            let before = subject.all();
            if !subject.apply(change) {
                prop_assert_eq!(subject.all(), before, "a refused change has no effect: {:?}", change);
            }
            subject.check_invariants(&mut frozen)?;
        }
    }
}
