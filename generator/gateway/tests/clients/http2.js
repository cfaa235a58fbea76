// Sends requests by HTTP/2 as the AWS SDK for JavaScript does. Arguments: the endpoint, and the file of its authority.
"use strict";
const fs = require("fs");
const http2 = require("http2");

const [, , endpoint, authority] = process.argv;
const signature = (service) =>
  `AWS4-HMAC-SHA256 Credential=ANY/20260101/us-east-1/${service}/aws4_request, SignedHeaders=host, Signature=ab`;

function exchange(session, service, headers, body, ends) {
  return new Promise((resolve, reject) => {
    const request = session.request({ ":method": "POST", ":path": "/", authorization: signature(service), ...headers });
    let status, text = "";
    request.on("response", (answer) => (status = answer[":status"]));
    request.on("data", (data) => (text += data));
    request.on("end", () => resolve(`${status} ${text.includes("ServiceNotRunLocally") ? "ServiceNotRunLocally" : text.slice(0, 30)}`));
    request.on("error", reject);
    ends ? request.end(body) : request.write(body);
  });
}

async function main() {
  const secure = endpoint.replace("http:", "https:");
  for (const session of [http2.connect(endpoint), http2.connect(secure, { ca: fs.readFileSync(authority) })]) {
    const path = { ":path": "/model/anthropic.claude/converse-stream", "content-type": "application/json" };
    console.log(await exchange(session, "bedrock", path, "{}", true));
    // A stream of events that does not end before the answer.
    console.log(await exchange(session, "transcribe", { ":path": "/stream-transcription" }, "audio", false));
    const form = { "content-type": "application/x-www-form-urlencoded" };
    console.log(await exchange(session, "sts", form, "Action=GetCallerIdentity&Version=2011-06-15", true));
    session.destroy();
  }
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
