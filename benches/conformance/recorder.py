"""Where functions tell what they were called with, so that a probe reads the very event."""

import asyncio
import json

from client import PATIENCE, SILENCE


class Recorder:
    """An HTTP server on loopback. Each API has a book of its own: the path that its functions post to."""

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
                book = self.books.get(lines[0].split()[1].strip("/"))
                if book:
                    book.write(json.loads(body))
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


class Book:
    """What the functions of one API told."""

    def __init__(self, url):
        self.url = url
        self.entries = []
        self.changed = asyncio.Event()

    def write(self, entry):
        self.entries.append(entry)
        self.changed.set()

    async def entry(self, wanted, timeout=PATIENCE):
        """The first entry that is wanted, which may still have to come; None if it does not."""
        return await self._found(lambda: next(filter(wanted, self.entries), None), timeout)

    async def count(self, wanted, at_least=0):
        """How many entries are wanted, after those that must come have come and no more does for a while."""
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
