//! Schedules of templates, and settings of asynchronous invocations.

use std::time::Duration;

use stackgen_gateway::Event;
use stackgen_gateway::gateway::Gateway;
use stackgen_gateway_lambda::functions::AsyncSettings;

use crate::support::{apply, changes, gateway, problem_lines, template_from_text};

/// A function that fails unless its event is that of a schedule, a role that may invoke it, and a published version.
const TEMPLATE: &str = "
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument: { Statement: [{ Effect: Allow, Principal: { Service: lambda.amazonaws.com }, Action: sts:AssumeRole }] }
  Function:
    Type: AWS::Lambda::Function
    Properties:
      FunctionName: sweep
      Runtime: python3.12
      Handler: index.handler
      Role: !GetAtt Role.Arn
      Code:
        ZipFile: |
          def handler(event, context):
              assert event['source'] == 'aws.scheduler', event
              assert event['resources'] == ['arn:aws:scheduler:us-east-1:000000000000:schedule/default/sweep'], event
  Version: { Type: AWS::Lambda::Version, Properties: { FunctionName: !Ref Function } }
  Scheduler:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument: { Statement: [{ Effect: Allow, Principal: { Service: scheduler.amazonaws.com }, Action: sts:AssumeRole }] }
      Policies:
        - PolicyName: invoke
          PolicyDocument: { Statement: [{ Effect: Allow, Action: lambda:InvokeFunction, Resource: !Sub '${Function.Arn}:*' }] }
";

fn schedule(id: &str, properties: &str) -> String {
    format!("  {id}: {{ Type: AWS::Scheduler::Schedule, Properties: {{ {properties} }} }}\n")
}

/// Returns the reason why the next run of a schedule failed, if it did.
async fn next_run(gateway: &Gateway, template: &str, name: &str) -> Option<String> {
    let mut events = gateway.events().subscribe();
    apply(gateway, template_from_text(template)).await;
    loop {
        let event = tokio::time::timeout(Duration::from_secs(60), events.recv());
        match event.await.expect("an event in time").expect("an event") {
            Event::Scheduled {
                schedule, reason, ..
            } if schedule == name => return reason,
            _ => {}
        }
    }
}

#[tokio::test]
async fn a_rate_invokes_the_function_at_once_with_the_role_of_the_schedule() {
    if stackgen_test_tools::on_path("python3").is_none() {
        return;
    }
    let gateway = gateway().await;
    let rate = "Name: sweep, ScheduleExpression: rate(5 minutes), Target: { Arn: !Ref Version, RoleArn: !GetAtt Scheduler.Arn }";
    let template = format!("{TEMPLATE}{}", schedule("Sweep", rate));
    assert_eq!(next_run(&gateway, &template, "sweep").await, None);
    // The role does not cover the function without a version.
    let latest = rate
        .replace("Name: sweep", "Name: other")
        .replace("!Ref Version", "!GetAtt Function.Arn");
    let template = format!("{template}{}", schedule("Other", &latest));
    let reason = next_run(&gateway, &template, "other").await;
    let reason = reason.expect("a reason");
    assert!(reason.contains("lambda:InvokeFunction"), "{reason}");
    let applied = apply(&gateway, template_from_text(TEMPLATE)).await;
    assert_eq!(changes(&applied), ["deleted Sweep", "deleted Other"]);
    gateway.shutdown().await;
}

#[tokio::test]
async fn a_scheduled_function_that_still_runs_does_not_delay_the_shutdown() {
    if stackgen_test_tools::on_path("python3").is_none() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let begun = folder.path().join("begun");
    let slow = format!("open({begun:?}, 'w'); import time; time.sleep(300)");
    let template = TEMPLATE.replace("assert event['source'] == 'aws.scheduler', event", &slow);
    let template = template.replace(
        "Handler: index.handler",
        "Handler: index.handler\n      Timeout: 600",
    );
    let rate = "Name: slow, ScheduleExpression: rate(5 minutes), Target: { Arn: !Ref Version, RoleArn: !GetAtt Scheduler.Arn }";
    let gateway = gateway().await;
    apply(
        &gateway,
        template_from_text(&format!("{template}{}", schedule("Slow", rate))),
    )
    .await;
    let has_begun = async {
        while !begun.exists() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(60), has_begun).await;
    waited.expect("an invocation");
    // The function would run for five minutes.
    let stopped = tokio::time::timeout(Duration::from_secs(60), gateway.shutdown()).await;
    stopped.expect("a shutdown without waiting for the function");
}

#[tokio::test]
async fn what_a_schedule_does_not_do_here_is_reported() {
    let gateway = gateway().await;
    let target = "Target: { Arn: !GetAtt Function.Arn, RoleArn: !GetAtt Scheduler.Arn }";
    let template = [
        TEMPLATE.to_owned(),
        schedule(
            "Berlin",
            &format!("ScheduleExpression: cron(0 8 * * ? *), ScheduleExpressionTimezone: Europe/Berlin, {target}"),
        ),
        schedule("Once", &format!("ScheduleExpression: 'at(2030-01-01T00:00:00)', {target}")),
        schedule(
            "Queue",
            "ScheduleExpression: rate(1 day), Target: { Arn: 'arn:aws:sqs:us-east-1:000000000000:q', RoleArn: x }",
        ),
        schedule(
            "Elsewhere",
            "ScheduleExpression: rate(1 day), Target: { Arn: 'arn:aws:lambda:us-east-1:111122223333:function:sweep', RoleArn: x }",
        ),
    ]
    .concat();
    let applied = apply(&gateway, template_from_text(&template)).await;
    let reasons = applied.not_run.iter();
    let reasons = reasons.filter(|one| one.kind == "AWS::Scheduler::Schedule");
    let reasons: Vec<String> = reasons
        .map(|one| format!("{}: {}", one.logical_id, one.reason))
        .collect();
    insta::assert_snapshot!(reasons.join("\n"), @"
    Berlin: its times are in UTC locally, and in Europe/Berlin on AWS
    Once: it runs nothing locally: only `rate` and `cron` expressions run here
    Queue: it runs nothing locally: its target is not a function
    Elsewhere: it runs nothing locally: its target is a function of another account or region
    ");
    let wrong = schedule(
        "Wrong",
        &format!("ScheduleExpression: rate(5 minute), {target}"),
    );
    let template = template_from_text(&format!("{TEMPLATE}{wrong}"));
    let problems = gateway.apply(template).await.unwrap_err();
    insta::assert_snapshot!(problem_lines(&problems), @"27: `rate(5 minute)` is not a schedule: the unit of a rate of 1 is singular, and every other one is plural");
    gateway.shutdown().await;
}

#[tokio::test]
async fn settings_of_asynchronous_invocations_follow_the_template() {
    let gateway = gateway().await;
    let settings = "  Settings:\n    Type: AWS::Lambda::EventInvokeConfig\n    Properties: { FunctionName: !Ref Function, \
        Qualifier: !GetAtt Version.Version, MaximumRetryAttempts: 0, MaximumEventAgeInSeconds: 60, DestinationConfig: { \
        OnFailure: { Destination: 'arn:aws:sqs:us-east-1:000000000000:failures' } } }\n";
    let with = format!("{TEMPLATE}{settings}");
    let applied = apply(&gateway, template_from_text(&with)).await;
    let functions = &gateway.account().functions;
    let expected = AsyncSettings {
        retries: 0,
        max_age: Duration::from_secs(60),
    };
    assert_eq!(functions.async_settings("sweep", Some("1")), Some(expected));
    assert_eq!(functions.async_settings("sweep", None), None);
    let notes = applied.not_run.iter();
    let mut notes = notes.filter(|one| one.logical_id == "Settings");
    insta::assert_snapshot!(notes.next().expect("a note").reason, @"events do not reach arn:aws:sqs:us-east-1:000000000000:failures locally; those that fail after all retries are dropped");
    apply(&gateway, template_from_text(TEMPLATE)).await;
    assert_eq!(functions.async_settings("sweep", Some("1")), None);
    for (wrong, reason) in [
        (
            with.replace("MaximumRetryAttempts: 0", "MaximumRetryAttempts: 3"),
            "MaximumRetryAttempts is 3, and must be at least 0 and at most 2",
        ),
        (
            with.replace("InSeconds: 60", "InSeconds: 59"),
            "MaximumEventAgeInSeconds is 59, and must be at least 60 and at most 21600",
        ),
    ] {
        let problems = gateway.apply(template_from_text(&wrong)).await;
        let problems = problem_lines(&problems.unwrap_err());
        assert!(problems.contains(reason), "{problems}");
    }
    gateway.shutdown().await;
}
