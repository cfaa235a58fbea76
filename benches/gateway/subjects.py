"""Subjects of the benchmark: each has a URL and processes, and is started for every round."""

import io
import json
import os
import shutil
import signal
import socket
import subprocess
import time
import zipfile
from pathlib import Path

import boto3

# From benches/conformance.
import install
from api import Api, Authorizer, Route
from targets.ministack import ROLE, wire
from targets.process import free_port
from targets.template import TIMEOUT, template, uri

# The API that every gateway serves: `$connect` with an authorizer, and an echo (row M8).
API = Api(routes=(("$connect", Route()), ("$default", Route(two_way=True))), authorizer=Authorizer(None))

NODE_ECHO = """
export async function handler(event) {
  return { statusCode: 200, body: event.body ?? "" }
}

export async function authorizer(event) {
  const statement = { Action: "execute-api:Invoke", Effect: "Allow", Resource: event.methodArn }
  return { principalId: "somebody", policyDocument: { Version: "2012-10-17", Statement: [statement] } }
}
"""
PYTHON_ECHO = """
def handler(event, context):
    return {"statusCode": 200, "body": event.get("body") or ""}


def authorizer(event, context):
    statement = {"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": event["methodArn"]}
    return {"principalId": "somebody", "policyDocument": {"Version": "2012-10-17", "Statement": [statement]}}
"""


class Target:
    """A server with its own process group and folder."""

    name, idle, note = "", 1000, ""
    # Number of timed messages; the number of connections is a fifth of it.
    count = 1000

    def __init__(self, installed, folder):
        self.installed, self.folder = installed, Path(folder)
        self.process = None

    def prepare(self):
        """Prepares everything that need not be repeated at every start."""

    def command(self):
        raise NotImplementedError

    def environment(self):
        return {}

    def find_url(self):
        """Returns the URL once the server is ready, or None."""
        raise NotImplementedError

    def after_start(self):
        """Creates the API, if that is not part of the start."""

    def start(self):
        """Starts the server. Returns the time until the first successful handshake."""
        command = [str(word) for word in self.command()]
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "TMPDIR": str(self.folder), **self.environment()}
        began = time.monotonic()
        with open(self.folder / "log", "wb") as log:
            self.process = subprocess.Popen(command, cwd=self.folder, env=environment, stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log, start_new_session=True)
        while self.find_url() is None:
            if self.process.poll() is not None or time.monotonic() - began > 60:
                raise SystemExit(f"{self.name} did not start:\n{(self.folder / 'log').read_text(errors='replace')[-3000:]}")
            time.sleep(0.001)
        took = time.monotonic() - began
        self.after_start()
        self.url = self.find_url()
        return took

    def stop(self):
        if self.process is None:
            return
        for ending in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self.process.pid, ending)
                self.process.wait(5)
            except (ProcessLookupError, subprocess.TimeoutExpired):
                continue
        self.process = None

    def resident_kib(self):
        """Returns the memory of all processes."""
        return sum(proportional_kib(pid) for pid in family(self.process.pid))


class Limit(Target):
    name, idle = "tokio-tungstenite echo", 10_000
    note = "no gateway, no function"

    def command(self):
        return [install.TARGET / "release/bench-gateway", "limit"]

    def find_url(self):
        said = (self.folder / "log").read_text() if (self.folder / "log").exists() else ""
        return f"ws://{said.strip()}/" if said.endswith("\n") else None


class Stackgen(Target):
    name, idle = "stackgen dev", 10_000
    note = "functions are Rust processes"

    def prepare(self):
        for binary in ("plain-echo", "allow-authorizer"):
            with zipfile.ZipFile(self.folder / f"{binary}.zip", "w") as archive:
                entry = zipfile.ZipInfo("bootstrap")
                entry.external_attr = 0o755 << 16
                archive.writestr(entry, (install.TARGET / "release" / binary).read_bytes())
        (self.folder / "template.json").write_text(json.dumps(template(API, "", rust), indent=2))

    def command(self):
        state = self.folder / ".stackgen/gateway.json"
        state.unlink(missing_ok=True)
        return [self.installed.stackgen, "dev", "template.json", "--no-build", "--no-watch", "--port", "0"]

    def find_url(self):
        state = self.folder / ".stackgen/gateway.json"
        if not state.exists():
            return None
        [api] = json.loads(state.read_text())["apis"]
        return f"{api['endpoint']}/prod"


class ServerlessOffline(Target):
    name, flags = "serverless-offline", []
    note = "worker threads, Node functions"

    def prepare(self):
        (self.folder / "node_modules").symlink_to(self.installed.node / "node_modules")
        (self.folder / "echo.mjs").write_text(NODE_ECHO)
        connect = {"route": "$connect", "authorizer": {"name": "authorizer"}}
        default = {"route": "$default", "routeResponseSelectionExpression": "$default"}
        (self.folder / "serverless.yml").write_text(json.dumps({
            "service": "bench", "provider": {"name": "aws", "runtime": "nodejs20.x", "region": "us-east-1", "timeout": TIMEOUT},
            "plugins": ["serverless-offline"],
            "functions": {
                "echo": {"handler": "echo.handler", "events": [{"websocket": connect}, {"websocket": default}]},
                "authorizer": {"handler": "echo.authorizer"},
            }}))

    def command(self):
        self.port = free_port()
        return [shutil.which("node"), self.installed.node / "node_modules/osls/bin/serverless.js", "offline", "start", "--host",
                "127.0.0.1", "--httpPort", free_port(), "--websocketPort", self.port, "--lambdaPort", free_port(), "--noSponsor",
                *self.flags]

    def environment(self):
        return {"SLS_TELEMETRY_DISABLED": "1", "SLS_NOTIFICATIONS_MODE": "off", "AWS_ACCESS_KEY_ID": "bench",
                "AWS_SECRET_ACCESS_KEY": "bench"}

    def find_url(self):
        return f"ws://127.0.0.1:{self.port}/" if accepts(self.port) else None


class ServerlessOfflineInProcess(ServerlessOffline):
    name, flags = "serverless-offline --useInProcess", ["--useInProcess"]
    note = "Node functions in the gateway's own thread"


class Ministack(Target):
    name = "ministack"
    note = "a Python process for each function"
    # Each takes at least 50 ms.
    count = 200

    def command(self):
        self.port, self.path = free_port(), None
        return [self.installed.venv / "bin/ministack"]

    def environment(self):
        keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}
        return {"PATH": f"{self.installed.venv}/bin:{os.environ['PATH']}", "BIND_HOST": "127.0.0.1", "LOG_LEVEL": "WARNING",
                "GATEWAY_PORT": str(self.port), "SERVICES": "apigateway,lambda,iam,sts,logs", **keys}

    def find_url(self):
        return f"ws://127.0.0.1:{self.port}{self.path or ''}" if accepts(self.port) else None

    def after_start(self):
        """Creates the API with the code of the conformance probes."""
        def client(service):
            return boto3.client(service, endpoint_url=f"http://127.0.0.1:{self.port}", region_name="us-east-1",
                                aws_access_key_id="test", aws_secret_access_key="test")

        gateway, functions = client("apigatewayv2"), client("lambda")
        for name, handler in (("echo", "echo.handler"), ("authorizer", "echo.authorizer")):
            functions.create_function(FunctionName=name, Runtime="python3.11", Role=ROLE, Handler=handler, Timeout=TIMEOUT,
                                      Code={"ZipFile": python_package()})
        api_id = gateway.create_api(Name="bench", ProtocolType="WEBSOCKET", RouteSelectionExpression="$request.body.action")["ApiId"]
        wire(gateway, API, api_id, {"message": uri("echo"), "authorizer": uri("authorizer")}, None)
        self.path = f"/_aws/execute-api/{api_id}/prod"


SUBJECTS = [Limit, Stackgen, ServerlessOfflineInProcess, ServerlessOffline, Ministack]


def rust(kind):
    """Returns the binary of a kind of function."""
    binary = "allow-authorizer" if kind == "authorizer" else "plain-echo"
    return {"Runtime": "provided.al2023", "Code": f"{binary}.zip", "Handler": "bootstrap"}


def python_package():
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("echo.py", PYTHON_ECHO)
    return packed.getvalue()


def accepts(port):
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except ConnectionError:
        return False
    return True


def family(pid):
    """Returns the process and its descendants."""
    found, todo = [], [pid]
    while todo:
        found.append(todo.pop())
        try:
            for thread in Path(f"/proc/{found[-1]}/task").iterdir():
                todo += [int(child) for child in (thread / "children").read_text().split()]
        except FileNotFoundError:
            continue
    return found


def proportional_kib(pid):
    """Returns the proportional set size: the sum over all processes is their total memory."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
