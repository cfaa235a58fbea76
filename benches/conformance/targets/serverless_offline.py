"""serverless-offline on osls: one process an API, in its default worker mode, from a serverless.yml."""

import json
import os
import shutil
from pathlib import Path

import client
from api import Place, Served, Unsupported
from targets.process import Process, free_port, listens
from targets.template import TIMEOUT

HERE = Path(__file__).resolve().parents[1]


class ServerlessOffline:
    name = "serverless-offline"

    def __init__(self, installed, scratch, recorder):
        self.installed, self.scratch, self.recorder = installed, Path(scratch), recorder
        self.processes = []
        self.served = 0

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        for process in self.processes:
            await process.stop()

    async def serve(self, api):
        if api.stack:
            raise Unsupported("no stacks: serves serverless.yml directly")
        self.served += 1
        book = self.recorder.book()
        folder = self.scratch / f"serverless-offline-{self.served}"
        folder.mkdir()
        (folder / "node_modules").symlink_to(self.installed.node / "node_modules")
        shutil.copy(HERE / "puppets/puppet.mjs", folder)
        http, websocket, functions = free_port(), free_port(), free_port()
        environment = {
            "RECORDER": book.url, "MANAGEMENT_ENDPOINT": f"http://127.0.0.1:{websocket}", "DO_ON_DISCONNECT": api.on_disconnect,
        }
        # JSON is YAML.
        (folder / "serverless.yml").write_text(json.dumps(service(api, environment), indent=2))
        process = Process(
            [shutil.which("node"), self.installed.node / "node_modules/osls/bin/serverless.js", "offline", "start",
             "--host", "127.0.0.1", "--httpPort", http, "--websocketPort", websocket, "--lambdaPort", functions, "--noSponsor",
             *limits(api)],
            folder / "log", folder, {**quiet_environment(), "HOME": str(folder)})
        self.processes.append(process)
        await process.start()
        await process.ready(lambda: listens(websocket))
        place = Place("127.0.0.1", websocket)
        # Where AWS has its control plane: tried, to see what answers.
        tried = await client.http(place, "POST", "/v2/apis")
        return Served(place, place, book, api_id="private", stage="local", limits=bool(api.idle or api.longest),
                      no_control=f"no control plane: CreateApi is answered with {tried.status}")


def quiet_environment():
    kept = {name: os.environ[name] for name in ("PATH", "TMPDIR", "LANG") if name in os.environ}
    return {**kept, "SLS_TELEMETRY_DISABLED": "1", "SLS_NOTIFICATIONS_MODE": "off", "AWS_ACCESS_KEY_ID": "bench",
            "AWS_SECRET_ACCESS_KEY": "bench"}


def limits(api):
    flags = [("--webSocketIdleTimeout", api.idle), ("--webSocketHardTimeout", api.longest)]
    return [str(word) for flag, seconds in flags if seconds for word in (flag, seconds)]


def service(api, environment):
    """The serverless.yml of an API, as far as the Serverless Framework has words for it."""
    for is_asked, what in (
        (any(route.api_key for _, route in api.routes), "serverless.yml has no API keys for WebSocket routes"),
        (any(route.model for _, route in api.routes), "serverless.yml has no models for WebSocket routes"),
        (any(route.integration for _, route in api.routes), "serverless.yml knows only functions as targets of WebSocket routes"),
        (not api.deployed, "has no stages without a deployment: serves serverless.yml directly"),
        (api.timeout_millis, "serverless.yml has no timeouts for WebSocket integrations"),
        (api.throttle, "has no throttling of WebSocket stages"),
        (not api.permission or api.authorizer and not api.authorizer.permission, "has no invoke permissions: any function can be called"),
        (api.auto_deploy, "has no deployments: serves serverless.yml directly"),
    ):
        if is_asked:
            raise Unsupported(what)
    events = [{"websocket": event(key, route, api)} for key, route in api.routes]
    functions = {"message": {"handler": "puppet.handler", "events": events}}
    if api.authorizer:
        functions["authorizer"] = {"handler": "puppet.authorizer"}
    return {
        "service": "conformance",
        "provider": {
            "name": "aws", "runtime": "nodejs20.x", "region": "us-east-1", "timeout": TIMEOUT, "environment": environment,
            "websocketsApiRouteSelectionExpression": api.selection,
        },
        "plugins": ["serverless-offline"],
        "functions": functions,
    }


def event(key, route, api):
    event = {"route": key}
    if route.two_way:
        event["routeResponseSelectionExpression"] = "$default"
    if key == "$connect" and api.authorizer:
        event["authorizer"] = {"name": "authorizer"}
        if api.authorizer.identity_source:
            event["authorizer"]["identitySource"] = list(api.authorizer.identity_source)
    return event
