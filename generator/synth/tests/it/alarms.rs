//! Alarms on metrics that functions publish.

use insta::assert_snapshot;
use stackgen_cfn::emit;

use super::{errors, render, resource};

#[test]
fn an_alarm_monitors_a_metric_with_exactly_its_dimensions() {
    let text = "name: s
functions: { audio: { binary: audio } }
alarms:
  actions: ['arn:aws:sns:eu-west-1:111122223333:alarms']
  metrics:
    posts-throttled:
      namespace: LiveSession
      metric: FanOutFailures
      function: audio
      dimensions: { Reason: throttled }
      description: API Gateway throttles posts
      threshold: 50
    slow: { namespace: Live/Session, metric: Duration, statistic: average, threshold: 0.5, period: 1m, evaluationPeriods: 3 }
environments: { prod: {} }
";
    let template = render(text, "prod");
    let alarm = |id: &str| emit::yaml(resource(&template, id));
    assert_snapshot!(alarm("PostsThrottledMetricAlarm"), @"
    Type: AWS::CloudWatch::Alarm
    Properties:
      AlarmName: s-prod-posts-throttled
      AlarmDescription: API Gateway throttles posts
      Namespace: LiveSession
      MetricName: FanOutFailures
      Dimensions:
        - Name: FunctionName
          Value: !Ref AudioFunction
        - Name: Reason
          Value: throttled
      Statistic: Sum
      Period: 300
      EvaluationPeriods: 1
      Threshold: 50
      ComparisonOperator: GreaterThanOrEqualToThreshold
      TreatMissingData: notBreaching
      AlarmActions:
        - arn:aws:sns:eu-west-1:111122223333:alarms
    ");
    assert_snapshot!(alarm("SlowMetricAlarm"), @"
    Type: AWS::CloudWatch::Alarm
    Properties:
      AlarmName: s-prod-slow
      Namespace: Live/Session
      MetricName: Duration
      Statistic: Average
      Period: 60
      EvaluationPeriods: 3
      Threshold: 0.5
      ComparisonOperator: GreaterThanOrEqualToThreshold
      TreatMissingData: notBreaching
      AlarmActions:
        - arn:aws:sns:eu-west-1:111122223333:alarms
    ");
}

#[test]
fn alarms_on_metrics_that_cloudwatch_refuses_are_errors() {
    let many: String = (0..30).map(|n| format!(", d{n}: x")).collect();
    let text = format!(
        "name: s
functions: {{ audio: {{ binary: audio }} }}
alarms:
  metrics:
    a: {{ namespace: AWS/Lambda, metric: Errors, threshold: 1 }}
    b: {{ namespace: N, metric: M, function: audios, dimensions: {{ FunctionName: x, ':a': y, 'b c': z }}, threshold: 1, period: 90s }}
    c: {{ namespace: N, metric: M, function: audio, dimensions: {{ FunctionName: x{many} }}, threshold: 1, statistic: p99 }}
    d: {{ metric: M }}
"
    );
    assert_snapshot!(errors(&text), @"
    5:21 `AWS/Lambda` is a namespace of AWS
        help: name the namespace in which the functions publish, or declare the alarm under `resources`
    6:45 there is no function `audios`
        help: did you mean `audio`?
    6:67 `function` already sets the dimension `FunctionName`
        help: remove one of them
    6:84 `:a` is not a name of a dimension
        help: use ASCII characters without spaces, and do not begin with `:`
    6:93 `b c` is not a name of a dimension
        help: use ASCII characters without spaces, and do not begin with `:`
    6:127 an alarm's period must be a multiple of one minute
        help: write `1m` or `5m`
    7:52 32 dimensions; a metric can have at most 30
    7:66 `function` already sets the dimension `FunctionName`
        help: remove one of them
    7:340 `statistic` cannot be `p99`
        help: use `sum`, `average`, `maximum`, `minimum` or `sampleCount`
    8:5 `d` lacks `namespace`
        help: `namespace`: Namespace of the metric
    8:5 `d` lacks `threshold`
        help: `threshold`: Value from which a period counts as breaching
    ");
}

#[test]
fn alarms_of_one_name_are_errors() {
    let text = "name: s
functions: { rooms: { binary: rooms }, websocket-client: { binary: x } }
tables: { rooms: { partitionKey: { name: id, type: S } } }
websocket: { name: api, routes: { $default: rooms } }
alarms:
  functionErrors: { threshold: 1 }
  functionThrottles: { threshold: 1 }
  tableThrottles: { threshold: 1 }
  websocketClientErrors: { threshold: 1 }
  metrics:
    rooms-errors: { namespace: N, metric: M, threshold: 1 }
    http-server-errors: { namespace: N, metric: M, threshold: 1 }
";
    assert_snapshot!(errors(text), @"
    8:3 two alarms get the name `rooms-throttles`
        7:3 the other one
        help: rename the function or the table
    9:3 two alarms get the name `websocket-client-errors`
        6:3 the other one
        help: rename the function or the table
    11:5 another alarm has the name `rooms-errors`
        6:3 declared here
        help: give this alarm another name
    ");
}
