// The stack: tables, functions, the WebSocket API, the HTTP API, and monitoring.
'use strict';

const { CfnOutput, Duration, RemovalPolicy, Stack, Tags } = require('aws-cdk-lib');
const apigw = require('aws-cdk-lib/aws-apigatewayv2');
const dynamodb = require('aws-cdk-lib/aws-dynamodb');
const { Handler } = require('./handler');
const { HttpApi } = require('./http-api');
const { observe } = require('./observability');
const { WebSocketApi } = require('./websocket-api');

const STAGE = 'prod';

// Of asynchronous invocations.
const NO_RETRIES = { retryAttempts: 0, maxEventAge: Duration.minutes(1) };

class LiveSession extends Stack {
  constructor(scope, id, { envName, settings, ...props }) {
    super(scope, id, {
      ...props,
      description: 'Live sessions over WebSocket - one speaker, many listeners, each in their own language',
    });
    Tags.of(this).add('Project', 'live-session');
    this.envName = envName;
    this.settings = settings;
    this.jwt = { issuer: this.settings.jwtIssuer, audience: 'example-client-id' };
    this.tables = this.createTables();

    // The API precedes the functions, because their environment variables and permissions refer to it.
    this.socket = new WebSocketApi(this, 'WebSocket', {
      name: `session-websocket-api-${envName}`,
      stageName: STAGE,
      pinned: settings.pinned,
    });
    this.functions = this.createFunctions();
    this.wireWebSocket();
    this.http = this.createHttpApi();
    observe(this);
    this.outputs();
  }

  createTables() {
    const { keepTables } = this.settings;
    const table = (name, key, ttl, keep = keepTables) =>
      new dynamodb.Table(this, name, {
        tableName: `${name}-${this.envName}`,
        partitionKey: { name: key, type: dynamodb.AttributeType.STRING },
        billingMode: dynamodb.BillingMode.PAY_PER_REQUEST,
        encryption: dynamodb.TableEncryption.AWS_MANAGED,
        timeToLiveAttribute: ttl,
        pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: keep },
        removalPolicy: keep ? RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE : RemovalPolicy.DESTROY,
      });
    const tables = {
      Sessions: table('Sessions', 'sessionId', 'expiresAt'),
      Connections: table('Connections', 'connectionId', 'ttl'),
      RateLimits: table('RateLimits', 'identifier', 'expiresAt'),
      // There is nothing to restore.
      Tickets: table('Tickets', 'ticketHash', 'expiresAt', false),
    };
    tables.Connections.addGlobalSecondaryIndex({
      indexName: 'sessionId-targetLanguage-index',
      partitionKey: { name: 'sessionId', type: dynamodb.AttributeType.STRING },
      sortKey: { name: 'targetLanguage', type: dynamodb.AttributeType.STRING },
      projectionType: dynamodb.ProjectionType.INCLUDE,
      nonKeyAttributes: ['connectedAt'],
    });
    return tables;
  }

  createFunctions() {
    const index = ['sessionId-targetLanguage-index'];
    const access = (table, ...actions) => ({
      name: table,
      table: this.tables[table],
      actions,
      indexes: table === 'Connections' && actions.includes('Query') ? index : [],
    });
    const handler = (name, props) =>
      new Handler(this, name, {
        name,
        envName: this.envName,
        socket: this.socket,
        timeout: Duration.seconds(25),
        logDays: this.settings.functionLogDays,
        pinned: this.settings.pinned,
        ...props,
        environment: { LOG_LEVEL: this.settings.logLevel, ...props.environment },
      });
    return {
      authorizer: handler('session-authorizer', {
        description: 'Verifies tickets and tokens; lets anonymous listeners in',
        timeout: Duration.seconds(5),
        environment: {
          AUTHORIZER_CALLERS: 'mixed',
          JWT_ISSUER: this.jwt.issuer,
          JWT_AUDIENCE: this.jwt.audience,
          JWT_TOKEN_USE: 'id',
          WRONG_IDS_PER_HOUR: '120',
        },
        access: [access('RateLimits', 'GetItem', 'UpdateItem'), access('Tickets', 'DeleteItem')],
      }),
      connection: handler('session-connection-handler', {
        description: 'Connects callers, and answers every message but audio',
        environment: {
          MAX_LISTENERS_PER_SESSION: '500',
          MAX_LISTENERS_PER_ADDRESS: '50',
          CONTROL_MESSAGES_PER_10_SECONDS: '20',
          JOINS_PER_MINUTE: '120',
          WRONG_IDS_PER_HOUR: '120',
          RATE_LIMIT_FAILURE: 'open',
        },
        access: [
          access('Sessions', 'BatchGetItem', 'GetItem', 'UpdateItem'),
          access('Connections', 'ConditionCheckItem', 'GetItem', 'PutItem', 'UpdateItem', 'DeleteItem', 'Query'),
          access('RateLimits', 'GetItem', 'UpdateItem'),
        ],
        manageConnections: ['POST', 'DELETE'],
      }),
      disconnect: handler('session-disconnect-handler', {
        description: 'Removes the record of a closed connection, exactly once',
        access: [
          access('Sessions', 'GetItem', 'UpdateItem'),
          access('Connections', 'ConditionCheckItem', 'GetItem', 'DeleteItem', 'Query'),
        ],
        manageConnections: ['POST'],
      }),
      reconciler: handler('session-reconciler', {
        description: 'Removes records of closed connections and corrects counts',
        timeout: Duration.seconds(270),
        environment: { PROBES_PER_SECOND: '50' },
        access: [
          access('Sessions', 'GetItem', 'Scan', 'UpdateItem'),
          access('Connections', 'ConditionCheckItem', 'DeleteItem', 'GetItem', 'Query', 'Scan', 'UpdateItem'),
        ],
        manageConnections: ['GET', 'POST'],
        asyncInvoke: NO_RETRIES,
        schedule: 'rate(5 minutes)',
      }),
      audio: handler('session-audio-handler', {
        description: 'Fans audio out to the listeners of a session',
        memory: 512,
        environment: {
          LISTENERS_PER_INVOCATION: '250',
          AUDIO_CHUNKS_PER_SECOND: '4',
          AUDIO_POSTS_PER_SECOND: '2000',
          RATE_LIMIT_FAILURE: 'open',
        },
        asyncInvoke: NO_RETRIES,
        access: [
          access('Sessions', 'GetItem', 'UpdateItem'),
          access('Connections', 'GetItem', 'DeleteItem', 'Query'),
          access('RateLimits', 'UpdateItem'),
        ],
        manageConnections: ['POST', 'DELETE'],
        invoke: ['session-audio-handler'],
      }),
      http: handler('session-http-handler', {
        description: 'Creates, shows, pauses and ends sessions, and issues tickets',
        timeout: Duration.seconds(29),
        environment: {
          JWT_TOKEN_USE: 'id',
          VIEWS_PER_MINUTE: '300',
          WRONG_IDS_PER_HOUR: '120',
          RATE_LIMIT_FAILURE: 'closed',
        },
        access: [
          access('Sessions', 'BatchGetItem', 'GetItem', 'PutItem', 'UpdateItem'),
          access('Connections', 'GetItem', 'DeleteItem', 'Query'),
          access('RateLimits', 'GetItem', 'UpdateItem'),
          access('Tickets', 'PutItem'),
        ],
        manageConnections: ['POST'],
      }),
    };
  }

  wireWebSocket() {
    const { authorizer, connection, disconnect, audio } = this.functions;
    const { socket } = this;
    socket.authorizeWith(authorizer);
    socket.route('$connect', connection);
    socket.route('$disconnect', disconnect);
    socket.route('$default', connection);
    socket.route('sendAudio', audio);
    socket.route('audioChunk', audio);
    for (const action of [
      'joinSession',
      'changeLanguage',
      'heartbeat',
      'refreshConnection',
      'pauseBroadcast',
      'resumeBroadcast',
      'muteBroadcast',
      'unmuteBroadcast',
      'setVolume',
      'speakerStateChange',
      'getSessionStatus',
      'endSession',
    ]) {
      socket.route(action, connection);
    }
    socket.deploy();
  }

  createHttpApi() {
    const { GET, POST, PATCH, DELETE } = apigw.HttpMethod;
    const { http } = this.functions;
    const api = new HttpApi(this, 'Http', {
      name: `session-http-api-${this.envName}`,
      pinned: this.settings.pinned,
      jwt: this.jwt,
    });
    api.route(POST, '/sessions', http, { jwt: true });
    api.route(POST, '/sessions/{sessionId}/tickets', http, { jwt: true });
    api.route(GET, '/sessions/{sessionId}', http);
    api.route(PATCH, '/sessions/{sessionId}', http, { jwt: true });
    api.route(DELETE, '/sessions/{sessionId}', http, { jwt: true });
    api.route(GET, '/health', http);
    api.deploy();
    return api;
  }

  outputs() {
    const { socket, http } = this;
    const output = (id, description, value) => new CfnOutput(this, id, { description, value });
    output('WebSocketUrl', 'Where clients connect', socket.stage.url);
    output('WebSocketManagementUrl', 'Where messages to connections are posted', socket.stage.callbackUrl);
    output('WebSocketApiId', 'Id of the WebSocket API', socket.api.apiId);
    output('WebSocketStageName', "Name of the WebSocket API's stage", STAGE);
    output('HttpUrl', 'Where the HTTP API is', http.api.apiEndpoint);
    output('HttpApiId', 'Id of the HTTP API', http.api.apiId);
    for (const [id, { deployment }] of Object.entries({ WebSocket: socket, Http: http })) {
      output(`${id}DeploymentId`, 'The deployment that this template makes and its stage serves', deployment.ref);
    }
  }
}

exports.LiveSession = LiveSession;
