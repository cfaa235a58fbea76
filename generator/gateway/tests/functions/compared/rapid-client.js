// Stands in for the native HTTP client of aws-lambda-ric, which takes minutes to build. As in the original, posts block, and
// answers other than success are printed and ignored.

const { spawnSync } = require("node:child_process");
const http = require("node:http");

const [hostname, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(":");
const prefix = "/2018-06-01/runtime/invocation/";
const agent = new http.Agent({ keepAlive: false });

exports.next = () =>
  new Promise((resolve, reject) => {
    const request = http.request({ hostname, port, agent, path: `${prefix}next` }, (response) => {
      let bodyJson = "";
      response.setEncoding("utf8").on("data", (chunk) => (bodyJson += chunk));
      response.on("end", () => {
        const { statusCode, headers } = response;
        if (statusCode !== 200) return reject(new Error(`Failed to get next invocation, error ${statusCode}`));
        const deadline = "lambda-runtime-deadline-ms";
        resolve({ bodyJson, headers: { ...headers, [deadline]: Number(headers[deadline]) } });
      });
    });
    request.on("error", reject).end();
  });

function post(path, body) {
  if (typeof body !== "string") throw new TypeError("Wrong arguments");
  const script = `const [hostname, port, path] = process.argv.slice(1);
    const body = require("fs").readFileSync(0);
    const headers = { "Content-Type": "application/json", "Content-Length": body.length };
    require("http").request({ hostname, port, path, method: "POST", headers }, (response) => {
      let text = "";
      response.on("data", (chunk) => (text += chunk));
      response.on("end", () => console.log(JSON.stringify([response.statusCode, text])));
    }).end(body);`;
  const posted = spawnSync(process.execPath, ["-e", script, hostname, port, path], { input: body, env: {} });
  const [status, text] = JSON.parse(posted.stdout);
  if (status < 200 || status > 299) {
    const failure = `Failed to post handler success response. Http response code: ${status}. ${text}`;
    process.stdout.write(`[ERROR] [${Date.now()}] LAMBDA_RUNTIME ${failure}\n`);
  }
}

exports.done = (id, body) => post(`${prefix}${id}/response`, body);
exports.error = (id, body) => post(`${prefix}${id}/error`, body);
