// A WebSocket API whose author created an authorizer and forgot to name it at $connect.
const { App, Stack, CfnOutput } = require('aws-cdk-lib');
const { CfnAuthorizer, WebSocketApi, WebSocketStage } = require('aws-cdk-lib/aws-apigatewayv2');
const { WebSocketLambdaIntegration } = require('aws-cdk-lib/aws-apigatewayv2-integrations');
const { Code, Function, Runtime } = require('aws-cdk-lib/aws-lambda');

const stack = new Stack(new App(), 'rooms');

function lambda(id, code) {
  return new Function(stack, id, { runtime: Runtime.NODEJS_20_X, handler: 'index.handler', code: Code.fromInline(code) });
}

const shout = lambda('Shout', `exports.handler = async (event) => ({
  statusCode: 200,
  body: event.body && event.body.toUpperCase(),
});`);
const verify = lambda('Verify', 'exports.handler = async () => ({});');
const integration = () => new WebSocketLambdaIntegration('Shout', shout);
const api = new WebSocketApi(stack, 'Rooms', {
  connectRouteOptions: { integration: integration() },
  defaultRouteOptions: { integration: integration(), returnResponse: true },
});
new CfnAuthorizer(stack, 'Authorizer', {
  apiId: api.apiId,
  name: 'verify',
  authorizerType: 'REQUEST',
  authorizerUri: `arn:aws:apigateway:${stack.region}:lambda:path/2015-03-31/functions/${verify.functionArn}/invocations`,
});
const stage = new WebSocketStage(stack, 'Stage', { webSocketApi: api, stageName: 'prod', autoDeploy: true });
new CfnOutput(stack, 'Url', { value: stage.url });
