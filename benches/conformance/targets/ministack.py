"""ministack: one process; its control plane creates each API, and its functions are Python."""

import asyncio
import io
import json
import os
import time
import zipfile
from dataclasses import replace
from pathlib import Path

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from api import STAGE, Place, Served, Unsupported
from targets.process import Process, free_port, listens
from targets.sign import CREDENTIALS, REGION, signed
from targets.template import TIMEOUT, template, uri

HERE = Path(__file__).resolve().parents[1]
ROLE = "arn:aws:iam::000000000000:role/bench"


class Ministack:
    name = "ministack"

    def __init__(self, installed, scratch, recorder):
        self.installed, self.folder, self.recorder = installed, Path(scratch) / "ministack", recorder
        self.port = free_port()
        self.served = 0

    async def __aenter__(self):
        self.folder.mkdir()
        venv = self.installed.venv / "bin"
        environment = {
            "PATH": f"{venv}:{os.environ['PATH']}", "HOME": str(self.folder), "TMPDIR": str(self.folder),
            "BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(self.port), "SERVICES": "apigateway,lambda,iam,sts,logs,cloudformation,s3", **CREDENTIALS,
        }
        self.process = Process([venv / "ministack"], self.folder / "log", self.folder, environment)
        await self.process.start()
        await self.process.ready(lambda: listens(self.port))
        return self

    async def __aexit__(self, *_):
        await self.process.stop()

    def client(self, service):
        return boto3.client(
            service, endpoint_url=f"http://127.0.0.1:{self.port}", region_name=REGION, aws_access_key_id="test",
            aws_secret_access_key="test", config=Config(retries={"total_max_attempts": 1}))

    async def serve(self, api):
        self.served += 1
        book = self.recorder.book()
        make = self.make_stack if api.stack else self.make
        return await asyncio.to_thread(make, api, book, f"n{self.served}")

    def make(self, api, book, name):
        gateway, functions = self.client("apigatewayv2"), self.client("lambda")
        api_id = gateway.create_api(Name=name, ProtocolType="WEBSOCKET", RouteSelectionExpression=api.selection)["ApiId"]
        # Form of the address that needs no name resolution.
        path = f"/_aws/execute-api/{api_id}/{STAGE}"
        environment = {
            "RECORDER": book.url, "MANAGEMENT_ENDPOINT": f"http://127.0.0.1:{self.port}{path}",
            "DO_ON_DISCONNECT": api.on_disconnect, **CREDENTIALS,
        }
        names = {}
        for function in ("message", "other", *(["authorizer"] if api.authorizer else [])):
            names[function] = f"{name}-{function}"
            functions.create_function(
                FunctionName=names[function], Runtime="python3.11", Role=ROLE, Handler="puppet.handler", Timeout=TIMEOUT,
                Code={"ZipFile": code()}, Environment={"Variables": environment})
        for function in names:
            if api.permission if function != "authorizer" else api.authorizer.permission:
                functions.add_permission(FunctionName=names[function], StatementId="api", Action="lambda:InvokeFunction",
                                         Principal="apigateway.amazonaws.com")
        wire(gateway, api, api_id, {key: uri(name) for key, name in names.items()}, book.endpoint)
        place = Place("127.0.0.1", self.port, path)
        return Served(place, place, book, api_id, gateway=gateway, functions=functions, names=names, signed=signed)


    def make_stack(self, api, book, name):
        stack = Stack(self.client("cloudformation"), name, api, book.url)
        stack.apply("create_stack", template(api, book.url, stack.package, name))
        gateway = self.client("apigatewayv2")
        api_id = next(found["ApiId"] for found in gateway.get_apis()["Items"] if found["Name"] == name)
        place = Place("127.0.0.1", self.port, f"/_aws/execute-api/{api_id}/{STAGE}")
        return Served(place, place, book, api_id, gateway=gateway, functions=self.client("lambda"),
                      names={kind: f"{name}-{kind}" for kind in ("message", "other")}, signed=signed, stack=stack)


class Stack:
    """A CloudFormation stack."""

    def __init__(self, client, name, api, recorder):
        self.client, self.name, self.api, self.recorder = client, name, api, recorder

    def package(self, _kind):
        return {"Runtime": "python3.11", "Code": {"ZipFile": (HERE / "puppets/puppet.py").read_text()}, "Handler": "index.handler"}

    async def update(self, routes=None, **changes):
        """Applies a changed template. Returns the stack's status unless it is a success."""
        self.api = replace(self.api, routes=routes or self.api.routes)
        changed = template(self.api, self.recorder, self.package, self.name, **changes)
        return await asyncio.to_thread(self.apply, "update_stack", changed)

    def apply(self, operation, document):
        try:
            getattr(self.client, operation)(StackName=self.name, TemplateBody=json.dumps(document), Capabilities=["CAPABILITY_IAM"])
        except ClientError as refused:
            raise Unsupported(f"CloudFormation: {refused.response['Error']['Message']}") from refused
        for _ in range(200):
            [stack] = self.client.describe_stacks(StackName=self.name)["Stacks"]
            if not stack["StackStatus"].endswith("IN_PROGRESS"):
                break
            time.sleep(0.1)
        if stack["StackStatus"] in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
            return ""
        if operation == "create_stack":
            raise Unsupported(f"CloudFormation: {stack.get('StackStatusReason', stack['StackStatus'])}")
        return stack["StackStatus"]


def wire(gateway, api, api_id, uris, endpoint):
    """Creates routes, integration, authorizer, deployment and stage, with AWS's own clients."""
    more = {"TimeoutInMillis": api.timeout_millis} if api.timeout_millis else {}
    integration = gateway.create_integration(
        ApiId=api_id, IntegrationType="AWS_PROXY", IntegrationUri=uris["message"], **more)["IntegrationId"]
    authorizer = None
    if api.authorizer:
        # AWS's clients require it; an empty one has the same effect.
        sources = {"IdentitySource": list(api.authorizer.identity_source or ())}
        authorizer = gateway.create_authorizer(
            ApiId=api_id, Name="authorizer", AuthorizerType="REQUEST", AuthorizerUri=uris["authorizer"], **sources)["AuthorizerId"]
    places = {"endpoint": endpoint, "function": uris["message"]}
    for key, route in api.routes:
        own = make_integration(gateway, api_id, route.integration, places) if route.integration else integration
        make_route(gateway, api_id, key, route, own, authorizer)
    stage = {"AutoDeploy": True} if api.auto_deploy else {}
    if api.deployed and not api.auto_deploy:
        stage["DeploymentId"] = gateway.create_deployment(ApiId=api_id)["DeploymentId"]
    if api.throttle:
        rate, burst = api.throttle
        stage["DefaultRouteSettings"] = {"ThrottlingRateLimit": rate, "ThrottlingBurstLimit": burst}
    gateway.create_stage(ApiId=api_id, StageName=STAGE, StageVariables=dict(api.variables), **stage)


def make_integration(gateway, api_id, integration, places):
    made = gateway.create_integration(ApiId=api_id, **integration.properties(places))["IntegrationId"]
    for response in integration.responses:
        selection = {"TemplateSelectionExpression": response.selection} if response.selection else {}
        try:
            gateway.create_integration_response(
                ApiId=api_id, IntegrationId=made, IntegrationResponseKey=response.key, ResponseTemplates=dict(response.templates), **selection)
        except ClientError as refused:
            code = refused.response["ResponseMetadata"]["HTTPStatusCode"]
            raise Unsupported(f"no integration responses: CreateIntegrationResponse fails with {code}") from refused
    return made


def make_route(gateway, api_id, key, route, integration, authorizer):
    more = {}
    if key == "$connect":
        more["ApiKeyRequired"] = route.api_key
        if authorizer:
            more.update(AuthorizationType="CUSTOM", AuthorizerId=authorizer)
    if route.two_way:
        more["RouteResponseSelectionExpression"] = "$default"
    if route.model:
        try:
            gateway.create_model(ApiId=api_id, Name="message", ContentType="application/json", Schema=route.model)
        except ClientError as refused:
            code = refused.response["ResponseMetadata"]["HTTPStatusCode"]
            raise Unsupported(f"no models: CreateModel fails with {code}") from refused
        more.update(ModelSelectionExpression="message", RequestModels={"message": "message"})
    made = gateway.create_route(ApiId=api_id, RouteKey=key, Target=f"integrations/{integration}", **more)
    if route.two_way:
        gateway.create_route_response(ApiId=api_id, RouteId=made["RouteId"], RouteResponseKey="$default")


def code(version="one"):
    """Returns the puppet as a deployment package of this version."""
    text = (HERE / "puppets/puppet.py").read_text().replace('VERSION = "one"', f'VERSION = "{version}"')
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("puppet.py", text)
    return packed.getvalue()
