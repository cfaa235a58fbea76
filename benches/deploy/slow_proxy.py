"""A proxy in front of an emulator of AWS: it delays every answer, and counts the calls."""

import asyncio
import threading


class SlowProxy:
    """Forwards HTTP/1.1 and WebSockets to a port of this machine. Every answer is late by `delay` seconds."""

    def __init__(self, port, delay):
        self.upstream, self.delay, self.calls = port, delay, 0
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()
        starting = asyncio.start_server(self.serve, "127.0.0.1", 0)
        server = asyncio.run_coroutine_threadsafe(starting, self.loop).result()
        self.port = server.sockets[0].getsockname()[1]

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader, writer):
        upstream_reader, upstream_writer = await asyncio.open_connection("127.0.0.1", self.upstream)
        try:
            while await self.exchange(reader, writer, upstream_reader, upstream_writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            upstream_writer.close()
            writer.close()

    async def exchange(self, reader, writer, upstream_reader, upstream_writer):
        """Forwards a request and its answer. Returns whether the connection can be used again."""
        head = await read_head(reader)
        if not head:
            return False
        self.calls += 1
        if header(head, b"expect"):
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            head = b"\r\n".join(line for line in head.split(b"\r\n") if not line.lower().startswith(b"expect:"))
        upstream_writer.write(head + await read_body(reader, head, is_request=True))
        answer = await read_head(upstream_reader)
        if not answer:
            return False
        is_switched = answer.split(b" ")[1] == b"101"
        has_body = not is_switched and not head.startswith(b"HEAD ") and answer.split(b" ")[1] not in (b"204", b"304")
        body = await read_body(upstream_reader, answer, is_request=False) if has_body else b""
        await asyncio.sleep(self.delay)
        writer.write(answer + body)
        await writer.drain()
        if is_switched:
            await asyncio.gather(copy(reader, upstream_writer), copy(upstream_reader, writer))
            return False
        return b"close" not in (header(answer, b"connection") or b"").lower()


async def read_head(reader):
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return b""


def header(head, name):
    for line in head.split(b"\r\n")[1:]:
        found, _, value = line.partition(b":")
        if found.strip().lower() == name:
            return value.strip()
    return None


async def read_body(reader, head, is_request):
    length = header(head, b"content-length")
    if length is not None:
        return await reader.readexactly(int(length))
    if b"chunked" in (header(head, b"transfer-encoding") or b"").lower():
        body = b""
        while True:
            line = await reader.readuntil(b"\r\n")
            size = int(line.split(b";")[0], 16)
            body += line + await reader.readexactly(size + 2)
            if size == 0:
                return body
    return b"" if is_request else await reader.read()


async def copy(reader, writer):
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()
