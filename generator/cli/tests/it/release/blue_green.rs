//! The mapping of a domain moves from one API to another, as docs/guide/blue-green.md describes.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use super::emulator::Emulator;
use super::project::Project;
use super::{assert_done, started};
use crate::common::root;

/// Creates or updates the domain's stack, and prints its mapping.
const DEPLOY: &str = r#"
import boto3, json, sys

url, template, api = sys.argv[1:4]
options = dict(endpoint_url=url, region_name="us-east-1", aws_access_key_id="local", aws_secret_access_key="local")
stacks = boto3.client("cloudformation", **options)
gateway = boto3.client("apigatewayv2", **options)
values = dict(ApiId=api, Stage="live", DomainName="ws.example.com", CertificateArn="arn:aws:acm:us-east-1:000000000000:certificate/1")
parameters = [dict(ParameterKey=key, ParameterValue=value) for key, value in values.items()]
exists = any(stack["StackName"] == "domain" for stack in stacks.describe_stacks()["Stacks"])
deploy, waiter = (stacks.update_stack, "stack_update_complete") if exists else (stacks.create_stack, "stack_create_complete")
deploy(StackName="domain", TemplateBody=template, Parameters=parameters)
stacks.get_waiter(waiter).wait(StackName="domain", WaiterConfig=dict(Delay=1))
[mapping] = gateway.get_api_mappings(DomainName="ws.example.com")["Items"]
print(json.dumps(dict(id=mapping["ApiMappingId"], api=mapping["ApiId"])))
"#;

/// Returns the template in the guide.
fn template() -> String {
    let guide = fs::read_to_string(root().join("docs/guide/blue-green.md")).unwrap();
    let (_, template) = guide.split_once("```yaml\nParameters:").unwrap();
    let (template, _) = template.split_once("```").unwrap();
    format!("Parameters:{template}")
}

/// Maps the domain to an API. Returns the mapping.
fn map_to(api: &str, emulator: &Emulator) -> Value {
    let python = stackgen_test_tools::installed("ministack/bin/python").unwrap();
    let mut command = Command::new(python);
    command.args(["-c", DEPLOY, &emulator.url(), &template(), api]);
    let output = command.output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Returns the ID of the API of an environment.
fn api_id(project: &Project, environment: &str) -> String {
    let line = format!("status --allow-unverified --json --env {environment}");
    let status: Value = serde_json::from_str(&project.run_as(&line).stdout).unwrap();
    status["stages"][0]["api"]["id"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[test]
fn the_mapping_of_a_domain_moves_to_another_api_and_back_in_place() {
    let Some((emulator, project)) = started("dev") else {
        return;
    };
    project.edit("  dev: {}", "  blue: {}\n  green: {}");
    for environment in ["blue", "green"] {
        let line = format!("deploy --capability CAPABILITY_IAM --env {environment}");
        assert_done(&project.run_as(&line));
    }
    let [blue, green] = ["blue", "green"].map(|environment| api_id(&project, environment));
    let first = map_to(&blue, &emulator);
    let moved = map_to(&green, &emulator);
    let restored = map_to(&blue, &emulator);
    assert_eq!(moved, json!({ "id": first["id"], "api": green }));
    assert_eq!(restored, json!({ "id": first["id"], "api": blue }));
}

#[test]
fn a_stack_maps_its_api_to_a_domain_of_another_stack() {
    let Some((emulator, project)) = started("dev") else {
        return;
    };
    assert_done(&project.deploy(""));
    map_to(&api_id(&project, "dev"), &emulator);
    let domain = "  domain: { name: ws.example.com, existing: true, mappingKey: rooms }";
    project.edit(
        "  stage: { name: live }",
        &format!("{domain}\n  stage: {{ name: live }}"),
    );
    assert_done(&project.deploy("--no-verify"));
    let diff = project.run("diff --against deployed --exit-code");
    assert_done(&diff);
}
