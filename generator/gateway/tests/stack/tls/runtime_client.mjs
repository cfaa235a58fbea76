// A small client of the Runtime API in place of AWS's, which must be compiled where it is installed.
import { createRequire } from "node:module";

const [file, name] = process.argv[2].split(".");
const { [name]: handler } = createRequire(`${process.env.LAMBDA_TASK_ROOT}/`)(`./${file}.js`);
const base = `http://${process.env.AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime/invocation`;

for (;;) {
  const next = await fetch(`${base}/next`);
  const id = next.headers.get("lambda-runtime-aws-request-id");
  const event = await next.json();
  const post = (path, body) => fetch(`${base}/${id}/${path}`, { method: "POST", body: JSON.stringify(body) });
  try {
    await post("response", (await handler(event, {})) ?? null);
  } catch (error) {
    const cause = error.cause ? `: ${error.cause.message}` : "";
    console.error(error.message + cause);
    await post("error", { errorType: error.name, errorMessage: error.message + cause });
  }
}
