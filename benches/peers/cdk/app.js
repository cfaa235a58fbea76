// The stack of templates/live-session/stackgen.yaml, built from AWS CDK constructs.
//
//   npm ci && npx cdk synth -c env=dev     (or prod)
//
// `dev` is a live release (integrations point at functions), `prod` a pinned one (they point at versions).
'use strict';

const { App } = require('aws-cdk-lib');
const { LiveSession } = require('./lib/live-session');
const { environments } = require('./lib/environments');

const app = new App();
const env = app.node.tryGetContext('env') ?? 'dev';
const settings = environments[env];
if (!settings) {
  throw new Error(`no environment ${env}: one of ${Object.keys(environments).join(', ')}`);
}
new LiveSession(app, 'LiveSession', { stackName: `live-session-${env}`, envName: env, settings });
