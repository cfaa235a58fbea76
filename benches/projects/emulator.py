"""ministack, an emulator of AWS for the services that the local gateway does not have: `stackgen dev --services`."""

import json
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".tools/ministack/bin/python"
LAUNCHER = ROOT / "generator/cli/tests/ministack/launch.py"

class Emulator:
    """A running emulator; `with` ends it."""

    def __init__(self):
        command = [PYTHON, LAUNCHER]
        # It ends when its input ends.
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, start_new_session=True
        )
        self.url = f"http://127.0.0.1:{json.loads(self.process.stdout.readline())['port']}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.terminate()
        self.process.wait(20)
