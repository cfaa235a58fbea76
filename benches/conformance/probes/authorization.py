"""Rows A1 to A13, A15, A16."""

import json
import re

from botocore.exceptions import ClientError

from api import Api, Authorizer, Route, own, routes
from probes import probe, query, raw, seen, status
from targets.template import uri

TOKEN = "route.request.querystring.token"
HEADER = "route.request.header.X-Token"
OPEN = Api(authorizer=Authorizer())
BY_QUERY = Api(authorizer=Authorizer((TOKEN,)))
BY_BOTH = Api(authorizer=Authorizer((TOKEN, HEADER)))


def asked(entry):
    return entry.get("event", {}).get("type") == "REQUEST"


@probe("A1", "the authorizer is called once per connection, not for messages", OPEN)
async def asked_once(api):
    before = sum(map(asked, api.book.entries))
    socket = await api.open()
    for _ in range(2):
        await socket.send({"do": "body:hi"})
        await socket.receive()
    await socket.close(1000)
    calls = await api.book.count(asked, before + 1) - before
    return seen(calls_text(calls), calls == 1)


@probe("A2", "401 without a call of the authorizer when an identity source is missing", BY_QUERY)
async def identity_source_missing(api):
    return await refused_unasked(api, "")


@probe("A2", "401 without a call of the authorizer when an identity source is empty", BY_QUERY)
async def identity_source_empty(api):
    return await refused_unasked(api, "token=")


@probe("A2", "401 without a call of the authorizer when one of two identity sources is missing", BY_BOTH)
async def one_of_two_identity_sources(api):
    return await refused_unasked(api, "token=t")


async def refused_unasked(api, words):
    before = sum(map(asked, api.book.entries))
    response, _ = await api.handshake(words)
    calls = await api.book.count(asked) - before
    return seen(f"{response.status}, {calls_text(calls)}", (response.status, calls) == (401, 0))


@probe("A3", "400 for `$request.header.X` as an identity source of a WebSocket API", own())
async def syntax_of_http_apis(api):
    return await refused_authorizer(api, IdentitySource=["$request.header.Authorization"])


@probe("A3", "`route.request.header.X` and `route.request.querystring.X` work as identity sources", BY_BOTH)
async def syntax_of_websocket_apis(api):
    response, _ = await api.handshake("token=t", headers=[("X-Token", "t")])
    return status(response, 101)


@probe("A4", "without identity sources, the authorizer is called for every handshake", Api(authorizer=Authorizer(None)))
async def no_identity_source(api):
    before = sum(map(asked, api.book.entries))
    response, _ = await api.handshake()
    calls = await api.book.count(asked, before + 1) - before
    return seen(f"{response.status}, {calls_text(calls)}", (response.status, calls) == (101, 1))


@probe("A5", "403 when the authorizer denies", OPEN)
async def denied(api):
    response, _ = await api.handshake(query(auth="deny"))
    return status(response, 403)


@probe("A5", "403 when the policy allows `…/prod/*/*`, which does not match `…/prod/$connect`", OPEN)
async def other_resource(api):
    response, _ = await api.handshake(query(auth="wildcard"))
    return status(response, 403)


@probe("A6", "401 when the authorizer fails with exactly `Unauthorized`", OPEN)
async def unauthorized(api):
    response, _ = await api.handshake(query(auth="unauthorized"))
    if api.gateway or response.status == 401:
        return status(response, 401)
    # A Node function can also fail by its callback, and a target may support only that.
    by_callback, _ = await api.handshake(query(auth="callback"))
    text = f"{response.status} when it throws, {by_callback.status} when it calls back"
    return seen(text, "partly" if by_callback.status == 401 else "no")


@probe("A7", "500 when the authorizer fails with anything else", OPEN)
async def authorizer_throws(api):
    response, _ = await api.handshake(query(auth="throw:no"))
    return status(response, 500)


@probe("A7", "500 when the authorizer returns no policy", OPEN)
async def authorizer_is_malformed(api):
    response, _ = await api.handshake(query(auth=f"raw:{raw({'isAuthorized': True})}"))
    return status(response, 500)


@probe("A8", "500 when the output has no principalId", OPEN)
async def no_principal(api):
    response, _ = await api.handshake(query(auth="anonymous"))
    return status(response, 500)


@probe("A9", "500 when a value of the context is an object", OPEN)
async def context_with_object(api):
    response, _ = await api.handshake(query(auth=f"context:{raw({'a': {'b': 1}})}"))
    return status(response, 500)


@probe("A9", "500 when the authorizer's output is over 8 KB", OPEN)
async def context_too_large(api):
    # The function makes it. In the query it would exceed another limit.
    response, _ = await api.handshake(query(auth="large"))
    return status(response, 500)


@probe("A10", "principalId and context, as strings, in the events of `$connect`, messages and `$disconnect`", OPEN)
async def context_everywhere(api):
    socket = await api.open()
    await socket.send({"do": "body:hi"})
    await socket.receive()
    await socket.close(1000)
    expected = {"principalId": "somebody", "text": "words", "number": "7", "truth": "true"}
    missing, other = [], []
    for kind in ("CONNECT", "MESSAGE", "DISCONNECT"):
        found = (await api.event(socket, kind))["requestContext"].get("authorizer") or {}
        if not found:
            missing.append(kind)
        elif {name: found.get(name) for name in expected} != expected:
            other.append(f"{kind}: {json.dumps(found)}")
    text = "; ".join([*(f"not in {kind}" for kind in missing), *other]) or "in all three, as strings"
    return seen(text, not missing and not other)


@probe("A11", "400 for any AuthorizerResultTtlInSeconds, even 0", own())
async def no_cache(api):
    return await refused_authorizer(api, AuthorizerResultTtlInSeconds=0)


@probe("A12", "400 for EnableSimpleResponses", own())
async def simple_responses(api):
    return await refused_authorizer(api, EnableSimpleResponses=True)


@probe("A12", "400 for AuthorizerPayloadFormatVersion", own())
async def payload_format_version(api):
    return await refused_authorizer(api, AuthorizerPayloadFormatVersion="2.0")


async def refused_authorizer(api, **more):
    """Calls CreateAuthorizer with a property that WebSocket APIs do not support."""
    api.control()
    try:
        await api.call("create_authorizer", Name="another", AuthorizerType="REQUEST", AuthorizerUri=uri(api.names["message"]),
                       **{"IdentitySource": [HEADER], **more})
    except ClientError as error:
        code = error.response["ResponseMetadata"]["HTTPStatusCode"]
        return seen(f"{code} {error.response['Error']['Code']}", code == 400)
    return seen("accepted", False)


@probe("A13", "methodArn is `arn:aws:execute-api:{region}:{account}:{api}/{stage}/$connect`", OPEN)
async def method_arn(api):
    socket = await api.open()
    event = await api.event(socket, "REQUEST")
    await socket.close(1000)
    context, arn = event["requestContext"], event["methodArn"]
    tail = re.escape(f"{context['apiId']}/{context['stage']}/$connect")
    fits = re.fullmatch(rf"arn:aws:execute-api:[a-z0-9-]+:\d{{12}}:{tail}", arn)
    shown = arn.replace(context["apiId"], "{api}").replace(context["stage"], "{stage}")
    return seen(f"`{shown}`", bool(fits))


@probe("A15", "403 without an API key when `$connect` requires one",
       Api(routes=routes(**{"$connect": Route(api_key=True), "$default": Route()})))
async def no_api_key(api):
    response, _ = await api.handshake()
    return status(response, 403)


@probe("A16", "500 when API Gateway is not allowed to invoke the authorizer", Api(authorizer=Authorizer(permission=False)))
async def no_permission_for_authorizer(api):
    response, _ = await api.handshake()
    return status(response, 500)


def calls_text(count):
    return {0: "not called", 1: "called once", 2: "called twice"}.get(count, f"called {count} times")
