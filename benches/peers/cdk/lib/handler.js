// A Lambda function with its log group, and a role with exactly the permissions that it needs.
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { ArnFormat, Duration, RemovalPolicy, Stack } = require('aws-cdk-lib');
const iam = require('aws-cdk-lib/aws-iam');
const lambda = require('aws-cdk-lib/aws-lambda');
const logs = require('aws-cdk-lib/aws-logs');
const { Construct } = require('constructs');

class Handler extends Construct {
  constructor(scope, id, props) {
    super(scope, id);
    const { access = [], invoke = [], manageConnections = [], pinned } = props;
    const physicalName = `${props.name}-${props.envName}`;
    const logGroup = new logs.LogGroup(this, 'Logs', {
      logGroupName: `/aws/lambda/${physicalName}`,
      retention: props.logDays,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const environment = { ...props.environment };
    for (const { name, table } of access) environment[tableVariable(name)] = table.tableName;
    // Not `WebSocketStage.callbackUrl`: the stage depends on its deployment, that on the routes, and those on this
    // function.
    if (manageConnections.length > 0) environment.MANAGEMENT_ENDPOINT = props.socket.managementEndpoint;

    this.function = new lambda.Function(this, 'Function', {
      functionName: physicalName,
      description: props.description,
      runtime: lambda.Runtime.PROVIDED_AL2023,
      architecture: lambda.Architecture.ARM_64,
      handler: 'bootstrap',
      code: lambda.Code.fromAsset(placeholder(props.code ?? props.name)),
      memorySize: props.memory ?? 256,
      timeout: props.timeout ?? Duration.seconds(10),
      environment,
      logGroup,
      role: this.role({ logGroup, access, invoke, manageConnections, envName: props.envName, socket: props.socket }),
      // Old versions stay, because earlier deployments of the API still invoke them.
      currentVersionOptions: { removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE },
    });
    // Target of integrations and authorizers.
    this.target = pinned ? this.function.currentVersion : this.function;
  }

  // A custom role: the one that L2 makes may write to every log group (AWSLambdaBasicExecutionRole), `table.grant`
  // allows every index, and `stage.grantManagementApiAccess` every verb.
  role({ logGroup, access, invoke, manageConnections, envName, socket }) {
    const statements = [allow(['logs:CreateLogStream', 'logs:PutLogEvents'], [logGroup.logGroupArn])];
    for (const { table, actions, indexes } of access) {
      statements.push(allow(actions.map((action) => `dynamodb:${action}`), [table.tableArn]));
      if (indexes.length > 0) {
        statements.push(allow(['dynamodb:Query'], indexes.map((index) => `${table.tableArn}/index/${index}`)));
      }
    }
    if (manageConnections.length > 0) {
      const resources = manageConnections.map((verb) => socket.executeApiArn(`${verb}/@connections/*`));
      statements.push(allow(['execute-api:ManageConnections'], resources));
    }
    if (invoke.length > 0) {
      // By name: with `grantInvoke` on itself, a function would depend on itself.
      const arns = invoke.map((name) => functionArn(this, `${name}-${envName}`));
      statements.push(allow(['lambda:InvokeFunction'], arns.flatMap((arn) => [arn, `${arn}:*`])));
    }
    return new iam.Role(this, 'Role', {
      assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com'),
      inlinePolicies: { access: new iam.PolicyDocument({ statements }) },
    });
  }

  // Allows an API to invoke the function, for exactly one source.
  allowInvoke(id, scope, sourceArn) {
    this.target.addPermission(id, {
      scope,
      principal: new iam.ServicePrincipal('apigateway.amazonaws.com'),
      sourceArn,
    });
  }
}

function allow(actions, resources) {
  return new iam.PolicyStatement({ actions, resources });
}

// For example, RATE_LIMITS_TABLE for RateLimits.
function tableVariable(table) {
  const words = table.replace(/([a-z])([A-Z])/g, '$1_$2').replace(/[^A-Za-z0-9]/g, '_');
  return `${words.toUpperCase()}_TABLE`;
}

// Placeholder for compiled code, which a comparison of wiring does not need.
function placeholder(binary) {
  const folder = path.join(__dirname, '..', 'cdk.out', 'placeholder', binary);
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(path.join(folder, 'bootstrap'), `#!/bin/sh\n# ${binary}\n`, { mode: 0o755 });
  return folder;
}

// ARN of a resource of an API: `{api}/{resourceName}`.
function executeApiArn(scope, apiId, resourceName) {
  return Stack.of(scope).formatArn({ service: 'execute-api', resource: apiId, resourceName });
}

function functionArn(scope, resourceName) {
  return Stack.of(scope).formatArn({
    service: 'lambda',
    resource: 'function',
    resourceName,
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
}

exports.Handler = Handler;
exports.executeApiArn = executeApiArn;
