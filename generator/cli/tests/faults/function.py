#!/usr/bin/env -S python3 -I -S
# LABEL
# Connects everybody, unless a file MARKS/{api}.{label}.broken exists; waits while MARKS/{api}.{label}.held does.
import json, os, socket, time

marks, label = "MARKS", "LABEL"
host, port = os.environ["AWS_LAMBDA_RUNTIME_API"].split(":")
runtime = socket.create_connection((host, int(port)))
runtime.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def receive():
    received = runtime.recv(65536)
    if not received:
        raise SystemExit("the Runtime API is gone")
    return received


def call(method, path, body=b""):
    line = f"{method} /2018-06-01/runtime/invocation/{path} HTTP/1.1\r\nHost: {host}\r\n"
    runtime.sendall(f"{line}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += receive()
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")[1:]
    headers = {key.lower(): value for key, value in (line.split(": ", 1) for line in lines)}
    while len(body) < int(headers["content-length"]):
        body += receive()
    return headers, body


while True:
    headers, event = call("GET", "next")
    id = headers["lambda-runtime-aws-request-id"]
    context = json.loads(event)["requestContext"]
    mark = os.path.join(marks, context["apiId"] + "." + label)
    connecting = context["eventType"] == "CONNECT"
    if connecting and os.path.exists(mark + ".held"):
        print("held", context["apiId"], label, flush=True)
        while os.path.exists(mark + ".held"):
            time.sleep(0.005)
    if connecting and os.path.exists(mark + ".broken"):
        call("POST", id + "/error", b'{"errorMessage":"broken","errorType":"Exception"}')
    else:
        call("POST", id + "/response", b'{"statusCode":200}')
