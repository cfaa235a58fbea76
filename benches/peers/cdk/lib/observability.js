// Alarms and a dashboard.
'use strict';

const { Duration } = require('aws-cdk-lib');
const cloudwatch = require('aws-cdk-lib/aws-cloudwatch');

const PERIOD = Duration.minutes(5);
const SUM = { statistic: 'Sum', period: PERIOD };
const P99 = { statistic: 'p99', period: PERIOD };

function observe(stack) {
  const { socket, http } = stack;
  const byName = (constructs) => Object.values(constructs).sort((a, b) => (a.node.id < b.node.id ? -1 : 1));
  const handlers = byName(stack.functions);
  const functions = handlers.map((handler) => handler.function);
  const tables = byName(stack.tables);

  const alarm = (name, metric, threshold) =>
    metric.createAlarm(stack, `${name}-alarm`, {
      alarmName: `live-session-${stack.envName}-${name}`,
      threshold,
      evaluationPeriods: 1,
      comparisonOperator: cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: cloudwatch.TreatMissingData.NOT_BREACHING,
    });
  for (const handler of handlers) {
    const { node, function: fn } = handler;
    // The authorizer must fail to answer 401, so any caller with an expired token would raise this alarm.
    if (handler !== stack.functions.authorizer) alarm(`${node.id}-errors`, fn.metricErrors(SUM), 1);
    alarm(`${node.id}-throttles`, fn.metricThrottles(SUM), 1);
  }
  const integrationErrors = socket.stage.metric('IntegrationError', SUM);
  alarm('websocket-integration-errors', integrationErrors, 5);
  alarm('http-server-errors', http.api.metricServerError(SUM), 5);

  // Alarms on the functions' own metrics.
  const { audio, authorizer, reconciler } = stack.functions;
  const own = (id, description, metricName, handler, threshold, { reason, evaluationPeriods = 1 } = {}) => {
    const dimensions = [{ name: 'FunctionName', value: handler.function.functionName }];
    if (reason) dimensions.push({ name: 'Reason', value: reason });
    new cloudwatch.CfnAlarm(stack, id, {
      alarmName: `live-session-${stack.envName}-${id}`,
      alarmDescription: description,
      namespace: 'LiveSession',
      metricName,
      dimensions,
      statistic: 'Sum',
      period: 300,
      evaluationPeriods,
      threshold,
      comparisonOperator: 'GreaterThanOrEqualToThreshold',
      treatMissingData: 'notBreaching',
    });
  };
  const failures = 'FanOutFailures';
  own('posts-throttled', 'API Gateway throttles posts to listeners', failures, audio, 50, { reason: 'throttled' });
  own('posts-timed-out', 'Posts to listeners time out', failures, audio, 50, { reason: 'timedOut' });
  own('posts-failed', 'Posts to listeners fail', failures, audio, 10, { reason: 'failed' });
  own('circuit-open', 'The circuit breaker stopped posts to listeners', 'CircuitOpenings', audio, 1);
  own('issuer-unavailable', "The authorizer cannot fetch the issuer's keys", 'KeyRefreshFailures', authorizer, 1);
  const cutShort = 'The reconciler does not get through all connections';
  own('reconciliations-cut-short', cutShort, 'ReconciliationsCutShort', reconciler, 1, { evaluationPeriods: 3 });

  const graph = (title, left) => new cloudwatch.GraphWidget({ title, left, width: 8 });
  const connections = ['ConnectCount', 'MessageCount'].map((name) => socket.stage.metric(name, SUM));
  const refusals = ['ClientError', 'ExecutionError'].map((name) => socket.stage.metric(name, SUM));
  const ofTables = (name) => tables.map((table) => table.metric(name, SUM));
  new cloudwatch.Dashboard(stack, 'Dashboard', {
    dashboardName: `live-session-${stack.envName}`,
    widgets: [
      [
        graph('WebSocket: connects and messages', connections),
        graph('WebSocket: errors', [...refusals, integrationErrors]),
        graph('WebSocket: integration latency', [socket.stage.metric('IntegrationLatency', P99)]),
      ],
      [
        graph('HTTP: requests', [http.api.metricCount(SUM)]),
        graph('HTTP: errors', [http.api.metricClientError(SUM), http.api.metricServerError(SUM)]),
        graph('HTTP: latency', [http.api.metricLatency(P99)]),
      ],
      [
        graph('Functions: Invocations', functions.map((fn) => fn.metricInvocations(SUM))),
        graph('Functions: Errors', functions.map((fn) => fn.metricErrors(SUM))),
        graph('Functions: Duration', functions.map((fn) => fn.metricDuration(P99))),
      ],
      [
        graph('Tables: consumed read capacity', ofTables('ConsumedReadCapacityUnits')),
        graph('Tables: consumed write capacity', ofTables('ConsumedWriteCapacityUnits')),
        graph('Tables: throttles', [...ofTables('ReadThrottleEvents'), ...ofTables('WriteThrottleEvents')]),
      ],
    ],
  });
}

exports.observe = observe;
