// The WebSocket API: routes, one integration per function, a REQUEST authorizer, an explicit deployment, and a stage.
'use strict';

const { Duration, Stack } = require('aws-cdk-lib');
const apigw = require('aws-cdk-lib/aws-apigatewayv2');
const { WebSocketLambdaAuthorizer } = require('aws-cdk-lib/aws-apigatewayv2-authorizers');
const { Construct } = require('constructs');
const { accessLogs, deployment, invokeRole, serve } = require('./deployment');
const { executeApiArn } = require('./handler');

const ACCESS_LOG = {
  requestId: 'requestId',
  extendedRequestId: 'extendedRequestId',
  requestTime: 'requestTime',
  eventType: 'eventType',
  routeKey: 'routeKey',
  status: 'status',
  connectionId: 'connectionId',
  connectedAt: 'connectedAt',
  messageId: 'messageId',
  sourceIp: 'identity.sourceIp',
  userAgent: 'identity.userAgent',
  principalId: 'authorizer.principalId',
  authorizerStatus: 'authorizer.status',
  authorizerError: 'authorizer.error',
  authorizerLatency: 'authorizer.latency',
  integrationStatus: 'integration.status',
  integrationError: 'integration.error',
  integrationLatency: 'integrationLatency',
  errorMessage: 'error.message',
  errorResponseType: 'error.responseType',
};

class WebSocketApi extends Construct {
  constructor(scope, id, { name, stageName, pinned }) {
    super(scope, id);
    this.name = name;
    this.stageName = stageName;
    this.integrations = new Map();
    this.api = new apigw.WebSocketApi(this, 'Api', {
      apiName: name,
      routeSelectionExpression: '$request.body.action',
    });
    this.invokeRole = pinned ? invokeRole(this) : undefined;
  }

  get managementEndpoint() {
    const { region, urlSuffix } = Stack.of(this);
    return `https://${this.api.apiId}.execute-api.${region}.${urlSuffix}/${this.stageName}`;
  }

  executeApiArn(resource) {
    return executeApiArn(this, this.api.apiId, `${this.stageName}/${resource}`);
  }

  authorizeWith(handler) {
    if (this.invokeRole) {
      handler.function.grantInvoke(this.invokeRole);
      this.authorizer = new PinnedAuthorizer(handler, this.invokeRole);
      return;
    }
    this.authorizer = new WebSocketLambdaAuthorizer('Authorizer', handler.target, {
      authorizerName: handler.function.physicalName,
      // Unset means the header Authorization, which excludes anonymous callers.
      identitySource: [],
    });
  }

  route(key, handler) {
    const route = this.api.addRoute(key, {
      integration: this.integration(handler),
      authorizer: key === '$connect' ? this.authorizer : undefined,
    });
    if (!this.invokeRole) handler.allowInvoke('Permission', route, this.executeApiArn(key));
  }

  // One integration per function, shared by its routes.
  integration(handler) {
    if (!this.integrations.has(handler)) {
      if (this.invokeRole) handler.function.grantInvoke(this.invokeRole);
      this.integrations.set(handler, new HandlerIntegration(handler, this.invokeRole));
    }
    return this.integrations.get(handler);
  }

  deploy() {
    this.stage = new apigw.WebSocketStage(this, 'Stage', {
      webSocketApi: this.api,
      stageName: this.stageName,
      throttle: { burstLimit: 1500, rateLimit: 1500 },
      accessLogSettings: accessLogs(this, `/aws/apigateway/${this.name}`, ACCESS_LOG),
    });
    // The construct has no throttling of routes.
    const throttling = (burst, rate) => ({ ThrottlingBurstLimit: burst, ThrottlingRateLimit: rate });
    this.stage.node.defaultChild.routeSettings = {
      $connect: throttling(1000, 500),
      sendAudio: throttling(400, 400),
      audioChunk: throttling(400, 400),
      changeLanguage: throttling(200, 100),
      getSessionStatus: throttling(200, 100),
    };
    this.deployment = deployment(this, this.api);
    serve(this.stage, this.deployment);
  }
}

// Replaces WebSocketLambdaIntegration, which permits each route key on every stage, and accepts no credentials and so
// no invoke role.
class HandlerIntegration extends apigw.WebSocketRouteIntegration {
  constructor(handler, invokeRole) {
    super(`${handler.node.id}-integration`);
    this.handler = handler;
    this.invokeRole = invokeRole;
  }

  bind() {
    return {
      type: apigw.WebSocketIntegrationType.AWS_PROXY,
      method: 'POST',
      uri: invocationUri(this.handler),
      timeout: Duration.seconds(29),
      credentialsRole: this.invokeRole,
    };
  }
}

// Replaces WebSocketLambdaAuthorizer, which accepts no credentials and always adds a permission.
class PinnedAuthorizer {
  constructor(handler, role) {
    this.handler = handler;
    this.role = role;
  }

  bind({ route, scope }) {
    const authorizer = new apigw.WebSocketAuthorizer(scope, 'Authorizer', {
      webSocketApi: route.webSocketApi,
      type: apigw.WebSocketAuthorizerType.LAMBDA,
      authorizerName: this.handler.function.physicalName,
      authorizerUri: invocationUri(this.handler),
    });
    authorizer.node.defaultChild.authorizerCredentialsArn = this.role.roleArn;
    return { authorizerId: authorizer.authorizerId, authorizationType: 'CUSTOM' };
  }
}

function invocationUri(handler) {
  return Stack.of(handler).formatArn({
    service: 'apigateway',
    account: 'lambda',
    resource: 'path/2015-03-31/functions',
    resourceName: `${handler.target.functionArn}/invocations`,
  });
}

exports.WebSocketApi = WebSocketApi;
