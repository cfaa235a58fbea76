//! Stages under AutoDeploy (rows D4, D5), and a deployment of another tool, in the local gateway.

use std::fs;

use stackgen_aws::{AccessKey, AccessOptions, Aws};
use stackgen_deploy::{Account, ApiId, StageName};
use stackgen_gateway::stack::ApplyMode;

use crate::access::run_on_terminal;
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

/// Creates a deployment as a person does, and makes the stage serve it.
fn serve_by_hand(project: &Project) {
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
}

#[test]
fn without_cloudformation_the_status_of_a_deployment_by_hand_is_unknown_with_the_reason() {
    let project = Project::started("dev", "");
    project.sandbox.write("stackgen.yaml", spec("broken", ""));
    project.apply(ApplyMode::Everything);
    serve_by_hand(&project);
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

/// A WebSocket API without `$default`, and with a route `later` if it is given.
fn probed_spec(later: &str) -> String {
    spec("broken", later).replace(
        "    $default: { function: hello, twoWay: true }\n",
        "    ping: { function: hello }\n",
    )
}

#[test]
fn a_probe_of_a_route_tells_whether_a_deployment_by_hand_is_stale() {
    let project = Project::started("dev", "");
    let with = |later: &str| {
        project.sandbox.write("stackgen.yaml", probed_spec(later));
    };
    with("");
    project.apply(ApplyMode::Everything);
    serve_by_hand(&project);
    with("later: { function: hello }");
    project.apply(ApplyMode::WithoutDeployments);

    let unknown = project.run("status --local");
    assert_eq!(unknown.code, Some(3), "{unknown}");
    assert!(unknown.stdout.contains(": unknown"), "{unknown}");
    assert!(
        unknown.stderr.contains("send it with `--probe`"),
        "{unknown}"
    );
    let stale = project.run("status --local --probe --probe-route later");
    assert_eq!(stale.code, Some(3), "{stale}");
    for text in [
        "stage prod: stale\n",
        "answered a message for it with Forbidden",
        "(row M3)",
    ] {
        assert!(stale.stdout.contains(text), "no {text:?} in {stale}");
    }
    let served = project.run("status --local --probe --probe-route ping");
    assert!(served.stdout.contains(": unknown"), "{served}");
    assert!(
        served
            .stdout
            .contains("serves the route `ping`, but others may be missing"),
        "{served}"
    );
    let json = project
        .run("status --local --probe --probe-route later --json")
        .json();
    assert_eq!(json["stages"][0]["probe"]["answer"], "notServed");
    assert_eq!(json["stages"][0]["verdict"]["state"], "stale");

    let missing = project.run("status --local --probe --probe-route gone");
    assert_eq!(missing.code, Some(2), "{missing}");
    assert!(
        missing
            .stderr
            .contains("has no route gone; it has later, ping"),
        "{missing}"
    );

    serve_by_hand(&project);
    let served = project.run("status --local --probe --probe-route later");
    assert!(
        served.stdout.contains("serves the route `later`"),
        "{served}"
    );
    project.end();
}

#[test]
fn on_a_terminal_a_probe_is_sent_only_with_consent() {
    let project = Project::started("dev", "");
    project.sandbox.write("stackgen.yaml", probed_spec(""));
    project.apply(ApplyMode::Everything);
    serve_by_hand(&project);
    let answered = |answer: &str| {
        run_on_terminal(
            &project.sandbox,
            "status --local --color never",
            &[],
            answer,
        )
    };
    let declined = answered("n");
    for text in [
        "runs $connect and, if the stage serves the route, function hello-dev",
        r#"Send {"action":"ping"}"#,
    ] {
        assert!(declined.stderr.contains(text), "no {text:?} in {declined}");
    }
    assert!(!declined.stdout.contains("serves the route"), "{declined}");
    let agreed = answered("y");
    assert!(
        agreed.stdout.contains("serves the route `ping`"),
        "{agreed}"
    );
    project.end();
}
