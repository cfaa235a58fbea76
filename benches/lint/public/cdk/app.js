// The WebSocket examples from aws-cdk-lib's README files, one stack each.
const { App, Stack } = require('aws-cdk-lib');
const v2 = require('aws-cdk-lib/aws-apigatewayv2');
const { WebSocketIamAuthorizer, WebSocketLambdaAuthorizer } = require('aws-cdk-lib/aws-apigatewayv2-authorizers');
const { WebSocketAwsIntegration, WebSocketLambdaIntegration, WebSocketMockIntegration } = require('aws-cdk-lib/aws-apigatewayv2-integrations');
const { AttributeType, Table } = require('aws-cdk-lib/aws-dynamodb');
const { Effect, Policy, PolicyStatement, Role, ServicePrincipal, User } = require('aws-cdk-lib/aws-iam');
const { Code, Function: Lambda, Runtime } = require('aws-cdk-lib/aws-lambda');
const { LogGroup } = require('aws-cdk-lib/aws-logs');

const app = new App({ analyticsReporting: false });
const example = (name, make) => make(new Stack(app, name));
// Resources that the examples only declare.
const lambda = (stack, name) =>
  new Lambda(stack, name, {
    runtime: Runtime.NODEJS_22_X,
    handler: 'index.handler',
    code: Code.fromInline('exports.handler = async () => ({ statusCode: 200 });'),
  });
const calls = (stack, name) => new WebSocketLambdaIntegration(`${name}Integration`, lambda(stack, name));
const deployed = (stack, webSocketApi, more) =>
  new v2.WebSocketStage(stack, 'mystage', { webSocketApi, stageName: 'dev', autoDeploy: true, ...more });

example('three-routes', (stack) => {
  const api = new v2.WebSocketApi(stack, 'mywsapi', {
    connectRouteOptions: { integration: calls(stack, 'Connect') },
    disconnectRouteOptions: { integration: calls(stack, 'Disconnect') },
    defaultRouteOptions: { integration: calls(stack, 'Default') },
  });
  deployed(stack, api, { description: 'My Stage' });
});
example('custom-route', (stack) => {
  const api = new v2.WebSocketApi(stack, 'mywsapi');
  api.addRoute('sendmessage', { integration: calls(stack, 'SendMessage') });
});
example('return-response', (stack) => {
  const api = new v2.WebSocketApi(stack, 'mywsapi');
  api.addRoute('sendmessage', { integration: calls(stack, 'SendMessage'), returnResponse: true });
});
example('grants', (stack) => {
  const api = new v2.WebSocketApi(stack, 'mywsapi');
  const stage = new v2.WebSocketStage(stack, 'mystage', { webSocketApi: api, stageName: 'dev' });
  const fn = lambda(stack, 'Function');
  stage.grantManagementApiAccess(fn);
  api.grantManageConnections(fn);
});
example('usage-plan', (stack) => {
  const api = new v2.WebSocketApi(stack, 'my-api');
  const stage = new v2.WebSocketStage(stack, 'my-stage', { webSocketApi: api, stageName: 'dev' });
  new v2.UsagePlan(stack, 'my-usage-plan', { usagePlanName: 'Basic' }).addApiStage({ api, stage });
});
example('access-log', (stack) => {
  const api = new v2.WebSocketApi(stack, 'mywsapi', { defaultRouteOptions: { integration: calls(stack, 'Default') } });
  const destination = new v2.LogGroupLogDestination(new LogGroup(stack, 'Logs'));
  new v2.WebSocketStage(stack, 'WebSocketStage', { webSocketApi: api, stageName: 'dev', accessLogSettings: { destination } });
});
example('lambda-integration', (stack) => {
  const api = new v2.WebSocketApi(stack, 'mywsapi');
  deployed(stack, api);
  api.addRoute('sendMessage', { integration: calls(stack, 'SendMessage') });
});
example('aws-integration', (stack) => {
  const api = new v2.WebSocketApi(stack, 'mywsapi');
  deployed(stack, api);
  const table = new Table(stack, 'Table', { partitionKey: { name: 'id', type: AttributeType.STRING } });
  const credentialsRole = new Role(stack, 'Role', { assumedBy: new ServicePrincipal('apigateway.amazonaws.com') });
  table.grantWriteData(credentialsRole);
  const item = { TableName: table.tableName, Item: { id: { S: '$context.requestId' } } };
  api.addRoute('$connect', {
    integration: new WebSocketAwsIntegration('DynamodbPutItem', {
      integrationUri: `arn:aws:apigateway:${stack.region}:dynamodb:action/PutItem`,
      integrationMethod: v2.HttpMethod.POST,
      credentialsRole,
      requestTemplates: { 'application/json': stack.toJsonString(item) },
    }),
  });
});
example('mock-integration', (stack) => {
  const api = new v2.WebSocketApi(stack, 'mywsapi');
  deployed(stack, api);
  api.addRoute('sendMessage', {
    integration: new WebSocketMockIntegration('DefaultIntegration', {
      requestTemplates: { 'application/json': JSON.stringify({ statusCode: 200 }) },
      templateSelectionExpression: '\\$default',
    }),
    returnResponse: true,
  });
});
example('lambda-authorizer', (stack) => {
  const authorizer = new WebSocketLambdaAuthorizer('Authorizer', lambda(stack, 'Auth'));
  new v2.WebSocketApi(stack, 'WebSocketApi', { connectRouteOptions: { integration: calls(stack, 'Handler'), authorizer } });
});
example('iam-authorizer', (stack) => {
  const api = new v2.WebSocketApi(stack, 'WebSocketApi');
  api.addRoute('$connect', { integration: calls(stack, 'Connect'), authorizer: new WebSocketIamAuthorizer() });
  const invoke = new PolicyStatement({
    actions: ['execute-api:Invoke'],
    effect: Effect.ALLOW,
    resources: [stack.formatArn({ service: 'execute-api', resource: api.apiId })],
  });
  new User(stack, 'User').attachInlinePolicy(new Policy(stack, 'AllowInvoke', { statements: [invoke] }));
});
