"""Compares the fan-outs, with endpoints that answer after 5 and after 30 milliseconds."""

import base64
import json
import os
import statistics
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

LISTENERS = 500
DELAYS = [5, 30]
# An audio chunk in base64 (50 ms of 16 kHz and 16 bits), in the message for listeners.
MESSAGE = json.dumps({"type": "audio", "sessionId": "merciful-truth-455-k7dq2m9x4hw3t", "audioData": base64.b64encode(bytes(1600)).decode(),
                      "timestamp": 1707502303419, "format": "pcm", "chunkIndex": 1}, separators=(",", ":"))
TICK = 1 / os.sysconf("SC_CLK_TCK")


@dataclass
class Client:
    """A client process, which fans out in rounds."""

    name: str
    process: subprocess.Popen
    first: float = 0.0
    seconds: list = field(default_factory=list)
    cpu: float = 0.0
    peak_kib: int = 0
    private_kib: int = 0

    def round(self):
        self.process.stdin.write(MESSAGE + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line or json.loads(line)["sent"] != LISTENERS:
            raise SystemExit(f"{self.name}: it did not reach all listeners: {line or 'the process ended'}")
        self.name = self.name.format(**json.loads(line))
        return json.loads(line)["seconds"]

    def weigh(self):
        self.peak_kib = status_kib(self.process.pid, "VmHWM")
        self.private_kib = status_kib(self.process.pid, "RssAnon")


@dataclass
class Comparison:
    """Results of all clients with one endpoint."""

    delay: int
    answer: float  # What one connection sees, in seconds.
    ceiling: float  # Posts a second.
    busy: float  # The part of a core that the endpoint took in the rounds of the client that asked most of it.
    clients: list


def fan_outs(binaries, python, rounds, slow_rounds):
    """Measures all clients; the sequential one, which is slow, for `slow_rounds`."""
    return [compare(binaries, python, delay, rounds, slow_rounds) for delay in DELAYS]


def compare(binaries, python, delay, rounds, slow_rounds):
    tool = binaries / "bench-handlers"
    endpoint = start([tool, "endpoint", str(delay)])
    url = json.loads(endpoint.stdout.readline())["url"]
    script = str(Path(__file__).parent / "python/fan_out.py")

    def ours(*options, note=""):
        command = [binaries / "bench-fan-out", url, str(LISTENERS), *map(str, options)]
        return Client("ours, {at_a_time} at a time" + note, start(command))

    def boto3(name, threads):
        return Client(name, start([python, script, url, str(LISTENERS), str(threads)]))

    # The last one is slow.
    clients = [
        ours(note=" (default)"),
        boto3("boto3, 32 threads", 32),
        # As the audio handler does with AUDIO_POSTS_PER_SECOND=10000.
        ours(512, 100, note=", one every 100 µs"),
        ours(32),
        ours(LISTENERS),
        boto3("boto3, one after the other", 1),
    ]
    try:
        ceiling, answer = [ask(tool, url, connections) for connections in (128, 1)]
        for client in clients:
            client.first = client.round()
        busy = measure(clients, endpoint, rounds, slow_rounds)
        for client in clients:
            client.weigh()
    finally:
        for process in [client.process for client in clients] + [endpoint]:
            process.stdin.close()
            process.wait()
    return Comparison(delay, 1 / answer, ceiling, busy, clients)


def measure(clients, endpoint, rounds, slow_rounds):
    """Runs the clients' rounds in turn, so that noise affects all equally. Returns the endpoint's highest CPU load."""
    busy = dict.fromkeys((client.name for client in clients), 0.0)
    for number in range(rounds):
        for client in clients:
            if client is clients[-1] and number >= slow_rounds:
                continue
            before, endpoint_before = cpu_seconds(client.process.pid), cpu_seconds(endpoint.pid)
            client.seconds.append(client.round())
            client.cpu += cpu_seconds(client.process.pid) - before
            busy[client.name] += cpu_seconds(endpoint.pid) - endpoint_before
    return max(busy[client.name] / sum(client.seconds) for client in clients)


def ask(tool, url, connections):
    """Returns the posts per second of minimal clients."""
    command = [tool, "ceiling", url, str(connections), "2000"]
    rates = [json.loads(subprocess.check_output(command))["posts_per_second"] for _ in range(3)]
    return statistics.median(rates)


def start(command):
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def cpu_seconds(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * TICK


def status_kib(pid, name):
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))
