"""A WebSocket and HTTP client that hides nothing: callers control and see statuses, header bytes, close codes and broken frames.

Libraries correct what a probe wants to see or to send: they refuse to send an unmasked frame, answer pings by themselves,
and raise on a handshake that is not 101. This client does none of that.
"""

import asyncio
import base64
import json
import os
import struct
from dataclasses import dataclass, field

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
# Timeout in seconds for expected frames. They usually arrive within milliseconds.
PATIENCE = 10.0
# Seconds to wait before concluding that nothing arrives.
SILENCE = 0.7


@dataclass
class Response:
    """Head of an HTTP response, and its body unless the status is 101."""

    status: int
    headers: list
    body: bytes = b""

    def header(self, name):
        """Returns the first value of a header, or None."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


@dataclass
class Frame:
    """A message, a control frame, or the end of the connection."""

    kind: str
    data: bytes = b""
    code: int | None = None

    @property
    def text(self):
        return self.data.decode()

    @property
    def json(self):
        """Returns the message as an object, or an empty one if it is not JSON."""
        try:
            value = json.loads(self.data)
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}

    def __str__(self):
        if self.kind == "close":
            reason = f" “{self.text}”" if self.data else ""
            return f"close {self.code}{reason}" if self.code else "close without a code"
        if self.kind == "text" and {"message", "connectionId"} <= set(self.json):
            return f"error frame `{self.json['message']}`"
        if self.kind == "text":
            return f"message `{self.text if len(self.data) <= 80 else self.text[:77] + '…'}`"
        return {"lost": "TCP closed without a close frame", "nothing": "nothing"}.get(self.kind, self.kind)


@dataclass
class Place:
    """Address of a server, with a path prefix and a Host header."""

    host: str
    port: int
    path: str = ""
    authority: str = ""

    def __post_init__(self):
        self.authority = self.authority or f"{self.host}:{self.port}"


async def http(place, method, path, headers=(), body=b"", timeout=PATIENCE):
    """Sends one request on a new connection. A server may answer before it has read the whole body."""
    reader, writer = await asyncio.wait_for(asyncio.open_connection(place.host, place.port), timeout)
    try:
        names = {name.lower() for name, _ in headers}
        lines = [] if "host" in names else [("Host", place.authority)]
        lines += [*headers, ("Connection", "close")]
        if body or method != "GET":
            lines.append(("Content-Length", str(len(body))))
        writer.write(_head(f"{method} {path}", lines))
        try:
            writer.write(body)
            await asyncio.wait_for(writer.drain(), timeout)
        except ConnectionError:
            pass
        return await asyncio.wait_for(_response(reader), timeout)
    finally:
        writer.close()


async def connect(place, query="", headers=(), protocols=(), timeout=PATIENCE, receive_buffer=None):
    """Opens a handshake. Returns the response, and the socket if the status is 101."""
    reader, writer = await asyncio.wait_for(
        asyncio.open_connection(place.host, place.port, limit=receive_buffer or 2**20), timeout)
    lines = [("Host", place.authority), ("Upgrade", "websocket"), ("Connection", "Upgrade"),
             ("Sec-WebSocket-Key", base64.b64encode(os.urandom(16)).decode()), ("Sec-WebSocket-Version", "13"), *headers]
    if protocols:
        lines.append(("Sec-WebSocket-Protocol", ", ".join(protocols)))
    writer.write(_head(f"GET {place.path or '/'}{'?' + query if query else ''}", lines))
    try:
        response = await asyncio.wait_for(_response(reader), timeout)
    except BaseException:
        writer.close()
        raise
    if response.status == 101:
        return response, Socket(reader, writer)
    writer.close()
    return response, None


@dataclass
class Socket:
    """Client side of an open WebSocket."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    parts: list = field(default_factory=list)

    async def send(self, value):
        """Sends a text message. Values other than strings are sent as JSON."""
        await self.frame(TEXT, (value if isinstance(value, str) else json.dumps(value)).encode())

    async def frame(self, opcode, payload=b"", final=True):
        mask = os.urandom(4)
        length = len(payload)
        if length < 126:
            size = struct.pack("!B", 0x80 | length)
        elif length < 65536:
            size = struct.pack("!BH", 0x80 | 126, length)
        else:
            size = struct.pack("!BQ", 0x80 | 127, length)
        masked = (int.from_bytes(payload, "big") ^ int.from_bytes((mask * (length // 4 + 1))[:length], "big")).to_bytes(length, "big")
        try:
            self.writer.write(bytes([(0x80 if final else 0) | opcode]) + size + mask + masked)
            await asyncio.wait_for(self.writer.drain(), PATIENCE)
        except ConnectionError:
            # The connection ended during the write; its last frames can still be read.
            pass

    async def receive(self, timeout=PATIENCE):
        """Returns the next message, control frame or end, or `nothing` after the timeout."""
        try:
            return await asyncio.wait_for(self._next(), timeout)
        except asyncio.TimeoutError:
            return Frame("nothing")
        except (asyncio.IncompleteReadError, ConnectionError):
            return Frame("lost")

    async def silence(self):
        """Returns `nothing`, or the frame that arrived unexpectedly."""
        return await self.receive(SILENCE)

    async def close(self, code=None, reason=""):
        """Sends a close frame, with or without a code, and waits for the server's."""
        await self.frame(CLOSE, b"" if code is None else struct.pack("!H", code) + reason.encode())
        answer = await self.receive(2)
        self.drop()
        return answer

    def drop(self):
        """Closes TCP without a close frame."""
        self.writer.close()

    async def _next(self):
        while True:
            first, second = await self.reader.readexactly(2)
            length = second & 0x7F
            if length == 126:
                length = struct.unpack("!H", await self.reader.readexactly(2))[0]
            elif length == 127:
                length = struct.unpack("!Q", await self.reader.readexactly(8))[0]
            data = await self.reader.readexactly(length)
            opcode, final = first & 0x0F, first & 0x80
            if opcode == CLOSE:
                code = struct.unpack("!H", data[:2])[0] if len(data) >= 2 else None
                return Frame("close", data[2:], code)
            if opcode in (PING, PONG):
                return Frame("ping" if opcode == PING else "pong", data)
            if opcode != CONTINUATION:
                self.parts = [opcode]
            self.parts.append(data)
            if final:
                opcode, *parts = self.parts
                return Frame("text" if opcode == TEXT else "binary", b"".join(parts))


def _head(first, lines):
    return "".join([f"{first} HTTP/1.1\r\n", *(f"{name}: {value}\r\n" for name, value in lines), "\r\n"]).encode()


async def _response(reader):
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    status = int(head[0].split()[1])
    headers = [tuple(part.strip() for part in line.split(":", 1)) for line in head[1:] if line]
    response = Response(status, headers)
    if status != 101 and status not in (204, 304):
        response.body = await _body(reader, response)
    return response


async def _body(reader, response):
    if (response.header("transfer-encoding") or "").lower() == "chunked":
        chunks = []
        while size := int((await reader.readline()).split(b";")[0] or b"0", 16):
            chunks.append(await reader.readexactly(size))
            await reader.readline()
        return b"".join(chunks)
    length = response.header("content-length")
    try:
        return await (reader.read() if length is None else reader.readexactly(int(length)))
    except (asyncio.IncompleteReadError, ConnectionError):
        return b""
