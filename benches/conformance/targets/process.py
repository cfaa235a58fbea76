"""Processes that a run starts and stops."""

import asyncio
import os
import signal
import socket


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Process:
    """A server in a process group of its own, its output in a file."""

    def __init__(self, command, log, cwd, env):
        self.command, self.log, self.cwd, self.env = command, log, cwd, env
        self.running = None

    async def start(self):
        with open(self.log, "wb") as log:
            self.running = await asyncio.create_subprocess_exec(
                *map(str, self.command), cwd=self.cwd, env=self.env, stdin=asyncio.subprocess.DEVNULL, stdout=log,
                stderr=log, start_new_session=True)
        return self

    async def ready(self, is_ready, timeout=60):
        """Waits until the server is ready. Otherwise fails with its output."""
        deadline = asyncio.get_running_loop().time() + timeout
        while asyncio.get_running_loop().time() < deadline and self.running.returncode is None:
            if await is_ready():
                return
            await asyncio.sleep(0.05)
        raise SystemExit(f"{self.command[0]} did not start:\n{open(self.log, errors='replace').read()[-4000:]}")

    async def stop(self):
        """Stops the process group."""
        if self.running is None:
            return
        for ending in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self.running.pid, ending)
            except ProcessLookupError:
                break
            try:
                await asyncio.wait_for(self.running.wait(), 3)
            except asyncio.TimeoutError:
                continue
        self.running = None


async def listens(port):
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except ConnectionError:
        return False
    writer.close()
    return True
