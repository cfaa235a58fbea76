"""Records the events of functions, and the requests of HTTP integrations, so that probes can check them."""

import asyncio
import json
from urllib.parse import parse_qs, urlsplit

from client import PATIENCE, SILENCE


class Recorder:
    """HTTP server on loopback. Functions post their events to a path per API. Below it, `/endpoint` is an HTTP endpoint: it records
    its requests and echoes them, with the status of the query string `status`."""

    def __init__(self):
        self.books = {}
        self.server = None

    async def __aenter__(self):
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_):
        self.server.close()

    @property
    def port(self):
        return self.server.sockets[0].getsockname()[1]

    def book(self):
        name = str(len(self.books))
        self.books[name] = Book(f"http://127.0.0.1:{self.port}/{name}")
        return self.books[name]

    async def _serve(self, reader, writer):
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                lines = head.decode("latin-1").split("\r\n")
                fields = dict(line.lower().split(": ", 1) for line in lines[1:] if ": " in line)
                body = await reader.readexactly(int(fields.get("content-length", 0)))
                method, target, _ = lines[0].split()
                name, _, path = target.lstrip("/").partition("/")
                book = self.books.get(name)
                if book and urlsplit(path).path == "endpoint":
                    writer.write(book.echo(method, path, fields, body))
                    continue
                if book:
                    book.write(json.loads(body))
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


class Book:
    """Events of the functions of one API."""

    def __init__(self, url):
        self.url = url
        self.entries = []
        self.changed = asyncio.Event()

    def write(self, entry):
        self.entries.append(entry)
        self.changed.set()

    @property
    def endpoint(self):
        return f"{self.url}/endpoint"

    def echo(self, method, path, headers, body):
        """Records a request of an integration. Returns the answer: the request as JSON."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(path).query).items()}
        request = {"method": method, "query": query, "headers": headers, "body": body.decode(errors="replace")}
        self.write({"request": request})
        text = json.dumps(request).encode()
        status = query.get("status", "200")
        return f"HTTP/1.1 {status} Echo\r\nContent-Type: application/json\r\nContent-Length: {len(text)}\r\n\r\n".encode() + text

    async def entry(self, wanted, timeout=PATIENCE):
        """Waits for the first matching entry; None if there is none."""
        return await self._found(lambda: next(filter(wanted, self.entries), None), timeout)

    async def count(self, wanted, at_least=0):
        """Returns the number of matching entries, once the expected ones have arrived and no more do for a while."""
        await self._found(lambda: sum(map(wanted, self.entries)) >= at_least or None, PATIENCE)
        await asyncio.sleep(SILENCE)
        return sum(map(wanted, self.entries))

    async def _found(self, look, timeout):
        deadline = asyncio.get_running_loop().time() + timeout
        while (found := look()) is None:
            self.changed.clear()
            try:
                await asyncio.wait_for(self.changed.wait(), deadline - asyncio.get_running_loop().time())
            except asyncio.TimeoutError:
                return None
        return found
