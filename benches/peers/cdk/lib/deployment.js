// Constructs for API Gateway v2 that L2 lacks: deployments, and an API that may invoke versions.
'use strict';

const { createHash } = require('node:crypto');
const { RemovalPolicy, Stack } = require('aws-cdk-lib');
const { AccessLogFormat } = require('aws-cdk-lib/aws-apigateway');
const apigw = require('aws-cdk-lib/aws-apigatewayv2');
const iam = require('aws-cdk-lib/aws-iam');
const logs = require('aws-cdk-lib/aws-logs');

const SNAPSHOT = [apigw.CfnRoute, apigw.CfnRouteResponse, apigw.CfnIntegration, apigw.CfnAuthorizer, apigw.CfnApi];

// L2 has no deployments for v2: its stages deploy automatically (AutoDeploy), which does not suit a WebSocket API and
// leaves nothing to roll back to. This uses L1, with a logical ID that contains a digest of the deployed configuration,
// as `aws-apigateway` does for REST APIs.
function deployment(scope, api) {
  const stack = Stack.of(scope);
  const parts = scope.node.findAll().filter((node) => SNAPSHOT.some((type) => node instanceof type));
  const text = JSON.stringify(parts.map((part) => stack.resolve(part._toCloudFormation())));
  const digest = createHash('sha256').update(text).digest('hex').slice(0, 16);
  const resource = new apigw.CfnDeployment(scope, `Deployment${digest}`, { apiId: api.apiId });
  for (const part of parts) {
    if (!(part instanceof apigw.CfnApi)) resource.addResourceDependency(part);
  }
  resource.applyRemovalPolicy(RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE);
  return resource;
}

// L2 stages take no deployment ID.
function serve(stage, resource) {
  stage.node.defaultChild.deploymentId = resource.ref;
}

// Role that a pinned API assumes. `grantInvoke` allows it to invoke all versions of a function, also earlier ones.
function invokeRole(scope) {
  return new iam.Role(scope, 'InvokeRole', { assumedBy: new iam.ServicePrincipal('apigateway.amazonaws.com') });
}

function accessLogs(scope, logGroupName, fields) {
  const logGroup = new logs.LogGroup(scope, 'AccessLogs', {
    logGroupName,
    retention: logs.RetentionDays.ONE_MONTH,
    removalPolicy: RemovalPolicy.DESTROY,
  });
  const entries = Object.entries(fields).map(([key, variable]) => [key, `$context.${variable}`]);
  return {
    destination: new apigw.LogGroupLogDestination(logGroup),
    format: AccessLogFormat.custom(JSON.stringify(Object.fromEntries(entries))),
  };
}

Object.assign(exports, { accessLogs, deployment, invokeRole, serve });
