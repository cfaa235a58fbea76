//! An API with a stage, which stackgen redeploys and rolls back.

use std::fs;
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use futures_util::future::{join, join_all};
use serde_json::{Value, json};
use stackgen_gateway::apis::{Apis, StoredDeployment};
use stackgen_gateway::stack::{ApplyMode, GatewayStack, StackCode, StackTemplate};
use stackgen_gateway::{ApiId, DeploymentId, Event, EventReceiver, IntegrationId};
use tempfile::TempDir;

use crate::common::Sandbox;
use crate::fault::Kill;
use crate::journal::{Move, is_proven};
use crate::operation::Operation;
use crate::proxy::{self, Proxy, Rule, SETTLE};
use crate::run::{self, Run};
use crate::world::{Label, World};

/// The stage of every API.
pub(crate) const STAGE: &str = "prod";

/// Longest time between the answer to a handshake and its event.
const LATEST: Duration = Duration::from_secs(1);

/// Longest time until a second run invokes `$connect`.
const SECOND_RUN: Duration = Duration::from_secs(3);

/// Origin of an API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Mode {
    /// Not made by stackgen, and calls functions: only its wiring is redeployed.
    Live,
    /// Made from a stackgen.yaml, and calls versions of a function: a redeploy sends code and pins a new version.
    Pinned,
}

/// An API in a gateway. It is deleted when it is dropped.
pub(crate) struct Subject<'a> {
    world: &'a World,
    mode: Mode,
    pub(crate) api: ApiId,
    /// Function that `$connect` of a live API invokes.
    connect: Option<IntegrationId>,
    folder: TempDir,
    /// Number of earlier events.
    mark: usize,
    endpoint: String,
}

/// A run through a proxy.
pub(crate) struct Report {
    pub(crate) run: Run,
    pub(crate) calls: Vec<Operation>,
    /// Number of calls that a rule applied to.
    pub(crate) rules_met: usize,
    /// Deployments that the stage was moved to before any answer called them `DEPLOYED`.
    pub(crate) moved_blindly: Vec<String>,
}

/// Sends a signal while the gateway waits for the function of `$connect`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KillInVerification {
    pub(crate) kill: Kill,
    /// Version of the function behind `$connect` at that time.
    pub(crate) label: Label,
}

impl<'a> Subject<'a> {
    /// An API whose `$connect` calls the old function, and whose stage serves nothing yet.
    pub(crate) fn live(world: &'a World) -> Self {
        // The API gets a listener.
        let _inside = world.runtime.enter();
        let mark = world.journal.len();
        let apis = &world.gateway().account().apis;
        let api = create_api(apis);
        let connect = create_integration(apis, &api);
        for key in ["$connect", "$default"] {
            let route = json!({ "routeKey": key, "target": format!("integrations/{connect}") });
            apis.create_route(&api, None, input(route)).unwrap();
        }
        let stage = json!({ "stageName": STAGE });
        apis.create_stage(&api, input(stage)).unwrap();
        Subject {
            world,
            mode: Mode::Live,
            api,
            connect: Some(connect),
            folder: tempfile::tempdir().unwrap(),
            mark,
            endpoint: world.endpoint(),
        }
    }

    /// The API of a project, as CloudFormation made it: its stage serves the old code.
    pub(crate) fn pinned(world: &'a World) -> Self {
        let mark = world.journal.len();
        let account = world.gateway().account();
        let code = StackCode::Program(world.program(Label::Old));
        let template = StackTemplate {
            stack: "told".to_owned(),
            file: "template.yaml".to_owned(),
            text: rendered().to_owned(),
            code: [("HelloFunction".to_owned(), code)].into(),
            apply: ApplyMode::Everything,
            ..StackTemplate::default()
        };
        let applied = GatewayStack::new(account.clone());
        let applied = world.runtime.block_on(applied.apply(template));
        applied.unwrap_or_else(|problems| panic!("{problems:?}"));
        let apis = account.apis.list_apis();
        let api = apis.iter().find(|api| api.name.starts_with("told-api"));
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("stackgen.yaml"), SPEC).unwrap();
        Subject {
            world,
            mode: Mode::Pinned,
            api: api.unwrap().api_id.clone(),
            connect: None,
            folder,
            mark,
            endpoint: world.endpoint(),
        }
    }

    pub(crate) fn of_mode(world: &'a World, mode: Mode) -> Self {
        match mode {
            Mode::Live => Subject::live(world),
            Mode::Pinned => Subject::pinned(world),
        }
    }

    /// Makes something to redeploy: `$connect` calls the new function, or new code was built.
    pub(crate) fn change(&self) {
        match &self.connect {
            Some(connect) => self.retarget(connect, Label::New),
            None => {
                let built = self.folder.path().join("target/lambda/hello");
                fs::create_dir_all(&built).unwrap();
                fs::write(built.join("bootstrap.zip"), self.world.zip(Label::New)).unwrap();
            }
        }
    }

    fn retarget(&self, integration: &IntegrationId, label: Label) {
        let uri = json!({ "integrationUri": World::function_uri(label) });
        let apis = &self.world.gateway().account().apis;
        apis.update_integration(&self.api, integration, input(uri))
            .unwrap();
    }

    /// Puts an authorizer before `$connect` that refuses callers without a header.
    pub(crate) fn guard_connect(&self) {
        let authorizer = json!({
            "name": "guard",
            "authorizerType": "REQUEST",
            "authorizerUri": World::function_uri(Label::Old),
            "identitySource": ["route.request.header.Token"],
        });
        let authorizer = self
            .apis()
            .create_authorizer(&self.api, None, input(authorizer));
        let routes = self.apis().list_routes(&self.api).unwrap();
        let connect = routes.iter().find(|route| route.route_key == "$connect");
        let guarded = json!({
            "authorizationType": "CUSTOM",
            "authorizerId": authorizer.unwrap().authorizer_id,
        });
        let id = &connect.unwrap().route_id;
        self.apis()
            .update_route(&self.api, id, input(guarded))
            .unwrap();
    }

    pub(crate) fn break_connect(&self, label: Label) {
        self.world.break_connect(&self.api, label);
    }

    pub(crate) fn mend_connect(&self, label: Label) {
        self.world.mend_connect(&self.api, label);
    }

    pub(crate) fn apis(&self) -> &Apis {
        &self.world.gateway().account().apis
    }

    /// Runs stackgen without any fault.
    pub(crate) fn run(&self, line: &str) -> Run {
        let running = async {
            run::start(self.folder.path(), &self.words(line, &self.endpoint), None)
                .end()
                .await
        };
        self.world.runtime.block_on(running)
    }

    /// Runs stackgen without any fault; it must succeed.
    pub(crate) fn must(&self, line: &str) {
        let run = self.run(line);
        assert!(run.is_green(), "{line}: {run}");
    }

    /// Runs stackgen through a proxy with rules.
    pub(crate) fn run_with(&self, line: &str, rules: Vec<Rule>) -> Report {
        self.world.runtime.block_on(self.proxied(line, rules, None))
    }

    /// Runs stackgen and sends it a signal while the stage is being verified.
    pub(crate) fn run_killed(&self, line: &str, kill: KillInVerification) -> Report {
        self.world
            .runtime
            .block_on(self.proxied(line, Vec::new(), Some(kill)))
    }

    /// Runs a second time while the gateway waits for the function of `$connect` in the first run.
    pub(crate) fn run_during_verification(
        &self,
        first: &str,
        second: &str,
        label: Label,
    ) -> [Run; 2] {
        let mark = self.world.hold_mark(&self.api, label);
        fs::write(&mark, "").unwrap();
        let mut events = self.world.gateway().events().subscribe();
        let line = format!("held {} {}", self.api, label.as_str());
        let (first, second) = self.world.runtime.block_on(async {
            let second = async {
                held(&mut events, &line).await;
                // The second run may get as far as a handshake, or end before that.
                let release = async {
                    let held = held(&mut events, &line);
                    let _ = tokio::time::timeout(SECOND_RUN, held).await;
                    fs::remove_file(&mark).unwrap();
                };
                join(self.proxied(second, Vec::new(), None), release)
                    .await
                    .0
            };
            join(self.proxied(first, Vec::new(), None), second).await
        });
        [first.run, second.run]
    }

    /// Runs several at once, each through a proxy of its own.
    pub(crate) fn run_together(&self, lines: &[&str]) -> Vec<Report> {
        self.world.runtime.block_on(async {
            let runs = lines
                .iter()
                .map(|line| self.proxied(line, Vec::new(), None));
            join_all(runs).await
        })
    }

    /// Runs through a proxy, without waiting for other things than its end.
    pub(crate) async fn proxied(
        &self,
        line: &str,
        rules: Vec<Rule>,
        kill: Option<KillInVerification>,
    ) -> Report {
        let proxy = Arc::new(Proxy::start(&self.endpoint, rules).await);
        let held = kill.map(|kill| {
            let mark = self.world.hold_mark(&self.api, kill.label);
            fs::write(&mark, "").unwrap();
            (mark, self.world.gateway().events().subscribe(), kill)
        });
        let words = self.words(line, &proxy.endpoint);
        let running = run::start(self.folder.path(), &words, Some(&proxy));
        let process = running.process();
        let mut rules_met = 0;
        let run = match held {
            None => running.end().await,
            Some((mark, mut events, kill)) => {
                let end = tokio::spawn(running.end());
                let line = format!("held {} {}", self.api, kill.label.as_str());
                let holds =
                    |event: &Event| matches!(event, Event::Log { line: told, .. } if *told == line);
                while !end.is_finished() {
                    let event = tokio::time::timeout(SETTLE, events.recv()).await;
                    if matches!(&event, Ok(Ok(event)) if holds(event)) {
                        proxy::send(process, kill.kill).await;
                        rules_met += 1;
                        break;
                    }
                }
                fs::remove_file(mark).unwrap();
                end.await.unwrap()
            }
        };
        Report {
            run,
            calls: proxy.calls(),
            rules_met: rules_met + proxy.rules_met(),
            moved_blindly: proxy.moved_blindly(),
        }
    }

    fn words(&self, line: &str, endpoint: &str) -> Vec<String> {
        let target = match self.mode {
            Mode::Live => format!("--api-id {} --stage-name {STAGE}", self.api),
            Mode::Pinned => format!("--env {STAGE}"),
        };
        let flags = match line.starts_with("status") || line.contains("--no-verify") {
            true => "",
            false => "--verify-timeout 1s",
        };
        let line = format!("{line} {target} --endpoint-url {endpoint} --region us-east-1 {flags}");
        line.split_whitespace().map(str::to_owned).collect()
    }

    /// All deployments, the oldest first.
    pub(crate) fn deployments(&self) -> Vec<Arc<StoredDeployment>> {
        self.apis().list_deployments(&self.api).unwrap()
    }

    pub(crate) fn deployment_ids(&self) -> Vec<DeploymentId> {
        let all = self.deployments();
        all.iter().map(|one| one.deployment_id.clone()).collect()
    }

    /// The deployment that the stage serves.
    pub(crate) fn served(&self) -> Option<DeploymentId> {
        let stage = self.apis().get_stage(&self.api, STAGE).unwrap();
        stage.deployment_id.clone()
    }

    /// Returns true if the stage serves the API as it is.
    pub(crate) fn is_current(&self) -> bool {
        self.apis().stale_stages(&self.api).unwrap().is_empty()
    }

    /// All moves and handshakes so far.
    pub(crate) fn moves(&self) -> Vec<Move> {
        self.world.journal.flush();
        self.world.journal.moves(self.mark, &self.api)
    }

    /// Returns true if a handshake succeeded after the last move. The gateway reports it a moment after its answer.
    pub(crate) fn is_proven(&self) -> bool {
        let started = Instant::now();
        loop {
            if is_proven(&self.moves()) {
                return true;
            }
            if started.elapsed() > LATEST {
                return false;
            }
            thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Subject<'_> {
    fn drop(&mut self) {
        let account = self.world.gateway().account();
        self.world.forget(&self.api);
        let _ = account.apis.delete_api(&self.api);
        if self.mode == Mode::Pinned {
            let _ = account.functions.delete("hello-prod", None);
        }
    }
}

/// Waits for a line of a function.
async fn held(events: &mut EventReceiver, line: &str) {
    let is_it = |event: &Event| matches!(event, Event::Log { line: told, .. } if told == line);
    while !is_it(&events.recv().await.unwrap()) {}
}

fn create_api(apis: &Apis) -> ApiId {
    let api = json!({ "name": "talk", "protocolType": "WEBSOCKET", "routeSelectionExpression": "$request.body.action" });
    apis.create_api(None, input(api)).unwrap().api_id.clone()
}

fn create_integration(apis: &Apis, api: &ApiId) -> IntegrationId {
    let integration = json!({
        "integrationType": "AWS_PROXY",
        "integrationUri": World::function_uri(Label::Old),
    });
    let integration = apis.create_integration(api, None, input(integration));
    integration.unwrap().integration_id.clone()
}

pub(crate) fn input<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

const SPEC: &str = "name: told
functions:
  hello: { binary: hello }
websocket:
  name: told-api
  stage: { name: prod }
  routes:
    $connect: { function: hello }
    $default: { function: hello }
environments:
  prod: {}
";

/// The template of the project.
fn rendered() -> &'static str {
    static RENDERED: OnceLock<String> = OnceLock::new();
    RENDERED.get_or_init(|| {
        let sandbox = Sandbox::with(SPEC);
        let run = sandbox.run("synth --env prod --stdout --format cfn-yaml --unbuilt");
        assert_eq!(run.code, Some(0), "{run}");
        run.stdout
    })
}
