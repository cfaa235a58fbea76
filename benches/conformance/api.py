"""What a probe asks for: an API in words that every target is made from; and what it gets: the API, served."""

import asyncio
import itertools
import urllib.parse
from dataclasses import dataclass, field

import client
from client import Place

STAGE = "prod"


class Unsupported(Exception):
    """The target has no way to say or do this. The text tells why, as a clause."""


class NotProbed(Exception):
    """Nothing was seen, and that says nothing about the target."""


@dataclass(frozen=True)
class Route:
    """A route; all of them go to one function."""

    two_way: bool = False
    api_key: bool = False
    # A JSON Schema, as text, that message bodies must meet (row M6).
    model: str | None = None


@dataclass(frozen=True)
class Authorizer:
    """The authorizer of $connect; None sets no identity source at all."""

    identity_source: tuple | None = ()
    permission: bool = True


@dataclass(frozen=True)
class Api:
    """An API. Equal ones are served once, and probes share them."""

    routes: tuple = (("$connect", Route()), ("$disconnect", Route()), ("$default", Route(two_way=True)))
    authorizer: Authorizer | None = None
    selection: str = "$request.body.action"
    timeout_millis: int | None = None
    # May API Gateway invoke the function (row C7)?
    permission: bool = True
    # Has the stage a deployment (row C3)?
    deployed: bool = True
    auto_deploy: bool = False
    # Requests a second, and burst, of the stage.
    throttle: tuple | None = None
    variables: tuple = ()
    # Limits that a target may be started with, in seconds (rows M13, M14).
    idle: int | None = None
    longest: int | None = None
    on_disconnect: str = ""
    # Made from a CloudFormation template, which the probe changes.
    stack: bool = False
    # Numbers that make an API of a probe's own, which it may change.
    own: int = 0


def routes(*keys, **others):
    """$connect and $disconnect, one-way routes of these keys, and others as they are given."""
    named = {"$connect": Route(), "$disconnect": Route(), **{key: Route() for key in keys}, **others}
    return tuple(named.items())


_unique = itertools.count(1)


def own(**settings):
    """An API that no other probe gets."""
    return Api(**settings, own=next(_unique))


@dataclass
class Served:
    """An API that a target serves."""

    place: Place
    management: Place
    book: object
    api_id: str = ""
    stage: str = STAGE
    # The keys of its routes.
    routes: set = field(default_factory=set)
    # boto3 clients of the control plane, or None; what a probe tried where there is none.
    gateway: object = None
    functions: object = None
    no_control: str = ""
    # Names of the functions: `message`, which all routes call, `other`, and `authorizer`.
    names: dict = field(default_factory=dict)
    signed: object = None
    # The stack that the API is of, if the probe asked for one.
    stack: object = None
    # Was the target told the limits that the API asks for? May a probe take ten minutes?
    limits: bool = False
    slow: bool = False

    async def handshake(self, query="", **how):
        """A handshake whose outcome is what a probe is after."""
        return await client.connect(self.place, query, **how)

    async def open(self, query="", **how):
        """A socket and the connection's id. Anything but 101 ends the probe: it cannot tell what it is after."""
        number = next(_unique)
        response, socket = await client.connect(self.place, f"probe={number}{'&' + query if query else ''}", **how)
        if socket is None:
            raise AssertionError(f"the handshake before the probe was answered with {response.status}")

        def mine(entry):
            event = entry.get("event", {})
            return is_connect(entry) and (event.get("queryStringParameters") or {}).get("probe") == str(number)

        entry = await self.book.entry(mine)
        socket.id = entry["event"]["requestContext"]["connectionId"] if entry else ""
        return socket

    async def event(self, socket, kind):
        """The event of that kind of a connection, which may still have to come."""
        entry = await self.book.entry(lambda entry: of(entry, socket, kind))
        if entry is None:
            raise AssertionError(f"no {kind} event came")
        return entry["event"]

    async def manage(self, method, connection, body=b"", quoted=1, stage=None):
        """A signed request to @connections; the id is quoted so many times."""
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
        """A call of apigatewayv2 on this API."""
        return await asyncio.to_thread(getattr(self.control(), operation), ApiId=self.api_id, **parameters)

    def control(self):
        if self.gateway is None:
            raise Unsupported(self.no_control)
        return self.gateway


def is_connect(entry):
    event = entry.get("event", {})
    return event.get("type") != "REQUEST" and event.get("requestContext", {}).get("eventType") == "CONNECT"


def of(entry, socket, kind):
    """Is this entry an event of that kind (CONNECT, MESSAGE, DISCONNECT, REQUEST) of that connection?"""
    event = entry.get("event", {})
    context = event.get("requestContext", {})
    found = "REQUEST" if event.get("type") == "REQUEST" else context.get("eventType")
    return found == kind and context.get("connectionId") == socket.id
