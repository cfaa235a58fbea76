"""APIs that probes request, in a form from which every target is configured; and the served APIs that they get."""

import asyncio
import itertools
import urllib.parse
from dataclasses import dataclass, field

import client
from client import Place

STAGE = "prod"


class Unsupported(Exception):
    """The target cannot do this. The text is the reason, as a clause."""


class NotProbed(Exception):
    """Nothing was observed, for a reason that is not the target's fault."""


@dataclass(frozen=True)
class Response:
    """An integration response. `templates` are pairs of a key and a template."""

    key: str = "$default"
    templates: tuple = ()
    selection: str | None = None


@dataclass(frozen=True)
class Integration:
    """An integration that is no Lambda proxy. In `uri`, `{endpoint}` is an HTTP endpoint that records and echoes requests, and
    `{function}` the integration URI of the API's function."""

    kind: str
    uri: str | None = None
    method: str | None = None
    # Pairs of a key and a template.
    request_templates: tuple = ()
    template_selection: str | None = None
    passthrough: str | None = None
    # Pairs such as `integration.request.header.X` and `route.request.body.x`.
    parameters: tuple = ()
    responses: tuple = ()

    def properties(self, places):
        """Returns the properties, in the API's words; `places` are the values of the placeholders of `uri`."""
        named = {
            "IntegrationUri": self.uri and self.uri.format(**places), "IntegrationMethod": self.method,
            "RequestTemplates": dict(self.request_templates), "TemplateSelectionExpression": self.template_selection,
            "PassthroughBehavior": self.passthrough, "RequestParameters": dict(self.parameters),
        }
        return {"IntegrationType": self.kind, **{name: value for name, value in named.items() if value}}


@dataclass(frozen=True)
class Route:
    """A route. Without an integration of its own it invokes the API's function."""

    two_way: bool = False
    api_key: bool = False
    # JSON Schema, as text, for message bodies (row M6).
    model: str | None = None
    integration: Integration | None = None


@dataclass(frozen=True)
class Authorizer:
    """The authorizer of $connect; None sets no identity source at all."""

    identity_source: tuple | None = ()
    permission: bool = True


@dataclass(frozen=True)
class Api:
    """An API. Equal APIs are served once, and probes share them."""

    routes: tuple = (("$connect", Route()), ("$disconnect", Route()), ("$default", Route(two_way=True)))
    authorizer: Authorizer | None = None
    selection: str = "$request.body.action"
    timeout_millis: int | None = None
    # True if API Gateway may invoke the function (row C7).
    permission: bool = True
    # True if the stage has a deployment (row C3).
    deployed: bool = True
    auto_deploy: bool = False
    # Rate and burst of the stage, in requests per second.
    throttle: tuple | None = None
    variables: tuple = ()
    # Limits in seconds with which targets start, where possible (rows M13, M14).
    idle: int | None = None
    longest: int | None = None
    on_disconnect: str = ""
    # True if the API comes from a CloudFormation template, which the probe changes.
    stack: bool = False
    # Number that makes an API of its own for a probe that changes it.
    own: int = 0


def routes(*keys, **others):
    """Returns routes: $connect and $disconnect, one-way routes with these keys, and the given others."""
    named = {"$connect": Route(), "$disconnect": Route(), **{key: Route() for key in keys}, **others}
    return tuple(named.items())


_unique = itertools.count(1)


def own(**settings):
    """Returns an API that no other probe shares."""
    return Api(**settings, own=next(_unique))


@dataclass
class Served:
    """An API that a target serves."""

    place: Place
    management: Place
    book: object
    api_id: str = ""
    stage: str = STAGE
    # Route keys of the API.
    routes: set = field(default_factory=set)
    # boto3 client of the control plane, or None; `no_control` then contains the error of the attempt.
    gateway: object = None
    functions: object = None
    no_control: str = ""
    # Names of the functions: `message`, which all routes invoke, `other`, and `authorizer`.
    names: dict = field(default_factory=dict)
    signed: object = None
    # Stack of the API, if the probe requested one.
    stack: object = None
    # True if the target uses the API's limits. Otherwise a probe may take ten minutes.
    limits: bool = False
    slow: bool = False

    async def handshake(self, query="", **how):
        """Opens a handshake whose result the probe checks."""
        return await client.connect(self.place, query, **how)

    async def open(self, query="", **how):
        """Returns a socket and the connection's ID. Any status but 101 ends the probe, which cannot continue."""
        number = next(_unique)
        response, socket = await client.connect(self.place, f"probe={number}{'&' + query if query else ''}", **how)
        if socket is None:
            raise AssertionError(f"the handshake before the probe failed with status {response.status}")

        def mine(entry):
            event = entry.get("event", {})
            return is_connect(entry) and (event.get("queryStringParameters") or {}).get("probe") == str(number)

        entry = await self.book.entry(mine)
        socket.id = entry["event"]["requestContext"]["connectionId"] if entry else ""
        return socket

    async def event(self, socket, kind):
        """Waits for a connection's event of this kind."""
        entry = await self.book.entry(lambda entry: of(entry, socket, kind))
        if entry is None:
            raise AssertionError(f"no {kind} event arrived")
        return entry["event"]

    async def manage(self, method, connection, body=b"", quoted=1, stage=None):
        """Sends a signed request to @connections, with the ID quoted this many times."""
        for _ in range(quoted):
            connection = urllib.parse.quote(connection, safe="")
        path = self.management.path
        if stage is not None:
            if f"/{self.stage}" not in path:
                raise Unsupported("no stage in the path")
            path = path.replace(f"/{self.stage}", f"/{stage}")
        path = f"{path}/@connections/{connection}"
        headers = self.signed(method, self.management, path, body) if self.signed else []
        return await client.http(self.management, method, path, headers, body)

    async def call(self, operation, **parameters):
        """Calls an operation of apigatewayv2 for this API."""
        return await asyncio.to_thread(getattr(self.control(), operation), ApiId=self.api_id, **parameters)

    def control(self):
        if self.gateway is None:
            raise Unsupported(self.no_control)
        return self.gateway


def is_connect(entry):
    event = entry.get("event", {})
    return event.get("type") != "REQUEST" and event.get("requestContext", {}).get("eventType") == "CONNECT"


def of(entry, socket, kind):
    """Returns true if the entry is an event of this kind (CONNECT, MESSAGE, DISCONNECT, REQUEST) and connection."""
    event = entry.get("event", {})
    context = event.get("requestContext", {})
    found = "REQUEST" if event.get("type") == "REQUEST" else context.get("eventType")
    return found == kind and context.get("connectionId") == socket.id
