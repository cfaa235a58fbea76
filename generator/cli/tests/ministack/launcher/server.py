"""Server that runs ministack in this process."""

import asyncio
import importlib.metadata
import json
import os
import socket
import sys
import tempfile
import traceback
import urllib.request

from launcher import lifetime

# The launcher replaces internal functions, which may change in any version.
MINISTACK = "1.5.33"


def run(port, delay, failures_file):
    """Serves until the end of the process is requested. Does not return."""
    found = importlib.metadata.version("ministack")
    if found != MINISTACK:
        raise SystemExit(f"ministack {found} is not supported; install the versions of requirements.txt")
    output = reserve_stdout()
    listener = socket.create_server(("127.0.0.1", port), backlog=128)
    port = listener.getsockname()[1]
    lifetime.lead_process_group()
    scratch = tempfile.mkdtemp(prefix="stackgen-ministack-")
    configure(port, scratch)
    add(delay, failures_file)
    asyncio.run(serve(listener, lambda: announce(output, port), scratch))


def reserve_stdout():
    """Returns a stream for stdout, and redirects everything else to stderr."""
    output = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return output


def configure(port, scratch):
    """Sets the variables that ministack reads when it is imported."""
    os.environ |= {
        "GATEWAY_PORT": str(port), "BIND_HOST": "127.0.0.1", "SFTP_ENABLED": "0", "IOT_MTLS_ENABLED": "0",
        "PERSIST_STATE": "0", "S3_PERSIST": "0", "TMPDIR": scratch, "LOG_LEVEL": os.environ.get("LOG_LEVEL", "WARNING")}
    tempfile.tempdir = scratch


def add(delay, failures_file):
    """Extends ministack. Imports it, which needs the variables of `configure`."""
    from launcher import (change_sets, endpoints, functions, gateway_api, gateway_records, gateway_types, operations, rollbacks,
                          tables)
    from launcher.failures import Failures

    gateway_api.install()
    gateway_records.install()
    gateway_types.install()
    change_sets.install()
    endpoints.install()
    rollbacks.install()
    tables.install()
    failures = Failures(failures_file)
    functions.install(failures)
    operations.install(delay, failures)


async def serve(listener, announce, scratch):
    from hypercorn.asyncio import serve as serve_app
    from hypercorn.config import Config
    from ministack.app import app

    config = Config()
    config.bind = [f"fd://{listener.fileno()}"]
    config.keep_alive_timeout = 75
    config.loglevel = os.environ["LOG_LEVEL"].upper()

    async def finish():
        await lifetime.end_requested()
        lifetime.finish(scratch, 0)

    # Kept, because the loop keeps only weak references to tasks.
    announcement = asyncio.create_task(asyncio.to_thread(announce))
    try:
        await serve_app(app, config, shutdown_trigger=finish)
    except BaseException:
        traceback.print_exc()
        announcement.cancel()
        lifetime.finish(scratch, 1)


def announce(output, port):
    """Waits until ministack answers, and prints its port."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/_ministack/health", timeout=60):
            pass
    except OSError as error:
        print(f"ministack does not answer: {error}", file=sys.stderr)
    else:
        print(json.dumps({"port": port}), file=output, flush=True)
