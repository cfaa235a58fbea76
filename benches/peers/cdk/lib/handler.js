// A Lambda function with its log group, and a role with exactly the permissions that it needs.
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { ArnFormat, CfnDeletionPolicy, Duration, RemovalPolicy, Stack } = require('aws-cdk-lib');
const iam = require('aws-cdk-lib/aws-iam');
const lambda = require('aws-cdk-lib/aws-lambda');
const logs = require('aws-cdk-lib/aws-logs');
const scheduler = require('aws-cdk-lib/aws-scheduler');
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
    // Target of integrations, authorizers and schedules.
    this.target = pinned ? this.function.currentVersion : this.function;
    if (props.asyncInvoke) this.configureAsyncInvoke(props.asyncInvoke, pinned);
    if (props.schedule) this.runOn(props.schedule, physicalName, pinned);
  }

  // A custom role: the one that L2 makes may write to every log group (AWSLambdaBasicExecutionRole), `table.grant`
  // allows every index, and `stage.grantManagementApiAccess` every verb.
  role({ logGroup, access, invoke, manageConnections, envName, socket }) {
    const statements = [allow(['logs:CreateLogStream', 'logs:PutLogEvents'], [logGroup.logGroupArn])];
    for (const { table, actions, indexes } of access) {
      statements.push(allow(actions.map((action) => `dynamodb:${action}`), [table.tableArn]));
      if (indexes.length > 0) {
        const reads = actions.filter((action) => ['Query', 'Scan'].includes(action));
        const resources = indexes.map((index) => `${table.tableArn}/index/${index}`);
        statements.push(allow(reads.map((action) => `dynamodb:${action}`), resources));
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

  // Resources without a physical name are compared by logical ID.
  rename(resource, suffix) {
    const words = this.node.id.split('-').map((word) => word[0].toUpperCase() + word.slice(1));
    resource.overrideLogicalId(`${words.join('')}${suffix}`);
  }

  configureAsyncInvoke(settings, pinned) {
    const config = new lambda.EventInvokeConfig(this, 'AsyncInvoke', {
      function: this.function,
      qualifier: pinned ? this.target.version : '$LATEST',
      ...settings,
    });
    this.rename(config.node.defaultChild, 'AsyncInvoke');
    // An earlier version that a rollback activates keeps its settings.
    if (pinned) config.node.defaultChild.cfnOptions.updateReplacePolicy = CfnDeletionPolicy.RETAIN;
  }

  // L1, because the role that the L2 target makes may invoke every version.
  runOn(scheduleExpression, name, pinned) {
    const { account } = Stack.of(this);
    const group = Stack.of(this).formatArn({
      service: 'scheduler',
      resource: 'schedule-group',
      resourceName: 'default',
    });
    const condition = { StringEquals: { 'aws:SourceAccount': account, 'aws:SourceArn': group } };
    const target = pinned ? `${this.function.functionArn}:*` : this.function.functionArn;
    const role = new iam.Role(this, 'ScheduleRole', {
      assumedBy: new iam.ServicePrincipal('scheduler.amazonaws.com', { conditions: condition }),
      inlinePolicies: { invoke: new iam.PolicyDocument({ statements: [allow(['lambda:InvokeFunction'], [target])] }) },
    });
    this.rename(role.node.defaultChild, 'ScheduleRole');
    const schedule = new scheduler.CfnSchedule(this, 'Schedule', {
      name,
      scheduleExpression,
      scheduleExpressionTimezone: 'UTC',
      flexibleTimeWindow: { mode: 'OFF' },
      target: { arn: this.target.functionArn, roleArn: role.roleArn },
    });
    this.rename(schedule, 'Schedule');
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
