//! An account in memory: one API, its deployments, a stage and functions. Any call can be made to fail.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::{Value as Json, json};
use stackgen_deploy::account::{AccountRegion, ApiDescription, Part, PartKind, Properties};
use stackgen_deploy::code::BuiltCode;
use stackgen_deploy::redeploy::{Redeploy, Redeployed, redeploy};
use stackgen_deploy::{
    Account, AccountError, AccountErrorKind, AccountResult, Api, ApiId, Caller, CustomDomain,
    DeployError, Deployment, DeploymentId, DeploymentStatus, DomainMapping, FunctionName,
    FunctionState, FunctionVersion, Handshake, Interrupt, OperationContext, Protocol, RetryPolicy,
    Stage, StageName, Timestamp, UpdateStatus, Verification, Verify,
};

/// What becomes of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It is refused, and may be tried again.
    Refused(AccountErrorKind),
    /// It never arrives, and nobody can tell.
    LostBefore,
    /// It is carried out and its answer is lost.
    LostAfter,
    /// It takes long.
    Slow,
    /// The process ends before it, or after it.
    EndsBefore,
    EndsAfter,
}

#[derive(Clone, Debug)]
pub(crate) struct Function {
    pub(crate) code: String,
    pub(crate) configuration: u64,
    /// Code and configuration of each version, from 1 on.
    pub(crate) versions: Vec<(String, u64)>,
    /// How many looks until an update is through.
    pub(crate) updating: u32,
}

/// What an account holds.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    pub(crate) description: ApiDescription,
    pub(crate) deployments: Vec<(Deployment, ApiDescription)>,
    pub(crate) stage: Stage,
    pub(crate) functions: BTreeMap<FunctionName, Function>,
    /// How many looks until a deployment is DEPLOYED; what it becomes.
    pub(crate) pending: u32,
    pub(crate) becomes: DeploymentStatus,
    /// The custom domains, with their mappings to the API.
    pub(crate) domains: Vec<(CustomDomain, Vec<DomainMapping>)>,
    /// Whether UpdateStage is accepted and never seen.
    pub(crate) frozen_stage: bool,
    made: u32,
}

/// What somebody else does to an account.
pub(crate) type Meddling = Rc<dyn Fn(&mut Held)>;

pub(crate) struct Memory {
    pub(crate) held: RefCell<Held>,
    /// Names of calls, in order.
    pub(crate) calls: RefCell<Vec<&'static str>>,
    /// Which call fails, counted from 0, and how.
    pub(crate) fault: Cell<Option<(usize, Fault)>>,
    /// What somebody else does just before a call.
    pub(crate) else_does: RefCell<Option<(usize, Meddling)>>,
    looks: Cell<u32>,
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

pub(crate) fn part(kind: PartKind, id: &str, properties: Json) -> Part {
    let Json::Object(properties) = properties else {
        panic!("properties are an object")
    };
    Part {
        kind,
        id: id.to_owned(),
        parent: None,
        properties,
    }
}

/// A WebSocket API with `$connect` and `send`, which call `hello`.
pub(crate) fn description() -> ApiDescription {
    let api = json!({ "Name": "chat", "ProtocolType": "WEBSOCKET", "RouteSelectionExpression": "$request.body.action" });
    ApiDescription {
        api: api.as_object().unwrap().clone(),
        parts: vec![
            part(
                PartKind::Integration,
                "int1",
                json!({
                    "IntegrationType": "AWS_PROXY",
                    "IntegrationUri": uri("hello"),
                    "CredentialsArn": "arn:aws:iam::123456789012:role/invoke",
                    "TimeoutInMillis": 29000,
                }),
            ),
            part(
                PartKind::Route,
                "route1",
                json!({ "RouteKey": "$connect", "Target": "integrations/int1" }),
            ),
            part(
                PartKind::Route,
                "route2",
                json!({ "RouteKey": "send", "Target": "integrations/int1" }),
            ),
        ],
    }
}

pub(crate) fn route(key: &str) -> Part {
    let target = json!({ "RouteKey": key, "Target": "integrations/int1" });
    part(PartKind::Route, &format!("route-{key}"), target)
}

impl Memory {
    /// An API that somebody deployed by hand, as `old`, before a route `added` was added.
    pub(crate) fn stale() -> Memory {
        let old = description();
        let mut now = old.clone();
        now.parts.push(route("added"));
        let function = Function {
            code: "code-1".to_owned(),
            configuration: 1,
            versions: Vec::new(),
            updating: 0,
        };
        let held = Held {
            description: now,
            deployments: vec![(by_hand("old", 1_000), old)],
            stage: Stage {
                name: StageName::new("dev"),
                deployment: Some(DeploymentId::new("old")),
                auto_deploy: false,
            },
            functions: BTreeMap::from([(FunctionName::new("hello"), function)]),
            pending: 0,
            becomes: DeploymentStatus::Deployed,
            domains: Vec::new(),
            frozen_stage: false,
            made: 0,
        };
        Memory {
            held: RefCell::new(held),
            calls: RefCell::default(),
            fault: Cell::new(None),
            else_does: RefCell::new(None),
            looks: Cell::new(0),
        }
    }

    pub(crate) fn holding(change: impl FnOnce(&mut Held)) -> Memory {
        let memory = Memory::stale();
        change(&mut memory.held.borrow_mut());
        memory
    }

    pub(crate) fn api() -> Api {
        Api {
            id: ApiId::new("api1"),
            name: "chat".to_owned(),
            protocol: Protocol::WebSocket,
            endpoint: Some("wss://api1.execute-api.us-east-1.amazonaws.com".to_owned()),
            endpoint_disabled: false,
        }
    }

    /// What the stage serves.
    pub(crate) fn serves(&self) -> Option<(Deployment, ApiDescription)> {
        let held = self.held.borrow();
        let id = held.stage.deployment.as_ref()?;
        held.deployments
            .iter()
            .find(|(deployment, _)| deployment.id == *id)
            .cloned()
    }

    pub(crate) fn ids(&self) -> Vec<String> {
        let held = self.held.borrow();
        held.deployments
            .iter()
            .map(|(deployment, _)| deployment.id.to_string())
            .collect()
    }

    /// A call: counted, and failing if it is to.
    async fn call<T>(
        &self,
        operation: &'static str,
        work: impl FnOnce(&mut Held) -> AccountResult<T>,
    ) -> AccountResult<T> {
        let index = self.calls.borrow().len();
        self.calls.borrow_mut().push(operation);
        if let Some((at, does)) = self.else_does.borrow().clone()
            && at == index
        {
            does(&mut self.held.borrow_mut());
        }
        let fault = self
            .fault
            .get()
            .filter(|(at, _)| *at == index)
            .map(|(_, fault)| fault);
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
        let answer = work(&mut self.held.borrow_mut());
        match fault {
            Some(Fault::LostAfter) => Err(lost()),
            Some(Fault::EndsAfter) => std::future::pending().await,
            _ => answer,
        }
    }

    /// What a look finds: what is being made is ready after some looks.
    fn ready(&self, after: u32) -> bool {
        self.looks.set(self.looks.get() + 1);
        self.looks.get() > after
    }
}

pub(crate) fn by_hand(id: &str, created: i64) -> Deployment {
    Deployment {
        id: DeploymentId::new(id),
        status: DeploymentStatus::Deployed,
        message: None,
        description: Some("by hand".to_owned()),
        auto_deployed: false,
        created: Timestamp(created),
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

impl Account for Memory {
    async fn account_region(&self) -> AccountResult<AccountRegion> {
        self.call("GetCallerIdentity", |_| Ok(account_region()))
            .await
    }

    async fn apis(&self) -> AccountResult<Vec<Api>> {
        self.call("GetApis", |_| Ok(vec![Memory::api()])).await
    }

    async fn api(&self, _: &ApiId) -> AccountResult<Api> {
        self.call("GetApi", |_| Ok(Memory::api())).await
    }

    async fn stages(&self, _: &ApiId) -> AccountResult<Vec<Stage>> {
        self.call("GetStages", |held| Ok(vec![held.stage.clone()]))
            .await
    }

    async fn custom_domains(&self) -> AccountResult<Vec<CustomDomain>> {
        let domains = |held: &mut Held| {
            Ok(held
                .domains
                .iter()
                .map(|(domain, _)| domain.clone())
                .collect())
        };
        self.call("GetDomainNames", domains).await
    }

    async fn mappings(&self, domain: &str, _: &ApiId) -> AccountResult<Vec<DomainMapping>> {
        self.call("GetApiMappings", |held| {
            let mut domains = held.domains.iter();
            let found = domains.find(|(custom, _)| custom.name == domain);
            Ok(found.map_or_else(Vec::new, |(_, mappings)| mappings.clone()))
        })
        .await
    }

    async fn api_properties(&self, _: &ApiId) -> AccountResult<Properties> {
        self.call("GetApi", |held| Ok(held.description.api.clone()))
            .await
    }

    async fn parts(
        &self,
        _: &ApiId,
        kind: PartKind,
        parent: Option<&str>,
    ) -> AccountResult<Vec<Part>> {
        let operation = match kind {
            PartKind::Authorizer => "GetAuthorizers",
            PartKind::Integration => "GetIntegrations",
            PartKind::IntegrationResponse => "GetIntegrationResponses",
            PartKind::Model => "GetModels",
            PartKind::Route => "GetRoutes",
            PartKind::RouteResponse => "GetRouteResponses",
        };
        self.call(operation, |held| {
            let parts = held.description.parts.iter();
            let listed = parts.filter(|part| part.kind == kind && part.parent.as_deref() == parent);
            Ok(listed.cloned().collect())
        })
        .await
    }

    async fn deployments(&self, _: &ApiId) -> AccountResult<Vec<Deployment>> {
        let all = |held: &mut Held| {
            Ok(held
                .deployments
                .iter()
                .map(|(one, _)| one.clone())
                .collect())
        };
        self.call("GetDeployments", all).await
    }

    async fn deployment(&self, _: &ApiId, id: &DeploymentId) -> AccountResult<Deployment> {
        self.call("GetDeployment", |held| {
            let ready = self.ready(held.pending);
            let becomes = held.becomes;
            let found = held.deployments.iter_mut().find(|(one, _)| one.id == *id);
            let (found, _) = found
                .ok_or_else(|| refused("GetDeployment", AccountErrorKind::NotFound, "no such"))?;
            if found.status == DeploymentStatus::Pending && ready {
                found.status = becomes;
                found.message = (becomes == DeploymentStatus::Failed).then(|| "no".to_owned());
            }
            Ok(found.clone())
        })
        .await
    }

    async fn create_deployment(&self, _: &ApiId, description: &str) -> AccountResult<Deployment> {
        self.call("CreateDeployment", |held| {
            held.made += 1;
            let status = match held.pending {
                0 => held.becomes,
                _ => DeploymentStatus::Pending,
            };
            self.looks.set(0);
            let made = Deployment {
                id: DeploymentId::new(format!("new{}", held.made)),
                status,
                description: Some(description.to_owned()),
                ..by_hand("", 2_000 + i64::from(held.made))
            };
            held.deployments
                .push((made.clone(), held.description.clone()));
            Ok(made)
        })
        .await
    }

    async fn update_description(
        &self,
        _: &ApiId,
        id: &DeploymentId,
        description: &str,
    ) -> AccountResult<()> {
        self.call("UpdateDeployment", |held| {
            let found = held.deployments.iter_mut().find(|(one, _)| one.id == *id);
            found.unwrap().0.description = Some(description.to_owned());
            Ok(())
        })
        .await
    }

    async fn delete_deployment(&self, _: &ApiId, id: &DeploymentId) -> AccountResult<()> {
        self.call("DeleteDeployment", |held| {
            if held.stage.deployment.as_ref() == Some(id) {
                let message = "Active stages pointing to this deployment must be moved or deleted";
                return Err(refused(
                    "DeleteDeployment",
                    AccountErrorKind::Refused,
                    message,
                ));
            }
            held.deployments.retain(|(one, _)| one.id != *id);
            Ok(())
        })
        .await
    }

    async fn stage(&self, _: &ApiId, _: &StageName) -> AccountResult<Stage> {
        self.call("GetStage", |held| Ok(held.stage.clone())).await
    }

    async fn activate(
        &self,
        _: &ApiId,
        _: &StageName,
        deployment: &DeploymentId,
    ) -> AccountResult<()> {
        self.call("UpdateStage", |held| {
            if !held.frozen_stage {
                held.stage.deployment = Some(deployment.clone());
            }
            Ok(())
        })
        .await
    }

    async fn function(
        &self,
        name: &FunctionName,
        version: Option<&FunctionVersion>,
    ) -> AccountResult<FunctionState> {
        self.call("GetFunctionConfiguration", |held| {
            let missing = || {
                refused(
                    "GetFunctionConfiguration",
                    AccountErrorKind::NotFound,
                    "no such",
                )
            };
            let function = held.functions.get_mut(name).ok_or_else(missing)?;
            let update = match function.updating {
                0 => UpdateStatus::Successful,
                _ => UpdateStatus::InProgress,
            };
            function.updating = function.updating.saturating_sub(1);
            let number = version.map(|version| version.as_str().parse::<usize>().unwrap());
            let (code_sha256, configuration) = match number {
                None => (function.code.clone(), function.configuration),
                Some(number) => function
                    .versions
                    .get(number - 1)
                    .cloned()
                    .ok_or_else(missing)?,
            };
            Ok(FunctionState {
                code_sha256,
                configuration,
                update,
            })
        })
        .await
    }

    async fn update_code(&self, name: &FunctionName, zip: &[u8]) -> AccountResult<()> {
        self.call("UpdateFunctionCode", |held| {
            let function = held.functions.get_mut(name).unwrap();
            function.code = String::from_utf8(zip.to_vec()).unwrap();
            function.updating = 2;
            Ok(())
        })
        .await
    }

    async fn publish_version(
        &self,
        name: &FunctionName,
        code_sha256: &str,
    ) -> AccountResult<FunctionVersion> {
        self.call("PublishVersion", |held| {
            let function = held.functions.get_mut(name).unwrap();
            assert_eq!(function.code, code_sha256);
            let latest = (function.code.clone(), function.configuration);
            // Row D17.
            if function.versions.last() != Some(&latest) {
                function.versions.push(latest);
            }
            Ok(FunctionVersion::new(function.versions.len().to_string()))
        })
        .await
    }

    async fn set_integration_uri(
        &self,
        _: &ApiId,
        integration: &str,
        uri: &str,
    ) -> AccountResult<()> {
        self.call("UpdateIntegration", |held| {
            let part = held
                .description
                .parts
                .iter_mut()
                .find(|part| part.id == integration);
            part.unwrap()
                .properties
                .insert("IntegrationUri".to_owned(), Json::from(uri));
            Ok(())
        })
        .await
    }

    async fn set_authorizer_uri(
        &self,
        _: &ApiId,
        authorizer: &str,
        uri: &str,
    ) -> AccountResult<()> {
        self.call("UpdateAuthorizer", |held| {
            let part = held
                .description
                .parts
                .iter_mut()
                .find(|part| part.id == authorizer);
            part.unwrap()
                .properties
                .insert("AuthorizerUri".to_owned(), Json::from(uri));
            Ok(())
        })
        .await
    }
}

/// Answers handshakes with these statuses, the last one for ever.
pub(crate) struct Answers(RefCell<Vec<u16>>);

impl Answers {
    pub(crate) fn with(statuses: &[u16]) -> Answers {
        Answers(RefCell::new(statuses.to_vec()))
    }
}

impl Verify for Answers {
    async fn attempt(&self, _: &str, _: Protocol, _: &Caller) -> Handshake {
        let mut statuses = self.0.borrow_mut();
        Handshake::Answered(match statuses.len() {
            1 => statuses[0],
            _ => statuses.remove(0),
        })
    }
}

/// What most tests redeploy.
pub(crate) fn request() -> Redeploy {
    Redeploy {
        api: Memory::api(),
        stage: StageName::new("dev"),
        git: "abc1234".to_owned(),
        run: "run1".to_owned(),
        environment: Some("dev".to_owned()),
        code: Vec::new(),
        release: None,
        force: false,
        verify: Some(Verification::default()),
        mark: false,
        prune_failed: false,
        prune: None,
    }
}

pub(crate) fn built(function: &str, code: &str) -> BuiltCode {
    BuiltCode {
        function: FunctionName::new(function),
        sha256: code.to_owned(),
        zip: code.as_bytes().into(),
    }
}

/// Returns a context that reports no steps.
pub(crate) fn context<'a>(
    retry: &'a RetryPolicy,
    interrupt: &'a Interrupt,
) -> OperationContext<'a> {
    OperationContext {
        retry,
        steps: &|_| {},
        interrupt,
        now: || Timestamp(1_795_315_372),
    }
}

/// Redeploys, and returns the steps as lines.
pub(crate) async fn run(
    memory: &Memory,
    answers: &Answers,
    request: &Redeploy,
) -> (Result<Redeployed, DeployError>, Vec<String>) {
    let told = RefCell::new(Vec::new());
    let steps = |step: stackgen_deploy::Step<'_>| told.borrow_mut().push(format!("{step:?}"));
    let (retry, interrupt) = (RetryPolicy::default(), Interrupt::never());
    let ctx = OperationContext {
        retry: &retry,
        steps: &steps,
        ..context(&retry, &interrupt)
    };
    let outcome = redeploy(memory, answers, request, ctx).await;
    (outcome, told.into_inner())
}
