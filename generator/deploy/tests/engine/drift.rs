//! Drift from the template of a stack.

use serde_json::json;
use stackgen_deploy::drift::{DriftRequest, StageDrift, StagePointer, drift};
use stackgen_deploy::stack::StackName;
use stackgen_deploy::{CreatedBy, DeployError, DeploymentId, Interrupt, RetryPolicy, StageName};

use crate::memory::{Memory, uri};
use crate::stacks::MemoryStack;
use crate::support::{Answers, context, request, run};

/// The template of [`Memory`]'s API, as it was when `old` was deployed. `Function` has no name of its own.
const TEMPLATE: &str = r#"
Parameters:
  Timeout: { Type: Number, Default: 10000 }
  Secret: { Type: String, NoEcho: true, Default: x }
Resources:
  Api:
    Type: AWS::ApiGatewayV2::Api
    Properties: { Name: chat, ProtocolType: WEBSOCKET, RouteSelectionExpression: $request.body.action }
  Function:
    Type: AWS::Lambda::Function
    Properties: { Role: !GetAtt Role.Arn, Code: { ZipFile: x } }
  Role: { Type: AWS::IAM::Role, Properties: {} }
  Integration:
    Type: AWS::ApiGatewayV2::Integration
    Properties:
      ApiId: !Ref Api
      IntegrationType: AWS_PROXY
      IntegrationUri: !Sub arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Function.Arn}/invocations
      CredentialsArn: !GetAtt Role.Arn
      TimeoutInMillis: !Ref Timeout
  Connect:
    Type: AWS::ApiGatewayV2::Route
    Properties: { ApiId: !Ref Api, RouteKey: $connect, Target: !Sub "integrations/${Integration}" }
  Send:
    Type: AWS::ApiGatewayV2::Route
    Properties: { ApiId: !Ref Api, RouteKey: send, Target: !Sub "integrations/${Integration}" }
  Deployment: { Type: AWS::ApiGatewayV2::Deployment, Properties: { ApiId: !Ref Api } }
  Stage:
    Type: AWS::ApiGatewayV2::Stage
    Properties: { ApiId: !Ref Api, StageName: dev, DeploymentId: !Ref Deployment }
"#;

fn stack() -> MemoryStack {
    let mut stack = MemoryStack::with_api();
    stack.resource("Deployment", "Deployment", "old", 0);
    stack.resource("Stage", "Stage", "dev", 0);
    stack.resource("Function", "Function", "hello", 0);
    stack.template = TEMPLATE.to_owned();
    stack.parameters = [("Timeout", "29000"), ("Secret", "****")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec();
    stack
}

/// An account that is as the template says.
fn same() -> Memory {
    Memory::holding(|state| drop(state.description.parts.pop()))
}

async fn result(memory: &Memory, stack: &MemoryStack) -> Result<StageDrift, DeployError> {
    let (retry, interrupt) = (RetryPolicy::default(), Interrupt::never());
    let request = DriftRequest {
        api: &Memory::api(),
        stage: &StageName::new("dev"),
        stack: Some(&StackName::new("rooms")),
    };
    drift(memory, stack, &request, context(&retry, &interrupt)).await
}

async fn found(memory: &Memory, stack: &MemoryStack) -> StageDrift {
    result(memory, stack).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn an_account_as_in_the_template_has_no_drift() {
    let found = found(&same(), &stack()).await;
    assert_eq!(found.pointer, StagePointer::AsInTemplate);
    assert_eq!((found.wiring_text.as_str(), found.unresolved), ("", 0));
    assert!(found.is_none());
}

#[tokio::test(start_paused = true)]
async fn row_d8_a_moved_stage_is_told_apart_from_changed_wiring() {
    let memory = same();
    let forced = stackgen_deploy::redeploy::RedeployRequest {
        force: true,
        ..request()
    };
    run(&memory, &Answers::with(&[101]), &forced)
        .await
        .0
        .unwrap();
    let moved = found(&memory, &stack()).await;
    let StagePointer::Moved { template, served } = &moved.pointer else {
        panic!("{moved:?}")
    };
    let served = served.as_ref().unwrap();
    assert_eq!(
        (template, served.created_by),
        (&DeploymentId::new("old"), CreatedBy::Redeploy)
    );
    assert_eq!(
        served.metadata.as_ref().unwrap().git.as_deref(),
        Some("abc1234")
    );
    assert_eq!(moved.wiring, []);
    assert!(!moved.is_none());

    let changed = found(&Memory::stale(), &stack()).await;
    assert_eq!(changed.pointer, StagePointer::AsInTemplate);
    insta::assert_snapshot!(changed.wiring_text, @"+ route added   needs a deployment");
    assert!(!changed.is_none());
}

#[tokio::test(start_paused = true)]
async fn parameters_count_by_the_values_of_the_stack() {
    let mut stack = stack();
    stack.parameters[0].1 = "5000".to_owned();
    let found = found(&same(), &stack).await;
    insta::assert_snapshot!(found.wiring_text, @"
    ~ route $connect: Target.TimeoutInMillis is now 29000 (was 5000)   needs a deployment
    ~ route send: Target.TimeoutInMillis is now 29000 (was 5000)       needs a deployment
    ");
}

#[tokio::test(start_paused = true)]
async fn a_value_that_the_template_does_not_determine_is_no_drift() {
    for value in [
        "!Ref Secret",
        "!GetAtt Other.Timeout",
        "!ImportValue timeout",
    ] {
        let mut stack = stack();
        stack.template = TEMPLATE.replace("!Ref Timeout", value);
        let found = found(&same(), &stack).await;
        assert_eq!(
            (found.wiring_text.as_str(), found.unresolved > 0),
            ("", true),
            "{value}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn versions_count_by_their_numbers() {
    let function = "functions/${Function.Arn}/invocations";
    let pinned = TEMPLATE.replace(function, "functions/${Version1A2B}/invocations")
        + "  Version1A2B: { Type: AWS::Lambda::Version, Properties: { FunctionName: !Ref Function } }\n";
    let account = |version: &str| {
        let memory = same();
        let uri = uri(&format!("hello:{version}"));
        memory.state.borrow_mut().description.parts[0]
            .properties
            .insert("IntegrationUri".to_owned(), uri.into());
        memory
    };
    let mut stack = stack();
    stack.template = pinned;
    let unknown = found(&account("3"), &stack).await;
    assert_eq!((unknown.wiring, unknown.unresolved > 0), (vec![], true));
    let arn = "arn:aws:lambda:us-east-1:123456789012:function:hello:3";
    stack.resource("Version", "Version1A2B", arn, 0);
    let same = found(&account("3"), &stack).await;
    assert_eq!((same.wiring_text.as_str(), same.unresolved), ("", 0));
    let other = found(&account("4"), &stack).await;
    insta::assert_snapshot!(other.wiring_text, @"
    ~ route $connect: integration now calls 4 (was 3)   needs a deployment
    ~ route send: integration now calls 4 (was 3)       needs a deployment
    ");
}

#[tokio::test(start_paused = true)]
async fn auto_deploy_is_compared_with_the_template() {
    let auto = TEMPLATE.replace("DeploymentId: !Ref Deployment", "AutoDeploy: true");
    for (template, account, pointer) in [
        (auto.as_str(), true, StagePointer::AutoDeploy),
        (
            auto.as_str(),
            false,
            StagePointer::AutoDeployChanged { template: true },
        ),
        (
            TEMPLATE,
            true,
            StagePointer::AutoDeployChanged { template: false },
        ),
    ] {
        let memory = same();
        memory.state.borrow_mut().stage.auto_deploy = account;
        let mut stack = stack();
        stack.template = template.to_owned();
        assert_eq!(found(&memory, &stack).await.pointer, pointer);
    }
}

#[tokio::test(start_paused = true)]
async fn a_stage_that_the_template_does_not_have_is_unknown() {
    let mut stack = stack();
    stack.template = TEMPLATE.replace(", DeploymentId: !Ref Deployment", "");
    let without = found(&same(), &stack).await;
    assert!(!without.is_none());
    assert_eq!(
        serde_json::to_value(&without.pointer).unwrap(),
        json!({ "state": "unknown", "reason": "the template names no deployment for the stage" })
    );
    stack.resources.retain(|one| one.logical_id != "Stage");
    let StagePointer::Unknown { reason } = found(&same(), &stack).await.pointer else {
        panic!("it is known")
    };
    insta::assert_snapshot!(reason, @"the template has no stage dev");
}

#[tokio::test(start_paused = true)]
async fn without_a_stack_there_is_nothing_to_compare_with() {
    let mut stack = stack();
    stack.resources.clear();
    let error = result(&same(), &stack).await.unwrap_err();
    assert!(error.is_bad_input());
    insta::assert_snapshot!(error, @"no stack of CloudFormation is known to have API api1");
    let mut broken = self::stack();
    broken.template = "Resources: [".to_owned();
    let error = result(&same(), &broken).await.unwrap_err();
    assert!(
        matches!(error, DeployError::StackTemplate { .. }),
        "{error}"
    );
    let mut foreign = self::stack();
    foreign.template = "Resources: {}".to_owned();
    let error = result(&same(), &foreign).await.unwrap_err();
    insta::assert_snapshot!(error, @"the template of stack rooms cannot be compared: it does not describe the API");
}
