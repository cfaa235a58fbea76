#!/usr/bin/env python3
"""Function of an emulator of AWS that calls what runs in `stackgen dev`, for the tasks of state machines.

It speaks the Runtime API itself, because the names of errors decide what a state machine does next, and emulators keep them
only for such functions.
"""

import json
import os
import urllib.error
import urllib.parse
import urllib.request

ENDPOINT = "{endpoint}"
REGION = "{region}"

# No proxy: the endpoint is on this machine.
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class TaskError(Exception):
    """An error with a name that Step Functions reports."""

    def __init__(self, name, message):
        super().__init__(message)
        self.name = name


def serve():
    """Handles invocations, one after another."""
    base = f"http://{os.environ['AWS_LAMBDA_RUNTIME_API']}/2018-06-01/runtime/invocation"
    while True:
        with OPENER.open(f"{base}/next") as invocation:
            request = invocation.headers["Lambda-Runtime-Aws-Request-Id"]
            event = json.loads(invocation.read())
        try:
            kind, answer = "response", handle(event)
        except Exception as error:
            name = getattr(error, "name", None) or type(error).__name__
            kind, answer = "error", {"errorType": name, "errorMessage": str(error)}
        body = json.dumps(answer).encode()
        OPENER.open(urllib.request.Request(f"{base}/{request}/{kind}", body, method="POST")).close()


def handle(event):
    task, given = event["task"], event.get("input")
    if task == "ping":
        return call("GET", "/v2/apis", "apigateway")["StatusCode"]
    if ":function:" in task:
        return invoke(task, given)["Payload"]
    if task.endswith("lambda:invoke"):
        qualified = {"Qualifier": given["Qualifier"]} if "Qualifier" in given else {}
        return invoke(given["FunctionName"], given.get("Payload"), given.get("InvocationType"), qualified)
    *_, service, action = task.split(":")
    if service == "dynamodb":
        prefix = "DynamoDb" if task.startswith("aws-sdk:") else "DynamoDB"
        return json_call(prefix, service, f"DynamoDB_20120810.{action[0].upper()}{action[1:]}", given)
    if service == "events":
        for entry in given.get("Entries", []):
            if not isinstance(entry.get("Detail", ""), str):
                entry["Detail"] = json.dumps(entry["Detail"])
        return json_call("EventBridge", service, "AWSEvents.PutEvents", given)
    if service == "sns":
        return publish(given)
    return request_api(given)


def call(method, path, service, body=None, headers=None, endpoint=ENDPOINT):
    """Sends a request that is signed with credentials that nobody verifies."""
    credential = f"Credential=stackgen/20260101/{REGION}/{service}/aws4_request"
    signed = {
        "Authorization": f"AWS4-HMAC-SHA256 {credential}, SignedHeaders=host, Signature=0",
        "X-Amz-Date": "20260101T000000Z",
        **(headers or {}),
    }
    request = urllib.request.Request(endpoint + path, body, signed, method=method)
    try:
        answer = OPENER.open(request, timeout=900)
    except urllib.error.HTTPError as refused:
        answer = refused
    with answer:
        text = answer.read().decode()
        return {"StatusCode": answer.status, "StatusText": answer.reason, "Headers": answer.headers, "Text": text}


def parsed(text):
    try:
        return json.loads(text)
    except ValueError:
        return text


def invoke(function, payload, kind=None, qualified=None):
    """Invokes a function of the gateway."""
    name = urllib.parse.quote(function, safe="")
    query = "?" + urllib.parse.urlencode(qualified) if qualified else ""
    headers = {"X-Amz-Invocation-Type": kind} if kind else {}
    body = json.dumps({} if payload is None else payload).encode()
    answer = call("POST", f"/2015-03-31/functions/{name}/invocations{query}", "lambda", body, headers)
    found = parsed(answer["Text"])
    if answer["Headers"].get("X-Amz-Function-Error"):
        error = found if isinstance(found, dict) else {}
        raise TaskError(error.get("errorType", "Lambda.Unknown"), error.get("errorMessage", answer["Text"]))
    if answer["StatusCode"] >= 300:
        code = (answer["Headers"].get("x-amzn-errortype") or "AWSLambdaException").split(":")[0]
        raise TaskError(f"Lambda.{code}", answer["Text"])
    version = answer["Headers"].get("X-Amz-Executed-Version")
    return {"ExecutedVersion": version, "Payload": found, "StatusCode": answer["StatusCode"]}


def json_call(prefix, service, target, given):
    headers = {"X-Amz-Target": target, "Content-Type": "application/x-amz-json-1.0"}
    answer = call("POST", "/", service, json.dumps(given).encode(), headers)
    found = parsed(answer["Text"])
    if answer["StatusCode"] >= 300:
        error = found if isinstance(found, dict) else {}
        code = error.get("__type", "ServiceException").split("#")[-1]
        raise TaskError(f"{prefix}.{code}", error.get("message") or error.get("Message") or answer["Text"])
    return found


def publish(given):
    """Publishes to a topic."""
    text = lambda value: value if isinstance(value, str) else json.dumps(value)
    form = {name: text(value) for name, value in given.items() if name != "MessageAttributes"}
    for number, (name, value) in enumerate(given.get("MessageAttributes", {}).items(), 1):
        entry = f"MessageAttributes.entry.{number}"
        form[f"{entry}.Name"] = name
        form.update({f"{entry}.Value.{part}": text(given) for part, given in value.items()})
    body = urllib.parse.urlencode({"Action": "Publish", "Version": "2010-03-31", **form}).encode()
    answer = call("POST", "/", "sns", body, {"Content-Type": "application/x-www-form-urlencoded"})
    if answer["StatusCode"] >= 300:
        raise TaskError("SNS.SnsException", answer["Text"])
    return {"MessageId": answer["Text"].partition("<MessageId>")[2].partition("</MessageId>")[0]}


def request_api(given):
    """Sends a request to a stage of an API of the gateway."""
    api = given["ApiEndpoint"].split("://")[-1].split(".")[0]
    found = parsed(call("GET", f"/v2/apis/{api}", "apigateway")["Text"])
    if not isinstance(found, dict) or "apiEndpoint" not in found:
        raise TaskError("ApiGateway.404", f"stackgen dev has no WebSocket or HTTP API {api}")
    endpoint = "http" + found["apiEndpoint"].removeprefix("http").removeprefix("ws")
    stage = given.get("Stage", "")
    stage = "" if stage in ("", "$default") else f"/{stage}"
    values = lambda name: {key: value if isinstance(value, list) else [value] for key, value in given.get(name, {}).items()}
    query = urllib.parse.urlencode(values("QueryParameters"), doseq=True)
    path = urllib.parse.quote(stage + given.get("Path", ""), safe="/@=%") + ("?" + query if query else "")
    headers = {name: ",".join(map(str, value)) for name, value in values("Headers").items()}
    body = given.get("RequestBody")
    if body is not None:
        headers.setdefault("Content-Type", "application/json")
        body = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    answer = call(given["Method"], path, "execute-api", body, headers, endpoint)
    text = answer.pop("Text")
    if answer["StatusCode"] >= 400:
        raise TaskError(f"ApiGateway.{answer['StatusCode']}", text)
    headers = {name: answer["Headers"].get_all(name) for name in answer["Headers"]}
    return {**answer, "Headers": headers, "ResponseBody": parsed(text)}


if __name__ == "__main__":
    serve()
