"""Runs a project with `stackgen dev`, and does with it what its README does."""

import contextlib
import json
import os
import re
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

from client import Client, Refused
from emulator import Emulator
from internet import Internet

# Seconds to wait for the start, and for an answer.
START, ANSWER = 60, 12


class Dev:
    """A running `stackgen dev`, with the events that it printed."""

    def __init__(self, stackgen, checkout, project, services, variables=None):
        source = project.get("run", project["template"])
        command = [stackgen, "dev", source, "--json", "--no-watch", "--no-build", "--logs", "--port", "0"]
        if "stack" in project:
            command += ["--stack", project["stack"]]
        if services:
            command += ["--services", services]
        for name, value in project.get("parameters", {}).items():
            command += ["--parameter", f"{name}={value}"]
        command += project.get("arguments", [])
        self.token = [stackgen, "token", "--sub", "ada", "--file", source, *project.get("token", [])]
        self.checkout = checkout
        self.process = subprocess.Popen(
            command, cwd=checkout, env=environment() | (variables or {}), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self.events, self.errors = [], []
        self.arrived = threading.Condition()
        self.threads = [
            threading.Thread(target=self.read, args=(self.process.stdout, self.events), daemon=True),
            threading.Thread(target=self.read, args=(self.process.stderr, self.errors), daemon=True),
        ]
        for thread in self.threads:
            thread.start()

    def read(self, stream, lines):
        for line in stream:
            with self.arrived:
                lines.append(line.strip())
                self.arrived.notify_all()

    def first(self):
        """Returns the first event: `ready` or `error`. Returns None if there is none in time."""
        end = time.monotonic() + START
        with self.arrived:
            while not self.events and time.monotonic() < end and self.process.poll() is None:
                self.arrived.wait(0.2)
        self.threads[0].join(0.2)
        return json.loads(self.events[0]) if self.events else None

    def connection(self):
        """Returns the ID of the first connection."""
        end = time.monotonic() + ANSWER
        with self.arrived:
            while time.monotonic() < end:
                events = [json.loads(line) for line in self.events if line]
                if found := [one["connection"] for one in events if one["event"] == "connected"]:
                    return found[0]
                self.arrived.wait(0.2)
        return ""

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for thread in self.threads:
            thread.join(5)


def environment():
    """Returns the environment without credentials and settings of AWS, of proxies and of other runs."""
    dropped = ("AWS_", "STACKGEN_", "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")
    return {name: value for name, value in os.environ.items() if not name.startswith(dropped)}


def ran(stackgen, checkout, project):
    """Returns what happened: `started`, `connected`, `works`, the answers, and the reasons from the gateway's events."""
    with contextlib.ExitStack() as around:
        services = around.enter_context(Emulator()).url if project.get("services") else None
        variables = around.enter_context(Internet(project["internet"])).environment if "internet" in project else {}
        return used(stackgen, checkout, project, services, variables)


def used(stackgen, checkout, project, services, variables):
    dev = Dev(stackgen, checkout, project, services, variables)
    result = {"started": False, "connected": False, "works": False, "emulated": [], "said": [], "answers": [], "problems": []}
    try:
        ready = dev.first()
        if ready is None or ready["event"] != "ready":
            messages = [one["message"] for one in (ready or {}).get("errors", [])]
            result["problems"] = messages or dev.errors[-5:] or ["no start in time"]
            return result
        result["started"] = True
        result["emulated"] = [one["kind"] for one in ready["emulated"]]
        result["said"] = [one["reason"] for one in ready["notRun"]] + ready["notes"]
        use(project, dev, ready, result)
    finally:
        dev.stop()
    result["problems"] += failures(dev.events[1:])
    if not any(message["answers"] for message in project["messages"]):
        # Without an answer to wait for, the events of the gateway decide.
        result["works"] = result["works"] and not result["problems"]
    return result


def use(project, dev, ready, result):
    """Connects the clients and sends the messages."""
    urls = [stage["url"] for api in ready["gateway"]["apis"] if api["protocolType"] == "WEBSOCKET" for stage in api["stages"]]
    if not urls:
        result["problems"].append("the template has no stage to connect to")
        return
    clients = []
    try:
        for name, table in project.get("tables", {}).items():
            create_table(ready["gateway"], name, table)
        invoked = invoke(ready["gateway"]["endpoint"], project.get("invoke"))
        for one in project["clients"]:
            headers = one.get("headers", {}).items()
            headers = {name: with_key(value.replace("{invoked}", invoked), ready["gateway"]) for name, value in headers}
            query = with_identity(with_token(one.get("query", ""), dev), ready["gateway"])
            clients.append(Client(urls[0], ready["gateway"]["certificate"], query, headers))
        result["connected"] = True
        done = [answered(clients, message, dev, result, ready["gateway"]) for message in project["messages"]]
        result["works"] = all(done)
    except Refused as error:
        result["problems"].append(f"the handshake was answered with {error}")
    except OSError as error:
        result["problems"].append(f"the connection failed: {error}")
    finally:
        for client in clients:
            client.close()
        # The functions of $disconnect run now.
        time.sleep(1)


def with_key(value, gateway):
    """Puts the API key that `dev` printed into a header: `{apiKey}`."""
    return value.replace("{apiKey}", gateway["apiKeys"][0]["value"]) if "{apiKey}" in value else value


def with_token(query, dev):
    """Puts a token of the local issuer into a query: `{token}`."""
    if "{token}" not in query:
        return query
    token = subprocess.run(dev.token, cwd=dev.checkout, capture_output=True, text=True, check=False)
    return query.replace("{token}", token.stdout.strip())


def with_identity(query, gateway):
    """Signs a query as a guest of the template's identity pool: `{identity}`. The gateway does not verify the signature."""
    if "{identity}" not in query:
        return query
    guest = cognito(gateway["endpoint"], "GetId", {"IdentityPoolId": gateway["identityPools"][0]})
    credentials = cognito(gateway["endpoint"], "GetCredentialsForIdentity", {"IdentityId": guest["IdentityId"]})
    scope = f"{credentials['Credentials']['AccessKeyId']}/20260101/{gateway['region']}/execute-api/aws4_request"
    signed = {"X-Amz-Algorithm": "AWS4-HMAC-SHA256", "X-Amz-Credential": scope, "X-Amz-SignedHeaders": "host", "X-Amz-Signature": "0"}
    return query.replace("{identity}", urllib.parse.urlencode(signed))


def cognito(endpoint, operation, parameters):
    headers = {"X-Amz-Target": f"AWSCognitoIdentityService.{operation}", "Content-Type": "application/x-amz-json-1.1"}
    request = urllib.request.Request(endpoint, json.dumps(parameters).encode(), headers)
    with urllib.request.urlopen(request, timeout=ANSWER) as answer:
        return json.load(answer)


def invoke(endpoint, step):
    """Invokes a function, as a README does before it connects, and returns the property that it takes of the answer."""
    if step is None:
        return ""
    url = f"{endpoint}/2015-03-31/functions/{step['function']}/invocations"
    credential = "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/lambda/aws4_request, SignedHeaders=host, Signature=0"
    request = urllib.request.Request(url, b"{}", {"Authorization": credential})
    try:
        with urllib.request.urlopen(request, timeout=ANSWER) as answer:
            return (json.load(answer) or {}).get(step["take"], "")
    except urllib.error.URLError:
        return ""


def create_table(gateway, name, table):
    """Creates a table with the items that a README requires."""
    key = {"AttributeName": table["key"]}
    schema = {"AttributeDefinitions": [{**key, "AttributeType": "S"}], "KeySchema": [{**key, "KeyType": "HASH"}]}
    aws_call(gateway, "DynamoDB_20120810.CreateTable", {"TableName": name, "BillingMode": "PAY_PER_REQUEST", **schema})
    for item in table["items"]:
        aws_call(gateway, "DynamoDB_20120810.PutItem", {"TableName": name, "Item": {table["key"]: {"S": item}}})


def put_into_queue(gateway, name, body):
    """Sends a message to a queue."""
    url = aws_call(gateway, "AmazonSQS.GetQueueUrl", {"QueueName": name})["QueueUrl"]
    aws_call(gateway, "AmazonSQS.SendMessage", {"QueueUrl": url, "MessageBody": body})


def answered(clients, message, dev, result, gateway):
    """Sends a message, or completes an activity of a state machine, and returns true if the answers arrive that the README shows."""
    if "activity" in message:
        complete(gateway, message["activity"], message["output"])
    elif "queue" in message:
        put_into_queue(gateway, message["queue"], message["body"])
    elif message["body"] is not None:
        body = message["body"]
        if "{connectionId}" in body:
            body = body.replace("{connectionId}", dev.connection())
        clients[message["client"]].send(body)
    return all(received(clients[one["client"]], one, result) for one in message["answers"])


def complete(gateway, activity, output):
    """Completes a task of an activity, as a README does with the `aws` command."""
    arn = f"arn:{gateway['partition']}:states:{gateway['region']}:{gateway['account']}:activity:{activity}"
    task = aws_call(gateway, "AWSStepFunctions.GetActivityTask", {"activityArn": arn})
    aws_call(gateway, "AWSStepFunctions.SendTaskSuccess", {"taskToken": task.get("taskToken"), "output": output})


def aws_call(gateway, target, parameters):
    """Calls an operation with the JSON protocol of AWS, such as `AWSStepFunctions.GetActivityTask`."""
    services = {"AWSStepFunctions": "states", "DynamoDB_20120810": "dynamodb", "AmazonSQS": "sqs"}
    service = services[target.split(".")[0]]
    credential = f"AWS4-HMAC-SHA256 Credential=test/20260101/{gateway['region']}/{service}/aws4_request, SignedHeaders=host, Signature=0"
    headers = {"X-Amz-Target": target, "Content-Type": "application/x-amz-json-1.0", "Authorization": credential, "X-Amz-Date": "20260101T000000Z"}
    request = urllib.request.Request(gateway["endpoint"], json.dumps(parameters).encode(), headers)
    with urllib.request.urlopen(request, timeout=70) as answer:
        return json.load(answer)


def received(client, expected, result):
    end = time.monotonic() + ANSWER
    while (left := end - time.monotonic()) > 0:
        text = client.receive(left)
        if text is None:
            return False
        result["answers"].append(text[:300])
        if any(one in text for one in expected.get("one_of", [expected.get("contains")])) and expected.get("without", "\0") not in text:
            return True
    return False


def failures(lines):
    """Returns the reasons in the events of the gateway, each once."""
    reasons = (reason(json.loads(line)) for line in lines if line)
    return list(dict.fromkeys(one for one in reasons if one))


def reason(event):
    """Returns the reason of an event that reports a failure."""
    kind = event["event"]
    if kind == "log":
        text = logged_error(event["line"])
    elif kind == "message":
        text = event["outcome"].get("reason")
    elif kind == "posted":
        text = f"a post to a connection was answered with {event['status']}" if event["status"] >= 400 else None
    else:
        text = event.get("reason") if kind in ("functionFailed", "refused", "disconnectFailed") else None
    # Names of temporary folders differ from run to run.
    return re.sub(r"/tmp/[\w./+-]*/", "…/", text)[:400] if text else None


def logged_error(line):
    """Returns the message of an error that a function logged, without its stack."""
    for level in ["[ERROR] ", "\tERROR\t"]:
        _, found, text = line.partition(level)
        # `functionFailed` reports failed starts; the others are warnings of Node.js.
        if found and not text.startswith(("Init Error", "Uncaught Exception", "Invoke Error", "(node:")):
            return re.split(r"[\r\n]", text)[0]
    return None
