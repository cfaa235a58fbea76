"""A WebSocket client of the standard library."""

import base64
import os
import socket
import ssl
import struct
from urllib.parse import urlsplit

TEXT, CLOSE, PING, PONG = 1, 8, 9, 10


class Refused(Exception):
    """The handshake was answered with another status than 101."""


class Client:
    """An open connection, with TLS as on AWS. `certificate` is the file of the gateway's authority."""

    def __init__(self, url, certificate, query="", headers=None, timeout=20):
        parts = urlsplit(url)
        plain = socket.create_connection((parts.hostname, parts.port), timeout)
        self.socket = ssl.create_default_context(cafile=certificate).wrap_socket(plain, server_hostname=parts.hostname)
        self.buffer = b""
        lines = [
            f"GET {parts.path}{'?' + query if query else ''} HTTP/1.1",
            f"Host: {parts.netloc}",
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}",
            *(f"{name}: {value}" for name, value in (headers or {}).items()),
        ]
        self.socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        head = self.until(b"\r\n\r\n").decode("latin-1")
        status = head.split(" ", 2)[1]
        if status != "101":
            raise Refused(status)

    def send(self, text):
        data = text.encode()
        mask = os.urandom(4)
        size = struct.pack("!B", 0x80 | len(data)) if len(data) < 126 else struct.pack("!BH", 0x80 | 126, len(data))
        masked = bytes(byte ^ mask[at % 4] for at, byte in enumerate(data))
        self.socket.sendall(bytes([0x80 | TEXT]) + size + mask + masked)

    def receive(self, timeout):
        """Returns the next message. Returns None if none arrives in time or the connection is closed."""
        self.socket.settimeout(timeout)
        message = b""
        try:
            while True:
                first, size = self.exactly(2)
                size &= 0x7F
                if size > 125:
                    form = "!H" if size == 126 else "!Q"
                    (size,) = struct.unpack(form, self.exactly(struct.calcsize(form)))
                data = self.exactly(size)
                if first & 0x0F == CLOSE:
                    return None
                if first & 0x0F in (PING, PONG):
                    continue
                message += data
                if first & 0x80:
                    return message.decode(errors="replace")
        except (TimeoutError, ConnectionError):
            return None

    def close(self):
        self.socket.close()

    def exactly(self, count):
        while len(self.buffer) < count:
            more = self.socket.recv(65536)
            if not more:
                raise ConnectionError("closed")
            self.buffer += more
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        return data

    def until(self, end):
        while end not in self.buffer:
            more = self.socket.recv(65536)
            if not more:
                raise ConnectionError("closed during the handshake")
            self.buffer += more
        head, self.buffer = self.buffer.split(end, 1)
        return head
