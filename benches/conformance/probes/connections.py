"""Rows K1 to K7: @connections."""

import asyncio
import json
import re

from api import Api, Unsupported
from probes import probe, seen, status

DEFAULT = Api()


@probe("K1", "200 for a post, and the client gets it as a text message")
async def posted(api):
    socket = await api.open()
    response = await api.manage("POST", socket.id, b"hello")
    frame = await socket.receive(2)
    await socket.close(1000)
    # AWS's clients accept any 2xx.
    arrived = (frame.kind, frame.data) == ("text", b"hello") and 200 <= response.status < 300
    return seen(f"{response.status}, {frame}", "partly" if arrived and response.status != 200 else arrived)


@probe("K2", "200 for a get, with connectedAt, identity and lastActiveAt in ISO 8601")
async def got(api):
    socket = await api.open(headers=[("User-Agent", "bench/1")])
    response = await api.manage("GET", socket.id)
    await socket.close(1000)
    if response.status != 200:
        return status(response, 200)
    told = json.loads(response.body or b"{}")
    form = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"
    times = [told.get(name) for name in ("connectedAt", "lastActiveAt")]
    fits = all(isinstance(time, str) and re.fullmatch(form, time) for time in times)
    fits = fits and told.get("identity") == {"sourceIp": "127.0.0.1", "userAgent": "bench/1"}
    shown = {name: type(value).__name__ for name, value in sorted(told.items())}
    return seen("200, as documented" if fits else f"200, {', '.join(f'{name} ({kind})' for name, kind in shown.items())}", fits)


@probe("K3", "204 for a delete")
async def removed(api):
    socket = await api.open()
    response = await api.manage("DELETE", socket.id)
    socket.drop()
    return status(response, 204)


@probe("K4", "410 GoneException for a connection that is closed")
async def closed(api):
    socket = await api.open()
    await socket.close(1000)
    await api.event(socket, "DISCONNECT")
    return gone(await api.manage("POST", socket.id, b"hello"))


@probe("K4", "410 GoneException for an ID that never existed")
async def unknown(api):
    return gone(await api.manage("POST", "AAAAAAAAAAAAAAA=", b"hello"))


def gone(response):
    named = response.header("x-amzn-ErrorType") or ""
    return seen(f"{response.status}{f' {named}' if named else ', no x-amzn-ErrorType'}",
                "partly" if response.status == 410 and not named else response.status == 410 and "GoneException" in named)


@probe("K5", "403 ForbiddenException for another stage")
async def other_stage(api):
    socket = await api.open()
    response = await api.manage("POST", socket.id, b"hello", stage="nowhere")
    await socket.close(1000)
    return status(response, 403)


@probe("K5", "403 ForbiddenException for an ID that is encoded twice")
async def encoded_twice(api):
    socket = await api.open()
    if "=" not in socket.id:
        raise Unsupported("its IDs contain no character that needs encoding")
    response = await api.manage("POST", socket.id, b"hello", quoted=2)
    await socket.close(1000)
    return status(response, 403)


@probe("K6", "413 PayloadTooLargeException over 128 KB")
async def too_large(api):
    socket = await api.open()
    response = await api.manage("POST", socket.id, b"x" * (128 * 1024 + 1))
    frame = await socket.receive(1)
    await socket.close(1000)
    text = f"{response.status}{f', and it arrived ({len(frame.data):,} bytes)' if frame.kind == 'text' else ''}"
    return seen(text, response.status == 413)


@probe("K7", "429 LimitExceededException when the client does not read and its buffer is full; here after at most 64 MiB")
async def buffer_full(api):
    socket = await api.open(receive_buffer=1024)
    # Reading stops when the stream's small buffer is full; the kernel buffers some more.
    last = None
    for number in range(512):
        last = await api.manage("POST", socket.id, b"x" * (128 * 1024))
        if not 200 <= last.status < 300:
            break
    socket.drop()
    await asyncio.sleep(0)
    if 200 <= last.status < 300:
        return seen(f"{last.status} for all 64 MiB", False)
    return seen(f"{last.status}", last.status == 429)
