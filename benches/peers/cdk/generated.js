// Stacks of a given size, from the same constructs as the flagship, for the benchmark:
//
//   cdk synth --app 'node generated.js' -c functions=10 -c stacks=1
//
// A stack is a WebSocket API and a table; each function has a route, a log group and a role with access to the
// table. benches/synth/stacks.py writes the same as stackgen.yaml.
'use strict';

const { App, RemovalPolicy, Stack } = require('aws-cdk-lib');
const dynamodb = require('aws-cdk-lib/aws-dynamodb');
const { Handler } = require('./lib/handler');
const { WebSocketApi } = require('./lib/websocket-api');

class Generated extends Stack {
  constructor(scope, id, functions) {
    super(scope, id, { stackName: `${id}-dev` });
    const table = new dynamodb.Table(this, 'Items', {
      tableName: `${id}-Items-dev`,
      partitionKey: { name: 'id', type: dynamodb.AttributeType.STRING },
      billingMode: dynamodb.BillingMode.PAY_PER_REQUEST,
      encryption: dynamodb.TableEncryption.AWS_MANAGED,
      timeToLiveAttribute: 'expiresAt',
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const socket = new WebSocketApi(this, 'WebSocket', { name: `${id}-api-dev`, stageName: 'prod', pinned: false });
    for (let number = 0; number < functions; number++) {
      const name = `${id}-handler-${number}`;
      const handler = new Handler(this, name, {
        name,
        // All use the same code: the benchmark measures templates, not the hashing of assets.
        code: 'handler',
        envName: 'dev',
        socket,
        logDays: 30,
        environment: { LOG_LEVEL: 'info' },
        access: [{ name: `${id}-Items`, table, actions: ['GetItem', 'PutItem'], indexes: [] }],
        manageConnections: ['POST'],
        pinned: false,
      });
      socket.route(number === 0 ? '$default' : `action${number}`, handler);
    }
    socket.deploy();
  }
}

const app = new App();
const functions = Number(app.node.tryGetContext('functions') ?? 10);
const stacks = Number(app.node.tryGetContext('stacks') ?? 1);
for (let number = 0; number < stacks; number++) new Generated(app, `bench-${number}`, functions);
