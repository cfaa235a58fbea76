"""Rows C1 to C11."""

import asyncio

import client
from api import Api, routes
from probes import probe, query, raw, seen, status


@probe("C1", "the handshake waits for `$connect`; 101 if it returns 2xx")
async def the_upgrade_waits(api):
    await api.handshake()
    began = asyncio.get_running_loop().time()
    response, socket = await api.handshake(query(do="sleep:1000"))
    waited = asyncio.get_running_loop().time() - began >= 0.95
    return seen(f"{response.status}, {'after' if waited else 'before'} the function ended", response.status == 101 and waited)


@probe("C2", "101 without a `$connect` route", Api(routes=routes("$default")[1:]))
async def no_connect_route(api):
    response, _ = await api.handshake()
    return status(response, 101)


@probe("C3", "403 while the stage has no deployment", Api(deployed=False))
async def no_deployment(api):
    response, _ = await api.handshake()
    return status(response, 403)


@probe("C4", "426 for a plain GET")
async def plain_get(api):
    before = len(api.book.entries)
    response = await client.http(api.place, "GET", api.place.path or "/")
    called = len(api.book.entries) > before
    return seen(f"{response.status}{', and a function was called' if called else ''}", response.status == 426 and not called)


@probe("C5", "the client gets the status that `$connect` returns: 301, 400, 401, 501")
async def refused_by_connect(api):
    expected = [301, 400, 401, 501]
    found = [(await api.handshake(query(do=f"status:{code}")))[0].status for code in expected]
    return seen(", ".join(map(str, found)), found == expected)


@probe("C6", "502 when `$connect` throws")
async def connect_throws(api):
    response, _ = await api.handshake(query(do="throw:no"))
    return status(response, 502)


@probe("C6", "502 when `$connect` returns an invalid proxy response, here a string")
async def connect_is_malformed(api):
    response, _ = await api.handshake(query(do=f"raw:{raw('words')}"))
    return status(response, 502)


@probe("C7", "500 when API Gateway is not allowed to invoke the function", Api(permission=False))
async def no_permission(api):
    response, _ = await api.handshake()
    return status(response, 500)


@probe("C8", "504 after the integration's timeout, here 1 s", Api(timeout_millis=1000))
async def connect_times_out(api):
    response, _ = await api.handshake(query(do="sleep:3000"))
    return status(response, 504)


@probe("C8", "504 after 29 s, the default")
async def connect_times_out_by_default(api):
    response, _ = await api.handshake(query(do="sleep:32000"), timeout=40)
    return status(response, 504)


@probe("C9", "of the `$connect` response, only the `Sec-WebSocket-Protocol` header reaches the client")
async def connect_answers_headers(api):
    answer = {"statusCode": 200, "headers": {"X-Puppet": "1", "Sec-WebSocket-Protocol": "two"}, "body": "words"}
    response, socket = await api.handshake(query(do=f"raw:{raw(answer)}"), protocols=["one", "two"])
    if socket is None:
        return status(response, 101)
    first = await socket.silence()
    protocol, other = response.header("Sec-WebSocket-Protocol"), response.header("X-Puppet")
    told = [f"protocol {protocol}", "other header sent" if other else "", f"{first} came" if first.kind != "nothing" else ""]
    return seen(", ".join(filter(None, told)), (protocol, other, first.kind) == ("two", None, "nothing"))


@probe("C10", "no subprotocol in the 101 unless `$connect` returns one")
async def no_automatic_echo(api):
    response, socket = await api.handshake(protocols=["one", "two"])
    protocol = response.header("Sec-WebSocket-Protocol")
    text = f"{response.status}, {'no subprotocol' if protocol is None else f'subprotocol `{protocol}`'}"
    return seen(text, response.status == 101 and protocol is None)


@probe("C11", "410 for a post to the connection from its own `$connect` function")
async def post_inside_connect(api):
    before = len(api.book.entries)
    await api.handshake(query(do="post:hello"))
    posted = [entry["post"] for entry in api.book.entries[before:] if "post" in entry]
    return seen(f"{posted[0]}" if posted else "the function's post failed", posted == [410])
