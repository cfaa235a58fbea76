// The HTTP API: routes with or without a JWT authorizer, CORS, an explicit deployment, and the $default stage.
'use strict';

const { Duration } = require('aws-cdk-lib');
const apigw = require('aws-cdk-lib/aws-apigatewayv2');
const { HttpJwtAuthorizer } = require('aws-cdk-lib/aws-apigatewayv2-authorizers');
const { Construct } = require('constructs');
const { accessLogs, deployment, invokeRole, serve } = require('./deployment');
const { executeApiArn } = require('./handler');

const ACCESS_LOG = {
  requestId: 'requestId',
  requestTime: 'requestTime',
  routeKey: 'routeKey',
  path: 'path',
  status: 'status',
  sourceIp: 'identity.sourceIp',
  userAgent: 'identity.userAgent',
  authorizerError: 'authorizer.error',
  integrationStatus: 'integration.status',
  integrationError: 'integrationErrorMessage',
  integrationLatency: 'integrationLatency',
  errorMessage: 'error.message',
  errorResponseType: 'error.responseType',
};

class HttpApi extends Construct {
  constructor(scope, id, { name, pinned, jwt }) {
    super(scope, id);
    this.name = name;
    this.integrations = new Map();
    const { GET, POST, PATCH, DELETE, OPTIONS } = apigw.CorsHttpMethod;
    this.api = new apigw.HttpApi(this, 'Api', {
      apiName: name,
      createDefaultStage: false,
      corsPreflight: {
        allowOrigins: ['*'],
        allowMethods: [GET, POST, PATCH, DELETE, OPTIONS],
        allowHeaders: ['authorization', 'content-type', 'idempotency-key'],
        maxAge: Duration.hours(1),
      },
    });
    this.invokeRole = pinned ? invokeRole(this) : undefined;
    this.jwt = new HttpJwtAuthorizer('JwtAuthorizer', jwt.issuer, {
      authorizerName: `${name}-jwt`,
      jwtAudience: [jwt.audience],
    });
    this.none = new apigw.HttpNoneAuthorizer();
  }

  route(method, path, handler, { jwt = false } = {}) {
    const [route] = this.api.addRoutes({
      methods: [method],
      path,
      integration: this.integration(handler),
      authorizer: jwt ? this.jwt : this.none,
    });
    // L2 refuses more than 29 s, the limit of WebSocket APIs. HTTP APIs allow 30 s.
    this.integration(handler).integration.node.defaultChild.timeoutInMillis = 30000;
    if (!this.invokeRole) {
      const resource = `$default/${method}${path.replace(/\{[^}]+\}/g, '*')}`;
      handler.allowInvoke('Permission', route, executeApiArn(this, this.api.apiId, resource));
    }
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
    this.stage = new apigw.HttpStage(this, 'Stage', {
      httpApi: this.api,
      stageName: '$default',
      throttle: { burstLimit: 200, rateLimit: 100 },
      accessLogSettings: accessLogs(this, `/aws/vendedlogs/apigateway/${this.name}`, ACCESS_LOG),
    });
    this.deployment = deployment(this, this.api);
    serve(this.stage, this.deployment);
  }
}

// Replaces HttpLambdaIntegration, which permits every stage and method of a path and accepts no credentials.
class HandlerIntegration extends apigw.HttpRouteIntegration {
  constructor(handler, invokeRole) {
    super(`${handler.node.id}-integration`);
    this.handler = handler;
    this.invokeRole = invokeRole;
  }

  bind() {
    return {
      type: apigw.HttpIntegrationType.AWS_PROXY,
      method: apigw.HttpMethod.POST,
      uri: this.handler.target.functionArn,
      payloadFormatVersion: apigw.PayloadFormatVersion.VERSION_2_0,
      credentials: this.invokeRole && { credentialsArn: this.invokeRole.roleArn },
    };
  }
}

exports.HttpApi = HttpApi;
