//! An account in memory: one API, its deployments, a stage and functions. Any call can be made to fail.

mod calls;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::{Value as Json, json};
use stackgen_deploy::account::{AccountRegion, ApiDescription, ApiPart, ApiPartKind};
use stackgen_deploy::{
    AccountError, AccountErrorKind, AccountResult, ApiId, ApiInfo, ApiProtocol, CustomDomain,
    DeploymentId, DeploymentInfo, DeploymentState, DomainMapping, FunctionName, StageInfo,
    StageName,
};

use crate::support::at;

/// Fault of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The call fails with this kind of error.
    Refused(AccountErrorKind),
    /// The request is lost, with an unclear error.
    LostBefore,
    /// The request takes effect, and its answer is lost.
    LostAfter,
    /// The call takes 30 s.
    Slow,
    /// The process ends before the call.
    EndsBefore,
    /// The process ends after the request took effect.
    EndsAfter,
}

#[derive(Clone, Debug)]
pub(crate) struct MemoryFunction {
    pub(crate) code: String,
    pub(crate) configuration: u64,
    /// Code and configuration of each version, from 1 on.
    pub(crate) versions: Vec<(String, u64)>,
    /// Number of reads until an update is complete.
    pub(crate) updating: u32,
    /// Number of updates of the code.
    pub(crate) revision: u32,
}

/// State of an account.
#[derive(Clone, Debug)]
pub(crate) struct MemoryState {
    pub(crate) description: ApiDescription,
    pub(crate) deployments: Vec<(DeploymentInfo, ApiDescription)>,
    pub(crate) stage: StageInfo,
    pub(crate) functions: BTreeMap<FunctionName, MemoryFunction>,
    /// Number of reads until a deployment is complete.
    pub(crate) pending: u32,
    /// Status of a complete deployment.
    pub(crate) becomes: DeploymentState,
    /// Custom domain names, with their mappings to the API.
    pub(crate) domains: Vec<(CustomDomain, Vec<DomainMapping>)>,
    /// Number of reads of the stages until AutoDeploy makes progress: its deployment is created, then it is complete.
    pub(crate) auto_deploys_after: Option<u32>,
    pub(crate) deleted_versions: Vec<String>,
    /// True if UpdateStage is accepted and has no effect.
    pub(crate) frozen_stage: bool,
    made: u32,
}

/// A change by another tool.
pub(crate) type Interference = Rc<dyn Fn(&mut MemoryState)>;

pub(crate) struct Memory {
    pub(crate) state: RefCell<MemoryState>,
    /// Operations of the calls, in order.
    pub(crate) calls: RefCell<Vec<&'static str>>,
    /// The index of the call that fails, and its fault.
    pub(crate) fault: Cell<Option<(usize, Fault)>>,
    /// The index of a call, and a change right before it.
    pub(crate) interference: RefCell<Option<(usize, Interference)>>,
    /// Decides what happens to each call.
    pub(crate) chaos: RefCell<Option<Rc<dyn Chaos>>>,
    reads: Cell<u32>,
}

/// Decides what happens to every call, and sees the state after it.
pub(crate) trait Chaos {
    /// Returns what happens to a call. May change the account, as another tool does.
    fn before(&self, operation: &'static str, state: &mut MemoryState) -> PlannedCall;

    /// Sees the account after a call.
    fn after(&self, operation: &'static str, state: &MemoryState);
}

/// The delay and the fault of a call, and what it sees.
#[derive(Clone, Debug, Default)]
pub(crate) struct PlannedCall {
    pub(crate) delay: std::time::Duration,
    pub(crate) fault: Option<Fault>,
    /// An earlier state, which a call that changes nothing sees.
    pub(crate) sees: Option<MemoryState>,
}

pub(crate) fn account_region() -> AccountRegion {
    AccountRegion {
        partition: "aws".to_owned(),
        region: "us-east-1".to_owned(),
        account: "123456789012".to_owned(),
    }
}

pub(crate) fn uri(function: &str) -> String {
    format!(
        "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/\
         arn:aws:lambda:us-east-1:123456789012:function:{function}/invocations"
    )
}

pub(crate) fn part(kind: ApiPartKind, id: &str, properties: Json) -> ApiPart {
    let Json::Object(properties) = properties else {
        panic!("properties are an object")
    };
    ApiPart {
        kind,
        id: id.to_owned(),
        parent: None,
        properties,
    }
}

/// A WebSocket API with `$connect` and `send`, which invoke `hello`.
pub(crate) fn description() -> ApiDescription {
    let api = json!({ "Name": "chat", "ProtocolType": "WEBSOCKET", "RouteSelectionExpression": "$request.body.action" });
    ApiDescription {
        api: api.as_object().unwrap().clone(),
        parts: vec![
            part(
                ApiPartKind::Integration,
                "int1",
                json!({
                    "IntegrationType": "AWS_PROXY",
                    "IntegrationUri": uri("hello"),
                    "CredentialsArn": "arn:aws:iam::123456789012:role/invoke",
                    "TimeoutInMillis": 29000,
                }),
            ),
            part(
                ApiPartKind::Route,
                "route1",
                json!({ "RouteKey": "$connect", "Target": "integrations/int1" }),
            ),
            part(
                ApiPartKind::Route,
                "route2",
                json!({ "RouteKey": "send", "Target": "integrations/int1" }),
            ),
        ],
    }
}

pub(crate) fn route(key: &str) -> ApiPart {
    let target = json!({ "RouteKey": key, "Target": "integrations/int1" });
    part(ApiPartKind::Route, &format!("route-{key}"), target)
}

impl Memory {
    /// An API that was deployed by hand, as `old`, before a route `added` was added.
    pub(crate) fn stale() -> Memory {
        let old = description();
        let mut now = old.clone();
        now.parts.push(route("added"));
        let function = MemoryFunction {
            code: "code-1".to_owned(),
            configuration: 1,
            versions: Vec::new(),
            updating: 0,
            revision: 0,
        };
        let state = MemoryState {
            description: now,
            deployments: vec![(by_hand("old", 1_000), old)],
            stage: StageInfo {
                name: StageName::new("dev"),
                deployment: Some(DeploymentId::new("old")),
                auto_deploy: false,
                last_deployment_status_message: None,
            },
            functions: BTreeMap::from([(FunctionName::new("hello"), function)]),
            pending: 0,
            becomes: DeploymentState::Deployed,
            domains: Vec::new(),
            auto_deploys_after: None,
            deleted_versions: Vec::new(),
            frozen_stage: false,
            made: 0,
        };
        Memory {
            state: RefCell::new(state),
            calls: RefCell::default(),
            fault: Cell::new(None),
            interference: RefCell::new(None),
            chaos: RefCell::new(None),
            reads: Cell::new(0),
        }
    }

    pub(crate) fn holding(change: impl FnOnce(&mut MemoryState)) -> Memory {
        let memory = Memory::stale();
        change(&mut memory.state.borrow_mut());
        memory
    }

    pub(crate) fn api() -> ApiInfo {
        ApiInfo {
            id: ApiId::new("api1"),
            name: "chat".to_owned(),
            protocol: ApiProtocol::WebSocket,
            endpoint: Some("wss://api1.execute-api.us-east-1.amazonaws.com".to_owned()),
            endpoint_disabled: false,
            tags: BTreeMap::new(),
        }
    }

    /// Returns the deployment that the stage serves, and its snapshot.
    pub(crate) fn serves(&self) -> Option<(DeploymentInfo, ApiDescription)> {
        let state = self.state.borrow();
        let id = state.stage.deployment.as_ref()?;
        state
            .deployments
            .iter()
            .find(|(deployment, _)| deployment.id == *id)
            .cloned()
    }

    pub(crate) fn ids(&self) -> Vec<String> {
        let state = self.state.borrow();
        state
            .deployments
            .iter()
            .map(|(deployment, _)| deployment.id.to_string())
            .collect()
    }

    /// Records a call, and makes it fail if it should.
    async fn call<T>(
        &self,
        operation: &'static str,
        mut work: impl FnMut(&mut MemoryState) -> AccountResult<T>,
    ) -> AccountResult<T> {
        let index = self.calls.borrow().len();
        self.calls.borrow_mut().push(operation);
        if let Some((at, does)) = self.interference.borrow().clone()
            && at == index
        {
            does(&mut self.state.borrow_mut());
        }
        let fault = self
            .fault
            .get()
            .filter(|(at, _)| *at == index)
            .map(|(_, fault)| fault);
        let chaos = self.chaos.borrow().clone();
        let planned = chaos
            .as_ref()
            .map(|chaos| chaos.before(operation, &mut self.state.borrow_mut()))
            .unwrap_or_default();
        if !planned.delay.is_zero() {
            tokio::time::sleep(planned.delay).await;
        }
        let fault = planned.fault.or(fault);
        let lost = || {
            refused(
                operation,
                AccountErrorKind::Unclear,
                "the connection was cut",
            )
        };
        match fault {
            Some(Fault::Refused(kind)) => return Err(refused(operation, kind, "refused")),
            Some(Fault::LostBefore) => return Err(lost()),
            Some(Fault::EndsBefore) => std::future::pending().await,
            Some(Fault::Slow) => tokio::time::sleep(std::time::Duration::from_secs(30)).await,
            _ => {}
        }
        let mut answer = work(&mut self.state.borrow_mut());
        if let Some(mut earlier) = planned.sees {
            // Only the account itself makes progress.
            let reads = self.reads.get();
            self.reads.set(reads.saturating_sub(1));
            answer = work(&mut earlier);
            self.reads.set(reads);
        }
        if let Some(chaos) = chaos {
            chaos.after(operation, &self.state.borrow());
        }
        match fault {
            Some(Fault::LostAfter) => Err(lost()),
            Some(Fault::EndsAfter) => std::future::pending().await,
            _ => answer,
        }
    }

    /// True once something was read often enough.
    fn ready(&self, after: u32) -> bool {
        self.reads.set(self.reads.get() + 1);
        self.reads.get() > after
    }
}

impl MemoryState {
    /// Makes progress with the deployment of AutoDeploy, which is PENDING first, and later `becomes`.
    fn progress_auto_deploy(&mut self) {
        match self.auto_deploys_after {
            None => return,
            Some(0) => {}
            Some(reads) => {
                self.auto_deploys_after = Some(reads - 1);
                return;
            }
        }
        self.auto_deploys_after = None;
        let id = DeploymentId::new("auto");
        for (deployment, _) in &mut self.deployments {
            if deployment.id == id {
                deployment.status = self.becomes;
            }
        }
        self.stage.last_deployment_status_message = Some(match self.becomes {
            DeploymentState::Deployed => {
                self.stage.deployment = Some(id);
                "Successfully deployed stage with deployment ID 'auto'".to_owned()
            }
            _ => "Deployment attempt failed: no integration".to_owned(),
        });
    }
}

pub(crate) fn by_hand(id: &str, created: i64) -> DeploymentInfo {
    DeploymentInfo {
        id: DeploymentId::new(id),
        status: DeploymentState::Deployed,
        message: None,
        description: Some("by hand".to_owned()),
        auto_deployed: false,
        created: at(created),
    }
}

fn refused(operation: &'static str, kind: AccountErrorKind, message: &str) -> AccountError {
    AccountError {
        kind,
        operation,
        message: message.to_owned(),
        permission: format!("apigateway:{operation}"),
    }
}
