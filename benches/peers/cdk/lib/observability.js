// Alarms and a dashboard.
'use strict';

const { Duration } = require('aws-cdk-lib');
const cloudwatch = require('aws-cdk-lib/aws-cloudwatch');

const PERIOD = Duration.minutes(5);

function observe(stack) {
  const alarm = (id, metric, threshold, description) =>
    metric.createAlarm(stack, id, {
      alarmDescription: description,
      threshold,
      evaluationPeriods: 1,
      comparisonOperator: cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: cloudwatch.TreatMissingData.NOT_BREACHING,
    });

  const handlers = Object.values(stack.functions);
  for (const { node, function: fn } of handlers) {
    alarm(`${node.id}-errors`, fn.metricErrors({ period: PERIOD }), 1, `${node.id} fails`);
    alarm(`${node.id}-throttles`, fn.metricThrottles({ period: PERIOD }), 1, `${node.id} is throttled`);
  }
  const { socket, http } = stack;
  const integrationErrors = socket.api.metric('IntegrationError', { statistic: 'Sum', period: PERIOD });
  const serverErrors = http.api.metricServerError({ period: PERIOD });
  alarm('websocket-integration-errors', integrationErrors, 5, 'Integrations of the WebSocket API fail');
  alarm('http-server-errors', serverErrors, 5, 'The HTTP API answers 5xx');

  const graph = (title, left) => new cloudwatch.GraphWidget({ title, left, width: 12 });
  const count = (name) => socket.api.metric(name, { statistic: 'Sum', period: PERIOD });
  new cloudwatch.Dashboard(stack, 'Dashboard', {
    dashboardName: `live-session-${stack.envName}`,
    widgets: [
      [
        graph('Connections and messages', [count('ConnectCount'), count('MessageCount')]),
        graph('WebSocket errors', [count('ClientError'), count('ExecutionError'), integrationErrors]),
      ],
      [
        graph('Invocations', handlers.map(({ function: fn }) => fn.metricInvocations({ period: PERIOD }))),
        graph('Errors', handlers.map(({ function: fn }) => fn.metricErrors({ period: PERIOD }))),
      ],
      [
        graph('Duration', handlers.map(({ function: fn }) => fn.metricDuration({ period: PERIOD, statistic: 'p99' }))),
        graph('HTTP', [http.api.metricCount({ period: PERIOD }), serverErrors]),
      ],
    ],
  });
}

exports.observe = observe;
