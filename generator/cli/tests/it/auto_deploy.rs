//! Stages under AutoDeploy (rows D4, D5), and a deployment of another tool, in the local gateway.

use std::fs;

use stackgen_aws::{AccessKey, AccessOptions, Aws};
use stackgen_deploy::{Account, ApiId, StageName};
use stackgen_gateway::stack::ApplyMode;

use crate::deploy_local::{Project, spec};

/// Turns AutoDeploy on in a template that names a deployment.
fn with_auto_deploy(template: String) -> String {
    let lines = template.lines().map(|line| {
        let indent = line.len() - line.trim_start().len();
        match line.trim_start().starts_with("DeploymentId: ") {
            true => format!("{}AutoDeploy: true", &line[..indent]),
            false => line.to_owned(),
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_stage_under_auto_deploy_is_verified_and_never_moved() {
    let project = Project::started("dev", "");
    let broken = project.sandbox.path().join("broken");
    let text = spec(&broken.display().to_string(), "");
    project.sandbox.write("stackgen.yaml", text);
    project.apply_edited(ApplyMode::Everything, with_auto_deploy);
    let deployments = || {
        let listed = project.run("deployments list --local --json").json();
        listed["deployments"].as_array().unwrap().len()
    };
    let before = deployments();

    let planned = project.run("deploy --redeploy-stage --local --dry-run");
    insta::assert_snapshot!(project.masked_output(&planned), @r#"
    exit 0
    --- stdout
    would deploy nothing: API Gateway deploys stage prod by itself (serves <0>)
    would verify the stage as its callers
    --- stderr
    told-api-dev (<1>), stage prod
    note: the stage is under AutoDeploy: API Gateway deploys each change by itself, and the stage cannot be rolled back (row D5)
    help: to release changes together, and only verified ones, turn AutoDeploy off: "Leaving AutoDeploy" in docs/guide/releases.md
    look up a row: stackgen explain D5
    "#);
    let verified = project.run("deploy --redeploy-stage --local --force");
    insta::assert_snapshot!(project.masked_output(&verified), @r#"
    exit 0
    --- stdout
    stage prod of told-api-dev serves deployment <0>, which API Gateway deployed by itself, verified
    --- stderr
    told-api-dev (<1>), stage prod
      verifying 101: a WebSocket was opened, as anonymous
    note: `--force` has no effect on a stage under AutoDeploy, which serves only deployments of API Gateway itself (row D5)
    note: the stage is under AutoDeploy: API Gateway deploys each change by itself, and the stage cannot be rolled back (row D5)
    help: to release changes together, and only verified ones, turn AutoDeploy off: "Leaving AutoDeploy" in docs/guide/releases.md
    look up a row: stackgen explain D5
    "#);
    let outcome = project.run("deploy --redeploy-stage --local --json").json();
    assert_eq!(outcome["apis"][0]["outcome"], "autoDeployed");
    let refused = project.run("deployments rollback --local");
    insta::assert_snapshot!(project.masked_output(&refused), @r#"
    exit 1
    --- stderr
    error: stage prod of API <0> is under AutoDeploy: API Gateway deploys every change by itself, and refuses a deployment ID (row D5)
    help: to choose the stage's deployments, turn AutoDeploy off: "Leaving AutoDeploy" in docs/guide/releases.md
    look up a row: stackgen explain D5
    "#);

    fs::write(&broken, "").unwrap();
    let failed = project.run("deploy --redeploy-stage --local --verify-timeout 1s");
    assert_eq!(failed.code, Some(1), "{failed}");
    let result = "because it cannot be moved back while AutoDeploy is on (row D5)";
    assert!(failed.stderr.contains(result), "{failed}");
    assert_eq!(deployments(), before);
    project.end();
}

#[test]
fn without_cloudformation_the_status_of_a_deployment_by_hand_is_unknown_with_the_reason() {
    let project = Project::started("dev", "");
    project.sandbox.write("stackgen.yaml", spec("broken", ""));
    project.apply(ApplyMode::Everything);
    let state = project.runtime.block_on(project.gateway.state());
    let access = AccessOptions {
        region: Some(state.region),
        endpoint_url: Some(state.endpoint),
        access_key: Some(AccessKey {
            id: "any".to_owned(),
            secret: "any".to_owned(),
        }),
        ..AccessOptions::default()
    };
    project.runtime.block_on(async {
        let aws = Aws::connect(&access).await.unwrap();
        let api = ApiId::new(state.apis[0].api_id.as_str());
        let made = aws.create_deployment(&api, "by hand").await.unwrap();
        let stage = StageName::new("prod");
        aws.activate(&api, &stage, &made.id).await.unwrap();
    });
    let status = project.run("status --local");
    assert_eq!(status.code, Some(3), "{status}");
    for text in [
        ": unknown",
        "stackgen did not create it, and its stack cannot be read",
    ] {
        assert!(status.stdout.contains(text), "{status}");
    }
    // Nothing was tried again.
    assert!(!status.stderr.contains("retrying"), "{status}");
    project.end();
}
