//! `stackgen drift`, and `stackgen status` for deployments that stackgen did not create.

use serde_json::{Value, json};
use stackgen_aws::{AccessKey, AccessOptions, Aws};
use stackgen_deploy::{Account, ApiId, DeploymentId, StageName};

use super::emulator::Emulator;
use super::project::Project;
use super::{assert_done, assert_says, started};
use crate::common::Run;

/// The project's API, as another tool sees it.
struct OtherTool {
    runtime: tokio::runtime::Runtime,
    aws: Aws,
    api: ApiId,
}

impl OtherTool {
    fn new(emulator: &Emulator, project: &Project) -> OtherTool {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let access = AccessOptions {
            region: Some("us-east-1".to_owned()),
            endpoint_url: Some(emulator.url()),
            access_key: Some(AccessKey {
                id: "any".to_owned(),
                secret: "any".to_owned(),
            }),
            ..AccessOptions::default()
        };
        let aws = runtime.block_on(Aws::connect(&access)).unwrap();
        let status = project.run("status --json").json();
        let api = status["stages"][0]["api"]["id"].as_str().unwrap();
        OtherTool {
            runtime,
            aws,
            api: ApiId::new(api),
        }
    }

    /// Creates a deployment with another tool's description, and moves the stage to it.
    fn deploy(&self) -> DeploymentId {
        self.runtime.block_on(async {
            let made = self.aws.create_deployment(&self.api, "by hand").await;
            let id = made.unwrap().id;
            self.activate(&id).await;
            id
        })
    }

    async fn activate(&self, id: &DeploymentId) {
        let stage = StageName::new("live");
        self.aws.activate(&self.api, &stage, id).await.unwrap();
    }
}

fn assert_found(run: &Run) -> Value {
    assert_eq!(run.code, Some(3), "{run}");
    run.json()["stages"][0].clone()
}

#[test]
fn row_d8_drift_tells_a_moved_stage_from_changed_wiring() {
    let Some((emulator, project)) = started("dev") else {
        return;
    };
    assert_done(&project.deploy(""));
    let none = project.run("drift");
    assert_done(&none);
    assert_says(&none, "no drift");
    assert_says(&none, "serves the deployment of the template");

    let tool = OtherTool::new(&emulator, &project);
    let id = tool.deploy();
    let moved = assert_found(&project.run("drift --json"));
    assert_eq!(moved["pointer"]["state"], "moved", "{moved:#}");
    assert_eq!(moved["pointer"]["served"]["deployment"]["id"], json!(id));
    assert_eq!(moved["wiring"], json!([]), "{moved:#}");
    let text = project.run("drift");
    assert_says(&text, "stage pointer moved");
    assert_says(&text, "not by stackgen; the template names");

    let api = tool.api.as_str();
    let integrations = tool.runtime.block_on(async {
        let kind = stackgen_deploy::account::ApiPartKind::Integration;
        tool.aws.parts(&tool.api, kind, None).await.unwrap()
    });
    let uri = integrations[0].text("IntegrationUri").unwrap();
    let other = uri.replace("/invocations", ":7/invocations");
    tool.runtime.block_on(async {
        let id = &integrations[0].id;
        tool.aws
            .set_integration_uri(&tool.api, id, &other)
            .await
            .unwrap();
    });
    // The API's tags name the stack.
    let both = project.run_as(&format!("drift --api-id {api}"));
    assert_eq!(both.code, Some(3), "{both}");
    assert_says(&both, "stage pointer moved, wiring changed");
    assert_says(
        &both,
        "integration now calls 7 (was the unqualified function)",
    );
}

#[test]
fn versions_of_a_pinned_stack_are_compared_by_their_numbers() {
    let Some((_emulator, project)) = started("prod") else {
        return;
    };
    assert_done(&project.deploy(""));
    let none = project.run("drift");
    assert_done(&none);
    assert_says(&none, "serves the deployment of the template");
    project.set_code("second", true);
    assert_done(&project.run("deploy --redeploy-stage"));
    let drift = assert_found(&project.run("drift --json"));
    assert_eq!(drift["pointer"]["state"], "moved", "{drift:#}");
    assert_eq!(drift["pointer"]["served"]["maker"], "redeploy");
    assert_ne!(drift["wiring"], json!([]), "{drift:#}");
}

#[test]
fn row_d7_status_compares_a_deployment_by_hand_with_the_stacks_changes() {
    let Some((emulator, project)) = started("dev") else {
        return;
    };
    assert_done(&project.deploy(""));
    let tool = OtherTool::new(&emulator, &project);
    let id = tool.deploy();
    let status = || assert_found(&project.run("status --json"));
    let current = status();
    assert_eq!(current["verdict"]["state"], "current", "{current:#}");
    assert_eq!(current["verdict"]["sureness"], "likely");
    assert_eq!(current["cloudFormation"]["read"]["stack"], "rooms-dev");

    // API Gateway reports whole seconds.
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    project.edit("    ping:", "    pong: { function: rooms }\n    ping:");
    assert_done(&project.deploy(""));
    tool.runtime.block_on(tool.activate(&id));
    let stale = status();
    assert_eq!(stale["verdict"]["state"], "stale", "{stale:#}");
    let change = &stale["cloudFormation"]["read"]["change"];
    assert_eq!(stale["cloudFormation"]["read"]["order"], "change-is-newer");
    assert!(
        change["type"]
            .as_str()
            .unwrap()
            .starts_with("AWS::ApiGatewayV2::")
    );
    assert_says(&project.run("status"), "after that CloudFormation ");
}
