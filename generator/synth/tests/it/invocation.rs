//! Schedules and asynchronous invocations of functions.

use insta::assert_snapshot;
use stackgen_cfn::{Node, emit};

use super::{errors, render, resource, resources_of_type};

const SCHEDULED: &str = "name: s
functions:
  sweep-up: { binary: sweep, schedule: rate(5 minutes) }
environments: { dev: {}, prod: {} }
";

fn yaml(template: &Node, id: &str) -> String {
    emit::yaml(resource(template, id))
}

#[test]
fn a_schedule_invokes_the_function_with_a_role_for_it_alone() {
    let template = render(SCHEDULED, "dev");
    assert_snapshot!(yaml(&template, "SweepUpSchedule"), @"
    Type: AWS::Scheduler::Schedule
    Properties:
      Name: sweep-up-dev
      ScheduleExpression: rate(5 minutes)
      ScheduleExpressionTimezone: UTC
      FlexibleTimeWindow:
        Mode: 'OFF'
      Target:
        Arn: !GetAtt SweepUpFunction.Arn
        RoleArn: !GetAtt SweepUpScheduleRole.Arn
    ");
    assert_snapshot!(yaml(&template, "SweepUpScheduleRole"), @"
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: '2012-10-17'
        Statement:
          - Effect: Allow
            Principal:
              Service: scheduler.amazonaws.com
            Action: sts:AssumeRole
            Condition:
              StringEquals:
                aws:SourceAccount: !Ref AWS::AccountId
                aws:SourceArn: !Sub 'arn:${AWS::Partition}:scheduler:${AWS::Region}:${AWS::AccountId}:schedule-group/default'
      Policies:
        - PolicyName: invoke
          PolicyDocument:
            Version: '2012-10-17'
            Statement:
              - Effect: Allow
                Action:
                  - lambda:InvokeFunction
                Resource:
                  - !GetAtt SweepUpFunction.Arn
    ");
}

#[test]
fn a_schedule_of_a_pinned_environment_invokes_the_published_version() {
    let template = render(SCHEDULED, "prod");
    let (version, _) = resources_of_type(&template, "AWS::Lambda::Version")[0];
    let schedule = resource(&template, "SweepUpSchedule");
    let target = schedule.at_path(&["Properties", "Target", "Arn"]).unwrap();
    assert_eq!(emit::yaml(target).trim(), format!("!Ref {version}"));
    let role = yaml(&template, "SweepUpScheduleRole");
    assert!(role.contains("!Sub '${SweepUpFunction.Arn}:*'"), "{role}");
}

#[test]
fn a_cron_expression_has_a_time_zone() {
    let text = "name: s
functions:
  report:
    binary: report
    schedule: { expression: cron(0 8 ? * MON-FRI *), timezone: Europe/Berlin }
";
    let template = render(text, "dev");
    let schedule = resource(&template, "ReportSchedule").get("Properties");
    let value = |key| schedule.unwrap().get(key).and_then(Node::as_str);
    assert_eq!(value("ScheduleExpression"), Some("cron(0 8 ? * MON-FRI *)"));
    assert_eq!(value("ScheduleExpressionTimezone"), Some("Europe/Berlin"));
}

#[test]
fn schedules_that_eventbridge_refuses_are_errors() {
    assert_snapshot!(errors(
        "name: s
functions:
  a: { binary: a, schedule: 5m }
  b: { binary: a, schedule: rate(1 minutes) }
  c: { binary: a, schedule: cron(0 8 * * *) }
  d: { binary: a, schedule: cron(0 8 * * MON *) }
  e: { binary: a, schedule: cron(0 25 * * ? *) }
  f: { binary: a, schedule: { expression: rate(1 day), timezone: UTC } }
  g: { binary: a, schedule: { expression: 'cron(0 8 * * ? *)', timezone: 'GMT+2:00' } }
  h: { binary: a, schedule: [rate(1 day)] }
  i: { binary: a, cron: 0 8 * * ? }
"
    ), @"
    3:29 `5m` is not a schedule: it is neither `rate(…)` nor `cron(…)`
        help: write `rate(5 minutes)`, or `cron(0 8 ? * MON-FRI *)` for 8:00 on weekdays
    4:29 `rate(1 minutes)` is not a schedule: the unit of a rate of 1 is singular, and every other one is plural
        help: write `rate(1 minute)` or `rate(5 minutes)`
    5:29 `cron(0 8 * * *)` is not a schedule: it has 5 fields, and a cron expression has six: minutes, hours, day of month, month, day of week, year
        help: write `cron(0 8 ? * MON-FRI *)` for 8:00 on weekdays
    6:29 `cron(0 8 * * MON *)` is not a schedule: one of day of month and day of week must be `?`, and only one
        help: write `cron(0 8 * * ? *)` for every day, or `cron(0 8 ? * MON-FRI *)` for days of the week
    7:29 `cron(0 25 * * ? *)` is not a schedule: `25` is not a value of hours, which are 0 to 23
        help: a field is a value, a list `1,15`, a range `1-5`, a step `0/15`, or `*`
    8:56 `timezone` has no effect on a rate
        help: remove it, or write a `cron` expression
    9:74 `GMT+2:00` is not a time zone
        help: write a name of the IANA time zone database, such as `Europe/Berlin`
    10:29 `schedule` must be a string or a mapping, not a list
    11:19 unknown key `cron` in `i`
        help: write `schedule: rate(5 minutes)`
    ");
}

const ASYNC: &str = "name: s
resources: { Failures: { Type: AWS::SQS::Queue } }
functions:
  audio:
    binary: audio
    asyncInvoke: { retries: 0, maximumAge: 1m, onFailure: { queue: Failures } }
environments: { dev: {}, prod: {} }
";

/// Returns the statements of a role.
fn statements(template: &Node, role: &str) -> String {
    let path = ["Properties", "Policies"];
    let policies = resource(template, role).at_path(&path).unwrap();
    let policy = &policies.as_list().unwrap()[0];
    emit::yaml(policy.at_path(&["PolicyDocument", "Statement"]).unwrap())
}

#[test]
fn asynchronous_invocations_have_retries_an_age_and_a_destination() {
    let template = render(ASYNC, "dev");
    assert_snapshot!(yaml(&template, "AudioAsyncInvoke"), @"
    Type: AWS::Lambda::EventInvokeConfig
    Properties:
      FunctionName: !Ref AudioFunction
      Qualifier: $LATEST
      MaximumRetryAttempts: 0
      MaximumEventAgeInSeconds: 60
      DestinationConfig:
        OnFailure:
          Destination: !GetAtt Failures.Arn
    ");
    assert_snapshot!(statements(&template, "AudioRole"), @"
    - Effect: Allow
      Action:
        - logs:CreateLogStream
        - logs:PutLogEvents
      Resource:
        - !GetAtt AudioLogGroup.Arn
    - Effect: Allow
      Action:
        - sqs:SendMessage
      Resource:
        - !GetAtt Failures.Arn
    ");
}

#[test]
fn a_version_keeps_its_settings_of_asynchronous_invocations_for_a_rollback() {
    let template = render(ASYNC, "prod");
    let (version, _) = resources_of_type(&template, "AWS::Lambda::Version")[0];
    let settings = yaml(&template, "AudioAsyncInvoke").replace(version, "VERSION");
    assert_snapshot!(settings, @"
    Type: AWS::Lambda::EventInvokeConfig
    DeletionPolicy: Delete
    UpdateReplacePolicy: Retain
    Properties:
      FunctionName: !Ref AudioFunction
      Qualifier: !GetAtt VERSION.Version
      MaximumRetryAttempts: 0
      MaximumEventAgeInSeconds: 60
      DestinationConfig:
        OnFailure:
          Destination: !GetAtt Failures.Arn
    ");
}

#[test]
fn settings_of_asynchronous_invocations_publish_no_version() {
    let version = |text: &str| {
        let template = render(text, "prod");
        resources_of_type(&template, "AWS::Lambda::Version")[0]
            .0
            .to_owned()
    };
    assert_eq!(
        version(ASYNC),
        version(&ASYNC.replace("retries: 0", "retries: 1"))
    );
}

#[test]
fn a_destination_is_a_topic_an_event_bus_or_a_function() {
    let text = "name: s
resources: { News: { Type: AWS::SNS::Topic } }
functions:
  a: { binary: a, asyncInvoke: { onFailure: { topic: News } } }
  b: { binary: b, asyncInvoke: { onFailure: { eventBus: 'arn:aws:events:eu-west-1:111122223333:event-bus/default' } } }
  c: { binary: c, asyncInvoke: { onFailure: { function: d } } }
  d: { binary: d, asyncInvoke: { onFailure: { function: c } } }
environments: { dev: {}, prod: {} }
";
    let template = render(text, "prod");
    let destination = |id: &str| {
        let path = [
            "Properties",
            "DestinationConfig",
            "OnFailure",
            "Destination",
        ];
        emit::yaml(resource(&template, id).at_path(&path).unwrap())
    };
    assert_snapshot!(destination("AAsyncInvoke"), @"!Ref News");
    assert_snapshot!(destination("BAsyncInvoke"), @"arn:aws:events:eu-west-1:111122223333:event-bus/default");
    assert_snapshot!(destination("CAsyncInvoke"), @"!GetAtt DFunction.Arn");
    for (role, action) in [
        ("ARole", "sns:Publish"),
        ("BRole", "events:PutEvents"),
        ("CRole", "lambda:InvokeFunction"),
    ] {
        let statements = statements(&template, role);
        assert!(statements.contains(action), "{statements}");
    }
}

#[test]
fn settings_of_asynchronous_invocations_that_lambda_refuses_are_errors() {
    assert_snapshot!(errors(
        "name: s
resources: { News: { Type: AWS::SNS::Topic } }
functions:
  a: { binary: a, asyncInvoke: { retries: 3, maximumAge: 59s } }
  b: { binary: a, asyncInvoke: {} }
  c: { binary: a, asyncInvoke: { maximumAge: 7h, onFailure: { queue: News } } }
  d: { binary: a, asyncInvoke: { maximumAge: 60500ms, onFailure: {} } }
  e: { binary: a, asyncInvoke: { onFailure: { topic: News, function: a } } }
  f: { binary: a, asyncInvoke: { onFailure: { function: f } } }
  g: { binary: a, asyncInvoke: { onFailure: { function: h } } }
  i: { binary: a, asyncInvoke: { onFailure: { topic: 'arn:aws:sqs:eu-west-1:111122223333:q' } } }
  j: { binary: a, maximumRetryAttempts: 0 }
"
    ), @"
    4:43 `retries` is 3; it must be between 0 and 2
    4:58 the maximum age must be 60 s to 21600 s in whole seconds, not 59 s
    5:19 `asyncInvoke` is empty
        help: add `retries`, `maximumAge` or `onFailure`
    6:46 the maximum age must be 60 s to 21600 s in whole seconds, not 25200 s
    6:70 `News` has the type AWS::SNS::Topic, not AWS::SQS::Queue
        help: name another resource, or use the key for this type
    7:46 the maximum age must be 60 s to 21600 s in whole seconds, not 60500 ms
    7:55 the destination names nothing
        help: write one of `queue`, `topic`, `eventBus` or `function`
    8:34 the destination names 2 resources
        help: write one of `queue`, `topic`, `eventBus` or `function`
    9:57 `f` would get the events that it failed to process
        help: name another function, or a `queue`
    10:57 there is no function `h`
        help: use `a`, `b`, `c`, `d`, `e`, `f`, `g`, `i` or `j`
    11:54 `arn:aws:sqs:eu-west-1:111122223333:q` is not the ARN of an AWS::SNS::Topic
        help: it has the form `arn:aws:sns:REGION:ACCOUNT:…`
    12:19 unknown key `maximumRetryAttempts` in `j`
        help: write `asyncInvoke: { retries: 0, maximumAge: 1m, onFailure: { queue: Failures } }`
    ");
}
