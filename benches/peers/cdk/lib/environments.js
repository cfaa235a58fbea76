// Differences between the environments.
'use strict';

const issuer = 'https://cognito-idp.us-east-1.amazonaws.com/us-east-1_EXAMPLE';

exports.environments = {
  dev: {
    pinned: false,
    keepTables: false,
    logLevel: 'debug',
    functionLogDays: 7,
    jwtIssuer: issuer,
  },
  prod: {
    pinned: true,
    keepTables: true,
    logLevel: 'info',
    functionLogDays: 30,
    jwtIssuer: `${issuer}PROD`,
  },
};
