//! Models are read only if a route or a response names one.

use serde_json::{Value as Json, json};
use stackgen_deploy::account::{ApiPart, ApiPartKind};
use stackgen_deploy::redeploy::RedeployOutcome;
use stackgen_deploy::{AccountErrorKind, DeployError};

use crate::memory::{Fault, Memory};
use crate::support::{Answers, request, run};

/// Returns the number of calls of GetModels in a redeploy of an API in which a part has this property.
async fn model_reads(kind: ApiPartKind, property: &str, value: Json) -> usize {
    let memory = Memory::holding(|state| {
        let parts = &mut state.description.parts;
        let route = parts
            .iter_mut()
            .find(|part| part.kind == ApiPartKind::Route);
        let route = route.expect("there is a route");
        let changed = match kind {
            ApiPartKind::RouteResponse => {
                let expression = "RouteResponseSelectionExpression".to_owned();
                route.properties.insert(expression, "$default".into());
                let response = ApiPart {
                    kind,
                    id: "response".to_owned(),
                    parent: Some(route.id.clone()),
                    properties: serde_json::Map::new(),
                };
                parts.push(response);
                parts.last_mut().expect("it was pushed")
            }
            _ => route,
        };
        changed.properties.insert(property.to_owned(), value);
    });
    let outcome = run(&memory, &Answers::with(&[101]), &request()).await.0;
    assert!(matches!(outcome, Ok(RedeployOutcome::Deployed { .. })));
    let calls = memory.calls.borrow();
    calls.iter().filter(|call| **call == "GetModels").count()
}

#[tokio::test(start_paused = true)]
async fn models_are_read_if_a_route_or_a_response_names_one() {
    use ApiPartKind::{Route, RouteResponse};
    let named = || json!({ "send": "Message" });
    assert_eq!(model_reads(Route, "OperationName", json!("send")).await, 0);
    assert_eq!(model_reads(Route, "RequestModels", json!({})).await, 0);
    assert_eq!(model_reads(Route, "RequestModels", named()).await, 2);
    assert_eq!(
        model_reads(RouteResponse, "ResponseModels", named()).await,
        2
    );
}

#[tokio::test(start_paused = true)]
async fn models_that_cannot_be_read_fail_a_redeploy_that_needs_them() {
    let memory = Memory::holding(|state| {
        let route = state.description.parts.iter_mut();
        let mut routes = route.filter(|part| part.kind == ApiPartKind::Route);
        let route = routes.next().expect("there is a route");
        let named = json!({ "send": "Message" });
        route.properties.insert("RequestModels".to_owned(), named);
    });
    let refused = Fault::Refused(AccountErrorKind::AccessDenied);
    // GetCallerIdentity, GetStage, GetApi, GetRoutes, GetIntegrations and GetAuthorizers come before.
    memory.fault.set(Some((6, refused)));
    let outcome = run(&memory, &Answers::with(&[101]), &request()).await.0;
    assert_eq!(memory.calls.borrow().last(), Some(&"GetModels"));
    assert!(matches!(outcome, Err(DeployError::Account(_))));
}
