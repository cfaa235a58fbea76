"""Our gateway: `stackgen dev` on a CloudFormation template, one process an API; its functions are Python."""

import json
import os
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
        # AWS's runtime interface client, and boto3 for what the function posts, are in the venv.
        environment = {"PATH": f"{self.installed.venv}/bin:{os.environ['PATH']}", "HOME": str(folder), **CREDENTIALS}
        process = Process([self.installed.stackgen, "dev", "template.json", "--json", *limits(api)], folder / "log", folder,
                          environment)
        self.processes.append(process)
        await process.start()
        state = folder / ".stackgen/gateway.json"

        async def written():
            return state.exists()

        await process.ready(written)
        return served(json.loads(state.read_text()), book, bool(limits(api)))


def served(state, book, limits):
    [api] = state["apis"]
    host, port = api["endpoint"].removeprefix("ws://").split(":")
    place = Place(host, int(port), f"/{STAGE}")

    def client(service):
        return boto3.client(
            service, endpoint_url=state["endpoint"], region_name=REGION, aws_access_key_id="test",
            aws_secret_access_key="test", config=Config(retries={"total_max_attempts": 1}))

    names = {name: f"puppet-{name}" for name in ("message", "other", "authorizer")}
    return Served(place, place, book, api["apiId"], gateway=client("apigatewayv2"), functions=client("lambda"), names=names,
                  signed=signed, limits=limits)


def limits(api):
    flags = [("--idle", api.idle), ("--longest", api.longest)]
    return [word for flag, seconds in flags if seconds for word in (flag, f"{seconds}s")]
