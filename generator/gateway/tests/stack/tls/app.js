// Posts to the caller's connection in the way that the message names.
const https = require("https");

// Signatures are not verified locally, but the caller's credentials are.
const authorization = () =>
  `AWS4-HMAC-SHA256 Credential=${process.env.AWS_ACCESS_KEY_ID}/20260101/us-east-1/execute-api/aws4_request, ` +
  "SignedHeaders=host, Signature=00";

const byHttps = (url, body) =>
  new Promise((resolve, reject) => {
    const options = { method: body === undefined ? "GET" : "POST", headers: { authorization: authorization() } };
    const request = https.request(url, options, (response) => {
      let text = "";
      response.on("data", (chunk) => (text += chunk));
      response.on("end", () => resolve([response.statusCode, text]));
    });
    request.on("error", reject);
    request.end(body);
  });

const byFetch = async (url, body) => {
  const headers = { authorization: authorization() };
  const response = await fetch(url, { method: body === undefined ? "GET" : "POST", headers, body });
  return [response.status, await response.text()];
};

exports.handler = async (event) => {
  const { domainName, stage, connectionId, apiId } = event.requestContext;
  const { by, to } = JSON.parse(event.body);
  const send = by === "fetch" ? byFetch : byHttps;
  const region = process.env.AWS_REGION;
  const host = to === "domain" ? domainName : `${apiId}.execute-api.${region}.amazonaws.com`;
  const url = `https://${host}/${stage}/@connections/${encodeURIComponent(connectionId)}`;
  let text = `${by} ${to}`;
  if (to === "keys") {
    const pool = `https://cognito-idp.${region}.amazonaws.com/${process.env.POOL}`;
    const [, keys] = await send(`${pool}/.well-known/jwks.json`);
    text = JSON.stringify(JSON.parse(keys).keys.map((key) => key.kty));
  }
  const [status, body] = await send(url, text);
  if (status !== 200) throw new Error(`${status} ${body}`);
  return { statusCode: 200 };
};
