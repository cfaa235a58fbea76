// Sends the response of a custom resource to CloudFormation.
const http = require("http");
const https = require("https");

exports.SUCCESS = "SUCCESS";
exports.FAILED = "FAILED";

exports.send = (event, context, status, data, physicalId, noEcho) => {
  const body = JSON.stringify({
    Status: status,
    Reason: `See the details in CloudWatch Log Stream: ${context.logStreamName}`,
    PhysicalResourceId: physicalId || context.logStreamName,
    StackId: event.StackId,
    RequestId: event.RequestId,
    LogicalResourceId: event.LogicalResourceId,
    NoEcho: noEcho || false,
    Data: data,
  });
  const url = new URL(event.ResponseURL);
  const headers = { "content-type": "", "content-length": Buffer.byteLength(body) };
  const client = url.protocol === "http:" ? http : https;
  const request = client.request(url, { method: "PUT", headers }, (response) => {
    console.log(`Status code: ${response.statusCode}`);
    response.resume();
    context.done();
  });
  request.on("error", (error) => {
    console.log(`cannot send the response: ${error}`);
    context.done();
  });
  request.end(body);
};
