//! Schedules of templates, and settings of asynchronous invocations.

use std::path::Path;
use std::time::Duration;

use stackgen_gateway::Event;
use stackgen_gateway::gateway::Gateway;
use stackgen_gateway_common::{EpochMillis, EventReceiver};
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

/// Applies a template. Returns the reason why the next run of a schedule failed, if it did.
async fn apply_and_run(gateway: &Gateway, template: &str, name: &str) -> Option<String> {
    let mut events = gateway.events().subscribe();
    apply(gateway, template_from_text(template)).await;
    next_run(&mut events, name).await
}

/// Returns the reason why the next run of a schedule failed, if it did.
async fn next_run(events: &mut EventReceiver, name: &str) -> Option<String> {
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
    assert_eq!(apply_and_run(&gateway, &template, "sweep").await, None);
    // The role does not cover the function without a version.
    let latest = rate
        .replace("Name: sweep", "Name: other")
        .replace("!Ref Version", "!GetAtt Function.Arn");
    let template = format!("{template}{}", schedule("Other", &latest));
    let reason = apply_and_run(&gateway, &template, "other").await;
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
            "Nowhere",
            &format!("ScheduleExpression: cron(0 8 * * ? *), ScheduleExpressionTimezone: Europe/Nowhere, {target}"),
        ),
        schedule("Once", &format!("ScheduleExpression: 'at(2020-01-01T00:00:00)', {target}")),
        schedule("Over", &format!("ScheduleExpression: rate(1 day), EndDate: '2020-01-01T00:00:00Z', {target}")),
        schedule(
            "Queue",
            "ScheduleExpression: rate(1 day), Target: { Arn: 'arn:aws:sqs:us-east-1:000000000000:q', RoleArn: x }",
        ),
        schedule(
            "Elsewhere",
            "ScheduleExpression: rate(1 day), Target: { Arn: 'arn:aws:lambda:us-east-1:111122223333:function:sweep', RoleArn: x }",
        ),
        schedule(
            "Any",
            "ScheduleExpression: rate(1 day), Target: { Arn: 'arn:aws:scheduler:::aws-sdk:ecs:runTask', RoleArn: x }",
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
    Nowhere: its times are in UTC locally, because /usr/share/zoneinfo of this machine has no Europe/Nowhere
    Once: it runs no more: at(2020-01-01T00:00:00) has passed
    Over: it runs no more: its EndDate has passed
    Queue: it runs nothing locally: the local gateway has no sqs; start `stackgen dev` with --services URL to send its calls to an emulator of AWS
    Elsewhere: it runs nothing locally: its target is a function of another account or region
    Any: it runs nothing locally: its target is neither a function nor a queue, topic, event bus, state machine or stream of this account and region
    ");
    gateway.shutdown().await;
}

#[tokio::test]
async fn wrong_schedules_and_dates_are_problems() {
    let gateway = gateway().await;
    let target = "Target: { Arn: !GetAtt Function.Arn, RoleArn: !GetAtt Scheduler.Arn }";
    for (wrong, reason) in [
        (
            "'at(2030-02-30T00:00:00)'",
            "a time is a date of the calendar",
        ),
        (
            "rate(1 day), StartDate: soon",
            "StartDate `soon` is not a date",
        ),
    ] {
        let wrong = schedule("Wrong", &format!("ScheduleExpression: {wrong}, {target}"));
        let template = template_from_text(&format!("{TEMPLATE}{wrong}"));
        let problems = problem_lines(&gateway.apply(template).await.unwrap_err());
        assert!(problems.contains(reason), "{problems}");
    }
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
async fn a_single_time_in_a_time_zone_invokes_the_function_once() {
    let has_zone = Path::new("/usr/share/zoneinfo/Asia/Jakarta").exists();
    if stackgen_test_tools::on_path("python3").is_none() || !has_zone {
        return;
    }
    let gateway = gateway().await;
    let mut events = gateway.events().subscribe();
    let notes = async |template: &str| {
        let applied = apply(&gateway, template_from_text(template)).await;
        let notes = applied.not_run.into_iter().map(|one| one.reason);
        notes.collect::<Vec<_>>()
    };
    let mut left = 3;
    let (template, passed) = loop {
        // Jakarta is seven hours ahead of UTC all year.
        let soon = EpochMillis::now().after(Duration::from_secs(7 * 60 * 60 + left));
        let soon = soon.iso8601_seconds().replace('Z', "");
        let once = format!(
            "Name: sweep, ScheduleExpression: 'at({soon})', ScheduleExpressionTimezone: Asia/Jakarta, Target: {{ Arn: !Ref Version, RoleArn: !GetAtt Scheduler.Arn }}"
        );
        let template = format!("{TEMPLATE}{}", schedule("Sweep", &once));
        let passed = [format!("it runs no more: at({soon}) has passed")];
        match notes(&template).await {
            none if none.is_empty() => break (template, passed),
            // A busy machine needs more time for the resources before it.
            notes => assert_eq!(notes, passed),
        }
        left *= 3;
    };
    assert_eq!(next_run(&mut events, "sweep").await, None);
    assert_eq!(notes(&template).await, passed);
    gateway.shutdown().await;
}

#[tokio::test]
async fn other_targets_are_called_with_the_role_of_the_schedule() {
    let gateway = gateway().await;
    let allowed = "
  Bus: { Type: AWS::Events::EventBus, Properties: { Name: shop } }
  Rule:
    Type: AWS::Events::Rule
    Properties: { Name: orders, EventBusName: !Ref Bus, EventPattern: { source: [clock], detail: { a: [1] } }, Targets: [{ Id: f, Arn: !GetAtt Function.Arn }] }
  Caller:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument: { Statement: [{ Effect: Allow, Principal: { Service: scheduler.amazonaws.com }, Action: sts:AssumeRole }] }
      Policies:
        - PolicyName: call
          PolicyDocument: { Statement: [{ Effect: Allow, Action: [events:PutEvents, sqs:SendMessage], Resource: '*' }] }
";
    let to_bus = |role: &str| {
        format!(
            "ScheduleExpression: rate(5 minutes), Target: {{ Arn: !GetAtt Bus.Arn, RoleArn: !GetAtt {role}.Arn, Input: '{{\"a\": 1}}', EventBridgeParameters: {{ DetailType: tick, Source: clock }} }}"
        )
    };
    let template = format!(
        "{TEMPLATE}{allowed}{}",
        schedule("Tick", &format!("Name: tick, {}", to_bus("Caller")))
    );
    let mut events = gateway.events().subscribe();
    assert_eq!(apply_and_run(&gateway, &template, "tick").await, None);
    // The rule gets the event, and may not invoke the function.
    let batch = async {
        loop {
            if let Event::Batch { source, reason, .. } = events.recv().await.expect("an event") {
                return (source, reason.expect("a reason"));
            }
        }
    };
    let batch = tokio::time::timeout(Duration::from_secs(60), batch).await;
    let (source, reason) = batch.expect("a batch");
    assert!(
        source == "orders" && reason.contains("does not allow events.amazonaws.com"),
        "{source} {reason}"
    );
    let denied = format!(
        "{template}{}",
        schedule("Tock", &format!("Name: tock, {}", to_bus("Scheduler")))
    );
    let reason = apply_and_run(&gateway, &denied, "tock")
        .await
        .expect("a reason");
    assert!(reason.contains("events:PutEvents"), "{reason}");
    let queue = "Name: work, ScheduleExpression: rate(5 minutes), Target: { Arn: 'arn:aws:sqs:us-east-1:000000000000:jobs', RoleArn: !GetAtt Caller.Arn }";
    let template = format!("{template}{}", schedule("Work", queue));
    let reason = apply_and_run(&gateway, &template, "work")
        .await
        .expect("a reason");
    assert!(
        reason.starts_with("the local gateway has no sqs"),
        "{reason}"
    );
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
