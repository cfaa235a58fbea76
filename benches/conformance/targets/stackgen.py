"""Our gateway: `stackgen dev` on a CloudFormation template, one process per API; its functions are Python."""

import asyncio
import json
import os
from dataclasses import replace
from pathlib import Path

import boto3
from botocore.config import Config

from api import STAGE, Place, Served
from targets.ministack import code
from targets.process import Process
from targets.sign import CREDENTIALS, REGION, signed
from targets.template import puppet, template


class Stackgen:
    name = "stackgen"

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
        book = self.recorder.book()
        self.served += 1
        folder = self.scratch / f"stackgen-{self.served}"
        folder.mkdir()
        (folder / "puppet.zip").write_bytes(code())
        file = folder / "template.json"
        file.write_text(json.dumps(template(api, book.url, puppet), indent=2))
        # AWS's runtime interface client, and boto3 for the function's posts, are in the venv.
        environment = {"PATH": f"{self.installed.venv}/bin:{os.environ['PATH']}", "HOME": str(folder), **CREDENTIALS}
        # A stack that a probe changes is applied as CloudFormation does it, with deployments.
        watch = ["--redeploy"] if api.stack else ["--no-watch"]
        process = Process(
            [self.installed.stackgen, "dev", "template.json", "--json", "--no-build", "--port", "0", *watch, *limits(api)],
            folder / "log", folder, environment)
        self.processes.append(process)
        await process.start()
        state = folder / ".stackgen/gateway.json"

        async def written():
            return state.exists()

        await process.ready(written)
        stack = Stack(folder, api, book.url) if api.stack else None
        return served(json.loads(state.read_text()), book, bool(limits(api)), stack)


class Stack:
    """Template that is applied when it is saved."""

    def __init__(self, folder, api, recorder):
        self.folder, self.api, self.recorder = folder, api, recorder

    async def update(self, routes=None, **changes):
        """Saves a changed template, and waits for the result. Returns the error, if any."""
        self.api = replace(self.api, routes=routes or self.api.routes)
        before = len(self.said())
        (self.folder / "template.json").write_text(json.dumps(template(self.api, self.recorder, puppet, **changes), indent=2))
        for _ in range(200):
            await asyncio.sleep(0.1)
            for line in self.said()[before:]:
                if '"event":"applied"' in line:
                    return ""
                if line.startswith("error"):
                    return line
        raise AssertionError("the template was not applied")

    def said(self):
        return (self.folder / "log").read_text(errors="replace").splitlines()


def served(state, book, limits, stack):
    [api] = state["apis"]
    host, port = api["endpoint"].removeprefix("ws://").split(":")
    place = Place(host, int(port), f"/{STAGE}")

    def client(service):
        return boto3.client(
            service, endpoint_url=state["endpoint"], region_name=REGION, aws_access_key_id="test",
            aws_secret_access_key="test", config=Config(retries={"total_max_attempts": 1}))

    names = {name: f"puppet-{name}" for name in ("message", "other", "authorizer")}
    return Served(place, place, book, api["apiId"], gateway=client("apigatewayv2"), functions=client("lambda"), names=names,
                  signed=signed, limits=limits, stack=stack)


def limits(api):
    flags = [("--idle-timeout", api.idle), ("--max-duration", api.longest)]
    return [word for flag, seconds in flags if seconds for word in (flag, f"{seconds}s")]
