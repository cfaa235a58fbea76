// Synthesizes each environment, and stores its template as a fixture of the model's tests: npm run fixtures
'use strict';

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { environments } = require('./lib/environments');

const target = path.join(__dirname, '../../../generator/model/tests/fixtures/cdk');
fs.mkdirSync(target, { recursive: true });
for (const env of Object.keys(environments)) {
  const out = path.join('cdk.out', env);
  const args = ['synth', '--quiet', '--context', `env=${env}`, '--output', out];
  execFileSync(path.join(__dirname, 'node_modules/.bin/cdk'), args, { cwd: __dirname, stdio: 'inherit' });
  const template = fs.readFileSync(path.join(__dirname, out, 'LiveSession.template.json'), 'utf8');
  fs.writeFileSync(path.join(target, `${env}.template.json`), `${template.trimEnd()}\n`);
}
