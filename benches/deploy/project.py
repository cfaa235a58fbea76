"""The stack that all tools deploy: a WebSocket API with functions of a few lines."""

import io
import zipfile

FUNCTION = """#!/usr/bin/env python3
# {label}
import json, os, urllib.request

api = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime/invocation/"
while True:
    with urllib.request.urlopen(api + "next") as request:
        id = request.headers["Lambda-Runtime-Aws-Request-Id"]
        request.read()
    urllib.request.urlopen(api + id + "/response", json.dumps({{"statusCode": 200, "body": "pong"}}).encode())
"""


def write(folder, functions, label, routes=()):
    """Writes stackgen.yaml, and the code of functions that `label` names: `{"room0": "first"}`."""
    names = [f"room{number}" for number in range(functions)]
    lines = ["name: bench", "functions:"]
    lines += [f"  {name}: {{ zip: {name}.zip, runtime: provided.al2023, handler: bootstrap, architecture: x86_64 }}"
              for name in names]
    lines += ["websocket:", "  name: bench-api", "  stage: { name: live }", "  routes:", "    $connect: { function: room0 }"]
    lines += [f"    {name}: {{ function: {name} }}" for name in names]
    lines += [f"    {route}: {{ function: room0 }}" for route in routes]
    lines += ["environments:", "  dev: {}"]
    (folder / "stackgen.yaml").write_text("\n".join(lines) + "\n")
    for name in names:
        (folder / f"{name}.zip").write_bytes(code(label.get(name, "first")))


def code(label):
    """Returns a zip file that depends on the label alone."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        entry = zipfile.ZipInfo("bootstrap", (1980, 1, 1, 0, 0, 0))
        entry.external_attr = 0o755 << 16
        archive.writestr(entry, FUNCTION.format(label=label))
    return packed.getvalue()
