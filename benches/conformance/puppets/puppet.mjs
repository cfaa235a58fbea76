// A function that follows the probe's commands: see puppet.py, which is the same in Python.

import { setTimeout } from "node:timers/promises"

export async function handler(event) {
  await tell({ event })
  let answer = { statusCode: 200 }
  for (const command of commands(event)) {
    const [word, argument] = split(command)
    if (word === "status") answer.statusCode = Number(argument)
    else if (word === "throw") throw new Error(argument)
    else if (word === "sleep") await setTimeout(Number(argument))
    else if (word === "exit") process.exit(1)
    else if (word === "body") answer.body = argument
    else if (word === "raw") answer = decoded(argument)
    else if (word === "post") await tell({ post: await post(event.requestContext, argument) })
    else if (word === "version") answer.body = process.env.VERSION || VERSION
  }
  return answer
}

// Probes that deploy code replace this line.
const VERSION = "one"

// The authorizer has its own handler, because a Node function may also fail by its callback.
export function authorizer(event, context, callback) {
  const [word] = split(event.queryStringParameters?.auth ?? "allow")
  if (word === "callback") {
    tell({ event }).then(() => callback("Unauthorized"))
    return undefined
  }
  return tell({ event }).then(() => authorize(event))
}

function authorize(event) {
  const [word, argument] = split(event.queryStringParameters?.auth ?? "allow")
  if (word === "unauthorized") throw new Error("Unauthorized")
  if (word === "throw") throw new Error(argument)
  if (word === "raw") return decoded(argument)
  let resource = event.methodArn
  // `…/{stage}/*/*`, which looks as if it matched everything.
  if (word === "wildcard") resource = `${resource.slice(0, resource.lastIndexOf("/"))}/*/*`
  const effect = word === "deny" ? "Deny" : "Allow"
  const statement = { Action: "execute-api:Invoke", Effect: effect, Resource: resource }
  const answer = {
    principalId: "somebody",
    policyDocument: { Version: "2012-10-17", Statement: [statement] },
    context: { text: "words", number: 7, truth: true },
  }
  if (word === "anonymous") delete answer.principalId
  if (word === "context") answer.context = decoded(argument)
  if (word === "large") answer.context = { large: "x".repeat(9000) }
  return answer
}

function commands(event) {
  const { eventType } = event.requestContext
  let text
  if (eventType === "CONNECT") text = event.queryStringParameters?.do
  else if (eventType === "MESSAGE") {
    try {
      text = JSON.parse(event.body).do
    } catch {
      text = undefined
    }
  } else if (eventType === "DISCONNECT") text = process.env.DO_ON_DISCONNECT
  return (text || process.env.DO || "").split(";")
}

function split(text) {
  const at = text.indexOf(":")
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)]
}

function decoded(text) {
  return JSON.parse(Buffer.from(text, "base64url").toString())
}

async function tell(entry) {
  await fetch(process.env.RECORDER, { method: "POST", body: JSON.stringify(entry) })
}

// Returns the status of a post to the caller's own connection. serverless-offline accepts posts without a signature.
async function post({ connectionId }, text) {
  const url = `${process.env.MANAGEMENT_ENDPOINT}/@connections/${encodeURIComponent(connectionId)}`
  return (await fetch(url, { method: "POST", body: text })).status
}
