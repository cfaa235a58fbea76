// Renders the template that Architect makes of app.arc.
const inventory = require('@architect/inventory');
const render = require('@architect/package');
const { writeFileSync } = require('fs');

inventory({ cwd: process.cwd(), deployStage: 'staging' })
  .then(render)
  .then((template) => writeFileSync(process.argv[2], JSON.stringify(template, null, 2)));
